/* ledger_filter.h: which movements a ledger shows, by month and kind: read from the address, shown as
 * controls, written back into links. A team's page, the operator's and both their exports share it. */
#pragma once

#include "ledger/statement.h"
#include "web/web.h"

struct ledger_filter {
    struct statement_filter is;
    struct str month; /* "2026-11"; empty: all */
    size_t kind;
    int64_t before;
    struct statement_months months;
};
/* What cannot be understood is left out; a kind that is not given is `kind`. Fatal only below 0. */
int ledger_filter_read(struct web *w, struct team_id team, const char *kind,
                       struct ledger_filter *ret) _must_use_;
/* The path with the same filter, from the movement before that one on; 0: from the newest. */
struct str ledger_filter_link(struct web *w, const struct ledger_filter *f, struct str path,
                              int64_t before) _must_use_;
/* view.months, .kinds for selects; .summed {n, amount} of a month, null where all are shown;
 * .export_link. */
int ledger_filter_view(struct web *w, struct team_id team, const struct ledger_filter *f,
                       struct str export_path, struct json_object *view) _must_use_;
