/* A node over a port in the test's hands: answers come when the test gives them. */
#include "unit.h"

#include "lease/hold.h"
#include "lease/inside.h"
#include "lease/till.h"

static int64_t now_ms;
static struct till *soon;
static struct grant_call *grant;
static int outcome;

static int64_t port_now_ms(void *ctx)
{
    return now_ms;
}

static int port_soon(void *ctx, struct till *till)
{
    soon = till;
    return 0;
}

static void port_grant(void *ctx, void *hand, struct grant_call *call)
{
    grant = call;
}

static void port_open(void *ctx, struct session_call *call)
{
    call->session = 1;
    call->done(call, PORT_OK);
}

static void port_heartbeat(void *ctx, struct session_call *call)
{
    call->nodes = 1;
    call->done(call, PORT_OK);
}

static void port_look(void *ctx, struct look_call *call)
{
    call->done(call, PORT_OK);
}

static const struct ledger_port port = {.now_ms = port_now_ms,
                                        .soon = port_soon,
                                        .grant = port_grant,
                                        .open = port_open,
                                        .heartbeat = port_heartbeat,
                                        .look = port_look};

static void answered(struct hold_ask *ask, int how)
{
    outcome = how;
}

static void give(int64_t amount)
{
    grant->line[0].granted = amount;
    grant->line[0].window_us = INT64_MIN;
    grant->line[0].left_us = -1;
    grant->done(grant, PORT_OK);
}

static void an_answer_after_the_deadline_lets_nobody_in(void **state)
{
    struct node *node;
    struct cell *cell;
    struct hold hold = {0};
    struct hold_ask ask = {.n_wants = 1, .hold = &hold, .answered = answered};

    now_ms = 1000;
    node = node_core_new(&port);
    assert_non_null(node);
    node_tick(node);
    assert_true(node_admits(node));
    cell = node_cell(node, (struct team_id){1}, (struct purse_id){1});
    ask.wants[0] = (struct hold_want){cell, 10, 100};
    assert_int_equal(hold_ask(node, NULL, &ask), HOLD_OK);
    till_run(soon, NULL);
    now_ms += NODE_GRACE_MS;
    give(100);
    assert_int_equal(outcome, HOLD_E_AWAY);
    assert_int_equal(hold.n, 0);
    assert_int_equal(atomic_load(&cell->free), 100); /* leased, and nothing of it held */
    node_tick(node); /* the heartbeat is acknowledged */
    assert_int_equal(hold_take(node, &hold, ask.wants, 1), HOLD_OK);
    hold_release(node, &hold);
    cell_unref(cell);
    node_core_free(node);
}

/* What is not known to have come is asked after before slack is given back, and then is slack. */
static void a_lost_answer_is_asked_after(void **state)
{
    struct node *node;
    struct cell *cell;
    struct hold hold = {0};
    struct hold_ask ask = {.n_wants = 1, .hold = &hold, .answered = answered};
    int64_t no;

    now_ms = 1000;
    node = node_core_new(&port);
    assert_non_null(node);
    node_tick(node);
    cell = node_cell(node, (struct team_id){1}, (struct purse_id){1});
    ask.wants[0] = (struct hold_want){cell, 10, 100};
    assert_int_equal(hold_ask(node, NULL, &ask), HOLD_OK);
    till_run(soon, NULL);
    no = grant->no;
    grant->done(grant, PORT_E_AWAY);
    assert_int_equal(outcome, HOLD_E_AWAY);
    grant = NULL;
    now_ms += 2000;
    soon = NULL;
    node_tick(node);
    assert_non_null(soon);
    till_run(soon, NULL);
    assert_non_null(grant);
    assert_true(grant->no > no);
    assert_int_equal(grant->line[0].need, 0);
    assert_int_equal(grant->line[0].want, 0);
    grant->line[0].missed = 100;
    give(0);
    assert_int_equal(atomic_load(&cell->free), 100);
    assert_false(atomic_load(&cell->in_doubt));
    cell_unref(cell);
    node_core_free(node);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_answer_after_the_deadline_lets_nobody_in),
        cmocka_unit_test(a_lost_answer_is_asked_after),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
