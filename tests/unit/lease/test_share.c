/* What a node gives itself of a limit by the minute while the database is away, over a port in the
 * test's hands. */
#include "hand_port.h"

#include "base/clock.h"
#include "lease/heartbeat.h"
#include "lease/share.h"

#define LIMIT 10
#define WINDOW_US INT64_C(1795000020000000)
#define MINUTE_US INT64_C(60000000)

/* A key whose requests are limited by the minute, on one of two nodes. */
struct key {
    struct node *node;
    struct cell *cell;
    struct hold_want want;
    struct hold hold;
    struct hold_ask ask;
};

/* As a call does; -1: it waits for the answer. */
static int hold_one(struct key *k)
{
    outcome = -1;
    k->hold = (struct hold){0};
    if (hold_take(k->node, &k->hold, &k->want, 1) == HOLD_OK)
        return HOLD_OK;
    k->ask = (struct hold_ask){.n_wants = 1, .hold = &k->hold, .answered = answered};
    k->ask.wants[0] = k->want;
    assert_int_equal(hold_ask(k->node, NULL, &k->ask), HOLD_OK);
    return outcome;
}

static void use(struct key *k)
{
    hold_end(k->node, &k->hold, (int64_t[]){1});
}

/* How many of so many calls are let in. */
static int let_in(struct key *k, int calls)
{
    int n = 0;

    for (int i = 0; i < calls; i++)
        if (hold_one(k) == HOLD_OK) {
            use(k);
            n++;
        }
    return n;
}

/* The till's thread sends what waits, and the database answers it so. */
static void granted(int64_t amount, int64_t spoken_for, int64_t window_us, int64_t left_ms)
{
    assert_non_null(soon);
    till_run(steal(&soon), NULL);
    assert_non_null(grant);
    grant->line[0].granted = amount;
    grant->line[0].shorted = !amount;
    grant->line[0].capacity = LIMIT;
    grant->line[0].spoken_for = spoken_for;
    grant->line[0].window_us = window_us;
    grant->line[0].left_us = left_ms * 1000;
    grant->done(grant, PORT_OK);
    grant = NULL;
}

/* So many were leased of a minute that has 5 s left; of one of them a call was made. */
static void open_key(struct key *k, unsigned live, int64_t leased, int64_t spoken_for)
{
    now_ms = 1000;
    soon = NULL;
    grant = NULL;
    beat = PORT_OK;
    nodes = live;
    backs = 0;
    *k = (struct key){.node = node_core_new(&port)};
    assert_non_null(k->node);
    node_tick(k->node);
    node_tick(k->node);
    k->cell = node_cell(k->node, (struct team_id){1}, (struct purse_id){1});
    k->want = (struct hold_want){.cell = k->cell, .amount = 1, .lease = 5, .minute = LIMIT};
    assert_int_equal(hold_one(k), -1);
    granted(leased, spoken_for, WINDOW_US, 5000);
    assert_int_equal(outcome, HOLD_OK);
    use(k);
}

static void close_key(struct key *k)
{
    if (soon)
        till_unref(steal(&soon)); /* nobody runs it any more */
    cell_unref(k->cell);
    node_core_free(k->node);
}

static void beat_once(struct key *k, int how)
{
    beat = how;
    node_probe(k->node);
    node_tick(k->node);
    assert_int_equal(node_away(k->node), how == PORT_E_AWAY);
}

static void go_away(struct key *k)
{
    beat_once(k, PORT_E_AWAY);
}

static void each_minute_has_its_share(void **state)
{
    struct node_view view;
    struct key k;

    open_key(&k, 2, 1, 1);
    now_ms += 4000;
    go_away(&k);
    now_ms += 1000; /* and the minute turns */
    assert_int_equal(hold_one(&k), HOLD_OK);
    assert_int_equal(k.hold.window_us[0], WINDOW_US + MINUTE_US + CELL_SHARE_US);
    use(&k);
    assert_int_equal(let_in(&k, 9), LIMIT / 2 - 1);
    assert_int_equal(outcome, HOLD_E_REFUSED);
    assert_true(k.ask.refusal.capacity == LIMIT && k.ask.refusal.used == LIMIT);
    assert_true(k.ask.refusal.resets_at_us > clock_wall_us() + 55 * INT64_C(1000000));
    assert_true(k.ask.refusal.resets_at_us <= clock_wall_us() + MINUTE_US);
    assert_null(soon); /* nobody waits for the lane */
    node_read(k.node, &view);
    assert_true(view.away);
    assert_int_equal(view.shares, 1);
    close_key(&k);
}

/* A key that nobody used for some minutes, and the windows are still the database's. */
static void minutes_are_counted_from_the_last_that_was_told(void **state)
{
    struct key k;

    open_key(&k, 2, 1, 1);
    for (int i = 0; i < 40; i++) {
        now_ms += 5000;
        node_tick(k.node);
    }
    go_away(&k);
    now_ms += 4999; /* 204,999 ms after a grant 5 s before the turn */
    assert_int_equal(hold_one(&k), HOLD_OK);
    assert_int_equal(cell_window_start(k.hold.window_us[0]), WINDOW_US + 4 * MINUTE_US);
    use(&k);
    now_ms += 40000;
    assert_int_equal(let_in(&k, 9), LIMIT / 2 - 1);
    now_ms += 1;
    assert_int_equal(let_in(&k, 9), LIMIT / 2);
    close_key(&k);
}

static void no_share_beyond_the_grace(void **state)
{
    struct key k;

    open_key(&k, 2, 1, 1);
    now_ms += 4000;
    node_tick(k.node);
    go_away(&k);
    now_ms += 10000;
    assert_int_equal(let_in(&k, 1), 1);
    now_ms = 1000 + NODE_GRACE_MS;
    assert_int_equal(hold_one(&k), -1);
    till_run(steal(&soon), NULL);
    assert_int_equal(outcome, HOLD_E_AWAY);
    close_key(&k);
}

/* One grant that fails is no outage: the heartbeat is asked, and the grant is made again. */
static void a_database_that_answers_is_asked_again(void **state)
{
    struct key k;

    open_key(&k, 2, 1, 1);
    now_ms += 5000;
    node_tick(k.node);
    assert_int_equal(hold_one(&k), -1);
    till_run(steal(&soon), NULL);
    grant->done(steal(&grant), PORT_E_AWAY);
    assert_int_equal(outcome, -1);
    node_tick(k.node); /* it beats */
    assert_false(node_away(k.node));
    assert_null(soon);
    now_ms += 100;
    node_tick(k.node);
    granted(1, 1, WINDOW_US + MINUTE_US, 54000);
    assert_int_equal(outcome, HOLD_OK);
    assert_int_equal(k.hold.window_us[0], WINDOW_US + MINUTE_US);
    use(&k);
    close_key(&k);
}

static void who_meets_the_outage_first_waits_for_the_heartbeat_only(void **state)
{
    struct key k;

    open_key(&k, 2, 1, 1);
    now_ms += 5000;
    beat = PORT_E_AWAY;
    assert_int_equal(hold_one(&k), -1);
    till_run(steal(&soon), NULL);
    grant->done(steal(&grant), PORT_E_AWAY);
    assert_int_equal(outcome, -1);
    node_tick(k.node);
    assert_true(node_away(k.node));
    now_ms += 100;
    node_tick(k.node);
    till_run(steal(&soon), NULL);
    assert_null(grant); /* it is not asked again */
    assert_int_equal(outcome, HOLD_OK);
    use(&k);
    close_key(&k);
}

/* Nothing fails, and nothing is said: known when the next heartbeat is due. */
static void a_silent_database_is_away(void **state)
{
    struct key k;

    open_key(&k, 2, 1, 1);
    now_ms += 5000;
    beat_once(&k, -1);
    now_ms += NODE_HEARTBEAT_MS;
    assert_true(node_away(k.node));
    assert_int_equal(let_in(&k, 9), LIMIT / 2);
    unanswered->nodes = 2;
    unanswered->done(unanswered, PORT_OK);
    assert_false(node_away(k.node));
    close_key(&k);
}

/* The heartbeat is not even sent, since the node's thread waits for something else. */
static void a_database_that_nothing_was_heard_of_is_away(void **state)
{
    struct key k;

    open_key(&k, 2, 1, 1);
    now_ms += NODE_AWAY_MS - 1;
    assert_false(node_away(k.node));
    now_ms++;
    assert_true(node_away(k.node));
    beat_once(&k, PORT_OK);
    assert_false(node_away(k.node));
    close_key(&k);
}

/* Of the minute in which it goes the node has what was leased to it, up to its share. */
static void what_was_leased_counts(void **state)
{
    struct key k;

    open_key(&k, 2, 3, 3);
    go_away(&k);
    assert_int_equal(let_in(&k, 9), LIMIT / 2 - 1); /* one was made before */
    assert_int_equal(outcome, HOLD_E_REFUSED);
    close_key(&k);
    open_key(&k, 2, 8, 8);
    go_away(&k);
    assert_int_equal(let_in(&k, 12), 7);
    assert_int_equal(outcome, HOLD_E_REFUSED);
    close_key(&k);
}

static void no_more_than_was_left_when_last_heard(void **state)
{
    struct key k;

    open_key(&k, 2, 1, LIMIT - 1);
    go_away(&k);
    assert_int_equal(let_in(&k, 9), 1);
    assert_int_equal(outcome, HOLD_E_REFUSED);
    close_key(&k);
    open_key(&k, 1, 1, 4); /* alone, with what a node that has ended used */
    go_away(&k);
    assert_int_equal(let_in(&k, 12), LIMIT - 4);
    close_key(&k);
}

/* The database refused within this minute, and then went away. */
static void what_was_refused_stays_so(void **state)
{
    struct key k;

    open_key(&k, 2, 1, 1);
    now_ms += 6000;
    node_tick(k.node);
    assert_int_equal(hold_one(&k), -1);
    granted(0, LIMIT, WINDOW_US + MINUTE_US, 59000);
    assert_int_equal(outcome, HOLD_E_REFUSED);
    go_away(&k);
    assert_int_equal(let_in(&k, 5), 0);
    assert_int_equal(outcome, HOLD_E_REFUSED);
    now_ms += 59000 - 10000;
    assert_int_equal(let_in(&k, 5), 0);
    close_key(&k);
}

/* More nodes than requests, or a call that is larger than the share: the database has to be asked. */
static void what_no_share_covers_waits_for_the_database(void **state)
{
    struct key k;

    for (int i = 0; i < 2; i++) {
        open_key(&k, i == 0 ? LIMIT + 1 : 2, 1, 1);
        k.want.amount = i == 0 ? 1 : LIMIT / 2 + 1;
        now_ms += 5000;
        go_away(&k);
        assert_int_equal(hold_one(&k), -1);
        till_run(steal(&soon), NULL);
        assert_non_null(grant);
        grant->done(steal(&grant), PORT_E_AWAY);
        assert_int_equal(outcome, HOLD_E_AWAY);
        close_key(&k);
    }
}

/* Money is leased, or it is not there. */
static void of_other_purses_nothing_is_shared(void **state)
{
    struct key k;

    open_key(&k, 1, 1, 1);
    k.want.minute = 0;
    now_ms += 5000;
    go_away(&k);
    assert_int_equal(hold_one(&k), -1);
    till_run(steal(&soon), NULL);
    grant->done(steal(&grant), PORT_E_AWAY);
    assert_int_equal(outcome, HOLD_E_AWAY);
    close_key(&k);
}

/* All or none: a call whose money is short takes no share, and the next one has it. */
static void a_share_is_not_taken_by_who_lacks_something_else(void **state)
{
    struct hold_ask ask = {.n_wants = 2, .answered = answered};
    struct cell *money;
    struct hold hold = {0};
    struct key k;

    open_key(&k, 2, 1, 1);
    now_ms += 5000;
    go_away(&k);
    money = node_cell(k.node, (struct team_id){1}, (struct purse_id){2});
    ask.hold = &hold;
    ask.wants[0] = k.want;
    ask.wants[1] = (struct hold_want){.cell = money, .amount = 1, .lease = 1};
    outcome = -1;
    assert_int_equal(hold_ask(k.node, NULL, &ask), HOLD_OK);
    assert_int_equal(outcome, -1);
    till_run(steal(&soon), NULL);
    grant->done(steal(&grant), PORT_E_AWAY);
    assert_int_equal(outcome, HOLD_E_AWAY);
    assert_int_equal(hold.n, 0);
    assert_int_equal(let_in(&k, 9), LIMIT / 2);
    cell_unref(money);
    close_key(&k);
}

/* It is back within the minute: the lease is the database's, what is held of the share comes back to
 * nobody, and away again within the minute there is no second share. */
static void shares_end_when_it_is_back(void **state)
{
    struct hold shared;
    struct key k;

    open_key(&k, 2, 1, 1);
    now_ms += 5000;
    go_away(&k);
    assert_int_equal(hold_one(&k), HOLD_OK);
    shared = k.hold;
    beat_once(&k, PORT_OK);
    assert_int_equal(hold_one(&k), -1); /* four of the share were left */
    granted(2, 2, WINDOW_US + MINUTE_US, 50000);
    assert_int_equal(outcome, HOLD_OK);
    hold_release(k.node, &shared);
    assert_int_equal(atomic_load(&k.cell->free), 1);
    use(&k);
    go_away(&k);
    assert_int_equal(let_in(&k, 9), 1);
    assert_int_equal(outcome, HOLD_E_REFUSED);
    now_ms += 50000 - 10000;
    assert_int_equal(let_in(&k, 9), 0);
    close_key(&k);
}

static void a_share_is_no_slack(void **state)
{
    struct key k;

    open_key(&k, 2, 1, 1);
    now_ms += 5000;
    go_away(&k);
    assert_int_equal(let_in(&k, 1), 1);
    atomic_store(&k.cell->wanted, CELL_WANTED_ELSEWHERE);
    till_want_back(k.cell->till);
    till_run(steal(&soon), NULL);
    assert_int_equal(backs, 0);
    assert_int_equal(let_in(&k, 9), LIMIT / 2 - 1);
    assert_true(share_counts(k.cell, now_ms));
    assert_false(share_counts(k.cell, now_ms + 60000));
    close_key(&k);
}

/* Nobody has said yet how many nodes there are. */
static void a_session_that_counted_nobody_shares_nothing(void **state)
{
    struct key k;

    open_key(&k, 2, 1, 1);
    node_fenced(k.node);
    beat = PORT_E_AWAY;
    node_tick(k.node); /* opens another */
    node_tick(k.node);
    assert_true(node_away(k.node));
    assert_int_equal(node_count_live(k.node), 0);
    now_ms += 5000;
    assert_int_equal(let_in(&k, 1), 0);
    close_key(&k);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_minute_has_its_share),
        cmocka_unit_test(minutes_are_counted_from_the_last_that_was_told),
        cmocka_unit_test(no_share_beyond_the_grace),
        cmocka_unit_test(a_database_that_answers_is_asked_again),
        cmocka_unit_test(who_meets_the_outage_first_waits_for_the_heartbeat_only),
        cmocka_unit_test(a_silent_database_is_away),
        cmocka_unit_test(a_database_that_nothing_was_heard_of_is_away),
        cmocka_unit_test(what_was_leased_counts),
        cmocka_unit_test(no_more_than_was_left_when_last_heard),
        cmocka_unit_test(what_was_refused_stays_so),
        cmocka_unit_test(what_no_share_covers_waits_for_the_database),
        cmocka_unit_test(of_other_purses_nothing_is_shared),
        cmocka_unit_test(a_share_is_not_taken_by_who_lacks_something_else),
        cmocka_unit_test(shares_end_when_it_is_back),
        cmocka_unit_test(a_share_is_no_slack),
        cmocka_unit_test(a_session_that_counted_nobody_shares_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
