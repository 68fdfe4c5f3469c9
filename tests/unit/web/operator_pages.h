/* operator_pages.h: the operator area on a private database, and an operator in it without scripts;
 * for the tests of its pages. */
#pragma once

#include "visitor.h"

#include "operator_routes.h"

#include "gateway/operate.h"
#include "providers/health.h"

static struct browse site;
static struct db *owner;
static struct gateways no_gateways; /* calls are not served here */
static char journal_dir[] = "/tmp/tollgate-test-XXXXXX";

#define ADA "email=ada%40example.org&password=correct+horse+staple"
#define BOB "email=bob%40example.org&password=correct+horse+staple"

static inline void as(const char *who)
{
    _cleanup_(freep) char *answer = NULL;

    forget_cookies(&site);
    answer = browse_send(&site, "/sign-in", "/sign-in", who);
    assert_status(answer, 303);
}

static inline void sign_up(const char *fields)
{
    _cleanup_(freep) char *answer = NULL;

    forget_cookies(&site);
    answer = browse_send(&site, "/sign-up", "/sign-up", fields);
    assert_status(answer, 303);
}

/* What the system page reads. */
static inline void start_node(void)
{
    struct services *services = &site.services;
    struct node_config node = {.conninfo = site.pg.app_conninfo,
                               .name = "test",
                               .version = "test",
                               .lane = services->pages};
    struct journal_config journal = {
        .conninfo = site.pg.app_conninfo, .dir = mkdtemp(journal_dir), .writers = 1};
    struct db *db;

    no_gateways.services = services;
    services->gateways = &no_gateways;
    services->money = services->passwords = services->long_jobs = services->waiting =
        services->responses = services->pages;
    assert_int_equal(health_board_new(&services->health), 0);
    assert_int_equal(db_open(site.pg.app_conninfo, "test", &db), 0);
    assert_int_equal(node_new(&node, db, &services->node), 0);
    db_close(db);
    journal.node = services->node;
    assert_int_equal(journal_new(&journal, &services->journal), 0);
}

static inline int setup(void **state)
{
    (void)state;
    browse_start(&site);
    site.services.public_url = STR("http://127.0.0.1");
    start_node();
    assert_int_equal(db_open(site.pg.owner_conninfo, "test", &owner), 0);
    sign_up("name=Ada&team_name=Acme&" ADA);
    sign_up("name=Bob&team_name=Bobbins+%26+Co&" BOB);
    assert_int_equal(db_script(owner, "UPDATE person SET is_operator = true"
                                      " WHERE email = 'ada@example.org';"
                                      "DELETE FROM login_attempt"),
                     0);
    as(ADA);
    return 0;
}

static inline int teardown(void **state)
{
    (void)state;
    db_close(owner);
    journal_free(site.services.journal, 1000);
    node_free(site.services.node);
    nftw(journal_dir, pg_fixture_remove, 8, FTW_DEPTH | FTW_PHYS);
    browse_stop(&site);
    health_board_free(site.services.health);
    return 0;
}

/* The number behind this text in an answer, such as the id in a location. */
static inline long number_behind(const char *answer, const char *text)
{
    const char *p = strstr(answer, text);
    int64_t n;

    assert_non_null(p);
    p += strlen(text);
    assert_int_equal(str_i64(str_n(p, strspn(p, "0123456789")), &n), STR_OK);
    return (long)n;
}

/* Sends a form, which is to end in a redirect; the id in its location. */
static inline long send_and_follow(const char *from, const char *path, const char *fields,
                                   const char *location)
{
    _cleanup_(freep) char *answer = browse_send(&site, from, path, fields);

    assert_status(answer, 303);
    return number_behind(answer, location);
}

static inline void send_ok(const char *from, const char *path, const char *fields)
{
    _cleanup_(freep) char *answer = browse_send(&site, from, path, fields);

    assert_status(answer, 303);
}

static inline void page_has(const char *path, const char *text)
{
    _cleanup_(freep) char *page = browse_get(&site, path);

    assert_status(page, 200);
    assert_has(page, text);
}

static inline void page_has_not(const char *path, const char *text)
{
    _cleanup_(freep) char *page = browse_get(&site, path);

    assert_status(page, 200);
    assert_has_not(page, text);
}

static inline const char *path_of(const char *fmt, long id)
{
    static char paths[32][128];
    static unsigned next;
    char *path = paths[next++ % 32];
    const char *hole = strstr(fmt, "{}");

    snprintf(path, sizeof(paths[0]), "%.*s%ld%s", (int)(hole - fmt), fmt, id, hole + 2);
    return path;
}
