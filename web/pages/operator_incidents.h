/* operator_incidents.h: what is switched in an incident, on one page: what is on with who and when,
 * each with its way back, and the switches themselves. */
#pragma once

#include "web/web.h"

int page_operator_incidents(struct web *w) _must_use_;        /* GET /operator/incidents */
int page_operator_incidents_off(struct web *w) _must_use_;    /* POST .../off: a model */
int page_operator_incidents_pin(struct web *w) _must_use_;    /* POST .../pin: it to an account */
int page_operator_incidents_freeze(struct web *w) _must_use_; /* POST .../freeze: a team */
