/* ledger_export.c: see ledger_export.h. Oldest first, so that each row's balance follows from the one
 * before it; the amounts of a month's rows, all kinds together, lead from the opening balance of its
 * invoice to the closing one. */
#include "web/pages/ledger_export.h"

#include "base/csv.h"
#include "base/err.h"
#include "web/csv_stream.h"
#include "web/pages/billing.h"
#include "web/pages/ledger_filter.h"
#include "web/pages/operator_team.h"

static const char *const titles[] = {"transfer", "posted_at", "code",   "what",
                                     "reference", "reason",   "by",     "requests",
                                     "debit",     "credit",   "amount_usd", "balance_after_usd"};

static int put_row(void *ctx, const struct statement_row *row)
{
    struct csv_stream *s = ctx;
    struct buf *out = &s->block;

    csv_i64(out, row->id);
    csv_time(out, row->posted_at_us);
    csv_text(out, row->code);
    csv_text(out, str_c(billing_code_text(row->code)));
    csv_text(out, row->ref);
    csv_text(out, row->reason);
    csv_text(out, row->actor_name);
    csv_i64(out, row->calls);
    csv_text(out, row->debit);
    csv_text(out, row->credit);
    csv_money(out, row->amount);
    csv_money(out, row->after);
    csv_end(out);
    return csv_stream_row(s);
}

static int send(struct web *w, struct team_id team, const char *kind)
{
    struct ledger_filter filter;
    struct csv_stream s;
    int r = ledger_filter_read(w, team, kind, &filter);

    if (r != 0)
        return web_outcome(w, r);
    r = csv_stream_begin(w, filter.month.n ? arena_strf(w->arena, "tollgate-ledger-%.*s.csv",
                                                        STR_FMT(filter.month))
                                           : STR("tollgate-ledger.csv"),
                         &s);
    if (r < 0)
        return err_trace(r);
    for (size_t i = 0; i < ARRAY_LEN(titles); i++)
        csv_text(&s.block, str_c(titles[i]));
    csv_end(&s.block);
    return csv_stream_end(&s, statement_each(w->db, team, &filter.is, put_row, &s));
}

int page_ledger_export(struct web *w)
{
    return send(w, w->session.team, "all");
}

int page_operator_team_ledger(struct web *w)
{
    struct team team;
    int r = operator_team_read(w, &team);

    return r != 0 ? web_outcome(w, r) : send(w, team.id, OPERATOR_LEDGER_KIND);
}
