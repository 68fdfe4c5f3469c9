/* operator_teams.c: see operator_teams.h. */
#include "web/pages/operator_teams.h"

#include "base/err.h"
#include "identity/team.h"
#include "ledger/statement.h"
#include "web/links.h"
#include "web/pages/operator_area.h"
#include "web/view.h"

#define TEAMS_A_PAGE 50

static int push_team(struct web *w, const struct team *team, struct json_object *list)
{
    struct balance balance = {0};
    struct json_object *o;
    int r = balance_read(w->db, w->arena, team->id, &balance);

    if (r < 0)
        return err_trace(r);
    o = json_new_object();
    json_set_i64(o, "id", team->id.v);
    json_set_str(o, "name", team->settings.name);
    json_set_str(o, "link", link_operator_team(w->arena, team->id, NULL));
    json_set_bool(o, "demo", team->demo);
    view_count(o, "members", team->member_count);
    view_count(o, "keys", team->key_count);
    view_money(o, "balance", balance.posted, VIEW_DOLLARS);
    view_time(o, "created", team->created_at_us, w->zone, w->now_us);
    if (team->frozen)
        view_badge(o, "state", VIEW_BAD, "Frozen");
    else if (balance.available.nano <= 0)
        view_badge(o, "state", VIEW_WARN, "No money");
    else
        view_badge(o, "state", VIEW_GOOD, "Active");
    json_push(list, o);
    return 0;
}

int page_operator_teams(struct web *w)
{
    struct str search = str_trim(request_query(w->req, "q")), older = STR_NONE;
    struct json_object *view, *list;
    struct team_page page;
    int r;

    if (!search.p)
        search = STR("");
    r = team_search(w->db, w->arena, search, operator_query_id(w, "before"), TEAMS_A_PAGE + 1,
                    &page);
    if (r != 0)
        return web_outcome(w, r);
    view = json_new_object();
    list = json_new_array();
    json_set(view, "rows", list);
    for (size_t i = 0; r == 0 && i < page.n && i < TEAMS_A_PAGE; i++)
        r = push_team(w, &page.v[i], list);
    if (r < 0) {
        json_unref(view);
        return err_trace(r);
    }
    if (page.n > TEAMS_A_PAGE)
        older = operator_page_link(w, link_to(LINK_operator_teams), "q", search,
                                   page.v[TEAMS_A_PAGE - 1].id.v);
    json_set_bool(view, "any", page.n > 0);
    json_set_str(view, "q", search);
    view_pager(view, "pager", STR_NONE, older);
    return operator_render(w, 200, "operator_teams", "Teams", view);
}
