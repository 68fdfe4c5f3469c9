/* A batch of which some calls are booked already, against a real PostgreSQL. */
#include "ledger/journal_money.h"

DB_QUERY(test_budget, "SELECT coalesce(sum(used), 0)::bigint AS v FROM purse WHERE team_id = $1 AND kind = 'budget'")

/* One call is booked already, one is new and comes twice: all in one batch, or in any other way. What
 * they drew counts once too, though a batch goes out with the sums of its draws first. */
static void a_batch_that_is_partly_booked_books_the_rest_once(void **state)
{
    struct node *node = money_node(&t, "one");
    struct journal *j = journal(node);
    struct key_purses *p = money_purses(&t, node, &(struct key_limits){.team = t.team, .key = t.key,
                                                    .budget = {1000000}, .budget_window = "month"});
    struct call_record known = record(10), fresh = record(300);
    int64_t before = charged(), calls = money_figure(&t, &test_calls, t.team.v);
    int64_t attempts = money_figure(&t, &test_attempts, t.team.v);
    int64_t budget;
    struct hold_want wants[] = {{p->cell[LIMIT_WALLET], 1000, 20000},
                                {p->cell[LIMIT_KEY_BUDGET], 1000, 20000}};
    const int64_t ten[] = {10, 10}, more[] = {300, 300};
    struct hold hold = {0};
    struct caller c;

    caller_init(&c, node);
    assert_int_equal(caller_hold(&c, &hold, wants, ARRAY_LEN(wants)), HOLD_OK);
    budget = money_figure(&t, &test_budget, t.team.v);
    assert_int_equal(journal_end(j, 0, NULL, &known, &hold, ten), 0);
    wait_settled(j, 1);
    assert_int_equal(money_figure(&t, &test_budget, t.team.v) - budget, 10);
    assert_int_equal(journal_end(j, 0, NULL, &fresh, &hold, more), 0);
    assert_int_equal(journal_end(j, 0, NULL, &known, &hold, ten), 0);
    assert_int_equal(journal_end(j, 0, NULL, &fresh, &hold, more), 0);
    wait_settled(j, 4);
    assert_int_equal(charged() - before, 10 + 300);
    assert_int_equal(money_figure(&t, &test_budget, t.team.v) - budget, 10 + 300);
    assert_int_equal(money_figure(&t, &test_calls, t.team.v) - calls, 2);
    assert_int_equal(money_figure(&t, &test_attempts, t.team.v) - attempts, 2);
    hold_end(node, &hold, (int64_t[]){310, 310});
    journal_free(j, 1000);
    key_purses_free(p);
    node_free(node);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_batch_that_is_partly_booked_books_the_rest_once, fresh_dir,
                                        drop_dir),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
