/* ledger_filter.c: see ledger_filter.h. */
#include "web/pages/ledger_filter.h"

#include <inttypes.h>

#include "web/view.h"

#define REFUNDS "REFUND,REFUND_REVERSED,CHARGEBACK,CHARGEBACK_REVERSED"
#define ADJUSTMENTS "ADJUST,CREDIT_NOTE"

static const struct {
    const char *name, *label, *codes;
} kinds[] = {
    {"all", "Everything", NULL},
    {"usage", "Usage", "USAGE,LATE_USAGE"},
    {"other", "All but usage", "TOPUP,GRANT,GRANT_EXPIRE," REFUNDS "," ADJUSTMENTS},
    {"topup", "Top-ups", "TOPUP"},
    {"grant", "Grants", "GRANT,GRANT_EXPIRE"},
    {"refund", "Refunds and chargebacks", REFUNDS},
    {"adjustment", "Adjustments and credit notes", ADJUSTMENTS},
};

static void take_kind(struct ledger_filter *f, struct str name)
{
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
        if (str_eq_c(name, kinds[i].name))
            f->kind = i;
}

int ledger_filter_read(struct web *w, struct team_id team, const char *kind,
                       struct ledger_filter *ret)
{
    struct str month = request_query(w->req, "month");
    struct ledger_filter f = {.month = STR("")};
    int r = statement_months(w->db, w->arena, team, &f.months);

    if (r != 0)
        return r;
    for (size_t i = 0; i < f.months.n; i++)
        if (str_eq(month, f.months.v[i].month)) {
            f.month = f.months.v[i].month;
            f.is.from_us = f.months.v[i].from_us;
            f.is.until_us = f.months.v[i].until_us;
        }
    take_kind(&f, str_c(kind));
    take_kind(&f, request_query(w->req, "kind"));
    f.is.codes = str_c(kinds[f.kind].codes);
    if (str_i64(request_query(w->req, "before"), &f.before) != STR_OK || f.before < 0)
        f.before = 0;
    *ret = f;
    return 0;
}

struct str ledger_filter_link(struct web *w, const struct ledger_filter *f, struct str path,
                              int64_t before)
{
    struct buf url;
    struct str copy;

    buf_init(&url, 512);
    buf_put_str(&url, path);
    query_put(&url, "month", f->month);
    query_put(&url, "kind", str_c(kinds[f->kind].name));
    if (before)
        query_put(&url, "before", arena_strf(w->arena, "%" PRId64, before));
    copy = arena_str(w->arena, buf_str(&url));
    buf_done(&url);
    return copy;
}

int ledger_filter_view(struct web *w, struct team_id team, const struct ledger_filter *f,
                       struct str export_path, struct json_object *view)
{
    struct json_object *months = json_new_array(), *list = json_new_array(), *o;
    struct statement_sum sum = {0};
    int r = f->month.n ? statement_sum(w->db, team, &f->is, &sum) : 0;

    view_choice(months, STR(""), STR("All months"), !f->month.n);
    for (size_t i = 0; i < f->months.n; i++)
        view_choice(months, f->months.v[i].month, f->months.v[i].month,
                    str_eq(f->month, f->months.v[i].month));
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
        view_choice(list, str_c(kinds[i].name), str_c(kinds[i].label), i == f->kind);
    json_set(view, "months", months);
    json_set(view, "kinds", list);
    json_set_str(view, "export_link", ledger_filter_link(w, f, export_path, 0));
    json_set_null(view, "summed");
    if (r == 0 && f->month.n) {
        o = json_new_object();
        json_set_str(o, "n", view_plural(w->arena, sum.n, "movement", NULL));
        view_money(o, "amount", sum.amount, VIEW_CALL);
        json_set(view, "summed", o);
    }
    return r;
}
