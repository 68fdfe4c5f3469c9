/* What keys have spent, and their budgets: against a real PostgreSQL. */
#include "keys.h"

#include <time.h>

/* A dollar on each of the last 41 days. */
static struct money spent_with_budget(enum key_window window)
{
    struct key_settings s = {.name = STR("spends"), .budget_window = window};
    struct key_minted made;
    struct key_view v;
    char sql[512];

    if (window != KEY_WINDOW_NONE)
        s.budget = MONEY_USD(5);
    made = mint(&s);
    snprintf(sql, sizeof(sql),
             "INSERT INTO usage_day (team_id, day, model, key_id, project_id, provider, account_id, charge_nano)"
             " SELECT %lld, d, '', %lld, 0, '', 0, 1000000000"
             "   FROM generate_series((now() AT TIME ZONE 'UTC')::date - 40, (now() AT TIME ZONE 'UTC')::date,"
             "                        interval '1 day') d",
             (long long)ada.team.v, (long long)made.id.v);
    assert_int_equal(db_script(t.owner, sql), 0);
    people_begin(&t, DB_TEAM(ada.team));
    assert_int_equal(keyring_get(t.db, t.a, ada.team, made.id, &v), 0);
    people_commit(&t);
    return key_spent_in_window(&v);
}

static struct tm today(void)
{
    time_t now = time(NULL);
    struct tm day;

    assert_non_null(gmtime_r(&now, &day));
    return day;
}

static void what_was_spent_is_told_by_window(void **state)
{
    struct money spent[KEY_WINDOW_LIFETIME + 1];
    struct tm day;

    do { /* within one day */
        day = today();
        for (int w = KEY_WINDOW_NONE; w <= KEY_WINDOW_LIFETIME; w++)
            spent[w] = spent_with_budget((enum key_window)w);
    } while (day.tm_mday != today().tm_mday);
    assert_int_equal(spent[KEY_WINDOW_NONE].nano, 0);
    assert_int_equal(spent[KEY_WINDOW_DAY].nano, MONEY_USD(1).nano);
    assert_int_equal(spent[KEY_WINDOW_WEEK].nano, MONEY_USD(1).nano * ((day.tm_wday + 6) % 7 + 1));
    assert_int_equal(spent[KEY_WINDOW_MONTH].nano, MONEY_USD(1).nano * day.tm_mday);
    assert_int_equal(spent[KEY_WINDOW_LIFETIME].nano, MONEY_USD(1).nano * 41);
}

DB_QUERY(test_budget_used, "SELECT used AS v FROM purse WHERE team_id = $1 AND kind = 'budget'"
                           " AND scope = 'key' AND scope_id = $2")

static int64_t budget_used(struct key_id key)
{
    int64_t v = -1;

    assert_int_equal(db_one(t.owner, &test_budget_used, NULL, DB_ARGS(db_i64(ada.team.v), db_i64(key.v)),
                            DB_COLS(db_col_i64("v", &v))), 0);
    return v;
}

static void change(struct key_id key, const struct key_settings *s)
{
    struct identity_fault fault;

    people_begin(&t, DB_TEAM(ada.team));
    assert_int_equal(keyring_update(t.db, t.a, &actor, ada.team, key, s, &fault), 0);
    people_commit(&t);
}

/* Its first two dollars were drawn on the budget, the other fifty were spent when there was none. */
static void a_budget_that_is_set_again_counts_what_was_spent_meanwhile(void **state)
{
    const struct key_settings with = {.name = STR("again"), .budget = MONEY_USD(10),
                                      .budget_window = KEY_WINDOW_LIFETIME};
    struct key_minted made = mint(&with);
    char sql[600];

    snprintf(sql, sizeof(sql),
             "SELECT purse_open(%lld, 'budget', 'key', %lld, 'never', 10000000000);"
             "UPDATE purse SET used = 2000000000 WHERE team_id = %lld AND scope = 'key' AND scope_id = %lld;"
             "INSERT INTO usage_day (team_id, day, model, key_id, project_id, provider, account_id, charge_nano)"
             " SELECT %lld, current_date, '', %lld, 0, '', 0, 52000000000",
             (long long)ada.team.v, (long long)made.id.v, (long long)ada.team.v, (long long)made.id.v,
             (long long)ada.team.v, (long long)made.id.v);
    assert_int_equal(db_script(t.owner, sql), 0);
    change(made.id, &with); /* it had one */
    assert_int_equal(budget_used(made.id), 2000000000);
    change(made.id, &(struct key_settings){.name = STR("again")});
    assert_int_equal(budget_used(made.id), 2000000000);
    change(made.id, &with);
    assert_int_equal(budget_used(made.id), 52000000000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_spent_is_told_by_window),
        cmocka_unit_test(a_budget_that_is_set_again_counts_what_was_spent_meanwhile),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
