/* What is posted is read once, by the window that it belongs to: whatever is on its way while one is
 * looked at belongs to the next, and so does what a clock that went back has dated earlier. A window is
 * read in spans; what was not read is read with the next one. */
#include "integrity_test.h"

#define I4 "I4 usage is its calls"

/* user_agent names it. */
static const char settle_one[] =
    "SELECT settle_batch(session_open('late', ''), ARRAY[json_populate_record(NULL::settled_call,"
    " json_build_object('team_id', t.id, 'call_id', call_id_floor(clock_timestamp()), 'outcome', 'ok',"
    " 'status', 200, 'charge_nano', 1000, 'user_agent', 'call %d'))], '{}')"
    "  FROM (SELECT min(id) AS id FROM team) t";

/* As if a minute had passed; nothing else of the run before is forgotten. */
static void run_next(struct integrity_outcome *o)
{
    *o = (struct integrity_outcome){0};
    owner_does("UPDATE recon_run SET started_at = '-infinity' WHERE form = 'window'");
    assert_int_equal(integrity_run(t.p.db, INTEGRITY_WINDOW, o), 0);
    assert_true(o->ran && o->more);
}

static int read_on(struct integrity_outcome *o)
{
    int steps = 0;

    for (; o->more; steps++)
        assert_int_equal(integrity_step(t.p.db, o), 0);
    return steps;
}

static int found_next(void)
{
    struct integrity_outcome o;

    run_next(&o);
    (void)read_on(&o);
    return o.found;
}

static void settle_in(struct db *db, int call)
{
    char sql[512];

    snprintf(sql, sizeof(sql), settle_one, call);
    if (db_script(db, sql))
        fail_msg("%s", db_last_error(db));
}

static void charge_more(int call, int nano)
{
    char sql[200];

    snprintf(sql, sizeof(sql),
             "UPDATE call SET charge_nano = charge_nano + %d WHERE user_agent = 'call %d'", nano, call);
    owner_forces(sql);
}

DB_QUERY(window_state,
         "SELECT calls_at >= until_at AS is_read, posting_floor() < clock_timestamp() - interval '1 second'"
         "       AS waits FROM recon_run WHERE form = 'window'")

struct window_state {
    bool is_read, waits;
};

static struct window_state window(void)
{
    struct window_state s;

    assert_int_equal(db_begin(t.p.owner, DB_SYSTEM, false), 0);
    assert_int_equal(db_one(t.p.owner, &window_state, NULL, DB_NO_ARGS,
                            DB_COLS(db_col_bool("is_read", &s.is_read),
                                    db_col_bool("waits", &s.waits))),
                     0);
    assert_int_equal(db_commit(t.p.owner), 0);
    return s;
}

static void what_is_on_its_way_belongs_to_the_next_window(void **state)
{
    struct db *slow;

    assert_int_equal(db_open(t.p.pg.app_conninfo, "slow", &slow), 0);
    assert_int_equal(db_begin(slow, DB_SYSTEM, false), 0);
    settle_in(slow, 1);
    wait_until(window().waits);
    assert_int_equal(found_next(), 0);
    assert_int_equal(db_commit(slow), 0);
    assert_false(window().waits);
    db_close(slow);
    charge_more(1, 5);
    assert_int_equal(found_next(), 1);
    assert_int_equal(open_of(I4).n, 1);
    assert_int_equal(found_next(), 0); /* it was read once */
    charge_more(1, -5);
}

static void a_clock_that_went_back_hides_nothing(void **state)
{
    assert_int_equal(found_next(), 0);
    owner_does("UPDATE recon_run SET until_at = until_at + interval '70 seconds',"
               " calls_at = calls_at + interval '70 seconds' WHERE form = 'window'");
    people_begin(&t.p, DB_SYSTEM);
    settle_in(t.p.db, 2);
    people_commit(&t.p);
    charge_more(2, 5);
    assert_int_equal(found_next(), 1);
    charge_more(2, -5);
}

static void a_day_is_read_in_spans_and_from_where_one_stopped(void **state)
{
    struct integrity_outcome o;

    assert_int_equal(found_next(), 0);
    owner_does("UPDATE recon_run SET calls_at = '-infinity', step = '1 hour' WHERE form = 'window'");
    run_next(&o);
    assert_int_equal(integrity_step(t.p.db, &o), 0);
    assert_true(o.more);
    assert_false(window().is_read);
    charge_more(1, 5); /* not read yet */
    run_next(&o);
    assert_in_range(read_on(&o), 22, 24 * 60 * 60 * 10);
    assert_int_equal(o.found, 1);
    assert_true(window().is_read);
    charge_more(1, -5);
}

DB_QUERY(findings_of_rest, "SELECT count(*) AS n FROM ledger_findings(clock_timestamp() + interval '1 hour')")

static int64_t found_after_a_rest(void)
{
    int64_t n;

    assert_int_equal(db_begin(t.p.owner, DB_SYSTEM, false), 0);
    assert_int_equal(db_one(t.p.owner, &findings_of_rest, NULL, DB_NO_ARGS, DB_COLS(db_col_i64("n", &n))),
                     0);
    assert_int_equal(db_commit(t.p.owner), 0);
    return n;
}

/* What was posted in the last minute before a weekend, and not looked at any more, is older than what
 * the first look after it reads. */
static void what_was_posted_before_a_long_rest_is_added_up(void **state)
{
    assert_int_equal(found_next(), 0);
    people_begin(&t.p, DB_SYSTEM);
    settle_in(t.p.db, 3);
    people_commit(&t.p);
    assert_int_equal(found_after_a_rest(), 0);
    owner_forces("UPDATE account SET debits_nano = debits_nano + 1, credits_nano = credits_nano + 1"
                 " WHERE id = (SELECT min(id) FROM account WHERE kind = 'revenue')");
    assert_int_equal(found_after_a_rest(), 1);
    owner_forces("UPDATE account SET debits_nano = debits_nano - 1, credits_nano = credits_nano - 1"
                 " WHERE id = (SELECT min(id) FROM account WHERE kind = 'revenue')");
    assert_int_equal(found_after_a_rest(), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_on_its_way_belongs_to_the_next_window),
        cmocka_unit_test(a_clock_that_went_back_hides_nothing),
        cmocka_unit_test(a_day_is_read_in_spans_and_from_where_one_stopped),
        cmocka_unit_test(what_was_posted_before_a_long_rest_is_added_up),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
