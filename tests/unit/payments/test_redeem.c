/* Codes: who may redeem what, a hundred at once, guessing; against a real PostgreSQL. */
#include "identity/people.h"

#include <pthread.h>

#include "base/clock.h"
#include "ledger/grant.h"
#include "payments/redeem.h"

static struct people t;
static struct session ada;
static struct actor operator;

static int setup(void **state)
{
    people_start(&t);
    ada = people_session(&t, people_sign_up(&t, "ada@example.org").token);
    operator=(struct actor){ACTOR_OPERATOR, ada.user.v, STR("op@example.org"), STR_NONE};
    return 0;
}

static int teardown(void **state)
{
    people_stop(&t);
    return 0;
}

static const struct redeem_wish usual = {.amount = {5000000000},
                                         .name = {"Fair credit", 11},
                                         .note = {"the fair in May", 15},
                                         .count = 1,
                                         .uses = 1,
                                         .priority = 100,
                                         .grant_days = 30};

static struct redeem_made *make(struct redeem_wish wish)
{
    struct identity_fault fault = {"", ""};
    struct redeem_made *made = NULL;

    people_begin(&t, DB_OPERATOR);
    assert_int_equal(redeem_make(t.db, t.a, test_pepper, &operator, & wish, &made, &fault), 0);
    people_commit(&t);
    return made;
}

static struct session team_of(const char *email)
{
    return people_session(&t, people_sign_up(&t, email).token);
}

static int claim(struct session *s, struct str code, struct identity_fault *fault)
{
    struct actor actor = people_actor(s->user);
    struct redeemed got;

    return redeem_claim(t.db, t.a, test_pepper, &actor, s->team, code, &got, fault);
}

static int64_t balance_of(struct team_id team)
{
    struct balance b;

    people_begin(&t, DB_TEAM(team));
    assert_int_equal(balance_read(t.db, t.a, team, &b), 0);
    people_commit(&t);
    return b.posted.nano;
}

static struct redeem_code code_now(void)
{
    struct redeem_page page;

    people_begin(&t, DB_OPERATOR);
    assert_int_equal(redeem_list(t.db, t.a, 0, 1, &page), 0);
    people_commit(&t);
    return page.v[0];
}

static void assert_refused(struct session *s, struct str code, const char *word)
{
    struct identity_fault fault = {"", ""};
    int64_t before = balance_of(s->team);

    assert_int_equal(claim(s, code, &fault), IDENTITY_E_FAULT);
    assert_string_equal(fault.field, "code");
    assert_non_null(strstr(fault.sentence, word));
    assert_int_equal(balance_of(s->team), before);
}

DB_QUERY(test_findings, "SELECT count(*) AS n FROM ledger_findings()")

static void sound(void)
{
    int64_t n;

    assert_int_equal(db_begin(t.owner, DB_SYSTEM, true), 0);
    assert_int_equal(
        db_one(t.owner, &test_findings, NULL, DB_NO_ARGS, DB_COLS(db_col_i64("n", &n))), 0);
    assert_int_equal(db_commit(t.owner), 0);
    assert_int_equal(n, 0);
}

static void a_code_gives_its_grant_once(void **state)
{
    struct session bob = team_of("bob@example.org"), eve = team_of("eve@example.org");
    struct str code = make(usual)[0].code, typed;
    struct identity_fault fault;
    struct grant_page grants;
    struct redemption_page who;

    assert_int_equal(code.n, 19);
    typed = arena_strf(t.a, " %c%c %.*s ", code.p[0] | 32, code.p[1], (int)code.n - 2, code.p + 2);
    assert_int_equal(claim(&bob, typed, &fault), 0); /* case, spaces and dashes do not matter */
    assert_int_equal(balance_of(bob.team), 5000000000);
    assert_refused(&bob, code, "already");
    assert_refused(&eve, code, "by others");
    people_begin(&t, DB_TEAM(bob.team));
    assert_int_equal(grant_list(t.db, t.a, bob.team, 10, &grants), 0);
    people_commit(&t);
    assert_int_equal(grants.n, 1);
    assert_str(grants.v[0].name, "Fair credit");
    assert_true(grants.v[0].expires_us > clock_wall_us() + INT64_C(29) * 86400 * 1000000);
    assert_true(grants.v[0].expires_us < clock_wall_us() + INT64_C(31) * 86400 * 1000000);
    int64_t id = code_now().id;

    people_begin(&t, DB_OPERATOR);
    assert_int_equal(redeem_redemptions(t.db, t.a, id, &who), 0);
    people_commit(&t);
    assert_int_equal(who.n, 1);
    assert_int_equal(who.v[0].team.v, bob.team.v);
    sound();
}

static void a_code_for_many_is_redeemed_by_each_once(void **state)
{
    struct redeem_wish wish = usual;
    struct session one = team_of("m1@example.org"), two = team_of("m2@example.org"),
                   three = team_of("m3@example.org");
    struct identity_fault fault;

    wish.uses = 2;
    struct str code = make(wish)[0].code;

    assert_int_equal(claim(&one, code, &fault), 0);
    assert_refused(&one, code, "already");
    assert_int_equal(claim(&two, code, &fault), 0);
    assert_refused(&three, code, "by others");
    assert_int_equal(code_now().used, 2);
    sound();
}

static void a_code_that_is_over_gives_nothing(void **state)
{
    struct session s = team_of("over@example.org");
    struct str code = make(usual)[0].code;

    int64_t id = code_now().id;

    people_begin(&t, DB_OPERATOR);
    assert_int_equal(redeem_revoke(t.db, &operator, 999999), IDENTITY_E_NONE);
    assert_int_equal(redeem_revoke(t.db, &operator, id), 0);
    assert_int_equal(redeem_revoke(t.db, &operator, id), IDENTITY_E_NONE);
    people_commit(&t);
    assert_refused(&s, code, "no longer valid");
    code = make(usual)[0].code;
    assert_int_equal(db_script(t.owner, "UPDATE redeem_code SET expires_at = now() - interval '1 s'"
                                        " WHERE id = (SELECT max(id) FROM redeem_code)"),
                     0);
    assert_refused(&s, code, "expired");
    assert_refused(&s, STR("AAAA-AAAA-AAAA-AAAA"), "no such code");
    assert_refused(&s, STR("AAAA-AAAA-AAAA-AAA1"), "16 letters"); /* 1 is in no code */
    assert_refused(&s, STR("AAAA-AAAA"), "16 letters");
    assert_refused(&s, STR(""), "16 letters");
    sound();
}

static void wishes_have_bounds(void **state)
{
    static const struct {
        const char *field;
        struct redeem_wish wish;
    } cases[] = {
        {"amount", {.amount = {0}, .name = {"n", 1}, .count = 1, .uses = 1}},
        {"amount", {.amount = {-1}, .name = {"n", 1}, .count = 1, .uses = 1}},
        {"amount", {.amount = {1000000000000001}, .name = {"n", 1}, .count = 1, .uses = 1}},
        {"name", {.amount = {1}, .name = {"", 0}, .count = 1, .uses = 1}},
        {"count", {.amount = {1}, .name = {"n", 1}, .count = 0, .uses = 1}},
        {"count", {.amount = {1}, .name = {"n", 1}, .count = 501, .uses = 1}},
        {"uses", {.amount = {1}, .name = {"n", 1}, .count = 1, .uses = 0}},
        {"priority", {.amount = {1}, .name = {"n", 1}, .count = 1, .uses = 1, .priority = 1001}},
        {"grant_days", {.amount = {1}, .name = {"n", 1}, .count = 1, .uses = 1, .grant_days = -1}},
        {"expires", {.amount = {1}, .name = {"n", 1}, .count = 1, .uses = 1, .expires_us = 1}},
    };
    struct redeem_wish many = usual;

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct identity_fault fault = {"", ""};
        struct redeem_made *made;

        people_begin(&t, DB_OPERATOR);
        assert_int_equal(
            redeem_make(t.db, t.a, test_pepper, &operator, & cases[i].wish, &made, &fault),
            IDENTITY_E_FAULT);
        assert_string_equal(fault.field, cases[i].field);
        db_rollback(t.db);
    }
    many.count = 3;
    struct redeem_made *made = make(many);

    assert_false(str_eq(made[0].code, made[1].code) || str_eq(made[1].code, made[2].code));
    people_begin(&t, DB_OPERATOR);
    for (int i = 0; i < 3; i++) {
        struct redeem_code row;

        assert_int_equal(redeem_get(t.db, t.a, made[i].id, &row), 0);
        assert_true(str_ends(made[i].code, row.last4));
    }
    people_commit(&t);
}

/* --- a hundred at once --- */

#define CROWD 100

struct one_of_many {
    pthread_t thread;
    struct session s;
    struct str code;
    int result;
};

static pthread_barrier_t together;

static void *claim_alone(void *arg)
{
    struct one_of_many *c = arg;
    struct arena *a = arena_new(MIB(1));
    struct actor actor = people_actor(c->s.user);
    struct identity_fault fault;
    struct redeemed got;
    struct db *db;

    c->result = -1;
    if (db_open(t.pg.app_conninfo, "claimer", &db) == 0) {
        pthread_barrier_wait(&together);
        c->result = redeem_claim(db, a, test_pepper, &actor, c->s.team, c->code, &got, &fault);
        db_close(db);
    } else {
        pthread_barrier_wait(&together);
    }
    arena_free(a);
    return NULL;
}

static int crowd(struct one_of_many *c, size_t n, struct str code)
{
    int won = 0;

    assert_int_equal(pthread_barrier_init(&together, NULL, (unsigned)n), 0);
    for (size_t i = 0; i < n; i++) {
        c[i].code = code;
        assert_int_equal(pthread_create(&c[i].thread, NULL, claim_alone, &c[i]), 0);
    }
    for (size_t i = 0; i < n; i++) {
        pthread_join(c[i].thread, NULL);
        assert_true(c[i].result == 0 || c[i].result == IDENTITY_E_FAULT);
        won += c[i].result == 0;
    }
    pthread_barrier_destroy(&together);
    return won;
}

DB_QUERY(test_teams, "SELECT id AS team FROM team ORDER BY id DESC LIMIT $1")

struct team_read {
    struct one_of_many *c;
    size_t n;
    int64_t team;
};

static int team_seen(void *ctx)
{
    struct team_read *r = ctx;

    r->c[r->n++].s = (struct session){.user = ada.user, .team = {r->team}};
    return 0;
}

/* PostgreSQL takes a hundred connections: the crowd comes in four parts of twenty-five. */
static void a_hundred_teams_at_one_code_and_one_wins(void **state)
{
    static struct one_of_many c[CROWD];
    struct team_read read = {.c = c};
    struct str code = make(usual)[0].code;
    int64_t before = 0, after = 0;
    int won = 0;

    assert_int_equal(db_script(t.owner,
                               "WITH made AS (INSERT INTO team (name, time_zone)"
                               " SELECT 'Crowd', 'UTC' FROM generate_series(1, 100) RETURNING id)"
                               " SELECT open_team_books(id) FROM made"),
                     0);
    people_begin(&t, DB_SYSTEM);
    assert_int_equal(db_each(t.db, &test_teams, NULL, DB_ARGS(db_i64(CROWD)),
                             DB_COLS(db_col_i64("team", &read.team)), team_seen, &read),
                     0);
    people_commit(&t);
    assert_int_equal(read.n, CROWD);
    for (size_t i = 0; i < CROWD; i++)
        before += balance_of(c[i].s.team);
    for (size_t i = 0; i < CROWD; i += 25)
        won += crowd(c + i, 25, code);
    assert_int_equal(won, 1);
    for (size_t i = 0; i < CROWD; i++)
        after += balance_of(c[i].s.team);
    assert_int_equal(after - before, usual.amount.nano);
    assert_int_equal(code_now().used, 1);
    sound();
}

static void one_team_at_once_redeems_a_code_for_many_once(void **state)
{
    static struct one_of_many c[8];
    struct session s = team_of("eager@example.org");
    struct redeem_wish wish = usual;

    wish.uses = 5;
    struct str code = make(wish)[0].code;

    for (size_t i = 0; i < ARRAY_LEN(c); i++)
        c[i].s = s;
    assert_int_equal(crowd(c, ARRAY_LEN(c), code), 1);
    assert_int_equal(code_now().used, 1);
    assert_int_equal(balance_of(s.team), usual.amount.nano);
    sound();
}

static void guessing_is_limited(void **state)
{
    struct session s = team_of("guess@example.org"), other = team_of("calm@example.org");
    struct str code = make(usual)[0].code;
    struct identity_fault fault;

    for (int i = 0; i < 10; i++)
        assert_refused(&s, STR("AAAA-AAAA-AAAA-AAAA"), "no such code");
    assert_int_equal(claim(&s, STR("AAAA-AAAA-AAAA-AAAA"), &fault), IDENTITY_E_LIMITED);
    assert_in_range(fault.retry_after_s, 1, 900);
    assert_int_equal(claim(&s, code, &fault), IDENTITY_E_LIMITED); /* even the right one */
    assert_int_equal(claim(&other, code, &fault), 0);
    assert_int_equal(db_script(t.owner, "UPDATE redeem_try SET at = at - interval '16 minutes'"),
                     0);
    assert_refused(&s, code, "by others");
}

/* As the role that the server runs as, whatever scope it claims. */
static bool app_may(const char *sql)
{
    people_begin(&t, DB_OPERATOR);
    int r = db_script(t.db, sql);

    db_rollback(t.db);
    return r == 0;
}

DB_QUERY(test_visible, "SELECT (SELECT count(*) FROM redeem_code) AS codes,"
                       "       (SELECT count(*) FROM redemption) AS redemptions,"
                       "       (SELECT count(*) FROM redeem_try) AS tries")

static void the_server_cannot_cheat(void **state)
{
    struct session s = team_of("rights@example.org"), other = team_of("stranger@example.org");
    struct identity_fault fault;
    int64_t codes, redemptions, tries;

    assert_int_equal(claim(&s, make(usual)[0].code, &fault), 0);
    assert_true(app_may("SELECT count(*) FROM redeem_code, redemption, redeem_try"));
    assert_false(app_may("UPDATE redeem_code SET uses = 1000"));
    assert_false(app_may("UPDATE redeem_code SET used = 0"));
    assert_false(app_may("DELETE FROM redeem_code"));
    assert_false(app_may("DELETE FROM redemption"));
    assert_false(app_may("UPDATE redemption SET code_id = 1"));
    assert_false(app_may("DELETE FROM redeem_try"));
    assert_false(app_may("SET LOCAL app.scope = 'team'; SELECT redeem_code_revoke(1)"));
    assert_false(app_may("SET LOCAL app.scope = 'team'; SELECT redeem_code_claim("
                         "sha256('x'), 1, 1, '', 1, '')"));
    assert_false(app_may("SET LOCAL app.scope = 'team'; SELECT redeem_code_make(sha256('x'),"
                         " 'XXXX', 'n', '', 5, 1, NULL, 1, NULL, 'me')"));
    assert_true(db_script(t.owner, "DELETE FROM redemption") != 0);
    people_begin(&t, DB_TEAM(other.team));
    assert_int_equal(db_one(t.db, &test_visible, NULL, DB_NO_ARGS,
                            DB_COLS(db_col_i64("codes", &codes),
                                    db_col_i64("redemptions", &redemptions),
                                    db_col_i64("tries", &tries))),
                     0);
    people_commit(&t);
    assert_int_equal(codes + redemptions + tries, 0);
}

DB_QUERY(test_stored, "SELECT count(*) AS n FROM redeem_code c"
                      " WHERE to_jsonb(c)::text LIKE '%' || $1 || '%'")

static void a_code_is_not_stored(void **state)
{
    struct str code = make(usual)[0].code, plain;
    int64_t n;

    plain = arena_strf(t.a, "%.4s%.4s", code.p, code.p + 5);
    people_begin(&t, DB_OPERATOR);
    assert_int_equal(
        db_one(t.db, &test_stored, NULL, DB_ARGS(db_text(plain)), DB_COLS(db_col_i64("n", &n))), 0);
    assert_int_equal(n, 0);
    assert_int_equal(db_one(t.db, &test_stored, NULL, DB_ARGS(db_text(str_n(code.p, 9))),
                            DB_COLS(db_col_i64("n", &n))),
                     0);
    people_commit(&t);
    assert_int_equal(n, 0);
    assert_true(str_eq(code_now().last4, str_n(code.p + 15, 4)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_code_gives_its_grant_once),
        cmocka_unit_test(a_code_for_many_is_redeemed_by_each_once),
        cmocka_unit_test(a_code_that_is_over_gives_nothing),
        cmocka_unit_test(wishes_have_bounds),
        cmocka_unit_test(a_hundred_teams_at_one_code_and_one_wins),
        cmocka_unit_test(one_team_at_once_redeems_a_code_for_many_once),
        cmocka_unit_test(guessing_is_limited),
        cmocka_unit_test(the_server_cannot_cheat),
        cmocka_unit_test(a_code_is_not_stored),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
