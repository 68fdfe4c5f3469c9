/* overview.c: see overview.h. */
#include "web/pages/overview.h"

#include <errno.h>
#include <inttypes.h>

#include "base/err.h"
#include "identity/keyring.h"
#include "ledger/statement.h"
#include "logs/usage.h"
#include "web/chart.h"
#include "web/links.h"
#include "web/snippet.h"
#include "web/view.h"

#define DAYS 30
#define TOP 5

struct figures {
    struct balance balance;
    struct usage_overview usage;
    struct usage_points points;
    struct usage_table models, keys;
    struct key_page key_list;
    struct str from_day;
};

static int read_figures(struct web *w, struct figures *f)
{
    struct usage_query month = {.team = w->session.team}, days = month;
    struct civil today;
    int r = balance_read(w->db, w->arena, w->session.team, &f->balance);

    if (r == 0)
        r = usage_overview(w->db, w->arena, w->session.team, &f->usage);
    if (r != 0)
        return r;
    if (!civil_parse_day(f->usage.today, &today))
        return err_origin(-EPROTO);
    today = civil_plus_days(&today, 1 - DAYS);
    f->from_day = civil_day(w->arena, &today);
    days.from_day = f->from_day;
    month.from_day = f->usage.month_first;
    days.to_day = month.to_day = f->usage.today;
    r = usage_points(w->db, w->arena, &days, &f->points);
    if (r == 0)
        r = usage_table(w->db, w->arena, USAGE_BY_MODEL, &month, &f->models);
    if (r == 0)
        r = usage_table(w->db, w->arena, USAGE_BY_KEY, &month, &f->keys);
    if (r == 0)
        r = keyring_list(w->db, w->arena, w->session.team, false, &f->key_list);
    return r;
}

/* The dearest rows of this month, with a bar for their share of it. */
static struct json_object *top_view(struct web *w, const struct usage_table *table, bool keys)
{
    struct json_object *list = json_new_array();

    for (size_t i = 0; i < MIN(table->n, (size_t)TOP); i++) {
        const struct usage_row *row = &table->rows[i];
        struct json_object *o = json_new_object();
        struct buf link;

        buf_init(&link, 1024);
        buf_put_str(&link, link_to(LINK_log));
        if (keys)
            query_put(&link, "key", arena_strf(w->arena, "%" PRId64, row->id));
        else
            query_put(&link, "model", row->label);
        json_set_str(o, "label", row->label.n ? row->label : STR("(none)"));
        json_set_str(o, "link", buf_str(&link));
        buf_done(&link);
        view_count(o, "calls", row->calls);
        view_money(o, "charge", row->charge, view_decimals(table->total.charge));
        chart_share(o, "share", row->charge, table->total.charge);
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
    view_figure(view, "today", u->spend_today);
    view_figure(view, "yesterday", u->spend_yesterday);
    view_figure(view, "month", u->spend_month);
    view_figure(view, "last_month", u->spend_last_month);
    view_percent(view, "error_rate", u->errors_month, u->calls_month);
    view_percent(view, "fallback_rate", u->fallbacks_month, u->calls_month);
    json_set_str(view, "calls_month", view_plural(w->arena, u->calls_month, "request", NULL));
    json_set_str(view, "calls_today", view_plural(w->arena, u->calls_today, "request", NULL));
    json_set_str(view, "blocked_month", view_plural(w->arena, u->blocked_month, "blocked",
                                                    "blocked"));
}

/* What a new team does first; gone once it has all been done. */
static void steps_view(struct web *w, const struct figures *f, struct json_object *view)
{
    struct json_object *steps = json_new_object();

    json_set_bool(steps, "topped_up", f->balance.credits.nano > 0);
    json_set_bool(steps, "minted", f->key_list.n > 0);
    json_set_bool(view, "started", f->usage.calls_month > 0 || f->points.n > 0);
    json_set(view, "steps", steps);
    snippet_view(w, STR(""), STR(""), view);
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
    json_set(view, "models", top_view(w, &f.models, false));
    json_set(view, "keys", top_view(w, &f.keys, true));
    json_set_bool(view, "any_spend", f.points.n > 0);
    r = chart_spend(w->arena, &f.points, f.from_day, f.usage.today, view, "chart");
    if (r < 0) {
        json_unref(view);
        return err_trace(r);
    }
    return web_render(w, "overview", "Overview", view);
}
