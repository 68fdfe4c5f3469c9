/* frame.h: what every template gets besides its page's view: title, links, who is signed in, rail,
 * flash; and the headers that every page carries. */
#pragma once

#include "web/web.h"

/* Adds to the view; see web/README.md for the names. */
void frame_add(struct web *w, const char *title, struct json_object *view);
/* For pages made without a session (problems met on a loop). */
void frame_add_bare(const struct services *services, const struct request *req, const char *title,
                    struct json_object *view);
/* The pages' policy where forms may also lead to this origin, "https://checkout.stripe.com". p NULL: no
 * memory. */
struct str frame_policy(struct arena *a, struct str origin);
/* Content-Security-Policy and the rest. */
void frame_headers(const struct services *services, struct response *out);
