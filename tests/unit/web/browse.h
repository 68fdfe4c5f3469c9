/* browse.h: the dashboard on a private PostgreSQL, its templates strict, and a visitor who keeps
 * cookies; for the tests of pages.
 *
 * Pages run on a lane of one worker, as in the server. BROWSE_STAY=PORT keeps the site up on that
 * port after the tests, for looking at it in a browser. */
#pragma once

#include "unit.h"

#include "http/talk.h"
#include "pg_fixture.h"

#include "catalog/bootstrap.h"
#include "catalog/holder.h"
#include "gateway/gateway.h"
#include "identity/installation.h"
#include "web/web.h"

struct browse {
    struct pg_fixture pg;
    struct served served;
    struct services services;
    struct gateway gateway; /* what a listener's ctx is; nothing of it but the services is used */
    struct site *site;
    char cookies[8][400]; /* "name=value" */
};

struct page_job {
    struct job job;
    struct request *req;
    const struct services *services;
    struct response out;
    bool reply;
};

static inline void *browse_worker_new(void *ctx)
{
    struct db *db = NULL;
    struct browse *b = ctx;

    return db_open(b->pg.app_conninfo, "pages test", &db) == 0 ? db : NULL;
}

static inline void browse_worker_free(void *db)
{
    db_close(db);
}

static inline void browse_work(struct job *job, void *worker)
{
    struct page_job *p = container_of(job, struct page_job, job);

    p->reply = web_serve(p->services, p->req, worker, &p->out);
}

static inline void browse_done(struct job *job)
{
    struct page_job *p = container_of(job, struct page_job, job);
    struct request *req = p->req;

    if (p->reply)
        request_reply(req, &p->out);
    request_release(req);
}

static inline void browse_dispatch(struct request *req, void *ctx)
{
    const struct gateway *gateway = ctx;
    const struct services *services = gateway->services;
    struct page_job *p = arena_new0(req->arena, struct page_job);

    assert_non_null(p);
    p->req = req;
    p->services = services;
    p->job = (struct job){.reply_to = req->loop, .work = browse_work, .done = browse_done};
    request_hold(req);
    assert_int_equal(jobs_submit(services->pages, &p->job), JOBS_OK);
}

static inline void browse_problem_page(struct request *req, const struct problem *p,
                                       struct response *out, void *ctx)
{
    const struct gateway *gateway = ctx;

    web_problem_page(req, p, out, (void *)(uintptr_t)gateway->services);
}

/* A sandbox with the demo models on offer. */
static inline void browse_prepare(struct browse *b)
{
    struct catalog_options options = {.seal_key = b->services.seal_key, .demo_port = 9};
    struct db *db;

    assert_int_equal(catalog_holder_new(&b->services.catalog), 0);
    assert_int_equal(db_open(b->pg.app_conninfo, "catalogue", &db), 0);
    assert_int_equal(catalog_bootstrap_demo(db), 0);
    assert_int_equal(installation_mark_sandbox(db, true), 0);
    assert_int_equal(catalog_holder_reload(b->services.catalog, db, &options), 0);
    db_close(db);
}

static inline void browse_start(struct browse *b, const struct route *routes, size_t n)
{
    struct jobs_config lane = {.name = "pages", .threads = 1, .queue_max = 64,
                               .worker_new = browse_worker_new,
                               .worker_free = browse_worker_free, .ctx = b};
    const char *stay = getenv("BROWSE_STAY");
    struct site_dirs dirs = {"templates", "web/static", "web/assets"};
    struct mustache_fault fault;

    memset(b, 0, sizeof(*b));
    pg_fixture_start(&b->pg);
    if (site_new(&dirs, MUSTACHE_STRICT, &b->site, &fault) != 0)
        fail_msg("%s", fault.text);
    b->services.site = b->site;
    b->services.loopback_only = true;
    b->services.signup = SIGNUP_OPEN;
    b->services.sandbox_payments = true;
    b->services.default_time_zone = STR("Europe/Berlin");
    b->services.version = STR("test");
    b->services.node_name = STR("test");
    browse_prepare(b);
    assert_int_equal(jobs_new(&lane, &b->services.pages), 0);
    served_init(&b->served);
    b->served.config.dispatch = browse_dispatch;
    b->gateway.services = &b->services;
    b->served.config.problem_page = browse_problem_page;
    b->served.config.ctx = &b->gateway;
    b->served.config.port = stay ? (uint16_t)atoi(stay) : 0;
    served_start(&b->served, routes, n);
}

static inline void browse_stop(struct browse *b)
{
    if (getenv("BROWSE_STAY")) {
        fprintf(stderr, "http://127.0.0.1:%u, PostgreSQL in %s\n", b->served.port, b->pg.dir);
        pause();
    }
    jobs_free(b->services.pages);
    served_stop(&b->served);
    catalog_holder_free(b->services.catalog);
    site_free(b->site);
    pg_fixture_stop(&b->pg);
}

/* --- the visitor --- */

static inline void keep_cookie(struct browse *b, const char *line)
{
    size_t name = strcspn(line, "="), n = strcspn(line, ";\r");
    size_t at = 0;

    while (at < ARRAY_LEN(b->cookies) && b->cookies[at][0] &&
           strncmp(b->cookies[at], line, name + 1) != 0)
        at++;
    assert_true(at < ARRAY_LEN(b->cookies));
    assert_true(n < sizeof(b->cookies[at]));
    memcpy(b->cookies[at], line, n);
    b->cookies[at][n] = '\0';
}

static inline void forget_cookies(struct browse *b)
{
    memset(b->cookies, 0, sizeof(b->cookies));
}

/* The whole answer, head and body; the caller frees it. body NULL: a GET. origin NULL: none. */
static inline char *browse_ask(struct browse *b, const char *method, const char *path,
                               const char *body, const char *origin)
{
    _cleanup_(freep) char *text = NULL;
    char cookies[2048] = "";
    char *answer;

    for (size_t i = 0; i < ARRAY_LEN(b->cookies); i++)
        if (b->cookies[i][0]) {
            strncat(cookies, cookies[0] ? "; " : "Cookie: ", sizeof(cookies) - 1 - strlen(cookies));
            strncat(cookies, b->cookies[i], sizeof(cookies) - 1 - strlen(cookies));
        }
    assert_true(asprintf(&text,
                         "%s %s HTTP/1.1\r\nHost: 127.0.0.1:%u\r\nConnection: close\r\n"
                         "Accept: text/html\r\n%s%s%s%s%s"
                         "Content-Type: application/x-www-form-urlencoded\r\n"
                         "Content-Length: %zu\r\n\r\n%s",
                         method, path, b->served.port, cookies, cookies[0] ? "\r\n" : "",
                         origin ? "Origin: " : "", origin ? origin : "", origin ? "\r\n" : "",
                         body ? strlen(body) : 0, body ? body : "") > 0);
    answer = ask(&b->served, text);
    for (const char *p = answer; (p = strcasestr(p, "set-cookie: ")) != NULL; p += 12)
        keep_cookie(b, p + 12);
    return answer;
}

static inline char *browse_get(struct browse *b, const char *path)
{
    return browse_ask(b, "GET", path, NULL, NULL);
}

/* The CSRF token of a page, "" if it has none. */
static inline const char *csrf_of(const char *page)
{
    static char token[65];
    const char *p = strstr(page, "name=\"csrf\" value=\"");

    token[0] = '\0';
    if (p)
        snprintf(token, sizeof(token), "%s", p + strlen("name=\"csrf\" value=\""));
    token[strcspn(token, "\"")] = '\0';
    return token;
}

/* Sends a form as a page of ours would; fields is urlencoded, without the token. */
static inline char *browse_send(struct browse *b, const char *from, const char *path,
                                const char *fields)
{
    _cleanup_(freep) char *page = browse_get(b, from);
    _cleanup_(freep) char *body = NULL;
    char origin[64];

    snprintf(origin, sizeof(origin), "http://127.0.0.1:%u", b->served.port);
    assert_true(asprintf(&body, "%s%scsrf=%s", fields, *fields ? "&" : "", csrf_of(page)) > 0);
    return browse_ask(b, "POST", path, body, origin);
}

static inline int status_of(const char *answer)
{
    return atoi(answer + strlen("HTTP/1.1 "));
}

#define assert_status(answer, status)                                                              \
    do {                                                                                           \
        if (status_of(answer) != (status))                                                         \
            fail_msg("not %d: %.1500s", (status), (answer));                                       \
    } while (0)
