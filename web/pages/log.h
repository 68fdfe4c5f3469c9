/* log.h: the request log: what happened, newest first. */
#pragma once

#include "logs/search.h"
#include "web/web.h"

int page_log(struct web *w) _must_use_;        /* GET /log */
int page_log_export(struct web *w) _must_use_; /* GET /log/export: the same calls as CSV, long lane */

/* For the operator's log too: rows as the table shows them. */
struct json_object *log_rows_view(struct web *w, const struct log_page *page);
