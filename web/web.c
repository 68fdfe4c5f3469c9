/* web.c: see web.h. What stands around every page: session, guards, transaction. */
#include "web/web.h"

#include <errno.h>

#include "base/bounds.h"
#include "base/err.h"
#include "base/log.h"
#include "http/percent.h"
#include "web/cookie.h"
#include "web/incident.h"
#include "web/links.h"
#include "web/origin.h"

/* What is gone back to after signing in; escaped it is three times as long at most, and still a URL. */
#define NEXT_BYTES KIB(2)
_Static_assert(3 * NEXT_BYTES + KIB(1) <= BOUND_URL_BYTES, "sign-in with next is a URL that is read");

/* --- the session --- */

static bool is_safe(const struct web *w)
{
    return w->req->method == HTTP_GET || w->req->method == HTTP_HEAD;
}

static int read_session(struct web *w)
{
    int r = db_begin(w->db, DB_SYSTEM, false);

    if (r == 0)
        r = session_find(w->db, w->arena, w->services->session_pepper, w->token, &w->session);
    if (r == 0 && is_safe(w))
        r = member_teams(w->db, w->arena, w->session.user, &w->teams);
    if (r == 0)
        r = db_commit(w->db);
    if (r != 0)
        db_rollback(w->db);
    return r;
}

/* A session that cannot be read is as none where none is needed. */
static int find_session(struct web *w)
{
    char address[NET_ADDRESS_TEXT];
    int r;

    w->token = cookie_get(w->services, w->req, COOKIE_SESSION);
    if (!w->token.p || !w->db)
        return w->token.p && w->req->route->auth != AUTH_NONE ? DB_E_AWAY : 0;
    r = read_session(w);
    if (r == IDENTITY_E_NONE || (r != 0 && w->req->route->auth == AUTH_NONE))
        return 0;
    if (r != 0)
        return r;
    w->signed_in = true;
    net_address_text(&w->req->peer, address);
    w->actor = (struct actor){
        .kind = w->req->route->auth == AUTH_OPERATOR ? ACTOR_OPERATOR : ACTOR_USER,
        .id = w->session.user.v,
        .name = w->session.email,
        .address = arena_str(w->arena, str_c(address)),
    };
    return 0;
}

static int open_zone(struct web *w)
{
    struct str name = w->signed_in && w->session.team.v ? w->session.team_time_zone
                                                        : w->services->default_time_zone;

    w->zone = zone_open(w->arena, name);
    return w->zone ? 0 : err_origin(-ENOMEM);
}

static void read_flash(struct web *w)
{
    struct str cookie = cookie_get(w->services, w->req, COOKIE_FLASH);

    if (cookie.p)
        w->flash = percent_decode(w->arena, cookie, false);
}

/* --- who may --- */

struct str web_target(const struct request *req)
{
    return req->query.n ? arena_strf(req->arena, "%.*s?%.*s", STR_FMT(req->path), STR_FMT(req->query))
                        : req->path;
}

static bool may_be_next(struct str path)
{
    return path.n <= NEXT_BYTES && origin_path_is_ours(path);
}

static int ask_to_sign_in(struct web *w)
{
    struct str path, next = web_target(w->req);
    struct buf url;

    if (!may_be_next(next))
        next = w->req->path;
    buf_init(&url, BOUND_URL_BYTES);
    buf_put_str(&url, link_to(LINK_sign_in));
    if (is_safe(w) && w->req->path.n > 1 && may_be_next(next))
        query_put(&url, "next", next);
    path = arena_str(w->arena, buf_str(&url));
    buf_done(&url);
    return path.p ? web_redirect(w, path, NULL) : err_origin(-ENOMEM);
}

static enum role role_wanted(enum route_auth auth)
{
    assert(auth >= AUTH_VIEWER && auth <= AUTH_OWNER);
    return (enum role)(ROLE_VIEWER + (int)(auth - AUTH_VIEWER));
}
_Static_assert((int)AUTH_OWNER - (int)AUTH_VIEWER == (int)ROLE_OWNER - (int)ROLE_VIEWER,
               "roles in the order of the routes' column");

/* Answers when they may not. */
static int check_role(struct web *w)
{
    enum route_auth auth = w->req->route->auth;

    if (auth == AUTH_NONE)
        return 0;
    if (!w->signed_in)
        return ask_to_sign_in(w);
    if (auth == AUTH_USER)
        return 0;
    if (auth == AUTH_OPERATOR)
        return w->session.is_operator ? 0 : web_fail_code(w, PROBLEM_FORBIDDEN);
    if (!w->session.team.v)
        return is_safe(w) ? web_redirect(w, link_to(LINK_account), NULL)
                          : web_fail_code(w, PROBLEM_FORBIDDEN);
    return web_role(w, role_wanted(auth)) ? 0 : web_fail_code(w, PROBLEM_FORBIDDEN);
}

static bool is_form(const struct web *w)
{
    struct str type = request_header(w->req, "content-type"), first;

    return str_split(&type, ';', &first) &&
           str_ieq(str_trim(first), STR("application/x-www-form-urlencoded"));
}

/* Forms come from our own pages, and from this session. */
static int check_form(struct web *w)
{
    struct str token;
    int r;

    if (is_safe(w))
        return 0;
    if (!origin_is_ours(request_header(w->req, "origin"), request_header(w->req, "sec-fetch-site"),
                        w->services->public_url, request_header(w->req, "host"), w->req->https))
        return web_fail_code(w, PROBLEM_BAD_ORIGIN);
    if (w->req->body.n && !is_form(w))
        return web_fail_code(w, PROBLEM_BAD_TYPE);
    r = pairs_parse(w->arena, w->req->body, &w->submitted);
    if (r < 0)
        return err_trace(r);
    if (r == PAIRS_E_BROKEN)
        return web_fail_code(w, PROBLEM_BAD_REQUEST);
    if (w->req->route->auth == AUTH_NONE)
        return 0;
    token = request_header(w->req, "x-csrf-token");
    if (!token.n)
        token = pairs_get(&w->submitted, "csrf");
    return origin_token_eq(token, w->session.csrf) ? 0 : web_fail_code(w, PROBLEM_BAD_ORIGIN);
}

bool web_role(const struct web *w, enum role want)
{
    return w->signed_in && w->session.team.v && role_covers(w->session.role, want);
}

/* --- transactions --- */

int web_begin(struct web *w, struct db_scope scope)
{
    int r;

    assert(!w->in_tx);
    if (!w->db)
        return DB_E_AWAY;
    /* Links shown once are looked at under a lock, also by a GET. */
    r = db_begin(w->db, scope, is_safe(w) && w->req->route->auth != AUTH_NONE);
    if (r != 0)
        return r;
    w->scope = scope;
    w->in_tx = true;
    return 0;
}

int web_commit(struct web *w)
{
    assert(w->in_tx);
    w->in_tx = false;
    return db_commit(w->db);
}

void web_leave_tx(struct web *w)
{
    if (w->in_tx)
        db_rollback(w->db);
    w->in_tx = false;
}

int web_again(struct web *w)
{
    web_leave_tx(w);
    return web_begin(w, w->scope);
}

static int begin_for_route(struct web *w)
{
    switch (w->req->route->auth) {
    case AUTH_NONE:
        return 0;
    case AUTH_USER:
        return web_begin(w, DB_USER(w->session.user));
    case AUTH_OPERATOR:
        return web_begin(w, DB_OPERATOR);
    case AUTH_VIEWER:
    case AUTH_DEVELOPER:
    case AUTH_BILLING:
    case AUTH_ADMIN:
    case AUTH_OWNER:
        return web_begin(w, DB_TEAM(w->session.team));
    case AUTH_KEY:
    case AUTH_MANAGE:
    case AUTH_ANY_KEY:
        break;
    }
    assert(!"a page's route");
    return 0;
}

/* --- serving --- */

/* Everything up to the page; it may have been answered already. */
static int prepare(struct web *w)
{
    int r = find_session(w);

    if (r == 0)
        r = open_zone(w);
    if (r != 0)
        return r;
    read_flash(w);
    r = check_role(w);
    if (r == 0 && !w->answered)
        r = check_form(w);
    if (r == 0 && !w->answered && w->req->route->auth != AUTH_NONE)
        r = incidents_read(w);
    if (r == 0 && !w->answered)
        r = begin_for_route(w);
    return r;
}

/* Whatever stood in the answer is dropped. */
static void answer_problem(struct web *w, struct problem p)
{
    web_leave_tx(w);
    *w->out = (struct response){0};
    web_problem_page(w->req, &p, w->out, (void *)(uintptr_t)w->services);
}

static int end_tx(struct web *w)
{
    int r = 0;

    if (w->in_tx && w->out->status < 400)
        r = db_commit(w->db);
    else
        web_leave_tx(w);
    w->in_tx = false;
    return r;
}

bool web_serve(const struct services *services, struct request *req, struct db *db,
               struct response *out)
{
    struct web w = {.req = req,
                    .db = db,
                    .arena = req->arena,
                    .services = services,
                    .site = services->site,
                    .out = out,
                    .now_us = clock_wall_us(),
                    .began_ns = clock_mono_ns()};
    int r;

    *out = (struct response){0};
    if (db && db_ensure(db) != DB_OK)
        w.db = NULL;
    r = prepare(&w);
    if (r == 0 && !w.answered)
        r = req->route->page(&w);
    if (r == 0) {
        assert(w.answered);
        r = end_tx(&w);
    }
    if (r != 0 && !w.streamed)
        answer_problem(&w, r == DB_E_AWAY || r == -ENOTCONN || r == -ECONNRESET
                               ? web_away()
                               : problem_of(PROBLEM_INTERNAL));
    web_leave_tx(&w);
    return !w.streamed;
}

/* --- small things for pages --- */

bool web_may_sign_in(const struct web *w)
{
    return w->req->https || w->services->loopback_only || w->services->plain_sign_in_allowed;
}

void web_set_session(struct web *w, const struct session_made *made)
{
    cookie_set(w->services, w->req, w->out, COOKIE_SESSION, made->token, SESSION_HOURS * 3600);
}

void web_drop_session(struct web *w)
{
    cookie_set(w->services, w->req, w->out, COOKIE_SESSION, STR(""), 0);
}

struct session_from web_from(struct web *w)
{
    char address[NET_ADDRESS_TEXT];

    net_address_text(&w->req->peer, address);
    return (struct session_from){.address = arena_str(w->arena, str_c(address)),
                                 .user_agent = request_header(w->req, "user-agent")};
}

struct str web_next(struct web *w)
{
    struct str next = is_safe(w) ? request_query(w->req, "next") : pairs_get(&w->submitted, "next");

    return origin_path_is_ours(next) ? next : link_to(LINK_overview);
}

bool web_param_id(const struct web *w, size_t n, int64_t *ret)
{
    int64_t id;

    assert(n < ARRAY_LEN(w->req->params));
    if (str_i64(w->req->params[n], &id) != STR_OK || id <= 0)
        return false;
    *ret = id;
    return true;
}

struct str web_url(struct web *w, struct str path)
{
    return arena_strf(w->arena, "%.*s%.*s", STR_FMT(w->services->public_url), STR_FMT(path));
}
