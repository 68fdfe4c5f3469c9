/* service.h: the service tiers that a provider sells the same model at: how soon it answers, and so
 * for how much. Any thread. */
#pragma once

#include "base/str.h"

enum service_tier {
    SERVICE_STANDARD,
    SERVICE_FLEX,     /* slower and cheaper */
    SERVICE_PRIORITY, /* faster and dearer */
    SERVICE_TIERS
};

const char *service_tier_name(enum service_tier s);  /* "standard", "flex", "priority" */
const char *service_tier_label(enum service_tier s); /* for people: "Standard" */

enum { SERVICE_OK = 0, SERVICE_E_UNKNOWN = 1 };
/* Our own names, as in price_unit.service_tier. */
int service_tier_parse(struct str name, enum service_tier *ret) _must_use_;
/* The words of requests and replies. What leaves the choice to the provider ("auto") is standard: a
 * customer pays for another tier only who asked for it by name. */
int service_tier_read(struct str word, enum service_tier *ret) _must_use_;
