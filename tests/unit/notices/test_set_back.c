/* A database clock that was ahead and is set back: marks that lie ahead of it hold up neither the alerts of
 * teams nor the alarms of the installation, and what is noted anew is of the clock as it is. */
#include "identity/people_group.h"

#include "notices/alarm.h"
#include "notices/alarm_rows.h"

static void owner_does(const char *sql)
{
    char text[2048];

    snprintf(text, sizeof(text), "BEGIN; SET LOCAL app.scope = 'system'; %s; COMMIT", sql);
    if (db_script(t.owner, text) != 0)
        fail_msg("%s: %s", sql, db_last_error(t.owner));
}

DB_QUERY(true_of, "SELECT coalesce(bool_and(m.at BETWEEN clock_timestamp() - interval '1 minute'"
                  "                                  AND clock_timestamp()), false) AS is_now"
                  "  FROM (SELECT judged_at AS at FROM alert_clock UNION ALL"
                  "        SELECT judged_at FROM alarm_clock UNION ALL"
                  "        SELECT calls_at FROM alarm_clock) m")
DB_QUERY(standing, "SELECT count(*) AS n FROM alarm WHERE ended_at IS NULL")

static bool marks_are_of_now(void)
{
    bool is_now = false;

    people_begin(&t, DB_SYSTEM);
    assert_int_equal(db_one(t.db, &true_of, t.a, DB_NO_ARGS, DB_COLS(db_col_bool("is_now", &is_now))), 0);
    people_commit(&t);
    return is_now;
}

static int64_t alarms_standing(void)
{
    int64_t n = -1;

    people_begin(&t, DB_SYSTEM);
    assert_int_equal(db_one(t.db, &standing, t.a, DB_NO_ARGS, DB_COLS(db_col_i64("n", &n))), 0);
    people_commit(&t);
    return n;
}

static void judge(void)
{
    struct alarm_page page;

    people_begin(&t, DB_SYSTEM);
    assert_int_equal(alarms_judge_due(t.db, t.a, 5000, &page), 0);
    assert_int_equal(db_script(t.db, "SELECT alerts_judge()"), 0);
    people_commit(&t);
}

static void marks_that_lie_ahead_hold_nothing_up(void **state)
{
    judge();
    assert_true(marks_are_of_now());
    owner_does("UPDATE alert_clock SET judged_at = now() + interval '3 hours';"
               "UPDATE alarm_clock SET judged_at = now() + interval '3 hours',"
               "                       calls_at = now() + interval '3 hours'");
    assert_false(marks_are_of_now());
    judge();
    assert_true(marks_are_of_now());
}

/* Of a node that has ended, and so writes no more. */
static void reports_that_lie_ahead_are_over(void **state)
{
    owner_does("INSERT INTO alarm_report (session_id, kind, subject, name, detail, since_at, seen_at)"
               " VALUES (1, 'journal', 'a node', '', 'stuck', now() - interval '1 hour', now())");
    owner_does("UPDATE alarm_clock SET judged_at = '-infinity'");
    judge();
    assert_int_equal(alarms_standing(), 1);
    owner_does("UPDATE alarm_report SET seen_at = now() + interval '3 hours';"
               "UPDATE alarm SET seen_at = now() + interval '3 hours';"
               "UPDATE alarm_clock SET judged_at = now() + interval '3 hours'");
    judge();
    assert_int_equal(alarms_standing(), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(marks_that_lie_ahead_hold_nothing_up),
        cmocka_unit_test(reports_that_lie_ahead_are_over),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
