/* A node over a port in the test's hands: answers come when the test gives them. */
#include "hand_port.h"

#include <sched.h>
#include <time.h>

static void give(int64_t amount)
{
    grant->line[0].granted = amount;
    grant->line[0].window_us = INT64_MIN;
    grant->line[0].left_us = -1;
    grant->done(grant, PORT_OK);
}

/* A node at work, with one cell, which has no lease. */
static struct node *at_work(struct cell **ret_cell)
{
    struct node *node;

    now_ms = 1000;
    node = node_core_new(&port);
    assert_non_null(node);
    node_tick(node);
    *ret_cell = node_cell(node, (struct team_id){1}, (struct purse_id){1});
    return node;
}

/* A call that wants this is held, with a lease of `granted`. */
static void lease(struct node *node, struct hold *hold, const struct hold_want *want, int64_t granted)
{
    struct hold_ask ask = {.n_wants = 1, .wants = {*want}, .hold = hold, .answered = answered};

    assert_int_equal(hold_ask(node, NULL, &ask), HOLD_OK);
    till_run(soon, NULL);
    give(granted);
    assert_int_equal(outcome, HOLD_OK);
}

static void an_answer_after_the_deadline_lets_nobody_in(void **state)
{
    struct cell *cell;
    struct node *node = at_work(&cell);
    struct hold hold = {0};
    struct hold_ask ask = {.n_wants = 1, .hold = &hold, .answered = answered};

    assert_true(node_admits(node));
    ask.wants[0] = (struct hold_want){cell, 10, 100};
    assert_int_equal(hold_ask(node, NULL, &ask), HOLD_OK);
    till_run(soon, NULL);
    now_ms += NODE_GRACE_MS;
    give(100);
    assert_int_equal(outcome, HOLD_E_AWAY);
    assert_int_equal(hold.n, 0);
    assert_int_equal(atomic_load(&cell->free), 100); /* leased, and nothing of it held */
    soon = NULL;
    node_tick(node); /* the heartbeat is acknowledged, and what is idle is wanted back */
    assert_int_equal(hold_take(node, &hold, ask.wants, 1), HOLD_OK);
    hold_release(node, &hold);
    assert_non_null(soon);
    till_unref(soon); /* nobody runs it any more */
    cell_unref(cell);
    node_core_free(node);
}

/* What is not known to have come is asked after before slack is given back, and then is slack. */
static void a_lost_answer_is_asked_after(void **state)
{
    struct cell *cell;
    struct node *node = at_work(&cell);
    struct hold hold = {0};
    struct hold_ask ask = {.n_wants = 1, .hold = &hold, .answered = answered};
    int64_t no;

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

struct caller {
    struct node *node;
    struct cell *cell;
    struct hold_want want;
};

/* A node that was granted 100 when a call needed 10; the call has ended and used it. */
static void open_caller(struct caller *c, int64_t granted)
{
    struct hold hold = {0};

    c->node = at_work(&c->cell);
    c->want = (struct hold_want){c->cell, 10, 100, 1000, 2 * NODE_GRACE_MS};
    lease(c->node, &hold, &c->want, granted);
    hold_end(c->node, &hold, (int64_t[]){10});
    grant = NULL;
    soon = NULL;
}

static void close_caller(struct caller *c)
{
    cell_unref(c->cell);
    node_core_free(c->node);
}

static void spend(struct caller *c, int calls)
{
    for (int i = 0; i < calls; i++) {
        struct hold hold = {0};

        assert_int_equal(hold_take(c->node, &hold, &c->want, 1), HOLD_OK);
        hold_end(c->node, &hold, (int64_t[]){10});
    }
}

/* So that calls go on when the database goes away: no call has to be short for it. */
static void a_lease_is_filled_up_before_it_is_used_up(void **state)
{
    struct caller c;

    open_caller(&c, 100);
    spend(&c, 4);
    assert_null(soon); /* 50 of 100 left */
    now_ms += 1000;
    spend(&c, 1);
    assert_non_null(soon);
    till_run(soon, NULL);
    assert_non_null(grant);
    assert_int_equal(grant->line[0].need, 1);
    assert_int_equal(grant->line[0].want, 1000 - 40); /* 60 a second are more than 1000 in 110 s */
    spend(&c, 1); /* calls go on meanwhile */
    give(960);
    assert_int_equal(atomic_load(&c.cell->free), 990);
    soon = NULL;
    spend(&c, 40);
    assert_null(soon);
    close_caller(&c);
}

/* Near the end of a purse just what is needed is granted: nothing is to lie about then. */
static void what_is_granted_exactly_is_not_filled_up(void **state)
{
    struct caller c;

    open_caller(&c, 10);
    assert_int_equal(atomic_load(&c.cell->low), 0);
    assert_null(soon);
    close_caller(&c);
}

static void filling_up_in_vain_is_tried_again_later(void **state)
{
    struct caller c;

    open_caller(&c, 100);
    spend(&c, 5);
    till_run(soon, NULL);
    soon = NULL;
    grant->done(grant, PORT_E_AWAY);
    spend(&c, 1);
    assert_null(soon);
    now_ms += 1000;
    spend(&c, 1);
    assert_non_null(soon);
    grant = NULL;
    till_run(soon, NULL);
    assert_non_null(grant);
    give(500);
    assert_int_equal(atomic_load(&c.cell->free), 520);
    close_caller(&c);
}

/* It was leased to a session that is gone, and went back with it. */
static void an_answer_for_an_earlier_session_is_void(void **state)
{
    struct cell *cell;
    struct node *node = at_work(&cell);
    struct hold hold = {0};
    struct hold_ask ask = {.n_wants = 1, .hold = &hold, .answered = answered};
    int64_t session = node_session(node);

    ask.wants[0] = (struct hold_want){.cell = cell, .amount = 10, .lease = 100};
    assert_int_equal(hold_ask(node, NULL, &ask), HOLD_OK);
    till_run(soon, NULL);
    node_fenced(node);
    node_tick(node);
    assert_true(node_session(node) > session);
    give(100);
    assert_int_equal(outcome, HOLD_E_AWAY);
    assert_int_equal(hold.n, 0);
    assert_int_equal(atomic_load(&cell->free), 0);
    cell_unref(cell);
    node_core_free(node);
}

/* The database's clock went back: its window lasts longer than the node was told at first. */
static void slack_lasts_as_long_as_the_databases_window(void **state)
{
    struct cell *cell;
    struct node *node = at_work(&cell);
    struct hold hold = {0};
    struct hold_ask ask = {.n_wants = 1, .hold = &hold, .answered = answered};

    ask.wants[0] = (struct hold_want){cell, 1, 5};
    assert_int_equal(hold_ask(node, NULL, &ask), HOLD_OK);
    till_run(soon, NULL);
    grant->line[0].left_us = 10 * 1000000;
    grant->line[0].granted = 5;
    grant->done(grant, PORT_OK);
    hold_release(node, &hold);
    now_ms += 20 * 1000;
    assert_int_equal(hold_take(node, &hold, ask.wants, 1), HOLD_E_SHORT);
    assert_int_equal(hold_ask(node, NULL, &ask), HOLD_OK);
    till_run(soon, NULL);
    grant->line[0].left_us = 10 * 1000000;
    grant->line[0].shorted = true;
    grant->done(grant, PORT_OK);
    assert_int_equal(outcome, HOLD_OK);
    hold_release(node, &hold);
    cell_unref(cell);
    node_core_free(node);
}

/* The database did not note the refusal: what was sent before may still be made, and would be missed
 * by a node that says it has seen more. */
static void a_refusal_leaves_in_doubt_what_was(void **state)
{
    struct cell *cell;
    struct node *node = at_work(&cell);
    struct hold hold = {0};
    struct hold_ask ask = {.n_wants = 1, .hold = &hold, .answered = answered};
    int64_t seen = cell->seen_no;

    ask.wants[0] = (struct hold_want){cell, 10, 100};
    for (int i = 0; i < 2; i++) {
        assert_int_equal(hold_ask(node, NULL, &ask), HOLD_OK);
        till_run(soon, NULL);
        if (i == 0) {
            grant->done(grant, PORT_E_AWAY);
            continue;
        }
        grant->line[0].shorted = true;
        give(0);
        assert_int_equal(outcome, HOLD_E_REFUSED);
    }
    assert_true(atomic_load(&cell->in_doubt));
    assert_int_equal(cell->seen_no, seen);
    cell_unref(cell);
    node_core_free(node);
}

/* A node with a lease of 100 in its cell, of which nothing is held. */
static struct node *leased(struct cell **ret_cell)
{
    struct node *node = at_work(ret_cell);
    struct hold hold = {0};

    lease(node, &hold, &(struct hold_want){*ret_cell, 10, 100}, 100);
    hold_release(node, &hold);
    return node;
}

/* Whoever was short when the database went away has what other calls gave back while it was asked. */
static void what_comes_back_serves_who_asked_in_vain(void **state)
{
    struct cell *cell;
    struct node *node = leased(&cell);
    struct hold first = {0}, second = {0};
    struct hold_ask ask = {.n_wants = 1, .hold = &second, .answered = answered};
    struct hold_want want = {cell, 60, 100};

    assert_int_equal(hold_take(node, &first, &want, 1), HOLD_OK);
    ask.wants[0] = want;
    assert_int_equal(hold_ask(node, NULL, &ask), HOLD_OK);
    till_run(soon, NULL);
    hold_release(node, &first);
    grant->done(grant, PORT_E_AWAY);
    assert_int_equal(outcome, HOLD_OK);
    assert_int_equal(atomic_load(&cell->free), 40);
    hold_release(node, &second);
    assert_int_equal(hold_take(node, &first, &want, 1), HOLD_OK);
    ask.hold = &second;
    assert_int_equal(hold_ask(node, NULL, &ask), HOLD_OK);
    till_run(soon, NULL);
    grant->done(grant, PORT_E_AWAY); /* and nothing came back this time */
    assert_int_equal(outcome, HOLD_E_AWAY);
    assert_int_equal(atomic_load(&cell->free), 40);
    hold_release(node, &first);
    cell_unref(cell);
    node_core_free(node);
}

struct comer {
    struct node *node;
    struct cell *cell;
    struct hold hold;
    atomic_bool comes;
    int outcome;
};

static void *take_ten(void *arg)
{
    struct comer *c = arg;
    struct hold_want want = {c->cell, 10, 100};

    atomic_store(&c->comes, true);
    c->outcome = hold_take(c->node, &c->hold, &want, 1);
    return NULL;
}

/* Who comes while somebody looks waits for the end of that, and is not sent to ask the database. */
static void a_till_that_is_closed_for_a_moment_is_waited_for(void **state)
{
    struct comer c = {0};
    pthread_t thread;

    c.node = leased(&c.cell);
    till_close(c.cell->till);
    assert_int_equal(pthread_create(&thread, NULL, take_ten, &c), 0);
    while (!atomic_load(&c.comes))
        sched_yield();
    nanosleep(&(struct timespec){0, 20000000L}, NULL); /* it stands before the till by now, most likely */
    till_open(c.cell->till);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(c.outcome, HOLD_OK);
    hold_release(c.node, &c.hold);
    cell_unref(c.cell);
    node_core_free(c.node);
}

static void slack_that_is_used_again_before_it_goes_stays(void **state)
{
    struct cell *cell;
    struct node *node = leased(&cell);
    struct hold hold = {0};
    struct hold_want want = {cell, 10, 100};
    unsigned before = backs;

    for (int used = 1; used >= 0; used--) {
        now_ms += CELL_IDLE_MS;
        soon = NULL;
        node_tick(node);
        assert_non_null(soon);
        if (used)
            assert_int_equal(hold_take(node, &hold, &want, 1), HOLD_OK);
        till_run(soon, NULL);
        hold_release(node, &hold);
        assert_int_equal(atomic_load(&cell->free), used ? 100 : 0);
        assert_int_equal(backs, before + !used);
    }
    cell_unref(cell);
    node_core_free(node);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_answer_after_the_deadline_lets_nobody_in),
        cmocka_unit_test(a_lost_answer_is_asked_after),
        cmocka_unit_test(an_answer_for_an_earlier_session_is_void),
        cmocka_unit_test(slack_lasts_as_long_as_the_databases_window),
        cmocka_unit_test(a_refusal_leaves_in_doubt_what_was),
        cmocka_unit_test(a_lease_is_filled_up_before_it_is_used_up),
        cmocka_unit_test(what_is_granted_exactly_is_not_filled_up),
        cmocka_unit_test(filling_up_in_vain_is_tried_again_later),
        cmocka_unit_test(what_comes_back_serves_who_asked_in_vain),
        cmocka_unit_test(a_till_that_is_closed_for_a_moment_is_waited_for),
        cmocka_unit_test(slack_that_is_used_again_before_it_goes_stays),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
