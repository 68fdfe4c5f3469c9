/* grants.c: see grants.h. */
#include "web/pages/grants.h"

#include <inttypes.h>

#include "base/err.h"
#include "ledger/grant.h"
#include "web/links.h"
#include "web/view.h"

#define SHOWN 50

static void state_view(const struct grant *g, int64_t now_us, struct json_object *o)
{
    if (g->live && g->expires_us && g->expires_us <= now_us)
        view_badge(o, "state", VIEW_WARN, "Ending");
    else if (g->live)
        view_badge(o, "state", VIEW_GOOD, "In use");
    else if (g->expired.nano > 0)
        view_badge(o, "state", VIEW_NEUTRAL, "Ended");
    else
        view_badge(o, "state", VIEW_NEUTRAL, "Used up");
}

static struct json_object *grant_view(struct web *w, const struct grant *g,
                                      const struct zone *zone)
{
    struct json_object *o = json_new_object();
    struct str end = arena_strf(w->arena, "grants/%" PRId64 "/end", g->id);

    json_set_str(o, "name", g->name);
    json_set_str(o, "reason", g->reason);
    json_set_str(o, "given_by", g->given_by);
    json_set_i64(o, "priority", g->priority);
    json_set_bool(o, "live", g->live);
    view_figure(o, "left", g->left);
    view_money(o, "amount", g->amount, VIEW_DOLLARS);
    view_figure(o, "used", g->used);
    view_figure(o, "expired", g->expired);
    json_set_bool(o, "any_expired", g->expired.nano > 0);
    view_time(o, "given", g->given_at_us, w->zone, w->now_us);
    /* The last second that it holds: what ends with a day names that day. */
    view_time(o, "expires", g->expires_us ? g->expires_us - 1000000 : 0, zone, w->now_us);
    view_recent_day(o, "ends", g->expires_us ? g->expires_us - 1000000 : 0, zone, w->now_us);
    json_set_str(o, "link", link_transfer(w->arena, g->transfer_id));
    json_set_str(o, "end_link", link_operator_team(w->arena, g->team, arena_cstr(w->arena, end)));
    state_view(g, w->now_us, o);
    return o;
}

int grants_view(struct web *w, struct team_id team, const struct zone *zone,
                struct json_object *view)
{
    struct json_object *list = json_new_array();
    struct grant_page page = {0};
    bool live = false;
    int r = grant_list(w->db, w->arena, team, SHOWN, &page);

    for (size_t i = 0; r == 0 && i < page.n; i++) {
        live = live || page.v[i].live;
        json_push(list, grant_view(w, &page.v[i], zone));
    }
    json_set(view, "grants", list);
    json_set_bool(view, "any_grants", page.n > 0);
    json_set_bool(view, "any_live_grant", live);
    return r;
}
