/* Every field of a call and of its attempts, through journal and settlement, read back by the log. */
#include "lease/caller.h"

#include <dirent.h>

#include "ledger/journal.h"
#include "ledger/statement.h"
#include "logs/search.h"

static struct money_test t;
static char dir[] = "/tmp/tg-record-XXXXXX";

static int setup(void **state)
{
    money_start(&t, 1);
    assert_non_null(mkdtemp(dir));
    return 0;
}

static int teardown(void **state)
{
    money_stop(&t);
    nftw(dir, pg_fixture_remove, 16, FTW_DEPTH | FTW_PHYS);
    return 0;
}

/* A different value in each field, so that none can pass for another. */
static int64_t counter;

static struct str some_text(size_t bound)
{
    return arena_strf(t.p.a, "%.*s%lld", (int)MIN(bound / 2, (size_t)3), "xyz",
                      (long long)++counter);
}

#define FILL_UUID(f, bound) (f) = call_id_new()
#define FILL_ID(f, bound) (f) = ++counter
#define FILL_TIME(f, bound) (f) = 1795000000000000 + ++counter * 1000001
#define FILL_I64(f, bound) (f) = ++counter
#define FILL_I32(f, bound) (f) = (int32_t)++counter
#define FILL_BOOL(f, bound) (f) = true
#define FILL_MONEY(f, bound) (f).nano = ++counter
#define FILL_TEXT(f, bound) (f) = some_text(bound)
#define FILL_JSON(f, bound) (f) = arena_strf(t.p.a, "{\"a\": \"%lld\"}", (long long)++counter)

#define SAME_UUID(a, b) assert_true(call_id_eq(a, b))
#define SAME_ID(a, b) assert_int_equal(a, b)
#define SAME_TIME(a, b) assert_int_equal(a, b)
#define SAME_I64(a, b) assert_int_equal(a, b)
#define SAME_I32(a, b) assert_int_equal(a, b)
#define SAME_BOOL(a, b) assert_int_equal(a, b)
#define SAME_MONEY(a, b) assert_int_equal((a).nano, (b).nano)
#define SAME_TEXT(a, b)                                                                            \
    do {                                                                                           \
        assert_int_equal((a).n, (b).n);                                                            \
        assert_memory_equal((a).p ? (a).p : "", (b).p ? (b).p : "", (a).n);                        \
        assert_int_equal((a).p == NULL, (b).p == NULL);                                            \
    } while (0)
#define SAME_JSON(a, b) SAME_TEXT(a, b)

static struct call_record full_record(void)
{
    struct call_record r = {0};

#define X(name, kind, bound, label) FILL_##kind(r.name, bound);
    RECORD_CALL(X)
#undef X
    r.team_id = t.team.v;
    r.key_id = t.key.v;
    r.outcome = STR("upstream_error");
    r.basis = STR("counted");
    r.attempts = 3;
    for (int32_t i = 0; i < r.attempts; i++) {
#define X(name, kind, bound, label) FILL_##kind(r.attempt[i].name, bound);
        RECORD_ATTEMPT(X)
#undef X
        r.attempt[i].ordinal = i + 1;
    }
    return r;
}

static struct call_record empty_record(void)
{
    return (struct call_record){.call_id = call_id_new(), .team_id = t.team.v,
                                .started_at = clock_wall_us() / 1000 * 1000,
                                .outcome = STR("blocked"), .basis = STR("zero"), .repeat = 1};
}

static void settle(const struct call_record *r)
{
    struct node *node = money_node(&t, "one");
    struct journal_config config = {.conninfo = t.p.pg.app_conninfo, .dir = dir, .writers = 1,
                                    .node = node};
    struct journal *j = NULL;
    struct journal_view view = {0};

    assert_int_equal(journal_new(&config, &j), JOURNAL_OK);
    assert_int_equal(journal_end(j, 0, NULL, r, NULL, NULL), 0);
    wait_until((journal_read(j, &view), view.settled || view.refused));
    assert_int_equal(view.settled, 1);
    journal_free(j, 1000);
    node_free(node);
}

static struct log_row read_back(const struct call_record *r)
{
    struct log_row row;

    people_begin(&t.p, DB_TEAM(t.team));
    assert_int_equal(log_get(t.p.db, t.p.a, t.team, r->call_id, &row), LOG_OK);
    people_commit(&t.p);
    return row;
}

static void compare(const struct call_record *a, const struct call_record *b)
{
#define X(name, kind, bound, label) SAME_##kind(a->name, b->name);
    RECORD_CALL(X)
#undef X
    for (int32_t i = 0; i < a->attempts; i++) {
#define X(name, kind, bound, label) SAME_##kind(a->attempt[i].name, b->attempt[i].name);
        RECORD_ATTEMPT(X)
#undef X
    }
}

static void every_field_arrives_as_it_was(void **state)
{
    struct call_record r = full_record();
    struct log_row row;
    struct statement_call *calls;
    size_t n;

    settle(&r);
    row = read_back(&r);
    compare(&r, &row.call);
    assert_true(row.transfer_id > 0);
    assert_true(row.posted_at_us > clock_wall_us() - 60 * INT64_C(1000000));
    assert_true(row.posted_at_us <= clock_wall_us());
    people_begin(&t.p, DB_TEAM(t.team));
    assert_int_equal(statement_calls(t.p.db, t.p.a, t.team, row.transfer_id, (struct call_id){{0}},
                                     10, &calls, &n), 0);
    people_commit(&t.p);
    assert_int_equal(n, 1);
    assert_true(call_id_eq(calls[0].id, r.call_id));
    assert_int_equal(calls[0].charge.nano, r.charge_nano.nano);
    assert_str(calls[0].key_name, "test");
}

static void what_is_absent_stays_absent(void **state)
{
    struct call_record r = empty_record();
    struct log_row row;

    settle(&r);
    row = read_back(&r);
    compare(&r, &row.call);
    assert_int_equal(row.transfer_id, 0);
}

/* What the call says is not stored with the try that served, nor taken for its own where it has none. */
static void a_try_that_served_repeats_nothing_and_borrows_nothing(void **state)
{
    struct call_record r = full_record();
    struct attempt_record *none = &r.attempt[0], *same = &r.attempt[2];
    struct log_row row;

    *same = (struct attempt_record){.ordinal = r.attempts, .served = true, .target_id = r.target_id,
                                    .account_id = r.account_id, .account_name = r.account_name,
                                    .provider = r.provider, .status = r.status,
                                    .ttfb_us = r.ttfb_us, .latency_us = r.latency_us,
                                    .cost_nano = r.cost_nano,
                                    .upstream_request_id = r.upstream_request_id,
                                    .upstream_model = r.served_model, .reason = r.outcome,
                                    .prompt_tokens = r.input_tokens,
                                    .completion_tokens = r.output_tokens};
    *none = (struct attempt_record){.ordinal = 1, .served = true};
    r.attempt[1] = (struct attempt_record){.ordinal = 2};
    settle(&r);
    row = read_back(&r);
    compare(&r, &row.call);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_field_arrives_as_it_was),
        cmocka_unit_test(what_is_absent_stays_absent),
        cmocka_unit_test(a_try_that_served_repeats_nothing_and_borrows_nothing),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
