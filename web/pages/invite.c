/* invite.c: see invite.h. */
#include "web/pages/invite.h"

#include "base/err.h"
#include "identity/invite.h"
#include "web/links.h"
#include "web/pages/identity_provider.h"
#include "web/view.h"

static int show(struct web *w, int status, const struct invite *invite, const char *fault)
{
    struct json_object *view = json_new_object();
    struct buf url;

    json_set_str(view, "team_name", invite->team_name);
    json_set_str(view, "inviter", invite->inviter);
    json_set_cstr(view, "role", role_name(invite->role));
    json_set_str(view, "for_email", invite->email);
    view_time(view, "expires", invite->expires_at_us, w->zone, w->now_us);
    json_set_str(view, "join_link", w->req->path);
    json_set_cstr(view, "fault", fault);
    buf_init(&url, 1024);
    buf_put_str(&url, link_to(LINK_sign_in));
    query_put(&url, "next", w->req->path);
    json_set_str(view, "sign_in_link", buf_str(&url));
    buf_reset(&url);
    buf_put_str(&url, link_to(LINK_sign_up));
    query_put(&url, "invite", w->req->params[0]);
    json_set_str(view, "sign_up_link", buf_str(&url));
    buf_done(&url);
    json_set_bool(view, "may_sign_up",
                  w->services->signup != SIGNUP_CLOSED && !w->services->password_of_operators);
    json_set_bool(view, "password_of_operators", w->services->password_of_operators);
    provider_button(w, view, STR(""), w->req->params[0], false);
    return web_render_as(w, status, "invite", "Join a team", view);
}

static int peek(struct web *w, struct invite *ret)
{
    int r = web_begin(w, DB_SYSTEM);

    if (r == 0)
        r = invite_peek(w->db, w->arena, w->services->session_pepper, w->req->params[0], ret);
    return r;
}

static int gone(struct web *w)
{
    struct problem p = problem_of(PROBLEM_NOT_FOUND);

    p.message = STR("This invitation has been used, was taken back, or is older than seven days. "
                    "Ask for a new link.");
    return web_fail(w, &p);
}

int page_invite(struct web *w)
{
    struct invite invite;
    int r = peek(w, &invite);

    if (r == IDENTITY_E_NONE)
        return gone(w);
    return r ? web_outcome(w, r) : show(w, 200, &invite, NULL);
}

int page_invite_join(struct web *w)
{
    struct identity_fault fault = {0};
    struct invite invite;
    struct team_id team;
    int r;

    web_leave_tx(w);
    r = peek(w, &invite);
    if (r == 0)
        r = invite_use(w->db, w->arena, w->services->session_pepper, &w->actor, w->req->params[0],
                       w->session.user, &team, &fault);
    if (r == IDENTITY_E_FAULT)
        return show(w, 422, &invite, fault.sentence);
    if (r == IDENTITY_E_NONE)
        return gone(w);
    if (r == 0)
        r = session_show_team(w->db, w->session.id, w->session.user, team);
    return r ? web_outcome(w, r)
             : web_redirect(w, link_to(LINK_overview), "You have joined the team.");
}
