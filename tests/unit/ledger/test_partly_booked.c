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

DB_QUERY(test_jobs, "SELECT count(*) AS v FROM video_job WHERE team_id = $1")

static struct video_record job(struct call_id call, const char *upstream_id)
{
    return (struct video_record){.team_id = t.team.v, .call_id = call, .model = STR("film"),
                                 .upstream_model = STR("film"), .upstream_id = str_c(upstream_id),
                                 .seconds = 4, .state = STR("queued"), .created_at = clock_wall_us()};
}

/* Twice in one batch, and once more; beside calls that have none. */
static void a_job_is_made_with_the_charge_of_its_call_and_once(void **state)
{
    struct node *node = money_node(&t, "one");
    struct journal *j = journal(node);
    struct call_record film = record(400), other = record(10);
    struct video_record of_film = job(film.call_id, "vid_1");
    int64_t before = charged();

    film.video = &of_film;
    for (int i = 0; i < 2; i++) {
        assert_int_equal(journal_end(j, 0, NULL, &film, NULL, NULL), 0);
        assert_int_equal(journal_end(j, 0, NULL, &other, NULL, NULL), 0);
    }
    wait_settled(j, 4);
    assert_int_equal(journal_end(j, 0, NULL, &film, NULL, NULL), 0);
    wait_settled(j, 5);
    assert_int_equal(money_figure(&t, &test_jobs, t.team.v), 1);
    assert_int_equal(charged() - before, 410);
    journal_free(j, 1000);
    node_free(node);
}

/* It is kept in the file `refused` with its charge, and holds up nobody. */
static void a_job_that_the_database_refuses_is_not_charged_without_it(void **state)
{
    struct node *node = money_node(&t, "one");
    struct journal *j = journal(node);
    struct call_record film = record(400), other = record(10);
    struct video_record of_film = job(film.call_id, "");
    int64_t before = charged(), jobs = money_figure(&t, &test_jobs, t.team.v);
    struct journal_view view = {0};

    film.video = &of_film;
    assert_int_equal(journal_end(j, 0, NULL, &film, NULL, NULL), 0);
    assert_int_equal(journal_end(j, 0, NULL, &other, NULL, NULL), 0);
    wait_until((journal_read(j, &view), view.refused == 1 && view.settled == 1));
    assert_true(journal_refused_bytes(j) > 0);
    assert_int_equal(money_figure(&t, &test_jobs, t.team.v), jobs);
    assert_int_equal(charged() - before, 10);
    journal_free(j, 1000);
    node_free(node);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_batch_that_is_partly_booked_books_the_rest_once, fresh_dir,
                                        drop_dir),
        cmocka_unit_test_setup_teardown(a_job_is_made_with_the_charge_of_its_call_and_once, fresh_dir, drop_dir),
        cmocka_unit_test_setup_teardown(a_job_that_the_database_refuses_is_not_charged_without_it, fresh_dir,
                                        drop_dir),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
