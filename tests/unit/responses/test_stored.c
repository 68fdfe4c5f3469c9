/* The store of responses: whose they are, how long they last: against a real PostgreSQL. */
#include "identity/people.h"

#include "identity/keyring.h"
#include "identity/team.h"
#include "responses/stored.h"

static struct people t;
static struct session ada, eve; /* owners of two teams */
static struct actor actor;
static struct key_id key;

static void keep_for(struct session s, int64_t days)
{
    struct identity_fault fault = {"", ""};
    struct team team;

    people_begin(&t, DB_TEAM(s.team));
    assert_int_equal(team_get(t.db, t.a, s.team, &team), 0);
    team.settings.response_days = days;
    assert_int_equal(team_update(t.db, t.a, &actor, s.team, &team.settings, &fault), 0);
    people_commit(&t);
}

static struct key_id mint(struct session s)
{
    const struct key_settings settings = {.name = STR("CI")};
    struct identity_fault fault = {"", ""};
    struct key_minted made;

    people_begin(&t, DB_TEAM(s.team));
    assert_int_equal(
        keyring_mint(t.db, t.a, test_pepper, &actor, s.team, s.user, &settings, &made, &fault), 0);
    people_commit(&t);
    return made.id;
}

static int setup(void **state)
{
    people_start(&t);
    ada = people_session(&t, people_sign_up(&t, "ada@example.org").token);
    eve = people_session(&t, people_sign_up(&t, "eve@example.org").token);
    actor = people_actor(ada.user);
    key = mint(ada);
    return 0;
}

static int teardown(void **state)
{
    people_stop(&t);
    return 0;
}

static struct stored_response row(const char *id, const char *response)
{
    return (struct stored_response){
        .team = ada.team,
        .key = key,
        .call = call_id_new(),
        .id = str_c(id),
        .model = STR("m"),
        .response = str_c(response),
        .input = STR("[{\"a\":1}]"),
    };
}

static int put(const char *id, const char *response)
{
    const struct stored_response r = row(id, response);

    return stored_put(t.db, &r);
}

static int get(struct team_id team, const char *id, struct stored_response *ret)
{
    return stored_get(t.db, t.a, team, str_c(id), true, ret);
}

static void shift(const char *id, const char *column, const char *by)
{
    char sql[300];

    (void)snprintf(sql, sizeof(sql), "UPDATE stored_response SET %s = %s - interval '%s' WHERE id = '%s'",
                   column, column, by, id);
    assert_int_equal(db_script(t.owner, sql), 0);
}

static void nothing_is_kept_until_the_team_says_so(void **state)
{
    struct stored_response got;

    assert_int_equal(put("resp_0", "{}"), STORED_E_NONE);
    assert_int_equal(get(ada.team, "resp_0", &got), STORED_E_NONE);
}

static void it_is_its_teams_alone(void **state)
{
    const struct stored_response r = row("resp_1", "{\"id\":\"resp_1\"}");
    struct stored_response got;

    keep_for(ada, 7);
    keep_for(eve, 7);
    assert_int_equal(stored_put(t.db, &r), STORED_OK);
    assert_int_equal(get(ada.team, "resp_1", &got), STORED_OK);
    assert_str(got.response, "{\"id\":\"resp_1\"}");
    assert_str(got.input, "[{\"a\":1}]");
    assert_str(got.model, "m");
    assert_int_equal(got.key.v, key.v);
    assert_true(call_id_eq(got.call, r.call));
    assert_int_equal(stored_get(t.db, t.a, ada.team, STR("resp_1"), false, &got), STORED_OK);
    assert_null(got.input.p);
    assert_int_equal(get(eve.team, "resp_1", &got), STORED_E_NONE);
    assert_int_equal(stored_delete(t.db, eve.team, STR("resp_1")), STORED_E_NONE);
    assert_int_equal(get(ada.team, "resp_1", &got), STORED_OK);
    assert_int_equal(stored_delete(t.db, ada.team, STR("resp_1")), STORED_OK);
    assert_int_equal(stored_delete(t.db, ada.team, STR("resp_1")), STORED_E_NONE);
    assert_int_equal(get(ada.team, "resp_1", &got), STORED_E_NONE);
}

static void rows_of_others_cannot_be_written_in_a_teams_scope(void **state)
{
    struct stored_response r = row("resp_x", "{}");
    int64_t rows;

    assert_int_equal(stored_put(t.db, &r), STORED_OK);
    people_begin(&t, DB_TEAM(eve.team));
    assert_int_equal(db_script(t.db, "DELETE FROM stored_response"), 0);
    people_commit(&t);
    assert_int_equal(get(ada.team, "resp_x", &r), STORED_OK);
    assert_int_equal(stored_delete(t.db, ada.team, STR("resp_x")), STORED_OK);
    assert_int_equal(stored_expire(t.db, &rows), 0);
}

static void the_newer_of_one_id_counts(void **state)
{
    struct stored_response got;

    assert_int_equal(put("resp_2", "{\"n\":1}"), STORED_OK);
    assert_int_equal(put("resp_2", "{\"n\":2}"), STORED_OK);
    assert_int_equal(get(ada.team, "resp_2", &got), STORED_OK);
    assert_str(got.response, "{\"n\":2}");
}

static void what_is_over_is_gone_and_leaves(void **state)
{
    struct stored_response got;
    int64_t removed = 0;

    assert_int_equal(put("resp_3", "{}"), STORED_OK);
    shift("resp_3", "expires_at", "7 days 1 second");
    assert_int_equal(get(ada.team, "resp_3", &got), STORED_E_NONE);
    assert_int_equal(stored_delete(t.db, ada.team, STR("resp_3")), STORED_E_NONE);
    assert_int_equal(stored_expire(t.db, &removed), 0);
    assert_int_equal(removed, 1);
    assert_int_equal(get(ada.team, "resp_2", &got), STORED_OK);
    assert_int_equal(stored_expire(t.db, &removed), 0);
    assert_int_equal(removed, 0);
}

static void a_shorter_time_holds_for_what_is_there(void **state)
{
    struct stored_response got;
    int64_t removed = 0;

    assert_int_equal(put("resp_4", "{}"), STORED_OK);
    assert_int_equal(put("resp_5", "{}"), STORED_OK);
    shift("resp_4", "created_at", "3 days");
    keep_for(ada, 30); /* a longer one does not */
    keep_for(ada, 2);
    assert_int_equal(get(ada.team, "resp_4", &got), STORED_E_NONE);
    assert_int_equal(get(ada.team, "resp_5", &got), STORED_OK);
    keep_for(ada, 0);
    assert_int_equal(get(ada.team, "resp_5", &got), STORED_E_NONE);
    assert_int_equal(stored_expire(t.db, &removed), 0);
    assert_int_equal(removed, 3); /* resp_2, too */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_kept_until_the_team_says_so),
        cmocka_unit_test(it_is_its_teams_alone),
        cmocka_unit_test(rows_of_others_cannot_be_written_in_a_teams_scope),
        cmocka_unit_test(the_newer_of_one_id_counts),
        cmocka_unit_test(what_is_over_is_gone_and_leaves),
        cmocka_unit_test(a_shorter_time_holds_for_what_is_there),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
