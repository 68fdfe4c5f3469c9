/* Orders and payments: duplicates, wrong amounts, late money; against a real PostgreSQL. */
#include "identity/people.h"

#include <pthread.h>

#include "identity/installation.h"
#include "payments/manual.h"
#include "payments/sandbox.h"

static struct people t;
static struct session ada;
static struct actor actor, operator;

static int setup(void **state)
{
    people_start(&t);
    ada = people_session(&t, people_sign_up(&t, "ada@example.org").token);
    actor = people_actor(ada.user);
    operator=(struct actor){ACTOR_OPERATOR, ada.user.v, STR("op@example.org"), STR_NONE};
    assert_int_equal(installation_mark_sandbox(t.db, true), 0);
    return 0;
}

static int teardown(void **state)
{
    people_stop(&t);
    return 0;
}

DB_QUERY(test_wallet, "SELECT credits_nano - debits_nano AS nano,"
                      "       (SELECT count(*) FROM transfer WHERE team_id = $1) AS transfers"
                      "  FROM account WHERE team_id = $1 AND kind = 'wallet'")

static struct money wallet(int64_t *ret_transfers)
{
    struct money m;
    int64_t n;

    people_begin(&t, DB_TEAM(ada.team));
    assert_int_equal(db_one(t.db, &test_wallet, NULL, DB_ARGS(db_i64(ada.team.v)),
                            DB_COLS(db_col_money("nano", &m), db_col_i64("transfers", &n))),
                     0);
    people_commit(&t);
    if (ret_transfers)
        *ret_transfers = n;
    return m;
}

static struct order order_for(struct money amount, const char *provider)
{
    struct identity_fault fault = {"", ""};
    struct payment_next next;
    struct order o;

    people_begin(&t, DB_TEAM(ada.team));
    assert_int_equal(
        order_create(t.db, t.a, &actor, ada.team, ada.user,
                     &(struct order_wish){amount, str_c(provider), NULL}, &o, &fault),
        0);
    assert_int_equal(payment_provider_find(o.provider)->begin(t.db, t.a, &o, &next), 0);
    assert_true(next.path.p || next.instructions.p);
    people_commit(&t);
    return o;
}

static struct order order_now(const struct order *o)
{
    struct order now;

    people_begin(&t, DB_TEAM(ada.team));
    assert_int_equal(order_get(t.db, t.a, ada.team, o->id, &now), 0);
    people_commit(&t);
    return now;
}

static struct payment_notice notice_of(const struct order *o, const char *event,
                                       const char *payment)
{
    return (struct payment_notice){.provider = o->provider,
                                   .event_id = str_c(event),
                                   .payment_id = str_c(payment),
                                   .reference = o->reference,
                                   .kind = PAYMENT_PAID,
                                   .amount = o->amount,
                                   .currency = STR("USD")};
}

static void orders_have_bounds_and_known_ways(void **state)
{
    struct identity_fault fault;
    struct order o;

    people_begin(&t, DB_TEAM(ada.team));
    assert_int_equal(order_create(t.db, t.a, &actor, ada.team, ada.user,
                                  &(struct order_wish){(struct money){999999999}, STR("sandbox"), NULL}, &o, &fault),
                     IDENTITY_E_FAULT);
    assert_string_equal(fault.field, "amount");
    assert_int_equal(order_create(t.db, t.a, &actor, ada.team, ada.user,
                                  &(struct order_wish){MONEY_USD(1000001), STR("sandbox"), NULL}, &o, &fault),
                     IDENTITY_E_FAULT);
    assert_int_equal(order_create(t.db, t.a, &actor, ada.team, ada.user,
                                  &(struct order_wish){MONEY_USD(5), STR("wishes"), NULL}, &o, &fault),
                     IDENTITY_E_FAULT);
    assert_string_equal(fault.field, "provider");
    assert_int_equal(order_create(t.db, t.a, &actor, ada.team, ada.user,
                                  &(struct order_wish){MONEY_USD(1000000), STR("manual"), NULL}, &o, &fault),
                     0);
    assert_str(o.creator, "ada@example.org");
    db_rollback(t.db);
}

static void a_card_that_is_good_pays_once(void **state)
{
    struct order o = order_for(MONEY_USD(20), "sandbox"), after;
    struct money before = wallet(NULL);
    struct identity_fault fault;

    assert_int_equal(
        sandbox_press(t.db, t.a, &actor, ada.team, o.id, SANDBOX_SUCCEED, &after, &fault), 0);
    assert_int_equal(after.state, ORDER_PAID);
    assert_true(after.transfer_id > 0);
    assert_int_equal(wallet(NULL).nano - before.nano, 20000000000);
    assert_int_equal(
        sandbox_press(t.db, t.a, &actor, ada.team, o.id, SANDBOX_SUCCEED, &after, &fault),
        IDENTITY_E_FAULT);
    assert_int_equal(wallet(NULL).nano - before.nano, 20000000000);
    assert_true(order_now(&o).paid_at_us > 0);
}

static void a_declined_card_pays_nothing(void **state)
{
    struct order o = order_for(MONEY_USD(20), "sandbox"), after;
    struct money before = wallet(NULL);
    struct identity_fault fault;

    assert_int_equal(
        sandbox_press(t.db, t.a, &actor, ada.team, o.id, SANDBOX_DECLINE, &after, &fault), 0);
    assert_int_equal(after.state, ORDER_FAILED);
    assert_str(after.note, "The card was declined.");
    assert_int_equal(wallet(NULL).nano, before.nano);
}

static bool orders_are_due(void)
{
    bool orders = false, grants = true;

    assert_int_equal(money_due(t.db, &orders, &grants), 0);
    assert_false(grants);
    return orders;
}

static void a_late_card_is_confirmed_when_its_time_comes(void **state)
{
    struct order o = order_for(MONEY_USD(7), "sandbox"), after;
    struct money before = wallet(NULL);
    struct identity_fault fault;

    assert_int_equal(sandbox_press(t.db, t.a, &actor, ada.team, o.id, SANDBOX_LATE, &after, &fault),
                     0);
    assert_int_equal(after.state, ORDER_PENDING);
    assert_false(orders_are_due());
    assert_int_equal(payment_tick(t.db), 0);
    assert_int_equal(order_now(&o).state, ORDER_PENDING);
    assert_int_equal(db_script(t.owner, "UPDATE topup_order SET confirm_at = now()"
                                        " WHERE confirm_at IS NOT NULL"),
                     0);
    assert_true(orders_are_due());
    assert_int_equal(payment_tick(t.db), 0);
    assert_false(orders_are_due());
    assert_int_equal(payment_tick(t.db), 0);
    assert_int_equal(order_now(&o).state, ORDER_PAID);
    assert_int_equal(wallet(NULL).nano - before.nano, 7000000000);
}

static void the_sandbox_is_for_sandboxes(void **state)
{
    struct order o = order_for(MONEY_USD(7), "sandbox"), after;
    struct payment_choice choice;
    struct identity_fault fault;

    assert_int_equal(installation_mark_sandbox(t.db, false), 0);
    assert_int_equal(
        sandbox_press(t.db, t.a, &actor, ada.team, o.id, SANDBOX_SUCCEED, &after, &fault),
        IDENTITY_E_NONE);
    assert_int_equal(payment_provider_choices(t.db, NULL, &choice), 0);
    assert_int_equal(choice.n, 1);
    assert_string_equal(choice.v[0]->name, "manual");
    assert_int_equal(installation_mark_sandbox(t.db, true), 0);
    assert_int_equal(sandbox_press(t.db, t.a, &actor, (struct team_id){ada.team.v + 1}, o.id,
                                   SANDBOX_SUCCEED, &after, &fault),
                     IDENTITY_E_NONE);
}

static void a_transfer_is_confirmed_by_its_reference_once(void **state)
{
    struct order o = order_for(MONEY_USD(100), "manual"),
                 second = order_for(MONEY_USD(100), "manual");
    struct money before = wallet(NULL);
    struct identity_fault fault;
    struct order after;

    assert_int_equal(order_now(&o).state, ORDER_PENDING);
    assert_int_equal(
        manual_confirm(t.db, t.a, &operator, o.id, MONEY_USD(100), STR("USD"), STR(" "), &after, &fault),
        IDENTITY_E_FAULT);
    assert_int_equal(
        manual_confirm(t.db, t.a, &operator, o.id, MONEY_USD(100), STR("USD"), STR("BANK-1"), &after, &fault),
        0);
    assert_int_equal(after.state, ORDER_PAID);
    assert_int_equal(manual_confirm(t.db, t.a, &operator, second.id, MONEY_USD(100), STR("USD"), STR("BANK-1"),
                                    &after, &fault),
                     IDENTITY_E_FAULT);
    assert_string_equal(fault.field, "bank_reference");
    assert_int_equal(order_now(&second).state, ORDER_PENDING);
    assert_int_equal(wallet(NULL).nano - before.nano, 100000000000);
}

static void a_wrong_amount_waits_for_an_operator(void **state)
{
    struct order o = order_for(MONEY_USD(50), "manual"), after;
    struct money before = wallet(NULL);
    struct identity_fault fault;
    struct payment_page page;

    assert_int_equal(
        manual_confirm(t.db, t.a, &operator, o.id, MONEY_USD(49), STR("USD"), STR("BANK-2"), &after, &fault),
        0);
    assert_int_equal(after.state, ORDER_REVIEW);
    assert_int_equal(wallet(NULL).nano, before.nano);
    people_begin(&t, DB_OPERATOR);
    assert_int_equal(payment_reviews(t.db, t.a, &page), 0);
    people_commit(&t);
    assert_int_equal(page.n, 1);
    assert_int_equal(payment_resolve(t.db, t.a, &operator, page.v[0].id, true, STR(""), &fault),
                     IDENTITY_E_FAULT);
    assert_int_equal(payment_resolve(t.db, t.a, &operator, page.v[0].id, true,
                                     STR("The bank kept a dollar."), &fault),
                     0);
    assert_int_equal(
        payment_resolve(t.db, t.a, &operator, page.v[0].id, true, STR("again"), &fault),
        IDENTITY_E_NONE);
    assert_int_equal(wallet(NULL).nano - before.nano, 49000000000);
    assert_int_equal(order_now(&o).state, ORDER_PAID);
}

static void a_wrong_currency_can_only_be_dismissed(void **state)
{
    struct order o = order_for(MONEY_USD(5), "manual"), after;
    struct payment_notice n = notice_of(&o, "e-eur", "p-eur");
    struct money before = wallet(NULL);
    struct identity_fault fault;
    struct payment_page page;

    n.currency = STR("EUR");
    assert_int_equal(payment_apply(t.db, t.a, &operator, & n, &after), PAYMENT_E_REVIEW);
    people_begin(&t, DB_OPERATOR);
    assert_int_equal(payment_reviews(t.db, t.a, &page), 0);
    people_commit(&t);
    assert_int_equal(page.n, 1);
    assert_int_equal(payment_resolve(t.db, t.a, &operator, page.v[0].id, true, STR("ok"), &fault),
                     IDENTITY_E_FAULT);
    assert_int_equal(
        payment_resolve(t.db, t.a, &operator, page.v[0].id, false, STR("paid back"), &fault), 0);
    assert_int_equal(order_now(&o).state, ORDER_CANCELED);
    assert_int_equal(wallet(NULL).nano, before.nano);
}

static void money_that_is_late_is_taken(void **state)
{
    struct order expired = order_for(MONEY_USD(3), "sandbox"), canceled, after;
    struct money before = wallet(NULL);
    struct identity_fault fault;

    assert_int_equal(db_script(t.owner, "UPDATE topup_order SET expires_at = now() - interval '1 s'"
                                        " WHERE state = 'created'"),
                     0);
    assert_true(orders_are_due());
    assert_int_equal(payment_tick(t.db), 0);
    assert_false(orders_are_due());
    assert_int_equal(order_now(&expired).state, ORDER_EXPIRED);
    struct payment_notice n = notice_of(&expired, "e-late", "p-late");
    assert_int_equal(payment_apply(t.db, t.a, &ACTOR_THE_SYSTEM, &n, &after), PAYMENT_OK);
    assert_int_equal(after.state, ORDER_PAID);

    canceled = order_for(MONEY_USD(4), "sandbox");
    people_begin(&t, DB_TEAM(ada.team));
    assert_int_equal(order_cancel(t.db, t.a, &actor, ada.team, canceled.id, &fault), 0);
    assert_int_equal(order_cancel(t.db, t.a, &actor, ada.team, canceled.id, &fault),
                     IDENTITY_E_FAULT);
    people_commit(&t);
    n = notice_of(&canceled, "e-late-2", "p-late-2");
    assert_int_equal(payment_apply(t.db, t.a, &ACTOR_THE_SYSTEM, &n, &after), PAYMENT_OK);
    assert_int_equal(wallet(NULL).nano - before.nano, 7000000000);
}

static void a_second_payment_for_a_paid_order_is_reviewed(void **state)
{
    struct order o = order_for(MONEY_USD(6), "sandbox"), after;
    struct payment_notice n = notice_of(&o, "e-1", "p-1");
    struct money before = wallet(NULL);

    assert_int_equal(payment_apply(t.db, t.a, &ACTOR_THE_SYSTEM, &n, &after), PAYMENT_OK);
    /* the same payment under another event, and the same event again */
    n.event_id = STR("e-2");
    assert_int_equal(payment_apply(t.db, t.a, &ACTOR_THE_SYSTEM, &n, &after), PAYMENT_E_REPEATED);
    n.event_id = STR("e-1");
    assert_int_equal(payment_apply(t.db, t.a, &ACTOR_THE_SYSTEM, &n, &after), PAYMENT_E_REPEATED);
    n = notice_of(&o, "e-3", "p-2");
    assert_int_equal(payment_apply(t.db, t.a, &ACTOR_THE_SYSTEM, &n, &after), PAYMENT_E_REVIEW);
    assert_int_equal(after.state, ORDER_PAID);
    /* a failure that was overtaken changes nothing */
    n = notice_of(&o, "e-4", "");
    n.kind = PAYMENT_FAILED;
    assert_int_equal(payment_apply(t.db, t.a, &ACTOR_THE_SYSTEM, &n, &after), PAYMENT_OK);
    assert_int_equal(after.state, ORDER_PAID);
    n.reference = STR("TO-NOTHING1");
    assert_int_equal(payment_apply(t.db, t.a, &ACTOR_THE_SYSTEM, &n, &after), PAYMENT_E_NO_ORDER);
    assert_int_equal(wallet(NULL).nano - before.nano, 6000000000);
}

struct confirmer {
    pthread_t thread;
    struct payment_notice notice;
    int result;
};

static void *confirm(void *arg)
{
    struct confirmer *c = arg;
    struct arena *a = arena_new(MIB(1));
    struct order after;
    struct db *db;

    c->result = -1;
    if (db_open(t.pg.app_conninfo, "confirmer", &db) == 0) {
        c->result = payment_apply(db, a, &ACTOR_THE_SYSTEM, &c->notice, &after);
        db_close(db);
    }
    arena_free(a);
    return NULL;
}

static void ten_confirmations_at_once_credit_once(void **state)
{
    struct order o = order_for(MONEY_USD(9), "sandbox");
    struct money before;
    struct confirmer c[10];
    int64_t transfers_before, transfers;
    int good = 0;

    before = wallet(&transfers_before);
    for (size_t i = 0; i < ARRAY_LEN(c); i++) {
        /* half of them the same event, half of them other events of the same payment */
        const char *event = i % 2 ? "e-many" : arena_cstr(t.a, arena_strf(t.a, "e-many-%zu", i));
        c[i].notice = notice_of(&o, event, "p-many");
        assert_int_equal(pthread_create(&c[i].thread, NULL, confirm, &c[i]), 0);
    }
    for (size_t i = 0; i < ARRAY_LEN(c); i++) {
        pthread_join(c[i].thread, NULL);
        assert_true(c[i].result == PAYMENT_OK || c[i].result == PAYMENT_E_REPEATED);
        good += c[i].result == PAYMENT_OK;
    }
    assert_int_equal(good, 1);
    assert_int_equal(wallet(&transfers).nano - before.nano, 9000000000);
    assert_int_equal(transfers - transfers_before, 1);
}

static void events_are_never_changed(void **state)
{
    assert_true(db_script(t.owner, "UPDATE payment_event SET amount_nano = 1") != 0);
    assert_true(db_script(t.owner, "DELETE FROM payment_event") != 0);
}

static void paid_is_the_end(void **state)
{
    for (int to = ORDER_CREATED; to <= ORDER_REVIEW; to++) {
        bool back = to == ORDER_PART_REFUNDED || to == ORDER_REFUNDED || to == ORDER_CHARGED_BACK;

        assert_int_equal(order_state_may_become(ORDER_PAID, (enum order_state)to), back);
        assert_int_equal(order_state_was_paid((enum order_state)to), back || to == ORDER_PAID);
        assert_false(order_state_may_become((enum order_state)to, ORDER_CREATED));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(orders_have_bounds_and_known_ways),
        cmocka_unit_test(a_card_that_is_good_pays_once),
        cmocka_unit_test(a_declined_card_pays_nothing),
        cmocka_unit_test(a_late_card_is_confirmed_when_its_time_comes),
        cmocka_unit_test(the_sandbox_is_for_sandboxes),
        cmocka_unit_test(a_transfer_is_confirmed_by_its_reference_once),
        cmocka_unit_test(a_wrong_amount_waits_for_an_operator),
        cmocka_unit_test(a_wrong_currency_can_only_be_dismissed),
        cmocka_unit_test(money_that_is_late_is_taken),
        cmocka_unit_test(a_second_payment_for_a_paid_order_is_reviewed),
        cmocka_unit_test(ten_confirmations_at_once_credit_once),
        cmocka_unit_test(events_are_never_changed),
        cmocka_unit_test(paid_is_the_end),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
