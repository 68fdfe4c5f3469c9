/* timeline.h: the attempts of a call as bars on one axis of time: connecting, waiting for the first
 * byte, streaming; failed ones marked. The view holds places on an axis of `whole` units, the template draws. */
#pragma once

#include "json/value.h"
#include "model/record.h"

/* Sets o.key to {whole, rows, ticks}; null when nothing was tried. */
void timeline_view(const struct call_record *call, struct json_object *o, const char *key);
