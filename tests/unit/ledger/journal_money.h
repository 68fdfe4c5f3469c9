/* journal_money.h: a team whose calls are journalled and settled, and what the books say of them. For
 * one executable's journals in directories of their own. */
#pragma once

#include "lease/caller.h"

#include "ledger/journal.h"

static struct money_test t;
static char dir[64];

static inline int setup(void **state)
{
    money_start(&t, 2);
    money_topup(&t, t.team, 1000000000);
    return 0;
}

static inline int teardown(void **state)
{
    money_stop(&t);
    return 0;
}

static inline int fresh_dir(void **state)
{
    snprintf(dir, sizeof(dir), "/tmp/tg-journal-XXXXXX");
    assert_non_null(mkdtemp(dir));
    return 0;
}

static inline int drop_dir(void **state)
{
    nftw(dir, pg_fixture_remove, 16, FTW_DEPTH | FTW_PHYS);
    return 0;
}

static inline struct journal *journal(struct node *node)
{
    struct journal_config config = {.conninfo = t.p.pg.app_conninfo, .dir = dir, .writers = 1,
                                    .node = node};
    struct journal *j = NULL;

    assert_int_equal(journal_new(&config, &j), JOURNAL_OK);
    return j;
}

static inline struct call_record record(int64_t charge)
{
    return (struct call_record){
        .call_id = call_id_new(), .team_id = t.team.v, .key_id = t.key.v,
        .started_at = clock_wall_us(), .endpoint = STR("/v1/chat/completions"),
        .requested_model = STR("small"), .served_model = STR("small"), .provider = STR("demo"),
        .status = 200, .outcome = STR("ok"), .attempts = 1, .input_tokens = 10,
        .output_tokens = 5, .basis = STR("provider"), .charge_nano = {charge},
        .cost_nano = {charge / 2}, .repeat = 1,
        .attempt = {{.ordinal = 1, .provider = STR("demo"), .status = 200, .reason = STR("ok"),
                     .served = true}},
    };
}

DB_QUERY(test_calls, "SELECT count(*) AS v FROM call WHERE team_id = $1")
DB_QUERY(test_charges, "SELECT coalesce(sum(charge_nano), 0) AS v FROM call WHERE team_id = $1")
DB_QUERY(test_usage, "SELECT coalesce(sum(amount_nano), 0) AS v FROM transfer"
                     " WHERE team_id = $1 AND code IN ('USAGE', 'LATE_USAGE')")
DB_QUERY(test_debits, "SELECT debits_nano AS v FROM account WHERE team_id = $1 AND kind = 'wallet'")
DB_QUERY(test_day, "SELECT coalesce(sum(charge_nano), 0) AS v FROM usage_day WHERE team_id = $1")
DB_QUERY(test_attempts, "SELECT count(*) AS v FROM attempt WHERE team_id = $1")

DB_QUERY(test_findings, "SELECT count(*) AS v FROM ledger_findings() WHERE $1 > 0")

/* Log, ledger, balance and roll-up tell the same sum, and no rule of the books is broken. */
static inline int64_t charged(void)
{
    int64_t sum = money_figure(&t, &test_charges, t.team.v);

    assert_int_equal(money_figure(&t, &test_findings, 1), 0);
    assert_int_equal(money_figure(&t, &test_usage, t.team.v), sum);
    assert_int_equal(money_figure(&t, &test_debits, t.team.v), sum);
    assert_int_equal(money_figure(&t, &test_day, t.team.v), sum);
    return sum;
}

static inline void wait_settled(struct journal *j, uint64_t n)
{
    struct journal_view view = {0};

    wait_until((journal_read(j, &view), view.settled >= n && !view.waiting));
}
