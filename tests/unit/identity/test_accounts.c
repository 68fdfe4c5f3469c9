/* Signing up and in, sessions, limits, resets: against a real PostgreSQL. */
#include "people_group.h"

#include <pthread.h>

#include "identity/field_bounds.h"
#include "identity/reset.h"
#include "identity/team.h"

static void sign_up_makes_a_team_with_its_owner(void **state)
{
    struct session_made made = people_sign_up(&t, "Ada@Example.org");
    struct session s = people_session(&t, made.token);

    assert_str(s.email, "ada@example.org");
    assert_str(s.team_name, "Example");
    assert_int_equal(s.role, ROLE_OWNER);
    assert_false(s.is_operator);
    assert_int_equal(s.csrf.n, 64);
    assert_str(s.team_time_zone, "UTC");
}

static void sign_up_refuses_what_is_wrong(void **state)
{
    struct sign_up wish;
    struct session_made made;
    struct identity_fault fault;

    people_forget_attempts(&t);
    wish = people_wish("ada@example.org"); /* taken */
    assert_int_equal(user_sign_up(t.db, t.a, test_pepper, &wish, &made, &fault), IDENTITY_E_FAULT);
    assert_string_equal(fault.field, "email");
    wish = people_wish("not an e-mail");
    assert_int_equal(user_sign_up(t.db, t.a, test_pepper, &wish, &made, &fault), IDENTITY_E_FAULT);
    assert_string_equal(fault.field, "email");
    wish = people_wish("new@example.org");
    wish.password = STR("short");
    assert_int_equal(user_sign_up(t.db, t.a, test_pepper, &wish, &made, &fault), IDENTITY_E_FAULT);
    assert_string_equal(fault.field, "password");
    wish = people_wish("new@example.org");
    wish.name = STR("  ");
    assert_int_equal(user_sign_up(t.db, t.a, test_pepper, &wish, &made, &fault), IDENTITY_E_FAULT);
    assert_string_equal(fault.field, "name");
    wish = people_wish("new@example.org");
    wish.invite_required = true;
    assert_int_equal(user_sign_up(t.db, t.a, test_pepper, &wish, &made, &fault), IDENTITY_E_FAULT);
    assert_string_equal(fault.field, "invite");
}

/* As long as an account may have it later; the team that is named after them cuts it. */
static void a_long_name_may_sign_up(void **state)
{
    struct sign_up wish = people_wish("long@example.org");
    struct identity_fault fault;
    struct session_made made;
    struct session s;
    char name[2 * PERSON_NAME_MAX + 3];

    for (size_t i = 0; i < sizeof(name) - 1; i += 2)
        memcpy(name + i, "\u00e4", 2);
    people_forget_attempts(&t);
    wish.name = str_n(name, sizeof(name) - 1); /* one more than may be */
    wish.team_name = STR_NONE;
    assert_int_equal(user_sign_up(t.db, t.a, test_pepper, &wish, &made, &fault), IDENTITY_E_FAULT);
    assert_string_equal(fault.field, "name");
    wish.name.n -= 2;
    assert_int_equal(user_sign_up(t.db, t.a, test_pepper, &wish, &made, &fault), 0);
    s = people_session(&t, made.token);
    assert_int_equal(s.name.n, 2 * PERSON_NAME_MAX);
    assert_true(str_ends(s.team_name, STR("\u00e4's team")));
    assert_int_equal(s.team_name.n, 2 * (TEAM_NAME_MAX - 7) + 7);
}

static int sign_in(const char *email, const char *password, const char *address,
                   struct session_made *ret, int32_t *ret_retry)
{
    struct login login = {str_c(email), str_c(password), {str_c(address), STR("test")}};

    return people_sign_in(&t, &login, ret, ret_retry);
}

static void sign_in_needs_the_password(void **state)
{
    struct session_made made;
    int32_t retry = 0;

    people_sign_up(&t, "bo@example.org");
    assert_int_equal(sign_in("bo@example.org", "wrong wrong wrong", "192.0.2.2", &made, &retry),
                     LOGIN_E_WRONG);
    assert_int_equal(sign_in("nobody@example.org", "wrong wrong wrong", "192.0.2.2", &made, &retry),
                     LOGIN_E_WRONG);
    assert_int_equal(sign_in("???", "", "192.0.2.2", &made, &retry), LOGIN_E_WRONG);
    assert_int_equal(
        sign_in(" BO@example.org", "correct horse battery", "192.0.2.2", &made, &retry), 0);
    assert_str(people_session(&t, made.token).email, "bo@example.org");
}

static void five_failures_close_the_account_for_strangers_only(void **state)
{
    struct session_made made;
    int32_t retry = 0;

    people_sign_up(&t, "cy@example.org");
    assert_int_equal(
        sign_in("cy@example.org", "correct horse battery", "198.51.100.1", &made, &retry), 0);
    for (int i = 0; i < 5; i++)
        assert_int_equal(sign_in("cy@example.org", "wrong", "203.0.113.9", &made, &retry),
                         LOGIN_E_WRONG);
    assert_int_equal(
        sign_in("cy@example.org", "correct horse battery", "203.0.113.9", &made, &retry),
        LOGIN_E_LIMITED);
    assert_in_range(retry, 800, 900);
    /* from elsewhere too, but not from where they have signed in before */
    assert_int_equal(
        sign_in("cy@example.org", "correct horse battery", "203.0.113.10", &made, &retry),
        LOGIN_E_LIMITED);
    assert_int_equal(
        sign_in("cy@example.org", "correct horse battery", "198.51.100.1", &made, &retry), 0);
}

static void an_unknown_account_closes_likewise(void **state)
{
    struct session_made made;
    int32_t retry = 0;

    people_forget_attempts(&t);
    for (int i = 0; i < 5; i++)
        assert_int_equal(sign_in("ghost@example.org", "wrong", "203.0.113.9", &made, &retry),
                         LOGIN_E_WRONG);
    assert_int_equal(sign_in("ghost@example.org", "wrong", "203.0.113.9", &made, &retry),
                     LOGIN_E_LIMITED);
}

static void twenty_tries_a_minute_close_the_address(void **state)
{
    int64_t attempt;
    int32_t retry = 0;
    char email[40];

    people_forget_attempts(&t);
    for (int i = 0; i < 20; i++) {
        snprintf(email, sizeof(email), "x%d@example.org", i);
        assert_int_equal(login_admit(t.db, str_c(email), STR("203.0.113.7"), &attempt, &retry), 0);
    }
    assert_int_equal(login_admit(t.db, STR("y@example.org"), STR("203.0.113.7"), &attempt, &retry),
                     LOGIN_E_LIMITED);
    assert_in_range(retry, 1, 60);
    assert_int_equal(login_admit(t.db, STR("y@example.org"), STR("203.0.113.8"), &attempt, &retry),
                     0);
}

struct guesser {
    pthread_t thread;
    int admitted;
};

static void *guess(void *arg)
{
    struct guesser *g = arg;
    int64_t attempt;
    int32_t retry;
    struct db *db;

    if (db_open(t.pg.app_conninfo, "guesser", &db) != 0)
        return NULL;
    for (int i = 0; i < 4; i++)
        g->admitted += login_admit(db, STR("target@example.org"), STR("203.0.113.50"), &attempt,
                                   &retry) == LOGIN_OK;
    db_close(db);
    return NULL;
}

static void guesses_at_the_same_moment_are_counted_one_by_one(void **state)
{
    struct guesser guessers[8] = {0};
    int admitted = 0;

    people_forget_attempts(&t);
    for (size_t i = 0; i < ARRAY_LEN(guessers); i++)
        assert_int_equal(pthread_create(&guessers[i].thread, NULL, guess, &guessers[i]), 0);
    for (size_t i = 0; i < ARRAY_LEN(guessers); i++) {
        pthread_join(guessers[i].thread, NULL);
        admitted += guessers[i].admitted;
    }
    assert_int_equal(admitted, 5);
}

static void a_session_ends_when_told_or_disabled(void **state)
{
    struct session_made made = people_sign_up(&t, "di@example.org"), second;
    struct session s = people_session(&t, made.token);
    struct session_page page;
    int64_t ended = 0;
    int32_t retry;

    people_forget_attempts(&t);
    assert_int_equal(
        sign_in("di@example.org", "correct horse battery", "192.0.2.3", &second, &retry), 0);
    people_begin(&t, DB_SYSTEM);
    assert_int_equal(session_list(t.db, t.a, s.user, &page), 0);
    assert_int_equal(page.n, 2);
    assert_int_equal(session_end_all(t.db, s.user, s.id, &ended), 0);
    assert_int_equal(ended, 1);
    assert_int_equal(session_find(t.db, t.a, test_pepper, second.token, &s), IDENTITY_E_NONE);
    assert_int_equal(session_find(t.db, t.a, test_pepper, made.token, &s), 0);
    assert_int_equal(session_end(t.db, test_pepper, made.token), 0);
    assert_int_equal(session_find(t.db, t.a, test_pepper, made.token, &s), IDENTITY_E_NONE);
    assert_int_equal(session_find(t.db, t.a, test_pepper, STR("nonsense"), &s), IDENTITY_E_NONE);
    people_commit(&t);
}

static void a_session_ends_when_idle(void **state)
{
    struct session_made made = people_sign_up(&t, "ed@example.org");
    struct session s;

    assert_int_equal(db_script(t.owner, "UPDATE session SET seen_at = now() - interval '3 hours'"
                                        " WHERE user_id = (SELECT id FROM person"
                                        "                   WHERE email = 'ed@example.org')"),
                     0);
    people_begin(&t, DB_SYSTEM);
    assert_int_equal(session_find(t.db, t.a, test_pepper, made.token, &s), IDENTITY_E_NONE);
    people_commit(&t);
}

static void a_reset_link_works_once_and_ends_sessions(void **state)
{
    struct session_made old = people_sign_up(&t, "ned@example.org"), made;
    struct session s = people_session(&t, old.token);
    struct actor operator= {ACTOR_OPERATOR, s.user.v, STR("op@example.org"), STR_NONE};
    struct session_from from = {STR("192.0.2.9"), STR("test")};
    struct identity_fault fault;
    struct str first, token, email;
    int32_t retry;

    people_begin(&t, DB_OPERATOR);
    assert_int_equal(reset_make(t.db, t.a, test_pepper, &operator, s.user, &first), 0);
    assert_int_equal(reset_make(t.db, t.a, test_pepper, &operator, s.user, &token), 0);
    people_commit(&t);
    people_begin(&t, DB_SYSTEM);
    assert_int_equal(reset_peek(t.db, t.a, test_pepper, first, false, &email), IDENTITY_E_NONE);
    assert_int_equal(reset_peek(t.db, t.a, test_pepper, token, false, &email), 0);
    people_commit(&t);
    assert_str(email, "ned@example.org");
    people_forget_attempts(&t);
    assert_int_equal(reset_use(t.db, t.a, test_pepper, token, STR("tiny"), &from, &made, &fault),
                     IDENTITY_E_FAULT);
    assert_int_equal(
        reset_use(t.db, t.a, test_pepper, token, STR("another good phrase"), &from, &made, &fault),
        0);
    assert_int_equal(
        reset_use(t.db, t.a, test_pepper, token, STR("another good phrase"), &from, &made, &fault),
        IDENTITY_E_NONE);
    people_begin(&t, DB_SYSTEM);
    assert_int_equal(session_find(t.db, t.a, test_pepper, old.token, &s), IDENTITY_E_NONE);
    assert_int_equal(session_find(t.db, t.a, test_pepper, made.token, &s), 0);
    people_commit(&t);
    assert_int_equal(
        sign_in("ned@example.org", "correct horse battery", "192.0.2.9", &made, &retry),
        LOGIN_E_WRONG);
    assert_int_equal(sign_in("ned@example.org", "another good phrase", "192.0.2.9", &made, &retry),
                     0);
}

static void changing_the_password_needs_the_old_one(void **state)
{
    struct session_made old = people_sign_up(&t, "oda@example.org"), made;
    struct session s = people_session(&t, old.token);
    struct session_from from = {STR("192.0.2.9"), STR("test")};
    struct identity_fault fault;

    assert_int_equal(user_change_password(t.db, t.a, test_pepper, s.user, STR("no"),
                                          STR("another good phrase"), &from, &made, &fault),
                     IDENTITY_E_FAULT);
    assert_string_equal(fault.field, "current_password");
    assert_int_equal(user_change_password(t.db, t.a, test_pepper, s.user,
                                          STR("correct horse battery"), STR("another good phrase"),
                                          &from, &made, &fault),
                     0);
    people_begin(&t, DB_SYSTEM);
    assert_int_equal(session_find(t.db, t.a, test_pepper, old.token, &s), IDENTITY_E_NONE);
    people_commit(&t);
}

static void the_last_operator_stays(void **state)
{
    struct actor self = ACTOR_THE_SYSTEM;
    struct identity_fault fault;
    struct str password;
    struct user op;

    assert_int_equal(
        user_create_operator(t.db, t.a, &self, STR("op@example.org"), &password, &fault), 0);
    assert_int_equal(password.n, 23);
    people_begin(&t, DB_OPERATOR);
    assert_int_equal(user_by_email(t.db, t.a, STR("op@example.org"), &op), 0);
    assert_true(op.is_operator);
    assert_int_equal(user_set_disabled(t.db, t.a, &self, op.id, true, &fault), IDENTITY_E_FAULT);
    assert_int_equal(user_set_operator(t.db, t.a, &self, op.id, false, &fault), IDENTITY_E_FAULT);
    people_commit(&t);
    /* once more: the same person, no new password */
    assert_int_equal(
        user_create_operator(t.db, t.a, &self, STR("op@example.org"), &password, &fault), 0);
    assert_null(password.p);
}

static void a_disabled_user_is_out_at_once(void **state)
{
    struct session_made made = people_sign_up(&t, "pia@example.org"), again;
    struct session s = people_session(&t, made.token);
    struct actor self = ACTOR_THE_SYSTEM;
    struct identity_fault fault;
    int32_t retry;

    people_begin(&t, DB_OPERATOR);
    assert_int_equal(user_set_disabled(t.db, t.a, &self, s.user, true, &fault), 0);
    assert_int_equal(session_find(t.db, t.a, test_pepper, made.token, &s), IDENTITY_E_NONE);
    people_commit(&t);
    people_forget_attempts(&t);
    assert_int_equal(
        sign_in("pia@example.org", "correct horse battery", "192.0.2.1", &again, &retry),
        LOGIN_E_WRONG);
}

static void team_settings_are_checked(void **state)
{
    struct session s = people_session(&t, people_sign_up(&t, "quin@example.org").token);
    struct actor actor = people_actor(s.user);
    struct identity_fault fault;
    struct team team;
    struct team_settings wish = {.name = STR("New name"),
                                 .time_zone = STR("America/New_York"),
                                 .legal_name = STR("株式会社"),
                                 .address = STR("1 Road\nTown"),
                                 .country = STR("us"),
                                 .tax_id = STR("12-3"),
                                 .billing_email = STR("Pay@Example.org"),
                                 .response_days = 7};

    people_begin(&t, DB_TEAM(s.team));
    assert_int_equal(team_update(t.db, t.a, &actor, s.team, &wish, &fault), 0);
    assert_int_equal(team_get(t.db, t.a, s.team, &team), 0);
    people_commit(&t);
    assert_str(team.settings.country, "US");
    assert_str(team.settings.billing_email, "pay@example.org");
    assert_str(team.settings.time_zone, "America/New_York");
    assert_str(team.settings.legal_name, "株式会社");
    assert_int_equal(team.settings.response_days, 7);
    wish.response_days = 31;
    people_begin(&t, DB_TEAM(s.team));
    assert_int_equal(team_update(t.db, t.a, &actor, s.team, &wish, &fault), IDENTITY_E_FAULT);
    assert_string_equal(fault.field, "response_days");
    wish.response_days = 0;
    wish.time_zone = STR("Mars/Olympus");
    assert_int_equal(team_update(t.db, t.a, &actor, s.team, &wish, &fault), IDENTITY_E_FAULT);
    assert_string_equal(fault.field, "time_zone");
    people_commit(&t);
}

static void every_change_is_on_the_audit_log(void **state)
{
    struct session s = people_session(&t, people_sign_up(&t, "rex@example.org").token);
    struct audit_filter filter = {.team = s.team, .limit = 50};
    struct actor actor = people_actor(s.user);
    struct audit_page page;
    struct team_settings wish = {.name = STR("Renamed"), .time_zone = STR("UTC")};
    struct identity_fault fault;

    people_begin(&t, DB_TEAM(s.team));
    assert_int_equal(team_update(t.db, t.a, &actor, s.team, &wish, &fault), 0);
    assert_int_equal(audit_list(t.db, t.a, &filter, &page), 0);
    people_commit(&t);
    assert_int_equal(page.n, 2);
    assert_str(page.v[0].action_text, "team.update");
    assert_non_null(memmem(page.v[0].before.p, page.v[0].before.n, "Example", 7));
    assert_non_null(memmem(page.v[0].after.p, page.v[0].after.n, "Renamed", 7));
    assert_str(page.v[1].action_text, "team.create");
    assert_true(db_script(t.db, "UPDATE audit SET action = 'x'") != 0);
    assert_true(db_script(t.owner, "DELETE FROM audit") != 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sign_up_makes_a_team_with_its_owner),
        cmocka_unit_test(sign_up_refuses_what_is_wrong),
        cmocka_unit_test(a_long_name_may_sign_up),
        cmocka_unit_test(sign_in_needs_the_password),
        cmocka_unit_test(five_failures_close_the_account_for_strangers_only),
        cmocka_unit_test(an_unknown_account_closes_likewise),
        cmocka_unit_test(twenty_tries_a_minute_close_the_address),
        cmocka_unit_test(guesses_at_the_same_moment_are_counted_one_by_one),
        cmocka_unit_test(a_session_ends_when_told_or_disabled),
        cmocka_unit_test(a_session_ends_when_idle),
        cmocka_unit_test(a_reset_link_works_once_and_ends_sessions),
        cmocka_unit_test(changing_the_password_needs_the_old_one),
        cmocka_unit_test(the_last_operator_stays),
        cmocka_unit_test(a_disabled_user_is_out_at_once),
        cmocka_unit_test(team_settings_are_checked),
        cmocka_unit_test(every_change_is_on_the_audit_log),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
