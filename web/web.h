/* web.h: the one way a page is served.
 *
 * web_serve() finds the session, checks role, Origin and CSRF token, opens the transaction under
 * the route's scope, calls the page, commits and answers. A page is straight-line code: it asks
 * services, fills a view (web/view.h) and ends with web_render, web_redirect or web_fail.
 *
 *   int page_keys(struct web *w)
 *   {
 *       struct key_page keys;
 *       int r = keyring_list(w->db, w->arena, w->session.team, false, &keys);
 *       if (r != 0)
 *           return web_outcome(w, r);
 *       ...
 *       return web_render(w, "keys", "API keys", view);
 *   }
 *
 * A page returns 0 when it has answered, or < 0, which becomes a 500 (-ENOTCONN: 503). What it
 * wrote is committed when its answer is a success or a redirect, and rolled back otherwise. */
#pragma once

#include "base/clock.h"
#include "db/tx.h"
#include "gateway/services.h"
#include "http/router.h"
#include "identity/audit.h"
#include "identity/session.h"
#include "json/value.h"
#include "identity/member.h"
#include "logs/installation.h"
#include "web/site.h"
#include "web/urlencoded.h"
#include "web/zone.h"

struct web {
    struct request *req;
    struct db *db;
    struct arena *arena;
    const struct services *services;
    const struct site *site;
    struct response *out;

    bool signed_in;
    struct session session;        /* when signed in */
    struct membership_page teams;  /* the user's, for the switcher; of signed-in GETs */
    struct incident_page incidents; /* the switches that are on; of operators */
    int64_t findings;               /* checks of the books that failed and are open; of operators */
    struct actor actor;            /* for services that write to the audit log */
    struct zone *zone;             /* the team's, else the installation's */
    int64_t now_us;
    int64_t began_ns;              /* of clock_mono_ns(): when the worker took it up */
    struct pairs submitted;        /* a POST's fields */

    struct str token; /* the session cookie's value; p NULL: none */
    struct str flash; /* told by the page before; shown once */
    struct db_scope scope;
    bool in_tx, answered, streamed;
};

/* Worker thread. True: *out is to be sent; false: the page has streamed its answer. db NULL: the
 * database is out of reach, which is what the page will say. */
bool web_serve(const struct services *services, struct request *req, struct db *db,
               struct response *out) _must_use_;
/* As struct listener_config wants it; ctx is the struct services. Loop thread. */
void web_problem_page(struct request *req, const struct problem *p, struct response *out,
                      void *ctx);

/* --- what a page may do; all of them end it: return web_...(...) --- */

/* 200 with templates/NAME.html; takes the view over. See web/README.md for what a template gets
 * besides its view. */
int web_render(struct web *w, const char *name, const char *title, struct json_object *view)
    _must_use_;
/* The same with another status; 4xx rolls back: a form with errors is a 422. */
int web_render_as(struct web *w, int status, const char *name, const char *title,
                  struct json_object *view) _must_use_;
/* 303 to a path of ours; done, if not NULL, is shown once on the page that comes next. */
int web_redirect(struct web *w, struct str path, const char *done) _must_use_;
/* 303 to somebody else's page; the CSP has to allow it to forms (web/frame.h). */
int web_redirect_away(struct web *w, struct str url) _must_use_;
int web_fail(struct web *w, const struct problem *p) _must_use_;
int web_fail_code(struct web *w, enum problem_code code) _must_use_;
/* Too many tries to sign in, asks for a new password, or changes of a kind that is counted. */
int web_fail_login_limit(struct web *w, int32_t retry_after_s) _must_use_;
/* What an outcome of identity/fault.h or db/db.h that the page does not handle itself means: below 0
 * is handed on, IDENTITY_E_NONE is a 404, IDENTITY_E_LIMITED a 429, DB_E_AWAY a 503, and a fault,
 * which a page with a form handles, a 400. */
int web_outcome(struct web *w, int r) _must_use_;
/* The same of what came with a fault: a 429 says when the next try may be made. */
int web_refused(struct web *w, int r, const struct identity_fault *fault) _must_use_;
/* What is answered while the database is out of reach. */
struct problem web_away(void);
/* A file: bytes live in the arena; name NULL: shown in the browser, not saved. */
int web_file(struct web *w, const char *content_type, struct str name, struct str bytes)
    _must_use_;
/* What has been written into csv, as a file; csv is at its end with this. */
int web_csv(struct web *w, struct str name, struct buf *csv) _must_use_;
/* The head of a streamed file (http/stream.h): the page writes, ends the stream and returns 0. */
int web_stream(struct web *w, const char *content_type, struct str name, struct stream **ret)
    _must_use_;

/* --- transactions --- */

/* A page of a route with AUTH_NONE has none until it begins one; the others have one under their
 * team (AUTH_VIEWER ... AUTH_OWNER), user (AUTH_USER) or as operator (AUTH_OPERATOR). A GET's is
 * read-only, of one moment. DB_E_AWAY is answered by web_outcome. */
int web_begin(struct web *w, struct db_scope scope) _must_use_;
/* Commits, for what runs its own transactions afterwards and needs what the page wrote. */
int web_commit(struct web *w) _must_use_;
/* Rolls back, for services that run their own transactions. */
void web_leave_tx(struct web *w);
/* Rolls back and begins again, to read what a refused form's page shows. */
int web_again(struct web *w) _must_use_;

/* --- sessions --- */

/* False: passwords may not travel over plain HTTP from beyond this machine (PUBLIC_URL,
 * ALLOW_PLAIN_HTTP_SIGN_IN). */
bool web_may_sign_in(const struct web *w);
/* The cookie of a session just begun (identity/login.h ...). */
void web_set_session(struct web *w, const struct session_made *made);
void web_drop_session(struct web *w);
struct session_from web_from(struct web *w);
/* What was asked for: the path, with its query where there is one; p NULL: no memory. */
struct str web_target(const struct request *req);
/* A path of ours to go back to, from the query or form field `next`; the overview otherwise. */
struct str web_next(struct web *w);

/* True when the session's role in its team covers want. */
bool web_role(const struct web *w, enum role want);
/* The id in the path's n-th parameter; false: it is none, so the page is a 404. */
bool web_param_id(const struct web *w, size_t n, int64_t *ret);
/* Absolute URL of a path, from PUBLIC_URL. */
struct str web_url(struct web *w, struct str path);
