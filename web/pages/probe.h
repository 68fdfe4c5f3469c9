/* probe.h: what a test of a provider account came to, on the pages that have the button. */
#pragma once

#include "gateway/operate.h"
#include "web/web.h"

/* view.probe; NULL: none was made. */
void probe_view(struct web *w, const struct operate_probe *p, struct json_object *view);
