/* identity_provider.c: see identity_provider.h. */
#include "web/pages/identity_provider.h"

#include <errno.h>

#include "base/err.h"
#include "base/log.h"
#include "identity/federated.h"
#include "oidc/oidc.h"
#include "web/cookie.h"
#include "web/links.h"
#include "web/pages/account.h"
#include "web/pages/provider_failure.h"
#include "web/pages/sign_in_code.h"
#include "web/view.h"

#define URL_BYTES 4096

enum { PASSWORD };

static const struct form_field link_fields[] = {
    [PASSWORD] = {"provider_password", "Current password", FORM_PASSWORD, .required = true, .max = 1024,
                  .autocomplete = "current-password"},
};

static int64_t now_s(const struct web *w)
{
    return w->now_us / 1000000;
}

/* --- what other pages show --- */

static struct str begin_link(struct web *w, struct str next, struct str invite, bool fresh)
{
    struct str link = STR("");
    struct buf url;

    buf_init(&url, URL_BYTES);
    buf_put_str(&url, link_to(LINK_sign_in_provider));
    query_put(&url, "next", next);
    query_put(&url, "invite", invite);
    query_put(&url, "fresh", fresh ? STR("1") : STR(""));
    if (buf_finish(&url) == 0)
        link = arena_str(w->arena, buf_str(&url));
    buf_done(&url);
    return link.n ? link : link_to(LINK_sign_in_provider);
}

bool provider_may_sign_up(const struct web *w, struct str invite)
{
    enum signup_mode mode = services_oidc_signup(w->services);

    return w->services->oidc && (mode == SIGNUP_OPEN || (mode == SIGNUP_INVITE && invite.n));
}

void provider_button(struct web *w, struct json_object *view, struct str next, struct str invite, bool fresh)
{
    struct json_object *o;

    json_set_null(view, "provider");
    if (!w->services->oidc)
        return;
    o = json_new_object();
    json_set_str(o, "name", oidc_name(w->services->oidc));
    json_set_str(o, "link", begin_link(w, next, invite, fresh));
    json_set_bool(o, "may_sign_up", provider_may_sign_up(w, invite));
    json_set(view, "provider", o);
}

/* Whether the person can sign in without the provider. */
static bool password_works(const struct web *w, const struct federated_link *link)
{
    return link->has_password && (!w->services->password_of_operators || w->session.is_operator);
}

int provider_card(struct web *w, const struct form *form, struct json_object *view)
{
    struct federated_link link;
    struct json_object *o;
    struct form empty;
    int r = federated_get(w->db, w->arena, w->session.user, &link);

    if (r == 0)
        r = form_init(&empty, w->arena, link_fields, ARRAY_LEN(link_fields));
    if (r != 0)
        return err_trace(r);
    json_set_bool(view, "has_password", password_works(w, &link));
    json_set_null(view, "provider");
    if (!w->services->oidc)
        return 0;
    o = json_new_object();
    json_set_str(o, "name", oidc_name(w->services->oidc));
    json_set_bool(o, "linked", link.linked);
    json_set_str(o, "email", link.email);
    json_set_bool(o, "may_unlink", password_works(w, &link));
    json_set_bool(o, "may_link", link.has_password);
    view_time(o, "since", link.linked_at_us, w->zone, w->now_us);
    view_time(o, "used", link.used_at_us, w->zone, w->now_us);
    form_view(form ? form : &empty, o, "form");
    json_set(view, "provider", o);
    return 0;
}

/* --- there --- */

static void set_flow_cookie(struct web *w, struct str cookie)
{
    cookie_set(w->services, w->req, w->out, COOKIE_PROVIDER, cookie, OIDC_FLOW_S);
}

/* E_STATE: the cookie is none, or too old. */
static int read_flow(struct web *w, struct oidc_flow *ret)
{
    struct str cookie = cookie_get(w->services, w->req, COOKIE_PROVIDER);
    bool good;
    int r = oidc_open_cookie(w->services->oidc, w->arena, cookie, now_s(w), ret, &good);

    return r < 0 ? err_trace(r) : good ? OIDC_OK : OIDC_E_STATE;
}

int page_provider_sign_in(struct web *w)
{
    struct str next = request_query(w->req, "next"), invite = request_query(w->req, "invite");
    struct oidc_flow flow = {.next = next.n ? web_next(w) : STR(""),
                             .invite = invite.n ? invite : STR(""),
                             .fresh = request_query(w->req, "fresh").n > 0};
    struct oidc_detail detail;
    struct str cookie, url;
    int r;

    if (!w->services->oidc)
        return web_fail_code(w, PROBLEM_NOT_FOUND);
    if (w->signed_in)
        return web_redirect(w, flow.invite.n ? link_join(w->arena, flow.invite) : web_next(w), NULL);
    if (!web_may_sign_in(w))
        return web_redirect(w, link_to(LINK_sign_in), NULL);
    r = oidc_begin(w->services->oidc, w->arena, now_s(w), &flow, &cookie);
    if (r == 0)
        r = oidc_url(w->services->oidc, w->arena, &flow, &url, &detail);
    if (r > 0)
        return provider_failed(w, &flow, (enum oidc_outcome)r, &detail);
    if (r < 0)
        return err_trace(r);
    set_flow_cookie(w, cookie);
    return web_redirect_away(w, url);
}

int page_provider_link(struct web *w)
{
    struct oidc_flow flow = {.next = STR(""), .invite = STR(""), .link_user = w->session.user.v};
    struct identity_fault fault = {0};
    struct str cookie;
    struct form form;
    int r = form_init(&form, w->arena, link_fields, ARRAY_LEN(link_fields));

    if (r == 0)
        r = form_read(&form, &w->submitted);
    if (r != 0)
        return err_trace(r);
    if (!w->services->oidc)
        return web_fail_code(w, PROBLEM_NOT_FOUND);
    web_leave_tx(w);
    if (!form.wrong)
        r = federated_may_link(w->db, w->arena, &w->actor, form.v[PASSWORD].text, &fault);
    if (r == IDENTITY_E_FAULT)
        form_fault_at(&form, PASSWORD, fault.sentence);
    else if (r != 0)
        return web_refused(w, r, &fault);
    if (form.wrong) {
        r = web_again(w);
        return r ? web_outcome(w, r) : account_show_provider(w, &form);
    }
    r = oidc_begin(w->services->oidc, w->arena, now_s(w), &flow, &cookie);
    if (r != 0)
        return err_trace(r);
    set_flow_cookie(w, cookie);
    return web_redirect(w, link_to(LINK_provider_go), NULL);
}

int page_provider_go(struct web *w)
{
    struct oidc_detail detail;
    struct json_object *view;
    struct oidc_flow flow;
    struct str url;
    int r;

    if (!w->services->oidc)
        return web_fail_code(w, PROBLEM_NOT_FOUND);
    web_leave_tx(w);
    r = read_flow(w, &flow);
    if (r < 0)
        return err_trace(r);
    if (r != OIDC_OK || flow.link_user != w->session.user.v)
        return web_redirect(w, link_to(LINK_account), NULL);
    r = oidc_url(w->services->oidc, w->arena, &flow, &url, &detail);
    if (r > 0)
        return provider_failed(w, &flow, (enum oidc_outcome)r, &detail);
    if (r < 0)
        return err_trace(r);
    view = json_new_object();
    json_set_str(view, "name", oidc_name(w->services->oidc));
    json_set_str(view, "url", url);
    return web_render(w, "provider_go", "One moment", view);
}

/* --- and back --- */

static struct federated federated_of(const struct oidc_person *person)
{
    return (struct federated){.issuer = person->issuer,
                              .subject = person->subject,
                              .email = person->email,
                              .name = person->name,
                              .in_operator_group = person->in_operator_group};
}

static int finish_link(struct web *w, const struct oidc_flow *flow, const struct oidc_person *person)
{
    const struct federated who = federated_of(person);
    int r;

    if (!w->signed_in || w->session.user.v != flow->link_user)
        return provider_failed(w, flow, OIDC_E_STATE, NULL);
    r = federated_link(w->db, w->arena, &w->actor, &who);
    if (r > 0)
        return provider_refused(w, flow, r, person, NULL);
    return r < 0 ? err_trace(r)
                 : web_redirect(w, link_to(LINK_account), "From now on you can sign in by it.");
}

static struct federated_rules rules_of(const struct web *w)
{
    enum signup_mode mode = services_oidc_signup(w->services);

    return (struct federated_rules){.open = mode == SIGNUP_OPEN,
                                    .by_invite = mode != SIGNUP_CLOSED,
                                    .link_by_email = w->services->oidc_link_by_email,
                                    .names_operators = oidc_names_operators(w->services->oidc)};
}

/* A new person has joined already; others are asked. */
static struct str way_on(struct web *w, const struct oidc_flow *flow, bool is_new)
{
    if (flow->invite.n && !is_new)
        return link_join(w->arena, flow->invite);
    return flow->next.n ? flow->next : link_to(LINK_overview);
}

static int finish_sign_in(struct web *w, const struct oidc_flow *flow, const struct oidc_person *person,
                          int64_t attempt)
{
    struct federated_sign_in wish = {.who = federated_of(person),
                                     .rules = rules_of(w),
                                     .invite = flow->invite.n ? flow->invite : STR_NONE,
                                     .from = web_from(w),
                                     .attempt = attempt};
    struct identity_fault fault = {0};
    struct login_made made;
    bool is_new = false;
    int r;

    wish.from.by_provider = true;
    r = federated_sign_in(w->db, w->arena, w->services->session_pepper, &wish, &made, &is_new, &fault);
    if (r < 0)
        return err_trace(r);
    if (r == FEDERATED_E_CODE)
        return sign_in_ask_code(w, made.ticket, way_on(w, flow, false), true);
    if (r > 0)
        return provider_refused(w, flow, r, person, fault.sentence);
    web_set_session(w, &made.session);
    return web_redirect(w, way_on(w, flow, is_new), is_new ? "Welcome to Tollgate." : NULL);
}

/* Counted before the provider is asked, as a password is before it is looked at. */
static int come_back(struct web *w, const struct oidc_flow *flow, const struct oidc_answer *answer)
{
    const struct session_from from = web_from(w);
    struct oidc_person person;
    struct oidc_detail detail;
    int32_t retry_after_s = 0;
    int64_t attempt;
    int r = login_admit(w->db, STR_NONE, from.address, &attempt, &retry_after_s);

    if (r == LOGIN_E_LIMITED)
        return web_fail_login_limit(w, retry_after_s);
    if (r == 0)
        r = oidc_finish(w->services->oidc, w->arena, flow, answer, now_s(w), &person, &detail);
    if (r < 0)
        return err_trace(r);
    if (r > 0)
        return provider_failed(w, flow, (enum oidc_outcome)r, &detail);
    return flow->link_user ? finish_link(w, flow, &person) : finish_sign_in(w, flow, &person, attempt);
}

int page_provider_callback(struct web *w)
{
    const struct oidc_answer answer = {.state = request_query(w->req, "state"),
                                       .code = request_query(w->req, "code"),
                                       .iss = request_query(w->req, "iss"),
                                       .error = request_query(w->req, "error")};
    struct oidc_flow flow = {.next = STR(""), .invite = STR("")};
    int r;

    if (!w->services->oidc)
        return web_fail_code(w, PROBLEM_NOT_FOUND);
    if (!web_may_sign_in(w))
        return web_redirect(w, link_to(LINK_sign_in), NULL);
    if (!w->db)
        return web_outcome(w, DB_E_AWAY);
    r = read_flow(w, &flow);
    if (r < 0)
        return err_trace(r);
    /* An answer to another sign-in leaves the one that has begun alone. */
    if (r != OIDC_OK || !answer.state.n || !str_eq(answer.state, flow.state))
        return provider_failed(w, &flow, OIDC_E_STATE, NULL);
    set_flow_cookie(w, STR(""));
    return come_back(w, &flow, &answer);
}

int page_provider_unlink(struct web *w)
{
    struct federated_link link;
    int r = federated_get(w->db, w->arena, w->session.user, &link);

    if (r == 0 && !password_works(w, &link))
        return web_fail_code(w, PROBLEM_FORBIDDEN);
    web_leave_tx(w);
    if (r == 0)
        r = web_begin(w, DB_SYSTEM); /* its audit row belongs to no team */
    if (r == 0)
        r = federated_unlink(w->db, w->arena, &w->actor);
    return r ? web_outcome(w, r)
             : web_redirect(w, link_to(LINK_account), "It signs you in no longer; your password does.");
}
