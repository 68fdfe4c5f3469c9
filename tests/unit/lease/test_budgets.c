/* The budgets that a call draws on beside the wallet, against a real PostgreSQL. */
#include "lease/caller.h"

static struct money_test t;

static int setup(void **state)
{
    money_start(&t, 2);
    return 0;
}

static int teardown(void **state)
{
    money_stop(&t);
    return 0;
}

DB_QUERY(test_budgets, "WITH made AS (INSERT INTO budget (team_id, scope, scope_id, amount_nano, budget_window)"
                       "  SELECT $1::bigint, s, CASE s WHEN 'team' THEN $1::bigint ELSE i END, a, 'month'"
                       "    FROM (VALUES ('team', 0, 900), ('project', 7, 500), ('project', 8, 1),"
                       "                 ('user', 3, 700), ('user', 4, 1)) AS v(s, i, a) RETURNING 1)"
                       " SELECT count(*) AS v FROM made")

static void a_call_draws_on_every_budget_that_holds_for_its_key(void **state)
{
    struct node *node = money_node(&t, "one");
    struct team_id team = money_team(&t, "budgets@example.org");
    struct key_limits limits = {.team = team, .key = money_key(&t, team), .project = {7},
                                .owner = {3}, .budget = {800}, .budget_window = "day"};
    struct limits_need need = {.money = {100}, .tokens = 5};
    struct cell *money[LIMITS];
    struct hold_want wants[LIMITS];
    enum limit which[LIMITS];
    struct key_purses *p;
    struct hold holds[6] = {0};
    struct caller c;
    int64_t used[LIMITS];
    size_t n;

    money_topup(&t, team, 1000000);
    assert_int_equal(money_figure(&t, &test_budgets, team.v), 5);
    p = money_purses(&t, node, &limits);
    assert_int_equal(limits_money_left(p).nano, 500);
    assert_int_equal(limits_money(p, money), 5);
    n = limits_wants(p, &need, wants, which);
    assert_int_equal(n, 5);
    limits_used(which, n, (struct money){60}, 5, used);
    for (size_t i = 0; i < n; i++)
        assert_int_equal(used[i], 60);
    caller_init(&c, node);
    for (int i = 0; i < 5; i++)
        assert_int_equal(caller_hold(&c, &holds[i], wants, n), HOLD_OK);
    assert_int_equal(caller_hold(&c, &holds[5], wants, n), HOLD_E_REFUSED);
    assert_int_equal(which[c.ask.refusal.which], LIMIT_PROJECT_BUDGET);
    assert_int_equal(c.ask.refusal.capacity, 500);
    assert_string_equal(limits_word(LIMIT_PROJECT_BUDGET)->quota_source, "project_budget");
    for (int i = 0; i < 5; i++)
        hold_release(node, &holds[i]);
    key_purses_free(p);
    node_free(node);
}

/* As on the first of a month, when a day begins with it. */
DB_QUERY(test_month_begins_today,
         "WITH w AS (SELECT starts FROM purse_window('day', 'UTC', now())), p AS ("
         "  UPDATE purse SET window_start = (SELECT starts FROM w)"
         "   WHERE team_id = $1 AND kind = 'budget' RETURNING id),"
         " l AS (UPDATE lease SET window_start = (SELECT starts FROM w)"
         "        WHERE team_id = $1 AND purse_id IN (SELECT id FROM p) RETURNING 1)"
         " SELECT count(*) AS v FROM l")
DB_QUERY(test_leased_apart, "SELECT count(*) AS v FROM purse p WHERE p.team_id = $1 AND p.leased <>"
                            " (SELECT coalesce(sum(l.remaining), 0) FROM lease l"
                            "   WHERE l.team_id = p.team_id AND l.purse_id = p.id"
                            "     AND l.window_start = p.window_start)")

static void windows_of_another_length_that_begin_at_once_void_what_was_leased(void **state)
{
    struct node *node = money_node(&t, "one");
    struct team_id team = money_team(&t, "turned@example.org");
    struct key_limits limits = {.team = team, .key = money_key(&t, team), .budget = {5000000000},
                                .budget_window = "month"};
    struct key_purses *month = money_purses(&t, node, &limits), *day;
    struct hold_want want = {month->cell[LIMIT_KEY_BUDGET], 100, 100000};
    struct hold hold = {0};
    struct caller c;

    caller_init(&c, node);
    assert_int_equal(caller_hold(&c, &hold, &want, 1), HOLD_OK);
    assert_int_equal(money_figure(&t, &test_month_begins_today, team.v), 1);
    limits.budget_window = "day";
    day = money_purses(&t, node, &limits);
    hold_release(node, &hold);
    want = (struct hold_want){day->cell[LIMIT_KEY_BUDGET], 4000000000, 4000000000};
    assert_int_equal(caller_hold(&c, &hold, &want, 1), HOLD_OK);
    assert_int_equal(money_figure(&t, &test_leased_apart, team.v), 0);
    hold_release(node, &hold);
    key_purses_free(month);
    key_purses_free(day);
    node_free(node); /* gives back what its leases still have, and no more */
    assert_int_equal(money_figure(&t, &test_leased_apart, team.v), 0);
}

DB_QUERY(test_leased, "SELECT leased AS v FROM purse WHERE team_id = $1 AND kind = 'budget'")

/* It begins at the moment of the change, which must not be taken for the mark of a share (cell.h). Twenty
 * times, since the clock's last digit would be. */
static void a_budget_that_becomes_one_for_ever_gets_its_slack_back(void **state)
{
    struct team_id team = money_team(&t, "for-ever@example.org");
    struct key_limits limits = {.team = team, .key = money_key(&t, team), .budget = {5000000000}};

    for (int i = 0; i < 20; i++) {
        limits.budget_window = i % 2 ? "lifetime" : "month";
        struct node *node = money_node(&t, "one");
        struct key_purses *p = money_purses(&t, node, &limits);
        struct hold_want want = {p->cell[LIMIT_KEY_BUDGET], 100, 100000};
        struct hold hold = {0};
        struct caller c;

        caller_init(&c, node);
        assert_int_equal(caller_hold(&c, &hold, &want, 1), HOLD_OK);
        assert_false(cell_window_shared(atomic_load(&want.cell->window_us)));
        assert_true(money_figure(&t, &test_leased, team.v) > 0);
        hold_release(node, &hold);
        key_purses_free(p);
        node_free(node);
        assert_int_equal(money_figure(&t, &test_leased, team.v), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_call_draws_on_every_budget_that_holds_for_its_key),
        cmocka_unit_test(windows_of_another_length_that_begin_at_once_void_what_was_leased),
        cmocka_unit_test(a_budget_that_becomes_one_for_ever_gets_its_slack_back),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
