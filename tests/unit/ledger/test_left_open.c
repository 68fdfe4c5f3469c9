/* A node that ends while the database is away from its journal: what its calls used is spent, and may
 * not be another's until they are booked. */
#include "lease/caller.h"
#include "ledger/journal.h"

static struct money_test t;
static char dir[64];

static int setup(void **state)
{
    money_start(&t, 2);
    snprintf(dir, sizeof(dir), "/tmp/tg-journal-XXXXXX");
    assert_non_null(mkdtemp(dir));
    money_topup(&t, t.team, 1000000);
    return 0;
}

static int teardown(void **state)
{
    nftw(dir, pg_fixture_remove, 16, FTW_DEPTH | FTW_PHYS);
    money_stop(&t);
    return 0;
}

DB_QUERY(left_open_calls, "SELECT count(*) AS v FROM call WHERE team_id = $1")
DB_QUERY(left_open_late, "SELECT count(*) AS v FROM transfer WHERE team_id = $1 AND code = 'LATE_USAGE'")
DB_QUERY(left_open_findings, "SELECT count(*) AS v FROM ledger_findings() WHERE $1 > 0")

static struct journal *journal(struct node *node, const char *conninfo)
{
    struct journal_config config = {.conninfo = conninfo, .dir = dir, .writers = 1, .node = node};
    struct journal *j = NULL;

    assert_int_equal(journal_new(&config, &j), JOURNAL_OK);
    return j;
}

/* One call that held 1000 and cost 700. */
static void run_call(struct node *node, struct journal *j)
{
    struct key_purses *p =
        money_purses(&t, node, &(struct key_limits){.team = t.team, .key = t.key});
    struct hold_want want = {p->cell[LIMIT_WALLET], 1000, 20000};
    struct call_record r = {.call_id = call_id_new(), .team_id = t.team.v, .key_id = t.key.v,
                            .started_at = clock_wall_us(), .endpoint = STR("chat"),
                            .outcome = STR("ok"), .basis = STR("provider"), .repeat = 1,
                            .charge_nano = {700}};
    struct journal_mark mark = {0};
    struct hold hold = {0};
    struct caller c;

    caller_init(&c, node);
    assert_int_equal(caller_hold(&c, &hold, &want, 1), HOLD_OK);
    assert_int_equal(journal_begin(j, 0, &mark, &r, &hold), 0);
    assert_int_equal(journal_end(j, 0, &mark, &r, &hold, (int64_t[]){700}), 0);
    hold_end(node, &hold, (int64_t[]){700});
    key_purses_free(p);
}

static void a_session_stays_open_for_what_was_not_settled(void **state)
{
    struct node *node = money_node(&t, "one");
    struct journal *j = journal(node, "host=/nowhere connect_timeout=1");
    int64_t posted, leased;

    run_call(node, j);
    journal_free(j, 0);
    node_free(node);
    money_wallet(&t, t.team, &posted, &leased);
    assert_int_equal(posted, 1000000);
    assert_true(leased >= 700);

    node = money_node(&t, "again");
    j = journal(node, t.p.pg.app_conninfo);
    wait_until((money_wallet(&t, t.team, &posted, &leased),
                !leased && money_figure(&t, &left_open_calls, t.team.v)));
    assert_int_equal(posted, 1000000 - 700);
    assert_int_equal(leased, 0);
    assert_int_equal(money_figure(&t, &left_open_late, t.team.v), 0);
    journal_free(j, 1000);
    node_free(node);
    assert_int_equal(money_figure(&t, &left_open_findings, 1), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_session_stays_open_for_what_was_not_settled),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
