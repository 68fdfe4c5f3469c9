/* operator_area.h: what the pages of the operator area share. */
#pragma once

#include "web/web.h"

/* As web_render_as: what every page of the area tells besides its own view is added here. The
 * transaction has to be sound: after a refused change, web_again() first. */
int operator_render(struct web *w, int status, const char *name, const char *title,
                    struct json_object *view) _must_use_;

/* The query's id of that name, for paging and filters; 0: none. */
int64_t operator_query_id(struct web *w, const char *name);
/* path?name=value, with before=id behind it when id is not 0; an empty value is left out. */
struct str operator_page_link(struct web *w, struct str path, const char *name, struct str value,
                              int64_t before);
