/* Holds against a real PostgreSQL, with threads and with two replicas: what is admitted is exactly
 * what is there. */
#include "lease/caller.h"

static struct money_test t;

static int setup(void **state)
{
    money_start(&t, 4);
    return 0;
}

static int teardown(void **state)
{
    money_stop(&t);
    return 0;
}

static struct key_purses *wallet_only(struct node *node, struct team_id team)
{
    struct key_limits limits = {.team = team, .key = money_key(&t, team)};

    return money_purses(&t, node, &limits);
}

/* A crowd on one purse: every thread takes as long as it is let, and keeps what it took. */
struct thread {
    pthread_t id;
    struct node *node;
    struct cell *cell;
    int64_t amount, lease;
    int tries;
    int admitted, refused, other;
    struct hold *holds;
};

static void *crowd_member(void *arg)
{
    struct thread *th = arg;
    struct hold_want want = {th->cell, th->amount, th->lease};
    struct caller c;

    caller_init(&c, th->node);
    for (int i = 0; i < th->tries; i++) {
        int r = caller_hold(&c, &th->holds[th->admitted], &want, 1);

        th->admitted += r == HOLD_OK;
        th->refused += r == HOLD_E_REFUSED;
        th->other += r != HOLD_OK && r != HOLD_E_REFUSED;
    }
    return NULL;
}

#define CROWD 6
#define TRIES 12 /* at the most */

/* balance / amount calls get through, however many nodes and threads there are. */
static void crowd(struct node **nodes, unsigned n_nodes, int tries, const char *email,
                  int64_t balance, int64_t amount, int64_t lease)
{
    struct team_id team = money_team(&t, email);
    struct key_purses *purses[2];
    struct thread th[CROWD] = {0};
    struct hold holds[CROWD][TRIES] = {0};
    int admitted = 0;

    money_topup(&t, team, balance);
    for (unsigned i = 0; i < n_nodes; i++)
        purses[i] = wallet_only(nodes[i], team);
    for (unsigned i = 0; i < CROWD; i++) {
        th[i] = (struct thread){.node = nodes[i % n_nodes],
                                .cell = purses[i % n_nodes]->cell[LIMIT_WALLET],
                                .amount = amount, .lease = lease, .tries = tries,
                                .holds = holds[i]};
        pthread_create(&th[i].id, NULL, crowd_member, &th[i]);
    }
    for (unsigned i = 0; i < CROWD; i++) {
        pthread_join(th[i].id, NULL);
        admitted += th[i].admitted;
        assert_int_equal(th[i].other, 0);
    }
    assert_int_equal(admitted, MIN(balance / amount, CROWD * tries));
    for (unsigned i = 0; i < CROWD; i++)
        for (int k = 0; k < th[i].admitted; k++)
            hold_release(th[i].node, &holds[i][k]);
    for (unsigned i = 0; i < n_nodes; i++)
        key_purses_free(purses[i]);
}

static void a_crowd_on_one_node_gets_exactly_the_balance(void **state)
{
    struct node *node = money_node(&t, "one");

    crowd(&node, 1, TRIES, "c1@example.org", 1000, 100, 100);
    crowd(&node, 1, TRIES, "c2@example.org", 999, 100, 100);
    crowd(&node, 1, TRIES, "c3@example.org", 1000, 70, 5 * 70);
    crowd(&node, 1, TRIES, "c4@example.org", 3000000050, 100000000, 2000000000);
    node_free(node);
}

static void a_crowd_on_two_nodes_gets_exactly_the_balance(void **state)
{
    struct node *nodes[2] = {money_node(&t, "one"), money_node(&t, "two")};

    crowd(nodes, 2, 4, "d1@example.org", 1999, 100, 100);
    crowd(nodes, 2, 4, "d2@example.org", 2250, 100, 400);
    crowd(nodes, 2, 4, "d3@example.org", 2100000050, 100000000, 2000000000);
    node_free(nodes[0]);
    node_free(nodes[1]);
}

static void nothing_is_taken_from_an_empty_wallet(void **state)
{
    struct node *node = money_node(&t, "one");
    struct team_id team = money_team(&t, "empty@example.org");
    struct key_purses *p = wallet_only(node, team);
    struct hold_want want = {p->cell[LIMIT_WALLET], 1, 20};
    struct hold hold = {0};
    struct caller c;

    caller_init(&c, node);
    assert_int_equal(caller_hold(&c, &hold, &want, 1), HOLD_E_REFUSED);
    assert_int_equal(hold.n, 0);
    assert_int_equal(c.ask.refusal.which, 0);
    assert_int_equal(c.ask.refusal.capacity, 0);
    assert_int_equal(c.ask.refusal.used, 0);
    key_purses_free(p);
    node_free(node);
}

static void a_refusal_names_the_limit_that_refused(void **state)
{
    struct node *node = money_node(&t, "one");
    struct team_id team = money_team(&t, "named@example.org");
    struct key_limits limits = {.team = team, .key = money_key(&t, team), .rpm = 2,
                                .concurrency = 10};
    struct key_purses *p;
    struct limits_need need = {.money = {100}};
    struct hold_want wants[LIMITS];
    enum limit which[LIMITS];
    struct hold holds[3] = {0};
    struct caller c;
    size_t n;

    money_topup(&t, team, 1000000);
    p = money_purses(&t, node, &limits);
    n = limits_wants(p, &need, wants, which);
    assert_int_equal(n, 3);
    caller_init(&c, node);
    assert_int_equal(caller_hold(&c, &holds[0], wants, n), HOLD_OK);
    assert_int_equal(caller_hold(&c, &holds[1], wants, n), HOLD_OK);
    assert_int_equal(caller_hold(&c, &holds[2], wants, n), HOLD_E_REFUSED);
    assert_int_equal(which[c.ask.refusal.which], LIMIT_KEY_REQUESTS);
    assert_int_equal(c.ask.refusal.capacity, 2);
    assert_int_equal(c.ask.refusal.used, 2);
    assert_true(c.ask.refusal.resets_at_us > clock_wall_us());
    assert_true(c.ask.refusal.resets_at_us <= clock_wall_us() + 61 * 1000000);
    /* A refused call has taken nothing: the permit is there for the next. */
    assert_int_equal(holds[2].n, 0);
    assert_int_equal(limits_remaining(p, LIMIT_KEY_PERMITS), 8);
    hold_release(node, &holds[0]);
    hold_release(node, &holds[1]);
    key_purses_free(p);
    node_free(node);
}

static void the_unused_part_is_there_for_the_next_call(void **state)
{
    struct node *node = money_node(&t, "one");
    struct team_id team = money_team(&t, "rest@example.org");
    struct key_purses *p;
    struct hold hold = {0};
    struct hold_want want;
    struct caller c;

    money_topup(&t, team, 1000);
    p = wallet_only(node, team);
    want = (struct hold_want){p->cell[LIMIT_WALLET], 800, 800};
    caller_init(&c, node);
    assert_int_equal(caller_hold(&c, &hold, &want, 1), HOLD_OK);
    hold_end(node, &hold, (int64_t[]){300});
    want.amount = want.lease = 701; /* 700 are left */
    assert_int_equal(caller_hold(&c, &hold, &want, 1), HOLD_E_REFUSED);
    want.amount = want.lease = 700;
    assert_int_equal(caller_hold(&c, &hold, &want, 1), HOLD_OK);
    want.amount = want.lease = 1;
    assert_int_equal(caller_hold(&c, &hold, &want, 1), HOLD_E_REFUSED);
    assert_int_equal(hold.amount[0], 700);
    hold_release(node, &hold);
    key_purses_free(p);
    node_free(node);
}

static void a_hold_is_extended_or_left_as_it_was(void **state)
{
    struct node *node = money_node(&t, "one");
    struct team_id team = money_team(&t, "more@example.org");
    struct key_purses *p;
    struct hold hold = {0};
    struct hold_want want;
    struct caller c;

    money_topup(&t, team, 1000);
    p = wallet_only(node, team);
    want = (struct hold_want){p->cell[LIMIT_WALLET], 400, 400};
    caller_init(&c, node);
    assert_int_equal(caller_hold(&c, &hold, &want, 1), HOLD_OK);
    assert_int_equal(caller_hold(&c, &hold, &want, 1), HOLD_OK);
    assert_int_equal(hold.n, 1);
    assert_int_equal(hold.amount[0], 800);
    assert_int_equal(caller_hold(&c, &hold, &want, 1), HOLD_E_REFUSED);
    assert_int_equal(hold.amount[0], 800);
    hold_release(node, &hold);
    key_purses_free(p);
    node_free(node);
}

/* A always takes the only permit and then fails on the wallet; B needs the permit alone. */
struct partial {
    struct node *node;
    struct hold_want wants[2];
    size_t n;
    atomic_bool *stop;
    int ok, refused;
};

static void *partial_member(void *arg)
{
    struct partial *a = arg;
    struct hold hold = {0};
    struct caller c;

    caller_init(&c, a->node);
    /* Those that are stopped have been refused once at least, however late their thread began. */
    for (int i = 0; a->stop ? !a->refused || !atomic_load(a->stop) : i < 400; i++) {
        int r = caller_hold(&c, &hold, a->wants, a->n);

        a->ok += r == HOLD_OK;
        a->refused += r == HOLD_E_REFUSED;
        hold_release(a->node, &hold);
    }
    return NULL;
}

static void what_is_taken_in_vain_refuses_nobody_else(void **state)
{
    struct node *node = money_node(&t, "one");
    struct team_id team = money_team(&t, "vain@example.org");
    struct key_limits limits = {.team = team, .key = money_key(&t, team), .concurrency = 1};
    struct key_purses *p = money_purses(&t, node, &limits);
    struct hold_want permit = {p->cell[LIMIT_KEY_PERMITS], 1, 1};
    struct hold_want wallet = {p->cell[LIMIT_WALLET], 5, 5};
    atomic_bool stop = false;
    struct partial a[2], b = {.node = node, .wants = {permit}, .n = 1};
    pthread_t thread[2];

    for (unsigned i = 0; i < 2; i++) {
        a[i] = (struct partial){.node = node, .wants = {permit, wallet}, .n = 2, .stop = &stop};
        pthread_create(&thread[i], NULL, partial_member, &a[i]);
    }
    partial_member(&b);
    atomic_store(&stop, true);
    for (unsigned i = 0; i < 2; i++) {
        pthread_join(thread[i], NULL);
        assert_int_equal(a[i].ok, 0);
        assert_true(a[i].refused > 0);
    }
    assert_int_equal(b.refused, 0);
    assert_int_equal(b.ok, 400);
    key_purses_free(p);
    node_free(node);
}

static void slack_on_another_node_is_called_back(void **state)
{
    struct node *one = money_node(&t, "one"), *two = money_node(&t, "two");
    struct team_id team = money_team(&t, "slack@example.org");
    struct key_purses *p1, *p2;
    struct hold h1 = {0}, h2 = {0};
    struct hold_want want;
    struct caller c1, c2;

    money_topup(&t, team, 8000000000);
    p1 = wallet_only(one, team);
    p2 = wallet_only(two, team);
    caller_init(&c1, one);
    caller_init(&c2, two);
    want = (struct hold_want){p1->cell[LIMIT_WALLET], 1000, 2000000000};
    assert_int_equal(caller_hold(&c1, &h1, &want, 1), HOLD_OK);
    assert_true(atomic_load(&p1->cell[LIMIT_WALLET]->free) > 0);
    want = (struct hold_want){p2->cell[LIMIT_WALLET], 8000000000 - 1000, 8000000000 - 1000};
    assert_int_equal(caller_hold(&c2, &h2, &want, 1), HOLD_OK);
    assert_int_equal(caller_hold(&c1, &h1, &(struct hold_want){p1->cell[LIMIT_WALLET], 1, 1}, 1),
                     HOLD_E_REFUSED);
    hold_release(one, &h1);
    hold_release(two, &h2);
    key_purses_free(p1);
    key_purses_free(p2);
    node_free(one);
    node_free(two);
}

/* As if the running minute had been the one before. */
DB_QUERY(test_turn_window,
         "WITH back AS (UPDATE purse SET window_start = window_start - interval '1 minute',"
         "                               window_end = clock_timestamp()"
         "               WHERE team_id = $1 AND turns = 'minute' RETURNING team_id, id),"
         " leases AS (UPDATE lease l SET window_start = l.window_start - interval '1 minute'"
         "              FROM back b WHERE l.team_id = b.team_id AND l.purse_id = b.id)"
         " SELECT id AS v FROM back")

static void a_new_minute_brings_new_requests(void **state)
{
    struct node *node = money_node(&t, "one");
    struct team_id team = money_team(&t, "minute@example.org");
    struct key_limits limits = {.team = team, .key = money_key(&t, team), .rpm = 3};
    struct key_purses *p = money_purses(&t, node, &limits);
    struct hold_want want = {p->cell[LIMIT_KEY_REQUESTS], 1, 1};
    struct hold hold = {0};
    struct caller c;

    caller_init(&c, node);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(caller_hold(&c, &hold, &want, 1), HOLD_OK);
        hold_end(node, &hold, (int64_t[]){1});
    }
    assert_int_equal(caller_hold(&c, &hold, &want, 1), HOLD_E_REFUSED);
    assert_int_equal(limits_remaining(p, LIMIT_KEY_REQUESTS), 0);
    (void)money_figure(&t, &test_turn_window, team.v);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(caller_hold(&c, &hold, &want, 1), HOLD_OK);
        hold_end(node, &hold, (int64_t[]){1});
    }
    assert_int_equal(caller_hold(&c, &hold, &want, 1), HOLD_E_REFUSED);
    key_purses_free(p);
    node_free(node);
}

/* What was held of the old minute must not come back to the new one. */
static void an_extension_in_a_new_minute_holds_of_that_one_only(void **state)
{
    struct node *node = money_node(&t, "one");
    struct team_id team = money_team(&t, "extended@example.org");
    struct key_limits limits = {.team = team, .key = money_key(&t, team), .rpm = 100};
    struct key_purses *p = money_purses(&t, node, &limits);
    struct hold_want want = {p->cell[LIMIT_KEY_REQUESTS], 10, 10};
    struct hold old = {0}, fresh = {0};
    struct caller c;

    caller_init(&c, node);
    assert_int_equal(caller_hold(&c, &old, &want, 1), HOLD_OK);
    (void)money_figure(&t, &test_turn_window, team.v);
    old.window_us[0] -= 60 * INT64_C(1000000);
    want = (struct hold_want){p->cell[LIMIT_KEY_REQUESTS], 15, 20};
    assert_int_equal(caller_hold(&c, &fresh, &want, 1), HOLD_OK);
    assert_int_equal(atomic_load(&p->cell[LIMIT_KEY_REQUESTS]->free), 5);
    want.amount = 5;
    assert_int_equal(hold_extend(node, &old, &want, 1), HOLD_OK);
    assert_int_equal(old.amount[0], 5);
    hold_release(node, &old);
    assert_int_equal(atomic_load(&p->cell[LIMIT_KEY_REQUESTS]->free), 5);
    hold_release(node, &fresh);
    assert_int_equal(atomic_load(&p->cell[LIMIT_KEY_REQUESTS]->free), 20);
    key_purses_free(p);
    node_free(node);
}

DB_QUERY(test_leases_left, "SELECT count(*) AS v FROM lease l JOIN node_session s ON s.id = l.session_id"
                           " WHERE l.team_id = $1 AND l.remaining > 0")

static void a_node_that_ends_gives_everything_back(void **state)
{
    struct node *node = money_node(&t, "one");
    struct team_id team = money_team(&t, "ends@example.org");
    struct key_purses *p;
    struct hold hold = {0};
    struct hold_want want;
    struct caller c;
    int64_t posted, leased;

    money_topup(&t, team, 5000000000);
    p = wallet_only(node, team);
    want = (struct hold_want){p->cell[LIMIT_WALLET], 1000, 1000000000};
    caller_init(&c, node);
    assert_int_equal(caller_hold(&c, &hold, &want, 1), HOLD_OK);
    money_wallet(&t, team, &posted, &leased);
    assert_int_equal(posted, 5000000000);
    assert_true(leased >= 1000);
    hold_release(node, &hold);
    key_purses_free(p);
    node_free(node);
    money_wallet(&t, team, &posted, &leased);
    assert_int_equal(leased, 0);
    assert_int_equal(money_figure(&t, &test_leases_left, team.v), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_crowd_on_one_node_gets_exactly_the_balance),
        cmocka_unit_test(a_crowd_on_two_nodes_gets_exactly_the_balance),
        cmocka_unit_test(nothing_is_taken_from_an_empty_wallet),
        cmocka_unit_test(a_refusal_names_the_limit_that_refused),
        cmocka_unit_test(the_unused_part_is_there_for_the_next_call),
        cmocka_unit_test(a_hold_is_extended_or_left_as_it_was),
        cmocka_unit_test(what_is_taken_in_vain_refuses_nobody_else),
        cmocka_unit_test(slack_on_another_node_is_called_back),
        cmocka_unit_test(a_new_minute_brings_new_requests),
        cmocka_unit_test(an_extension_in_a_new_minute_holds_of_that_one_only),
        cmocka_unit_test(a_node_that_ends_gives_everything_back),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
