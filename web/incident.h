/* incident.h: the incident switches that are on: shown to operators on every page, with who and
 * when, and turned off again beside their name on the page of all of them. */
#pragma once

#include "web/web.h"

/* Fills w->incidents and w->findings for a signed-in operator, in a transaction of its own; nobody else is told.
 * Worker thread, outside a transaction. */
int incidents_read(struct web *w) _must_use_;
/* [{what, name, state, detail, by, at, link, end_link, end_label}] of w->incidents. */
struct json_object *incidents_view(const struct web *w);
