/* How finished calls become batches, against a port that takes, refuses or is away. */
#include "unit.h"

#include "base/buf.h"
#include "ledger/settle.h"

#define BATCHES_MAX 200
#define REFUSED_MAX 4

struct script {
    struct ledger_port port;
    struct settle settle;
    int64_t now_ms;
    unsigned away; /* so many answers are lost, though the batch was taken */
    size_t batch[BATCHES_MAX], n_batches;
    struct call_id refused[REFUSED_MAX];
    size_t n_refused, booked;
};

static int64_t now_ms(void *ctx)
{
    return ((struct script *)ctx)->now_ms;
}

/* Refuses all of a batch when one of it has a negative charge. */
static void take(void *ctx, struct settle_call *call)
{
    struct script *s = ctx;
    int outcome = PORT_OK;

    assert_true(s->n_batches < BATCHES_MAX);
    s->batch[s->n_batches++] = call->n;
    for (size_t i = 0; i < call->n; i++)
        if (call->entry[i]->call->charge_nano.nano < 0)
            outcome = PORT_E_REFUSED;
    if (outcome == PORT_OK && s->away) {
        s->away--;
        outcome = PORT_E_AWAY;
    }
    if (outcome == PORT_OK)
        s->booked += call->n;
    call->done(call, outcome);
}

static void set_aside(struct settle *settle, struct settle_item *item)
{
    struct script *s = container_of(settle, struct script, settle);

    assert_true(s->n_refused < REFUSED_MAX);
    s->refused[s->n_refused++] = item->entry.call;
}

static void start(struct script *s)
{
    *s = (struct script){.now_ms = 1000};
    s->port = (struct ledger_port){.ctx = s, .now_ms = now_ms, .settle = take};
    settle_init(&s->settle, &s->port, NULL);
    s->settle.refused = set_aside;
}

static struct call_id push(struct script *s, int64_t session, int64_t charge, size_t tag_bytes)
{
    static char tags[4096];
    struct call_record r = {.call_id = call_id_new(), .team_id = 7, .outcome = STR("ok"),
                            .charge_nano = {charge}, .repeat = 1};
    struct buf bytes;

    memset(tags, 'x', sizeof(tags));
    r.tags = str_n(tags, tag_bytes);
    buf_init(&bytes, KIB(64));
    entry_put(&bytes, ENTRY_END, session, &r, NULL, NULL);
    assert_int_equal(buf_finish(&bytes), 0);
    assert_int_equal(settle_push(&s->settle, buf_str(&bytes), NULL, NULL), 0);
    buf_done(&bytes);
    return r.call_id;
}

static void run(struct script *s)
{
    for (int wait_ms = 0; wait_ms >= 0; s->now_ms += wait_ms)
        wait_ms = settle_tick(&s->settle, s->now_ms, false);
    assert_true(settle_idle(&s->settle));
}

static void a_batch_is_as_large_as_the_backlog(void **state)
{
    struct script s;

    start(&s);
    push(&s, 1, 1, 0);
    run(&s);
    for (size_t i = 0; i < 2 * SETTLE_CALLS + 500; i++)
        push(&s, 1, 1, 0);
    run(&s);
    assert_int_equal(s.n_batches, 4);
    assert_int_equal(s.batch[0], 1);
    assert_int_equal(s.batch[1], SETTLE_CALLS);
    assert_int_equal(s.batch[2], SETTLE_CALLS);
    assert_int_equal(s.batch[3], 500);
    assert_int_equal(s.booked, 2 * SETTLE_CALLS + 501);
    settle_done(&s.settle);
}

/* One call goes after SETTLE_GATHER_MS; many gather for longer, but never for more than the most, and
 * not once there are enough for a batch. */
static void many_calls_gather_for_longer(void **state)
{
    struct script s;

    start(&s);
    push(&s, 1, 1, 0);
    assert_int_equal(settle_tick(&s.settle, s.now_ms, false), SETTLE_GATHER_MS);
    for (size_t i = 1; i < (size_t)SETTLE_GATHER_CALLS * 10; i++)
        push(&s, 1, 1, 0);
    assert_int_equal(settle_tick(&s.settle, s.now_ms, false), SETTLE_GATHER_MS + 10);
    assert_int_equal(settle_tick(&s.settle, s.now_ms + SETTLE_GATHER_MS + 9, false), 1);
    for (size_t i = SETTLE_GATHER_CALLS * 10; i < SETTLE_CALLS - 1; i++)
        push(&s, 1, 1, 0);
    assert_int_equal(settle_tick(&s.settle, s.now_ms, false), SETTLE_GATHER_MOST_MS);
    assert_int_equal(s.n_batches, 0);
    push(&s, 1, 1, 0);
    assert_int_equal(settle_tick(&s.settle, s.now_ms, false), -1);
    assert_int_equal(s.n_batches, 1);
    assert_int_equal(s.batch[0], SETTLE_CALLS);
    settle_done(&s.settle);
}

static void a_batch_of_large_records_is_smaller(void **state)
{
    struct script s;

    start(&s);
    for (size_t i = 0; i < SETTLE_CALLS; i++)
        push(&s, 1, 1, 3000);
    run(&s);
    assert_int_equal(s.booked, SETTLE_CALLS);
    for (size_t i = 0; i < s.n_batches; i++)
        assert_true(s.batch[i] * 3000 <= SETTLE_BYTES);
    settle_done(&s.settle);
}

static void a_batch_is_of_one_session(void **state)
{
    struct script s;

    start(&s);
    for (int i = 0; i < 6; i++)
        push(&s, i < 4 ? 1 : 2, 1, 0);
    run(&s);
    assert_int_equal(s.n_batches, 2);
    assert_int_equal(s.batch[0], 4);
    assert_int_equal(s.batch[1], 2);
    settle_done(&s.settle);
}

/* Halves of halves: each of the two is found in about twice as many batches as a thousand has powers
 * of two, and is tried four times. */
static void what_is_refused_is_found_in_few_batches(void **state)
{
    struct call_id bad[2];
    struct script s;

    start(&s);
    for (size_t i = 0; i < 1000; i++) {
        if (i == 333)
            bad[0] = push(&s, 1, -1, 0);
        else if (i == 900)
            bad[1] = push(&s, 1, -1, 0);
        else
            push(&s, 1, 1, 0);
    }
    run(&s);
    assert_int_equal(s.booked, 998);
    assert_int_equal(s.n_refused, 2);
    for (size_t i = 0; i < 2; i++)
        assert_memory_equal(&s.refused[i], &bad[i], sizeof(bad[i]));
    assert_true(s.n_batches < 70);
    assert_int_equal(s.settle.piece, 0);
    assert_int_equal(s.settle.suspects, 0);
    settle_done(&s.settle);
}

static void of_unknown_outcome_is_sent_again(void **state)
{
    struct script s;

    start(&s);
    s.away = 3;
    for (size_t i = 0; i < 40; i++)
        push(&s, 1, 1, 0);
    run(&s);
    assert_int_equal(s.n_batches, 4);
    assert_int_equal(s.booked, 40);
    assert_int_equal(s.n_refused, 0);
    settle_done(&s.settle);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_batch_is_as_large_as_the_backlog),
        cmocka_unit_test(many_calls_gather_for_longer),
        cmocka_unit_test(a_batch_of_large_records_is_smaller),
        cmocka_unit_test(a_batch_is_of_one_session),
        cmocka_unit_test(what_is_refused_is_found_in_few_batches),
        cmocka_unit_test(of_unknown_outcome_is_sent_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
