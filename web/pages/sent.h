/* sent.h: what the pages of alerts share: what was sent lately, and what came of a test. */
#pragma once

#include "notices/outbox.h"
#include "web/web.h"

struct trial;

/* The rows of partials/sent. */
struct json_object *sent_view(struct web *w, const struct outbox_page *page);
/* partials/trial; NULL: none was sent. */
struct json_object *trial_view(const struct trial *trial);
