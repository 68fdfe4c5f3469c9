/* overview.c: see overview.h. */
#include "web/pages/overview.h"

#include <errno.h>
#include <inttypes.h>

#include "base/err.h"
#include "identity/budget.h"
#include "ledger/statement.h"
#include "logs/search.h"
#include "notices/alert.h"
#include "web/chart.h"
#include "web/links.h"
#include "web/snippet.h"
#include "web/pages/log_filter.h"
#include "web/view.h"

#define ALERTS_SHOWN 20

struct figures {
    struct balance balance;
    struct usage_overview usage;
    struct log_keys keys;
    struct budget_page budgets;
    struct alert_page alerts; /* that stand */
    struct str from_day;
};

static int read_figures(struct web *w, struct figures *f)
{
    struct civil today;
    int r = balance_read(w->db, w->arena, w->session.team, &f->balance);

    if (r == 0)
        r = usage_overview(w->db, w->arena, w->session.team, &f->usage);
    if (r == 0)
        r = log_keys(w->db, w->arena, w->session.team, &f->keys);
    if (r == 0)
        r = budget_list(w->db, w->arena, w->session.team, &f->budgets);
    if (r == 0)
        r = alert_list(w->db, w->arena, w->session.team, true, ALERTS_SHOWN, &f->alerts);
    if (r != 0)
        return r;
    if (!civil_parse_day(f->usage.today.from_day, &today))
        return err_origin(-EPROTO);
    today = civil_plus_days(&today, 1 - USAGE_OVERVIEW_DAYS);
    f->from_day = civil_day(w->arena, &today);
    return 0;
}

/* The calls behind a row: the log since the month began. */
static struct str log_link(struct web *w, const struct usage_top_row *row, struct str from_day,
                           bool keys)
{
    struct buf link;
    struct str copy;

    buf_init(&link, 1024);
    buf_put_str(&link, link_to(LINK_log));
    query_put(&link, "from", from_day);
    if (keys)
        query_put(&link, "key", arena_strf(w->arena, "%" PRId64, row->id));
    else {
        query_put(&link, "model", row->label);
        query_put(&link, "status", row->label.n ? STR(LOG_SERVED) : STR(LOG_UNSERVED));
    }
    copy = arena_str(w->arena, buf_str(&link));
    buf_done(&link);
    return copy;
}

/* The dearest rows of this month, with a bar for their share of it. */
static struct json_object *top_view(struct web *w, const struct usage_top *top,
                                    const struct usage_span *month, bool keys)
{
    struct json_object *list = json_new_array();

    for (size_t i = 0; i < top->n; i++) {
        const struct usage_top_row *row = &top->v[i];
        struct json_object *o = json_new_object();

        json_set_str(o, "label", row->label.n ? row->label : keys ? STR("(none)") : STR(NO_MODEL));
        json_set_bool(o, "nameless", !row->label.n);
        json_set_str(o, "link", log_link(w, row, month->from_day, keys));
        view_count(o, "calls", row->calls);
        view_money(o, "charge", row->charge, view_decimals(month->charge));
        chart_share(o, "share", row->charge, month->charge);
        json_push(list, o);
    }
    return list;
}

static void stats_view(struct web *w, const struct figures *f, struct json_object *view)
{
    const struct usage_overview *u = &f->usage;

    view_figure(view, "balance", f->balance.posted);
    view_figure(view, "held", f->balance.held);
    json_set_bool(view, "any_held", f->balance.held.nano > 0);
    json_set_bool(view, "used_up", f->balance.available.nano <= 0 && f->balance.credits.nano > 0);
    view_figure(view, "today", u->today.charge);
    view_figure(view, "yesterday", u->yesterday.charge);
    view_figure(view, "month", u->month.charge);
    view_figure(view, "last_month", u->last_month.charge);
    view_percent(view, "error_rate", u->month.errors, u->month.calls);
    view_percent(view, "fallback_rate", u->month.fallbacks, u->month.calls);
    json_set_str(view, "calls_month", view_plural(w->arena, u->month.calls, "request", NULL));
    json_set_str(view, "calls_today", view_plural(w->arena, u->today.calls, "request", NULL));
    json_set_str(view, "blocked_month", view_plural(w->arena, u->month.blocked, "blocked",
                                                    "blocked"));
}

/* Budgets that will soon refuse, or do. */
static struct json_object *short_view(struct web *w, const struct budget_page *page)
{
    struct json_object *list = json_new_array();

    for (size_t i = 0; i < page->n; i++) {
        const struct budget *b = &page->v[i];
        struct json_object *o;

        if (!budget_is_short(b))
            continue;
        o = json_new_object();
        json_set_str(o, "name", b->name);
        json_set_bool(o, "used_up", budget_is_used_up(b));
        view_figure(o, "spent", b->spent);
        view_figure(o, "amount", b->is.amount);
        json_push(list, o);
    }
    return list;
}

/* What a new team does first; gone once it has all been done. */
static void steps_view(struct web *w, const struct figures *f, struct json_object *view)
{
    struct json_object *steps = json_new_object();
    bool minted = false;

    for (size_t i = 0; i < f->keys.n; i++)
        minted |= !f->keys.v[i].deleted;
    json_set_bool(steps, "topped_up", f->balance.credits.nano > 0);
    json_set_bool(steps, "minted", minted);
    json_set_bool(view, "started", f->usage.month.calls > 0 || f->usage.points.n > 0);
    json_set(view, "steps", steps);
    snippet_view(w, STR(""), STR(""), view);
}

/* Of the balance and of keys: other budgets that are short stand there anyhow. */
static struct json_object *alerts_view(struct web *w, const struct alert_page *page)
{
    struct json_object *list = json_new_array();

    for (size_t i = 0; i < page->n; i++) {
        const struct alert *v = &page->v[i];
        struct json_object *o;

        if (str_eq_c(v->kind, "budget") && !str_eq_c(v->scope, "key"))
            continue;
        o = json_new_object();
        json_set_str(o, "title", alert_title(w->arena, v));
        json_set_str(o, "sentence", alert_sentence(w->arena, v));
        json_push(list, o);
    }
    return list;
}

int page_overview(struct web *w)
{
    struct figures f = {0};
    struct json_object *view;
    int r = read_figures(w, &f);

    if (r != 0)
        return web_outcome(w, r);
    view = json_new_object();
    stats_view(w, &f, view);
    steps_view(w, &f, view);
    json_set(view, "short_budgets", short_view(w, &f.budgets));
    json_set(view, "models", top_view(w, &f.usage.models, &f.usage.month, false));
    json_set(view, "keys", top_view(w, &f.usage.keys, &f.usage.month, true));
    json_set(view, "alerts", alerts_view(w, &f.alerts));
    json_set_bool(view, "any_spend", f.usage.points.n > 0);
    r = chart_spend(w->arena, &f.usage.points, f.from_day, f.usage.today.from_day, view, "chart");
    if (r < 0) {
        json_unref(view);
        return err_trace(r);
    }
    return web_render(w, "overview", "Overview", view);
}
