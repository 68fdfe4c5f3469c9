/* rail.h: the sections in the left rail, as one table. */
#pragma once

#include "web/web.h"

/* [{title, items: [{label, icon, link, key, current}]}]: what this user may open; path: where they
 * are. */
struct json_object *rail_view(const struct web *w);
