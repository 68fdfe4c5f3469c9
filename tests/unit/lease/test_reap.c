/* When a session counts as dead: by its counter and our own clock, and by nothing else. */
#include "unit.h"

#include "lease/node.h"
#include "lease/reap.h"

#define OWN 1
#define OTHER 2

static struct reap reap;
static int64_t dead, dead_hb;

static int fresh(void **state)
{
    memset(&reap, 0, sizeof(reap));
    dead = dead_hb = 0;
    return 0;
}

static bool look(int64_t at_ms, int64_t own_hb, int64_t other_hb)
{
    struct look_call call = {.session = OWN, .sessions = true, .n_seen = 2};

    call.seen[0].id = OWN;
    call.seen[0].hb = own_hb;
    call.seen[1].id = OTHER;
    call.seen[1].hb = other_hb;
    return reap_observe(&reap, &call, at_ms, at_ms, &dead, &dead_hb);
}

static void a_counter_that_stands_still_is_dead_after_its_time(void **state)
{
    int64_t at_ms = 1000;

    for (; at_ms < 1000 + NODE_REAP_MS; at_ms += 5000)
        assert_false(look(at_ms, at_ms, 7));
    assert_true(look(at_ms, at_ms, 7));
    assert_int_equal(dead, OTHER);
    assert_int_equal(dead_hb, 7);
}

static void a_beat_starts_the_time_anew(void **state)
{
    int64_t at_ms = 1000;

    for (int i = 0; i < 11; i++, at_ms += 5000)
        assert_false(look(at_ms, 0, 7));
    for (int i = 0; i < 12; i++, at_ms += 5000)
        assert_false(look(at_ms, 0, 8));
    assert_true(look(at_ms, 0, 8));
}

static void ones_own_session_is_never_dead(void **state)
{
    for (int64_t i = 0; i < 100; i++)
        assert_false(look(1000 + i * 5000, 7, i));
}

/* We were paused, or the database was away: nobody could beat, or we could not see it. */
static void time_in_which_we_did_not_look_tells_nothing(void **state)
{
    int64_t at_ms = 1000;

    for (int i = 0; i < 50; i++, at_ms += REAP_GAP_MS + 1)
        assert_false(look(at_ms, 0, 7));
    for (int i = 0; i < 50; i++, at_ms += 5000) {
        assert_false(look(at_ms, 0, 7));
        reap_blind(&reap);
    }
}

static void a_slow_answer_counts_from_the_one_before_to_its_sending(void **state)
{
    struct look_call call = {.session = OWN, .sessions = true, .n_seen = 1};

    call.seen[0].id = OTHER;
    call.seen[0].hb = 7;
    /* Sent every 10 s, answered 5 s later: 5 s of each round are known to have been still. */
    for (int64_t i = 0; i < 12; i++)
        assert_false(reap_observe(&reap, &call, i * 10000, i * 10000 + 5000, &dead, &dead_hb));
    assert_true(reap_observe(&reap, &call, 120000, 125000, &dead, &dead_hb));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_counter_that_stands_still_is_dead_after_its_time, fresh),
        cmocka_unit_test_setup(a_beat_starts_the_time_anew, fresh),
        cmocka_unit_test_setup(ones_own_session_is_never_dead, fresh),
        cmocka_unit_test_setup(time_in_which_we_did_not_look_tells_nothing, fresh),
        cmocka_unit_test_setup(a_slow_answer_counts_from_the_one_before_to_its_sending, fresh),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
