/* browse.h: the dashboard with its routes on a private PostgreSQL, its templates strict; for the
 * tests of pages. visitor.h goes there.
 *
 * Pages run on a lane of one worker, as in the server. BROWSE_STAY=PORT keeps the site up on that
 * port after the tests, for looking at it in a browser. */
#pragma once

#include "unit.h"

#include "http/talk.h"
#include "pg_fixture.h"

#include "admin/admin.h"
#include "catalog/bootstrap.h"
#include "catalog/holder.h"
#include "gateway/gateway.h"
#include "identity/installation.h"
#include "routes.h"
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

    if (p->req->route->manage)
        admin_serve(p->req, worker, p->services, &p->out);
    p->reply = p->req->route->manage || web_serve(p->services, p->req, worker, &p->out);
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

static inline void browse_start(struct browse *b)
{
    struct jobs_config lane = {.name = "pages", .threads = 1, .queue_max = 64,
                               .worker_new = browse_worker_new,
                               .worker_free = browse_worker_free, .ctx = b};
    uint32_t port = 0;
    struct site_dirs dirs = {"templates", "web/static", "web/assets"};
    struct mustache_fault fault;

    memset(b, 0, sizeof(*b));
    pg_fixture_start(&b->pg);
    if (site_new(&dirs, MUSTACHE_STRICT, &b->site, &fault) != 0)
        fail_msg("%s", fault.text);
    b->services.site = b->site;
    b->services.loopback_only = b->services.sandbox_payments = true;
    b->services.signup = SIGNUP_OPEN;
    b->services.default_time_zone = STR("Europe/Berlin");
    b->services.version = b->services.node_name = STR("test");
    b->services.routes = routes;
    b->services.routes_count = routes_count;
    b->services.api_document = admin_document();
    browse_prepare(b);
    assert_int_equal(jobs_new(&lane, &b->services.pages), 0);
    served_init(&b->served);
    b->served.config.dispatch = browse_dispatch;
    b->gateway.services = &b->services;
    b->served.config.problem_page = browse_problem_page;
    b->served.config.ctx = &b->gateway;
    if (str_u32(str_c(getenv("BROWSE_STAY")), &port) == STR_OK)
        b->served.config.port = (uint16_t)port;
    served_start(&b->served, routes, routes_count);
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
