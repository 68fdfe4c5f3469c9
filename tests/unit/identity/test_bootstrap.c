/* The first start, and the second: against a real PostgreSQL. */
#include "people_group.h"

#include "identity/bootstrap.h"
#include "identity/key.h"
#include "identity/team.h"

static const struct str models[] = {STR("demo-chat"), STR("demo-embed")};
static struct bootstrap_wish wish = {
    .operator_email = STR("operator@localhost"),
    .demo = true,
    .demo_models = models,
    .n_demo_models = 2,
    .demo_grant = {5000000000},
};

static int64_t wallet_of(struct team_id team)
{
    static struct db_query balance = {.name = "balance",
                                      .sql =
                                          "SELECT capacity - used AS nano FROM purse"
                                          " WHERE team_id = $1 AND kind = 'wallet'"};
    struct db *own;
    int64_t nano = -1;

    if (!balance.file) {
        balance.file = __FILE__;
        db_query_register(&balance);
    }
    assert_int_equal(db_open(t.pg.app_conninfo, "balance", &own), 0);
    assert_int_equal(db_begin(own, DB_SYSTEM, true), 0);
    assert_int_equal(
        db_one(own, &balance, NULL, DB_ARGS(db_i64(team.v)), DB_COLS(db_col_i64("nano", &nano))),
        0);
    assert_int_equal(db_commit(own), 0);
    db_close(own);
    return nano;
}

static void the_first_start_makes_it_all_and_the_second_nothing(void **state)
{
    struct bootstrap_made first, second, third;
    struct session_made session;
    struct key_policy *policy;
    struct digest digest;
    int32_t retry;

    assert_int_equal(bootstrap(t.db, t.a, test_pepper, &wish, &first), 0);
    assert_true(first.operator_made);
    assert_str(first.operator_email, "operator@localhost");
    struct login login = {
        first.operator_email, first.operator_password, {STR("127.0.0.1"), STR("test")}};
    assert_int_equal(people_sign_in(&t, &login, &session, &retry), 0);
    assert_true(people_session(&t, session.token).is_operator);
    assert_str(people_session(&t, session.token).team_name, "Demo");

    digest = digest_keyed(test_pepper, first.demo_key);
    assert_int_equal(key_find(t.db, &digest, &policy), KEY_OK);
    assert_true(key_policy_allows_model(policy, STR("demo-chat")));
    assert_false(key_policy_allows_model(policy, STR("gpt-4o")));
    key_policy_unref(policy);
    assert_int_equal(wallet_of(first.demo_team), 5000000000);

    wish.demo_key = first.demo_key;
    assert_int_equal(bootstrap(t.db, t.a, test_pepper, &wish, &second), 0);
    assert_false(second.operator_made);
    assert_null(second.operator_password.p);
    assert_null(second.demo_key.p);
    assert_int_equal(second.demo_team.v, first.demo_team.v);
    assert_int_equal(wallet_of(first.demo_team), 5000000000);

    /* the file was lost: the same key gets a new secret */
    wish.demo_key = STR_NONE;
    assert_int_equal(bootstrap(t.db, t.a, test_pepper, &wish, &third), 0);
    assert_non_null(third.demo_key.p);
    assert_int_equal(key_find(t.db, &digest, &policy), KEY_E_UNKNOWN);
    digest = digest_keyed(test_pepper, third.demo_key);
    assert_int_equal(key_find(t.db, &digest, &policy), KEY_OK);
    key_policy_unref(policy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_start_makes_it_all_and_the_second_nothing),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
