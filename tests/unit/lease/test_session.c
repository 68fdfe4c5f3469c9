/* A node and its session against a real PostgreSQL: reaped, away, answers that are lost, slack. */
#include "lease/caller.h"
#include "lease/inside.h"

static struct money_test t;

static int setup(void **state)
{
    money_start(&t, 2);
    return 0;
}

static int teardown(void **state)
{
    money_stop(&t);
    return 0;
}

DB_QUERY(session_kill, "SELECT session_reap(id, hb)::int AS v FROM node_session WHERE id = $1")
DB_QUERY(session_findings, "SELECT count(*) AS v FROM ledger_findings() WHERE $1 > 0")
DB_QUERY(session_exposed, "SELECT exposed_nano AS v FROM node_session WHERE id = $1")
DB_QUERY(session_lose_grant,
         "SELECT coalesce(sum(g.granted), 0)::bigint AS v FROM purse p,"
         " lease_grant((SELECT max(id) FROM node_session WHERE state = 'live'), p.team_id, 1,"
         "             ARRAY[p.id], ARRAY[0::bigint], ARRAY[600::bigint], ARRAY[600::bigint]) AS g"
         " WHERE p.team_id = $1 AND p.kind = 'wallet'")

static struct key_purses *wallet_only(struct node *node, struct team_id team)
{
    return money_purses(&t, node, &(struct key_limits){.team = team, .key = money_key(&t, team)});
}

static int take(struct node *node, struct key_purses *p, int64_t amount, int64_t lease,
                struct hold *hold)
{
    struct hold_want want = {p->cell[LIMIT_WALLET], amount, lease};
    struct caller c;

    caller_init(&c, node);
    return caller_hold(&c, hold, &want, 1);
}

static int64_t leased(struct team_id team)
{
    int64_t posted, held;

    money_wallet(&t, team, &posted, &held);
    return held;
}

static void a_reaped_node_opens_a_new_session_and_goes_on(void **state)
{
    struct node *node = money_node(&t, "one");
    struct team_id team = money_team(&t, "reaped@example.org");
    struct hold old = {0}, hold = {0};
    struct key_purses *p;
    int64_t session = node_session(node);

    money_topup(&t, team, 5000000000);
    p = wallet_only(node, team);
    assert_int_equal(take(node, p, 1000, 1000000, &old), HOLD_OK);
    assert_int_equal(money_figure(&t, &session_kill, session), 1);
    assert_int_equal(leased(team), 0);
    assert_int_equal(money_figure(&t, &session_exposed, session), 1000000);
    /* The node does not know yet: what it has it may still use; what it asks for it does not get. */
    assert_int_equal(take(node, p, 2000000, 2000000, &hold), HOLD_E_AWAY);
    wait_until(node_session(node) > session);
    assert_int_equal(take(node, p, 2000000, 2000000, &hold), HOLD_OK);
    assert_int_equal(leased(team), 2000000);
    hold_release(node, &old); /* of the old session: gives nothing to the new */
    assert_int_equal(atomic_load(&p->cell[LIMIT_WALLET]->free), 0);
    hold_release(node, &hold);
    key_purses_free(p);
    node_free(node);
    assert_int_equal(leased(team), 0);
    assert_int_equal(money_figure(&t, &session_findings, 1), 0);
}

/* The node's thread goes on while a server that ends frees the lane. */
static void nothing_is_put_on_a_lane_that_has_ended(void **state)
{
    const struct jobs_config lane = {.name = "own", .threads = 1, .queue_max = 10,
                                     .worker_new = money_worker,
                                     .worker_free = money_worker_free,
                                     .ctx = t.p.pg.app_conninfo};
    struct team_id team = money_team(&t, "ended@example.org");
    struct money_test own = t;
    struct hold hold = {0}, more = {0};
    struct key_purses *p;
    struct node *node;

    assert_int_equal(jobs_new(&lane, &own.lane), 0);
    node = money_node(&own, "one");
    money_topup(&t, team, 5000000000);
    p = wallet_only(node, team);
    assert_int_equal(take(node, p, 1000, 1000, &hold), HOLD_OK);
    node_lane_ends(node);
    jobs_free(own.lane);
    assert_int_equal(take(node, p, 1000, 1000, &more), HOLD_E_BUSY);
    hold_release(node, &hold);
    key_purses_free(p);
    node_free(node);
    assert_int_equal(leased(team), 0);
}

DB_QUERY(session_reap_stale, "SELECT session_reap(id, hb - 1)::int AS v FROM node_session WHERE id = $1")

/* Somebody saw its heart stand still, and it beat before they acted. */
static void a_session_that_beat_meanwhile_is_not_reaped(void **state)
{
    struct node *node = money_node(&t, "one");

    assert_int_equal(money_figure(&t, &session_reap_stale, node_session(node)), 0);
    assert_true(node_admits(node));
    node_free(node);
}

/* PostgreSQL made a grant, and the node never heard of it: the next one tells. */
static void a_grant_whose_answer_was_lost_is_found_again(void **state)
{
    struct node *node = money_node(&t, "one");
    struct team_id team = money_team(&t, "lost@example.org");
    struct hold hold = {0};
    struct key_purses *p;

    money_topup(&t, team, 1000);
    p = wallet_only(node, team);
    assert_int_equal(money_figure(&t, &session_lose_grant, team.v), 600);
    assert_int_equal(leased(team), 600);
    /* As if the node had sent that one as its first, before it knew of the purse. */
    p->cell[LIMIT_WALLET]->seen_no = 0;
    assert_int_equal(take(node, p, 1000, 1000, &hold), HOLD_OK);
    assert_int_equal(leased(team), 1000);
    hold_release(node, &hold);
    assert_int_equal(take(node, p, 1001, 1001, &hold), HOLD_E_REFUSED);
    assert_int_equal(take(node, p, 1000, 1000, &hold), HOLD_OK);
    hold_release(node, &hold);
    key_purses_free(p);
    node_free(node);
    assert_int_equal(money_figure(&t, &session_findings, 1), 0);
}

/* A grant of 50 under that number, as a statement that hung. */
static void late_grant(char sql[300], struct node *node, const struct key_purses *p, int64_t no)
{
    const struct cell *c = p->cell[LIMIT_WALLET];

    snprintf(sql, 300,
             "SELECT * FROM lease_grant(%lld, %lld, %lld, ARRAY[%lld::bigint], ARRAY[0::bigint],"
             " ARRAY[50::bigint], ARRAY[50::bigint])",
             (long long)node_session(node), (long long)c->team.v, (long long)no,
             (long long)c->purse.v);
}

/* One that was overtaken, because its connection hung, must not be made any more. */
static void a_grant_that_comes_too_late_is_not_made(void **state)
{
    struct node *node = money_node(&t, "one");
    struct team_id team = money_team(&t, "late@example.org");
    struct hold hold = {0};
    struct key_purses *p;
    char sql[300];
    int64_t no;

    money_topup(&t, team, 10000);
    p = wallet_only(node, team);
    no = node_number(node);
    assert_int_equal(take(node, p, 100, 100, &hold), HOLD_OK);
    late_grant(sql, node, p, no);
    assert_int_equal(db_begin(t.p.db, DB_SYSTEM, false), 0);
    assert_int_equal(db_script(t.p.db, sql), DB_E_REFUSED);
    db_rollback(t.p.db);
    assert_int_equal(leased(team), 100);
    hold_release(node, &hold);
    key_purses_free(p);
    node_free(node);
}

static void a_return_that_is_sent_twice_counts_once(void **state)
{
    struct node *node = money_node(&t, "one");
    struct team_id team = money_team(&t, "twice@example.org");
    struct hold hold = {0};
    struct key_purses *p;

    money_topup(&t, team, 10000);
    p = wallet_only(node, team);
    assert_int_equal(take(node, p, 100, 1000, &hold), HOLD_OK);
    assert_int_equal(leased(team), 1000);
    for (int i = 0; i < 2; i++) {
        char sql[300];

        snprintf(sql, sizeof(sql),
                 "SELECT lease_return(%lld, ARRAY[%lld::bigint], ARRAY[%lld::bigint],"
                 " ARRAY[1::bigint], ARRAY[300::bigint], ARRAY['-infinity'::timestamptz])",
                 (long long)node_session(node), (long long)team.v,
                 (long long)p->cell[LIMIT_WALLET]->purse.v);
        assert_int_equal(db_begin(t.p.db, DB_SYSTEM, false), 0);
        assert_int_equal(db_script(t.p.db, sql), 0);
        assert_int_equal(db_commit(t.p.db), 0);
        assert_int_equal(leased(team), 700);
    }
    hold_release(node, &hold);
    key_purses_free(p);
    node_free(node);
    assert_int_equal(money_figure(&t, &session_findings, 1), 0);
}

static void slack_that_lies_idle_goes_back(void **state)
{
    struct node *node = money_node(&t, "one");
    struct team_id team = money_team(&t, "idle@example.org");
    struct hold hold = {0};
    struct key_purses *p;
    struct cell *c;

    money_topup(&t, team, 10000);
    p = wallet_only(node, team);
    c = p->cell[LIMIT_WALLET];
    assert_int_equal(take(node, p, 100, 1000, &hold), HOLD_OK);
    atomic_store(&c->used_at_ms, clock_mono_ms() - 11000); /* as if it was long ago */
    wait_until(leased(team) == 100); /* what the call holds stays */
    hold_release(node, &hold);
    key_purses_free(p);
    node_free(node);
}

static void wait_no_doubt(const struct cell *c)
{
    wait_until(!atomic_load(&c->in_doubt));
}

/* The node asks of itself, and what it learns of lies there like other slack. */
static void a_grant_that_nobody_asks_for_again_is_asked_after(void **state)
{
    struct node *node = money_node(&t, "one");
    struct team_id team = money_team(&t, "doubt@example.org");
    struct hold hold = {0};
    struct key_purses *p;
    struct cell *c;

    money_topup(&t, team, 1000);
    p = wallet_only(node, team);
    c = p->cell[LIMIT_WALLET];
    assert_int_equal(money_figure(&t, &session_lose_grant, team.v), 600);
    c->seen_no = 0;
    atomic_store(&c->in_doubt, true); /* the answer did not come */
    wait_no_doubt(c);
    assert_int_equal(atomic_load(&c->free), 600);
    assert_int_equal(take(node, p, 600, 600, &hold), HOLD_OK);
    assert_int_equal(leased(team), 600);
    hold_release(node, &hold);
    key_purses_free(p);
    node_free(node);
}

/* It had not come when the node asked after it: now it is too late. */
static void a_grant_that_comes_after_it_was_asked_after_is_not_made(void **state)
{
    struct node *node = money_node(&t, "one");
    struct team_id team = money_team(&t, "overtaken@example.org");
    struct key_purses *p;
    char sql[300];
    int64_t no;

    money_topup(&t, team, 10000);
    p = wallet_only(node, team);
    no = node_number(node);
    atomic_store(&p->cell[LIMIT_WALLET]->in_doubt, true);
    wait_no_doubt(p->cell[LIMIT_WALLET]);
    late_grant(sql, node, p, no);
    assert_int_equal(db_begin(t.p.db, DB_SYSTEM, false), 0);
    assert_int_equal(db_script(t.p.db, sql), DB_E_REFUSED);
    db_rollback(t.p.db);
    assert_int_equal(leased(team), 0);
    key_purses_free(p);
    node_free(node);
}

/* The node lets a purse's cell go that is empty and of no use to anybody. */
static void wait_no_cells(struct node *node)
{
    struct node_view view;

    wait_until((node_read(node, &view), view.cells == 0));
}

/* What was granted to it, and what it gave back, is not told again and not void. */
static void a_purse_that_was_forgotten_counts_on(void **state)
{
    struct node *node = money_node(&t, "one");
    struct team_id team = money_team(&t, "forgotten@example.org");
    struct hold hold = {0};
    struct key_purses *p;

    money_topup(&t, team, 10000);
    for (int64_t i = 1; i <= 3; i++) {
        p = wallet_only(node, team);
        assert_int_equal(take(node, p, 100, 1000, &hold), HOLD_OK);
        assert_int_equal(leased(team), (i - 1) * 100 + 1000);
        atomic_store(&p->cell[LIMIT_WALLET]->used_at_ms, clock_mono_ms() - 11000);
        wait_until(leased(team) == i * 100); /* the slack is back */
        hold_end(node, &hold, (int64_t[]){100});
        key_purses_free(p);
        wait_no_cells(node);
    }
    node_free(node);
    assert_int_equal(money_figure(&t, &session_findings, 1), 0);
}

static void a_hung_database_refuses_nobody_and_admits_nobody(void **state)
{
    struct node *node = money_node(&t, "one");
    struct team_id team = money_team(&t, "away@example.org");
    struct hold one = {0}, two = {0};
    struct key_purses *p;

    money_topup(&t, team, 1000000);
    p = wallet_only(node, team);
    assert_int_equal(take(node, p, 100, 1000, &one), HOLD_OK);
    /* Everything of the application's is cut and kept out. */
    assert_int_equal(db_script(t.p.owner, "ALTER DATABASE tollgate CONNECTION LIMIT 1"), 0);
    assert_int_equal(db_script(t.p.db, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                                       " WHERE usename = 'tollgate_app'"
                                       "   AND pid <> pg_backend_pid()"), 0);
    assert_int_equal(take(node, p, 100, 1000, &two), HOLD_OK); /* of the lease */
    assert_int_equal(take(node, p, 5000, 5000, &two), HOLD_E_AWAY);
    assert_int_equal(db_script(t.p.owner, "ALTER DATABASE tollgate CONNECTION LIMIT -1"), 0);
    wait_until(take(node, p, 5000, 5000, &two) == HOLD_OK);
    assert_int_equal(two.amount[0], 5100);
    hold_release(node, &one);
    hold_release(node, &two);
    key_purses_free(p);
    node_free(node);
    assert_int_equal(money_figure(&t, &session_findings, 1), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_reaped_node_opens_a_new_session_and_goes_on),
        cmocka_unit_test(a_session_that_beat_meanwhile_is_not_reaped),
        cmocka_unit_test(nothing_is_put_on_a_lane_that_has_ended),
        cmocka_unit_test(a_grant_whose_answer_was_lost_is_found_again),
        cmocka_unit_test(a_grant_that_comes_too_late_is_not_made),
        cmocka_unit_test(a_return_that_is_sent_twice_counts_once),
        cmocka_unit_test(slack_that_lies_idle_goes_back),
        cmocka_unit_test(a_grant_that_nobody_asks_for_again_is_asked_after),
        cmocka_unit_test(a_grant_that_comes_after_it_was_asked_after_is_not_made),
        cmocka_unit_test(a_purse_that_was_forgotten_counts_on),
        cmocka_unit_test(a_hung_database_refuses_nobody_and_admits_nobody),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
