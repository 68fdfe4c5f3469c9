/* Refunds, chargebacks and their reversals: never more than was paid, booked once, the team frozen
 * first; against a real PostgreSQL. */
#include "identity/people.h"
#include "patience.h"

#include <pthread.h>

#include "base/random.h"
#include "identity/installation.h"
#include "identity/team.h"
#include "payments/manual.h"
#include "payments/payback.h"
#include "payments/payment.h"
#include "payments/payment_provider.h"

static struct people t;
static struct actor operator;

static int setup(void **state)
{
    people_start(&t);
    operator=(struct actor){ACTOR_OPERATOR, 1, STR("op@example.org"), STR_NONE};
    return 0;
}

static int teardown(void **state)
{
    people_stop(&t);
    return 0;
}

struct paid {
    struct session s;
    struct order order;
    int64_t payment;
};

static struct order pay(struct session *s, struct money amount)
{
    struct actor actor = people_actor(s->user);
    struct identity_fault fault;
    struct payment_next next;
    struct order o;

    people_begin(&t, DB_TEAM(s->team));
    assert_int_equal(
        order_create(t.db, t.a, &actor, s->team, s->user,
                     &(struct order_wish){amount, STR("manual"), NULL}, &o, &fault), 0);
    assert_int_equal(payment_provider_find(o.provider)->begin(t.db, t.a, &o, &next), 0);
    people_commit(&t);
    assert_int_equal(manual_confirm(t.db, t.a, &operator, o.id, amount, STR("USD"),
                                    arena_strf(t.a, "BANK-%llx", (unsigned long long)random_u64()),
                                    &o, &fault),
                     0);
    assert_int_equal(o.state, ORDER_PAID);
    return o;
}

static int64_t payment_of(const struct order *o)
{
    struct payment_page page;

    people_begin(&t, DB_OPERATOR);
    assert_int_equal(payment_list(t.db, t.a, o->team, o->id, &page), 0);
    people_commit(&t);
    assert_int_equal(page.n, 1);
    return page.v[0].id;
}

static struct paid team_with(const char *email, int64_t dollars)
{
    struct paid p = {.s = people_session(&t, people_sign_up(&t, email).token)};

    p.order = pay(&p.s, MONEY_USD(dollars));
    p.payment = payment_of(&p.order);
    return p;
}

static int refund(int64_t payment, int64_t nano, const char *ref, struct identity_fault *fault)
{
    struct booking wish = {{nano}, STR("the customer asked"), str_c(ref)};
    int r;

    people_begin(&t, DB_OPERATOR);
    r = payback_refund(t.db, t.a, &operator, payment, &wish, NULL, fault);
    if (r)
        db_rollback(t.db);
    else
        people_commit(&t);
    return r;
}

static int chargeback(int64_t payment, int64_t nano, const char *ref, int64_t *ret_id,
                      struct identity_fault *fault)
{
    struct booking wish = {{nano}, STR("the bank took it"), str_c(ref)};

    return payback_chargeback(t.db, t.a, &operator, payment, &wish, ret_id, fault);
}

static int reverse(int64_t chargeback_id, const char *ref, struct identity_fault *fault)
{
    struct booking wish = {.reason = STR("we won"), .reference = str_c(ref)};
    int r;

    people_begin(&t, DB_OPERATOR);
    r = payback_reverse(t.db, t.a, &operator, chargeback_id, &wish, NULL, fault);
    if (r)
        db_rollback(t.db);
    else
        people_commit(&t);
    return r;
}

static struct balance balance_of(const struct paid *p)
{
    struct balance b;

    people_begin(&t, DB_TEAM(p->s.team));
    assert_int_equal(balance_read(t.db, t.a, p->s.team, &b), 0);
    people_commit(&t);
    return b;
}

static struct order order_now(const struct paid *p)
{
    struct order now;

    people_begin(&t, DB_TEAM(p->s.team));
    assert_int_equal(order_get(t.db, t.a, p->s.team, p->order.id, &now), 0);
    people_commit(&t);
    return now;
}

static bool frozen(const struct paid *p)
{
    struct team team;

    people_begin(&t, DB_OPERATOR);
    assert_int_equal(team_get(t.db, t.a, p->s.team, &team), 0);
    people_commit(&t);
    return team.frozen;
}

DB_QUERY(test_findings, "SELECT invariant || ': ' || detail AS text FROM ledger_findings()")

static struct str finding;

static int told(void *ctx)
{
    fprintf(stderr, "%.*s\n", STR_FMT(finding));
    ++*(int *)ctx;
    return 0;
}

static void sound(void)
{
    int n = 0;

    assert_int_equal(db_begin(t.owner, DB_SYSTEM, true), 0);
    assert_int_equal(db_each(t.owner, &test_findings, t.a, DB_NO_ARGS,
                             DB_COLS(db_col_text("text", &finding)), told, &n),
                     0);
    assert_int_equal(db_commit(t.owner), 0);
    assert_int_equal(n, 0);
}

DB_QUERY(test_audits, "SELECT count(*) AS n FROM audit WHERE team_id = $1 AND action = $2")

static int64_t audits(const struct paid *p, const char *action)
{
    int64_t n;

    people_begin(&t, DB_OPERATOR);
    assert_int_equal(db_one(t.db, &test_audits, NULL,
                            DB_ARGS(db_i64(p->s.team.v), db_cstr(action)),
                            DB_COLS(db_col_i64("n", &n))),
                     0);
    people_commit(&t);
    return n;
}

static void refunds_add_up_to_the_payment_and_no_further(void **state)
{
    struct paid p = team_with("refund@example.org", 100);
    struct identity_fault fault = {"", ""};

    assert_int_equal(refund(p.payment, 40000000001, "r1", &fault), 0);
    assert_int_equal(order_now(&p).state, ORDER_PART_REFUNDED);
    assert_int_equal(order_now(&p).returned.nano, 40000000001);
    assert_int_equal(balance_of(&p).posted.nano, 59999999999);
    assert_int_equal(refund(p.payment, 40000000001, "r1", &fault), 0); /* once */
    assert_int_equal(balance_of(&p).posted.nano, 59999999999);
    assert_int_equal(audits(&p, "payment.refund"), 1);
    assert_int_equal(refund(p.payment, 5, "r1", &fault), IDENTITY_E_FAULT);
    assert_string_equal(fault.field, "reference");
    assert_int_equal(refund(p.payment, 60000000000, "r2", &fault), IDENTITY_E_FAULT);
    assert_string_equal(fault.field, "amount");
    assert_non_null(strstr(fault.sentence, "Only $59.999999999 of this payment"));
    assert_int_equal(refund(p.payment, 59999999999, "r3", &fault), 0);
    assert_int_equal(order_now(&p).state, ORDER_REFUNDED);
    assert_int_equal(balance_of(&p).posted.nano, 0);
    assert_int_equal(refund(p.payment, 1, "r4", &fault), IDENTITY_E_FAULT);
    sound();
}

static void nothing_that_is_no_refund_is_booked(void **state)
{
    struct paid p = team_with("wrong@example.org", 100);
    struct identity_fault fault = {"", ""};

    assert_int_equal(refund(p.payment, 0, "w", &fault), IDENTITY_E_FAULT);
    assert_int_equal(refund(p.payment, -5, "w", &fault), IDENTITY_E_FAULT);
    assert_string_equal(fault.field, "amount");
    assert_int_equal(refund(p.payment, INT64_MAX, "w", &fault), IDENTITY_E_FAULT);
    assert_int_equal(refund(p.payment, 5, " ", &fault), IDENTITY_E_FAULT);
    assert_string_equal(fault.field, "reference");
    assert_int_equal(refund(p.payment + 1000, 5, "w", &fault), IDENTITY_E_NONE);
    assert_int_equal(balance_of(&p).posted.nano, 100000000000);
    assert_int_equal(order_now(&p).state, ORDER_PAID);
    sound();
}

static void what_is_used_or_held_is_not_refunded(void **state)
{
    struct paid p = team_with("used@example.org", 10);
    struct identity_fault fault = {"", ""};
    char sql[500];

    snprintf(sql, sizeof(sql),
             "SET app.scope = 'operator'; SELECT post_adjustment(%lld, 'x', -3000000000, 'used up',"
             " 'operator', 1, 'op'); RESET app.scope;"
             "WITH s AS (SELECT session_open('n', 'test') AS id)"
             " SELECT lease_grant(s.id, %lld, 1, ARRAY[p.id], ARRAY[0::bigint],"
             " ARRAY[2000000000], ARRAY[2000000000]) FROM s, purse p"
             " WHERE p.team_id = %lld AND p.kind = 'wallet'",
             (long long)p.s.team.v, (long long)p.s.team.v, (long long)p.s.team.v);
    assert_int_equal(db_script(t.owner, sql), 0);
    assert_int_equal(refund(p.payment, 5000000001, "u", &fault), IDENTITY_E_FAULT);
    assert_non_null(strstr(fault.sentence, "Only $5.00 can be refunded"));
    assert_int_equal(refund(p.payment, 5000000000, "u", &fault), 0);
    sound();
}

static void a_chargeback_freezes_first_and_may_go_below_zero(void **state)
{
    struct paid p = team_with("bank@example.org", 50);
    struct identity_fault fault = {"", ""};
    int64_t id = 0, again = 0;
    char sql[300];

    snprintf(sql, sizeof(sql),
             "SET app.scope = 'operator'; SELECT post_adjustment(%lld, 'y', -45000000000, 'used up',"
             " 'operator', 1, 'op'); RESET app.scope",
             (long long)p.s.team.v);
    assert_int_equal(db_script(t.owner, sql), 0);
    assert_int_equal(chargeback(p.payment, 50000000001, "c", &id, &fault), IDENTITY_E_FAULT);
    assert_false(frozen(&p)); /* what cannot be booked freezes nobody */
    assert_int_equal(chargeback(p.payment, 50000000000, "CASE-1", &id, &fault), 0);
    assert_true(frozen(&p));
    assert_int_equal(balance_of(&p).posted.nano, -45000000000);
    assert_int_equal(order_now(&p).state, ORDER_CHARGED_BACK);
    assert_int_equal(chargeback(p.payment, 50000000000, "CASE-1", &again, &fault), 0);
    assert_int_equal(again, id);
    assert_int_equal(audits(&p, "payment.chargeback"), 1);
    assert_int_equal(audits(&p, "team.freeze"), 1);
    assert_int_equal(reverse(id, "CASE-1", &fault), 0);
    assert_int_equal(reverse(id, "CASE-1", &fault), 0);
    assert_int_equal(audits(&p, "payment.chargeback_reversed"), 1);
    assert_int_equal(reverse(id, "CASE-2", &fault), IDENTITY_E_FAULT);
    assert_non_null(strstr(fault.sentence, "reversed already"));
    assert_int_equal(balance_of(&p).posted.nano, 5000000000);
    assert_int_equal(order_now(&p).state, ORDER_PAID);
    assert_true(frozen(&p)); /* until an operator says otherwise */
    assert_int_equal(reverse(id + 1000, "CASE-3", &fault), IDENTITY_E_NONE);
    sound();
}

static int refund_failed(int64_t refund_id, const char *ref, struct identity_fault *fault)
{
    struct booking wish = {.reason = STR("it did not arrive"), .reference = str_c(ref)};
    int r;

    people_begin(&t, DB_OPERATOR);
    r = payback_refund_failed(t.db, t.a, &operator, refund_id, &wish, NULL, fault);
    if (r)
        db_rollback(t.db);
    else
        people_commit(&t);
    return r;
}

static void a_refund_that_failed_is_the_teams_again_once(void **state)
{
    struct paid p = team_with("closed-account@example.org", 50);
    struct identity_fault fault = {"", ""};
    struct payback booked, none;
    struct payback_page all;

    assert_int_equal(refund(p.payment, 50000000000, "re_1", &fault), 0);
    assert_int_equal(order_now(&p).state, ORDER_REFUNDED);
    people_begin(&t, DB_OPERATOR);
    assert_int_equal(payback_find(t.db, t.a, p.payment, STR("re_1"), &booked), 0);
    assert_int_equal(payback_find(t.db, t.a, p.payment, STR("re_2"), &none), IDENTITY_E_NONE);
    people_commit(&t);
    assert_int_equal(reverse(booked.id, "re_1/back", &fault), IDENTITY_E_NONE); /* no chargeback */
    for (int i = 0; i < 2; i++)
        assert_int_equal(refund_failed(booked.id, "re_1/back", &fault), 0);
    assert_int_equal(refund_failed(booked.id, "re_1/again", &fault), IDENTITY_E_FAULT);
    assert_int_equal(balance_of(&p).posted.nano, 50000000000);
    assert_int_equal(order_now(&p).state, ORDER_PAID);
    assert_int_equal(order_now(&p).returned.nano, 0);
    assert_int_equal(audits(&p, "payment.refund_failed"), 1);
    people_begin(&t, DB_OPERATOR);
    assert_int_equal(payback_list(t.db, t.a, p.s.team, p.order.id, &all), 0);
    people_commit(&t);
    assert_int_equal(all.n, 2);
    assert_true(all.v[0].reversed && all.v[1].of_refund && all.v[1].kind == PAYBACK_REVERSAL);
    assert_int_equal(refund(p.payment, 20000000000, "re_3", &fault), 0); /* it can be tried again */
    assert_int_equal(order_now(&p).state, ORDER_PART_REFUNDED);
    sound();
}

static void the_books_refuse_a_chargeback_of_a_free_team(void **state)
{
    struct paid p = team_with("free@example.org", 50);
    char sql[300];

    snprintf(sql, sizeof(sql),
             "SELECT post_return(%lld, 'chargeback', 'z', 5, 'because', 'operator', 1, 'op')",
             (long long)p.payment);
    people_begin(&t, DB_OPERATOR);
    assert_true(db_script(t.db, sql) != 0);
    assert_true(strncmp(db_last_error(t.db), "TG008", 5) == 0);
    db_rollback(t.db);
}

struct refunder {
    pthread_t thread;
    int64_t payment;
    char ref[16];
    int result;
};

static void *refund_alone(void *arg)
{
    struct refunder *c = arg;
    struct arena *a = arena_new(MIB(1));
    struct booking wish = {{3000000000}, STR("at once"), str_c(c->ref)};
    struct identity_fault fault;
    struct db *db;

    c->result = -1;
    if (db_open(t.pg.app_conninfo, "refunder", &db) == 0) {
        if (db_begin(db, DB_OPERATOR, false) == 0) {
            c->result = payback_refund(db, a, &operator, c->payment, &wish, NULL, &fault);
            if (c->result)
                db_rollback(db);
            else if (db_commit(db))
                c->result = -1;
        }
        db_close(db);
    }
    arena_free(a);
    return NULL;
}

static void refunds_at_once_pass_the_payment_no_better(void **state)
{
    struct paid p = team_with("once@example.org", 10);
    struct refunder c[10];
    int good = 0;

    for (size_t i = 0; i < ARRAY_LEN(c); i++) {
        c[i].payment = p.payment;
        snprintf(c[i].ref, sizeof(c[i].ref), "ref-%zu", i / 2); /* each twice */
        assert_int_equal(pthread_create(&c[i].thread, NULL, refund_alone, &c[i]), 0);
    }
    for (size_t i = 0; i < ARRAY_LEN(c); i++) {
        pthread_join(c[i].thread, NULL);
        assert_true(c[i].result == 0 || c[i].result == IDENTITY_E_FAULT);
        good += c[i].result == 0;
    }
    assert_int_equal(good, 6); /* three references, each told twice */
    assert_int_equal(balance_of(&p).posted.nano, 1000000000);
    assert_int_equal(order_now(&p).returned.nano, 9000000000);
    sound();
}

DB_QUERY(test_someone_waits, "SELECT count(*) AS v FROM pg_locks WHERE NOT granted")

static bool someone_waits(void)
{
    int64_t n = 0;

    assert_int_equal(db_one(t.owner, &test_someone_waits, NULL, DB_NO_ARGS, DB_COLS(db_col_i64("v", &n))), 0);
    return n > 0;
}

/* Calls are about to begin that hold most of the wallet: the refund waits until they do, and sees it. */
static void a_refund_waits_for_whoever_leases_of_the_wallet(void **state)
{
    struct paid p = team_with("leased@example.org", 10);
    struct refunder c = {.payment = p.payment, .ref = "leased"};
    char sql[400];
    struct db *node;

    assert_int_equal(db_open(t.pg.app_conninfo, "node", &node), 0);
    assert_int_equal(db_begin(node, DB_SYSTEM, false), 0);
    snprintf(sql, sizeof(sql),
             "WITH s AS (SELECT session_open('n', 'test') AS id)"
             " SELECT lease_grant(s.id, %lld, 1, ARRAY[p.id], ARRAY[0::bigint], ARRAY[8000000000],"
             " ARRAY[8000000000]) FROM s, purse p WHERE p.team_id = %lld AND p.kind = 'wallet'",
             (long long)p.s.team.v, (long long)p.s.team.v);
    assert_int_equal(db_script(node, sql), 0);
    assert_int_equal(pthread_create(&c.thread, NULL, refund_alone, &c), 0);
    wait_until(someone_waits());
    assert_int_equal(db_commit(node), 0);
    pthread_join(c.thread, NULL);
    assert_int_equal(c.result, IDENTITY_E_FAULT); /* three of the two that are left */
    assert_int_equal(balance_of(&p).posted.nano, 10000000000);
    db_close(node);
    sound();
}

/* As two events of a payment provider about one refund may be taken by two workers. */
static void what_was_refunded_is_not_charged_back_under_its_name(void **state)
{
    struct paid p = team_with("twice@example.org", 10);
    struct identity_fault fault = {"", ""};

    assert_int_equal(refund(p.payment, 4000000000, "re_1", &fault), 0);
    assert_int_equal(chargeback(p.payment, 4000000000, "re_1", NULL, &fault), IDENTITY_E_FAULT);
    assert_string_equal(fault.field, "reference");
    assert_false(frozen(&p));
    assert_int_equal(order_now(&p).returned.nano, 4000000000);
    sound();
}

/* As the role that the server runs as, whatever scope it claims. */
static bool app_may(const char *sql)
{
    people_begin(&t, DB_OPERATOR);
    int r = db_script(t.db, sql);

    db_rollback(t.db);
    return r == 0;
}

static void the_server_cannot_cheat(void **state)
{
    struct paid p = team_with("rights@example.org", 10), other = team_with("o@example.org", 10);
    struct identity_fault fault;
    struct payback_page page;

    assert_int_equal(refund(p.payment, 5, "rr", &fault), 0);
    assert_true(app_may("SELECT count(*) FROM payment_return"));
    assert_false(app_may("DELETE FROM payment_return"));
    assert_false(app_may("UPDATE payment_return SET amount_nano = 1"));
    assert_false(app_may("INSERT INTO payment_return (team_id) VALUES (1)"));
    assert_false(app_may("SELECT payment_lock(1)"));
    assert_false(app_may("SET LOCAL app.scope = 'team';"
                         "SELECT post_return(1, 'refund', 'q', 1, 'because', '', 1, '')"));
    assert_false(app_may("SET LOCAL app.scope = 'team';"
                         "SELECT post_reversal(1, 'chargeback', 'q', 'because', '', 1, '')"));
    assert_true(db_script(t.owner, "UPDATE payment_return SET reason = 'other'") != 0);
    assert_true(db_script(t.owner, "DELETE FROM payment_return") != 0);
    people_begin(&t, DB_TEAM(other.s.team));
    assert_int_equal(payback_list(t.db, t.a, p.s.team, p.order.id, &page), 0);
    people_commit(&t);
    assert_int_equal(page.n, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refunds_add_up_to_the_payment_and_no_further),
        cmocka_unit_test(nothing_that_is_no_refund_is_booked),
        cmocka_unit_test(what_is_used_or_held_is_not_refunded),
        cmocka_unit_test(a_chargeback_freezes_first_and_may_go_below_zero),
        cmocka_unit_test(a_refund_that_failed_is_the_teams_again_once),
        cmocka_unit_test(the_books_refuse_a_chargeback_of_a_free_team),
        cmocka_unit_test(refunds_at_once_pass_the_payment_no_better),
        cmocka_unit_test(a_refund_waits_for_whoever_leases_of_the_wallet),
        cmocka_unit_test(what_was_refunded_is_not_charged_back_under_its_name),
        cmocka_unit_test(the_server_cannot_cheat),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
