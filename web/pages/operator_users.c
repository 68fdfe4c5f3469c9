/* operator_users.c: see operator_users.h. */
#include "web/pages/operator_users.h"

#include "base/err.h"
#include "identity/reset.h"
#include "identity/second_factor.h"
#include "identity/user.h"
#include "web/links.h"
#include "web/pages/operator_area.h"
#include "web/view.h"

#define USERS_A_PAGE 50

static struct json_object *user_view(struct web *w, const struct user *u)
{
    struct json_object *o = json_new_object();

    json_set_str(o, "email", u->email);
    json_set_str(o, "name", u->name);
    json_set_bool(o, "is_operator", u->is_operator);
    json_set_bool(o, "disabled", u->disabled);
    json_set_bool(o, "is_me", u->id.v == w->session.user.v);
    view_count(o, "teams", u->team_count);
    json_set_str(o, "teams_link",
                 operator_page_link(w, link_to(LINK_operator_teams), "q", u->email, 0));
    json_set_bool(o, "second_factor", u->second_factor);
    json_set_str(o, "factor_link", link_operator_user(w->arena, u->id, "second-factor"));
    json_set_str(o, "reset_link", link_operator_user(w->arena, u->id, "reset"));
    json_set_str(o, "disable_link", link_operator_user(w->arena, u->id, "disable"));
    json_set_str(o, "enable_link", link_operator_user(w->arena, u->id, "enable"));
    json_set_str(o, "promote_link", link_operator_user(w->arena, u->id, "operator"));
    json_set_str(o, "demote_link", link_operator_user(w->arena, u->id, "not-operator"));
    view_time(o, "created", u->created_at_us, w->zone, w->now_us);
    view_time(o, "seen", u->last_seen_at_us, w->zone, w->now_us);
    if (u->disabled)
        view_badge(o, "state", VIEW_NEUTRAL, "Disabled");
    else if (u->is_operator)
        view_badge(o, "state", VIEW_WARN, "Operator");
    else
        view_badge(o, "state", VIEW_GOOD, "Active");
    return o;
}

static int show(struct web *w, int status, struct str search, const char *fault)
{
    int64_t before = operator_query_id(w, "before");
    struct json_object *view, *list;
    struct str older = STR_NONE;
    struct user_page page;
    int r = user_search(w->db, w->arena, search, before, USERS_A_PAGE + 1, &page);

    if (r != 0)
        return web_outcome(w, r);
    view = json_new_object();
    list = json_new_array();
    for (size_t i = 0; i < page.n && i < USERS_A_PAGE; i++)
        json_push(list, user_view(w, &page.v[i]));
    if (page.n > USERS_A_PAGE)
        older = operator_page_link(w, link_to(LINK_operator_users), "q", search,
                                   page.v[USERS_A_PAGE - 1].id.v);
    json_set(view, "users", list);
    json_set_bool(view, "any", page.n > 0);
    json_set_str(view, "q", search);
    json_set_cstr(view, "fault", fault);
    view_pager(view, "pager", STR_NONE, older);
    return operator_render(w, status, "operator_users", "Users", view);
}

static struct str wanted(struct web *w)
{
    struct str search = str_trim(request_query(w->req, "q"));

    return search.p ? search : STR("");
}

int page_operator_users(struct web *w)
{
    return show(w, 200, wanted(w), NULL);
}

/* Back to the list, where the user stands alone. */
static int done(struct web *w, struct user_id id, const char *what)
{
    struct user user;
    int r = user_get(w->db, w->arena, id, &user);

    if (r != 0)
        return web_outcome(w, r);
    return web_redirect(w, operator_page_link(w, link_to(LINK_operator_users), "q", user.email, 0),
                        what);
}

static int change(struct web *w,
                  int (*set)(struct db *, struct arena *, const struct actor *, struct user_id,
                             bool, struct identity_fault *),
                  bool to, const char *what)
{
    struct identity_fault fault = {0};
    struct user_id id;
    int r;

    if (!web_param_id(w, 0, &id.v))
        return web_fail_code(w, PROBLEM_NOT_FOUND);
    r = set(w->db, w->arena, &w->actor, id, to, &fault);
    if (r == IDENTITY_E_FAULT) {
        r = web_again(w);
        return r ? web_outcome(w, r) : show(w, 422, STR(""), fault.sentence);
    }
    return r ? web_outcome(w, r) : done(w, id, what);
}

int page_operator_user_disable(struct web *w)
{
    return change(w, user_set_disabled, true, "The user is disabled and signed out everywhere.");
}

int page_operator_user_enable(struct web *w)
{
    return change(w, user_set_disabled, false, "The user may sign in again.");
}

int page_operator_user_promote(struct web *w)
{
    return change(w, user_set_operator, true, "The user is an operator now.");
}

int page_operator_user_demote(struct web *w)
{
    return change(w, user_set_operator, false, "The user is no operator any more.");
}

/* The link stands in the answer to the POST itself, so that it is stored nowhere on the way. */
int page_operator_user_reset(struct web *w)
{
    struct json_object *view;
    struct user user;
    struct str token;
    int r;

    if (!web_param_id(w, 0, &user.id.v))
        return web_fail_code(w, PROBLEM_NOT_FOUND);
    r = user_get(w->db, w->arena, user.id, &user);
    if (r == 0)
        r = reset_make(w->db, w->arena, w->services->session_pepper, &w->actor, user.id, &token);
    if (r != 0)
        return web_outcome(w, r);
    view = json_new_object();
    json_set_str(view, "email", user.email);
    json_set_str(view, "secret", web_url(w, link_reset(w->arena, token)));
    json_set_i64(view, "minutes", RESET_MINUTES);
    return operator_render(w, 200, "operator_user_reset", "Reset link", view);
}

int page_operator_user_drop_factor(struct web *w)
{
    struct user_id id;
    int r = IDENTITY_E_NONE;

    if (web_param_id(w, 0, &id.v))
        r = second_factor_remove(w->db, &w->actor, id);
    return r ? web_outcome(w, r) : done(w, id, "The password alone signs in now.");
}
