/* log.h: the request log: what happened, newest first. */
#pragma once

#include "web/pages/log_filter.h"

int page_log(struct web *w) _must_use_;        /* GET /log */
int page_log_export(struct web *w) _must_use_; /* GET /log/export: the same calls as CSV, long lane */

/* The team's calls of the filter as a CSV file of this name. Ends the page. */
int log_stream_csv(struct web *w, struct str name, const struct log_filter *filter) _must_use_;

/* For the operator's log too: rows as the table shows them. */
struct json_object *log_rows_view(struct web *w, const struct log_page *page);
/* Where the address says the page begins, and whether it looks for newer rows from there. What cannot
 * be understood is left out. */
struct log_cursor log_cursor_of(struct web *w);
bool log_goes_forward(struct web *w);
/* The page that the address asks for. Last of what a page reads, since it takes what time is left. */
int log_find(struct web *w, const struct log_params *p, struct log_page *ret) _must_use_;
/* view.pager, and view.searched with forward and go_on: how far a search came that ran out of time. */
void log_pager_view(struct web *w, const struct log_params *p, struct str path,
                    const struct log_page *page, struct json_object *view);
