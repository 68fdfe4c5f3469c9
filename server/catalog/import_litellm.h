/* import_litellm.h: the two halves of the reader of LiteLLM's table. */
#pragma once

#include "catalog/import_entry.h"

/* Every price field of the entry's object: what it means here becomes a figure, e->untaken names the
 * rest. One that is absurd or no exact figure refuses the entry. */
int import_litellm_prices(struct import_entries *to, struct import_entry *e,
                          const struct json_object *v) _must_use_;
/* Refuses the entry where it would be sold below its cost or for nothing; drops figures of service
 * tiers that are not whole. After the entry's kind and vendor are known. */
int import_litellm_judge(struct import_entries *to, struct import_entry *e,
                         const struct json_object *v) _must_use_;
