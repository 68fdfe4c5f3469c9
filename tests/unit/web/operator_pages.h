/* operator_pages.h: the operator area on a private database, and an operator in it without scripts; for
 * the tests of its pages. */
#pragma once

#include "browse.h"

#include "providers/health.h"
#include "serve.h"
#include "web/pages.h"

#define SHOW(path, fn) {HTTP_GET, path, AUTH_OPERATOR, 0, RUNS_ON_PAGES, PROBLEM_AS_PAGE, .page = fn}
#define SEND(path, fn)                                                                             \
    {HTTP_POST, path, AUTH_OPERATOR, 65536, RUNS_ON_PAGES, PROBLEM_AS_PAGE, .page = fn}

static const struct route routes[] = {
    {HTTP_GET, "/assets/{version}/{name}", AUTH_NONE, 0, RUNS_ON_LOOP, PROBLEM_AS_PAGE,
     .on_loop = serve_asset},
    {HTTP_GET, "/sign-in", AUTH_NONE, 0, RUNS_ON_PAGES, PROBLEM_AS_PAGE, .page = page_sign_in},
    {HTTP_POST, "/sign-in", AUTH_NONE, 65536, RUNS_ON_PAGES, PROBLEM_AS_PAGE,
     .page = page_sign_in_send},
    {HTTP_GET, "/sign-up", AUTH_NONE, 0, RUNS_ON_PAGES, PROBLEM_AS_PAGE, .page = page_sign_up},
    {HTTP_POST, "/sign-up", AUTH_NONE, 65536, RUNS_ON_PAGES, PROBLEM_AS_PAGE,
     .page = page_sign_up_send},
    {HTTP_GET, "/reset/{token}", AUTH_NONE, 0, RUNS_ON_PAGES, PROBLEM_AS_PAGE, .page = page_reset},
    SHOW("/operator/accounts", page_operator_accounts),
    SHOW("/operator/accounts/new", page_operator_accounts_new),
    SEND("/operator/accounts", page_operator_accounts_add),
    SHOW("/operator/accounts/{id}", page_operator_account),
    SEND("/operator/accounts/{id}", page_operator_account_update),
    SEND("/operator/accounts/{id}/key", page_operator_account_key),
    SEND("/operator/accounts/{id}/adopt", page_operator_account_adopt),
    SEND("/operator/accounts/{id}/enable", page_operator_account_enable),
    SEND("/operator/accounts/{id}/disable", page_operator_account_disable),
    SEND("/operator/accounts/{id}/delete", page_operator_account_delete),
    SHOW("/operator/models", page_operator_models),
    SHOW("/operator/models/new", page_operator_models_new),
    SEND("/operator/models", page_operator_models_add),
    SHOW("/operator/models/{id}", page_operator_model),
    SEND("/operator/models/{id}", page_operator_model_update),
    SEND("/operator/models/{id}/targets", page_operator_target_add),
    SEND("/operator/models/{id}/pin", page_operator_model_pin),
    SEND("/operator/models/{id}/off", page_operator_model_off),
    SEND("/operator/models/{id}/on", page_operator_model_on),
    SEND("/operator/models/{id}/aliases", page_operator_model_add_alias),
    SEND("/operator/models/{id}/aliases/delete", page_operator_model_drop_alias),
    SHOW("/operator/models/{id}/prices", page_operator_prices),
    SHOW("/operator/models/{id}/prices/new", page_operator_prices_new),
    SEND("/operator/models/{id}/prices", page_operator_prices_add),
    SEND("/operator/targets/{id}", page_operator_target_update),
    SEND("/operator/targets/{id}/delete", page_operator_target_delete),
    SHOW("/operator/teams", page_operator_teams),
    SHOW("/operator/teams/{id}", page_operator_team),
    SEND("/operator/teams/{id}/adjust", page_operator_team_adjust),
    SEND("/operator/teams/{id}/grant", page_operator_team_grant),
    SEND("/operator/teams/{id}/freeze", page_operator_team_freeze),
    SEND("/operator/teams/{id}/unfreeze", page_operator_team_unfreeze),
    SHOW("/operator/users", page_operator_users),
    SEND("/operator/users/{id}/disable", page_operator_user_disable),
    SEND("/operator/users/{id}/enable", page_operator_user_enable),
    SEND("/operator/users/{id}/operator", page_operator_user_promote),
    SEND("/operator/users/{id}/not-operator", page_operator_user_demote),
    SEND("/operator/users/{id}/reset", page_operator_user_reset),
    SHOW("/operator/audit", page_operator_audit),
    SHOW("/operator/orders", page_operator_orders),
    SEND("/operator/orders/{id}/confirm", page_operator_order_confirm),
    SEND("/operator/payments/{id}/accept", page_operator_payment_accept),
    SEND("/operator/payments/{id}/dismiss", page_operator_payment_dismiss),
    SHOW("/operator/installation", page_operator_installation),
    SEND("/operator/installation", page_operator_installation_update),
};

static struct browse site;
static struct db *owner;

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

static inline int setup(void **state)
{
    (void)state;
    browse_start(&site, routes, ARRAY_LEN(routes));
    site.services.public_url = STR("http://127.0.0.1");
    assert_int_equal(health_board_new(&site.services.health), 0);
    assert_int_equal(db_open(site.pg.owner_conninfo, "test", &owner), 0);
    sign_up("name=Ada&team_name=Acme&" ADA);
    sign_up("name=Bob&team_name=Bobbins+%26+Co&" BOB);
    assert_int_equal(db_script(owner, "UPDATE person SET is_operator = true"
                                      " WHERE email = 'ada@example.org';"
                                      "DELETE FROM login_attempt"), 0);
    as(ADA);
    return 0;
}

static inline int teardown(void **state)
{
    (void)state;
    db_close(owner);
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
