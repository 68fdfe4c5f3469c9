/* log_filter.h: which calls the log shows: read from the address, shown as a sentence of chips, and
 * written back into links. Screen and export share it. */
#pragma once

#include "logs/search.h"
#include "web/web.h"

/* Statuses: of calls that no model served, and of those that one did. A row of a model in the roll-ups is
 * of the latter only; the log's filter by model finds refused calls that asked for it as well. */
#define LOG_UNSERVED "unserved"
#define LOG_SERVED "served"

struct log_params {
    struct log_filter filter;
    /* As in the address; empty: not given. */
    struct str period, from, to, key, project, model, provider, status, fallback, above, tag, cache,
        guardrail, rule;
};

/* What cannot be understood is left out. operator_view: calls of every team. */
void log_params_read(struct web *w, bool operator_view, struct log_params *ret);
/* The path with the same filter, without the parameter named `but` (NULL: with all). */
struct str log_params_link(struct web *w, const struct log_params *p, struct str path,
                           const char *but) _must_use_;
/* view.filter: what the controls show, with their options; view.chips: one for each filter that is
 * set, with the link that takes it away. */
int log_params_view(struct web *w, const struct log_params *p, struct str path,
                    struct json_object *view) _must_use_;
