/* What is pure of Stripe: signatures, forms, and what events mean. The signature's expected value was made
 * by Stripe's own library: webhooks.generateTestHeaderString({payload, secret, timestamp: 1492774577}). */
#include "unit.h"

#include <stdio.h>

#include "base/arena.h"
#include "base/bounds.h"
#include "base/digest.h"
#include "payments/stripe_event.h"
#include "payments/stripe_form.h"
#include "payments/stripe_row.h"
#include "payments/stripe_signature.h"

#define BODY "{\"id\":\"evt_1\",\"object\":\"event\"}"
#define SECRET "whsec_test_secret"
#define AT INT64_C(1492774577)
#define V1 "654b43d3508ecadb3f8cefc4bc7d3d2bdc5ba9e03bf2c89b2d0657a8e24e4543"

static struct arena *a;

static int setup(void **state)
{
    a = arena_new(MIB(1));
    return a ? 0 : -1;
}

static int teardown(void **state)
{
    arena_free(a);
    return 0;
}

static int check(const char *header, const char *secret, int64_t now_s)
{
    const struct str secrets[] = {STR(""), str_c(secret)};

    return stripe_signature_check(str_c(header), STR(BODY), secrets, 2, now_s);
}

static void a_signature_of_stripes_library_holds(void **state)
{
    assert_int_equal(check("t=1492774577,v1=" V1, SECRET, AT), STRIPE_SIGNATURE_OK);
    assert_int_equal(check("v0=dead,t=1492774577,v1=" V1 ",v2=x", SECRET, AT), STRIPE_SIGNATURE_OK);
    assert_int_equal(check("t=1492774577,v1=" V1, "whsec_other", AT), STRIPE_SIGNATURE_E_FORGED);
    assert_int_equal(check("t=1492774578,v1=" V1, SECRET, AT), STRIPE_SIGNATURE_E_FORGED);
}

static void the_clock_bounds_it_both_ways(void **state)
{
    const char *header = "t=1492774577,v1=" V1;

    assert_int_equal(check(header, SECRET, AT + 300), STRIPE_SIGNATURE_OK);
    assert_int_equal(check(header, SECRET, AT + 301), STRIPE_SIGNATURE_E_TIME);
    assert_int_equal(check(header, SECRET, AT - 300), STRIPE_SIGNATURE_OK);
    assert_int_equal(check(header, SECRET, AT - 301), STRIPE_SIGNATURE_E_TIME);
    /* Who cannot sign does not learn what our clock says. */
    assert_int_equal(check(header, "whsec_other", AT + 301), STRIPE_SIGNATURE_E_FORGED);
}

/* HMAC under an empty key is something that anybody can work out. */
static void an_empty_secret_signs_nothing(void **state)
{
    struct digest d = digest_hmac_sha256(STR(""), STR("1492774577." BODY));
    char hex[65], header[120];

    digest_hex(&d, hex);
    snprintf(header, sizeof(header), "t=1492774577,v1=%s", hex);
    assert_int_equal(check(header, "", AT), STRIPE_SIGNATURE_E_FORGED);
    assert_int_equal(stripe_signature_check(str_c(header), STR(BODY), NULL, 0, AT),
                     STRIPE_SIGNATURE_E_FORGED);
}

static void broken_headers_are_told(void **state)
{
    static const char *const broken[] = {
        "", ",", "t", "t=1492774577", "v1=" V1, "t=,v1=" V1, "t=x,v1=" V1, "t=-1,v1=" V1,
        "t=1492774577,t=1492774577,v1=" V1, "t=9999999999999,v1=" V1, "t=1492774577,v1=",
        "t=1492774577,v1=0", "t=1492774577,v1=" V1 "0", "t=1492774577,v1=g" V1, "t=1492774577 v1=" V1,
    };
    struct stripe_signature s;

    for (size_t i = 0; i < ARRAY_LEN(broken); i++)
        assert_int_equal(stripe_signature_read(str_c(broken[i]), &s), STRIPE_SIGNATURE_E_HEADER);
}

static void any_of_several_signatures_may_fit(void **state)
{
    char header[4096];
    size_t n = (size_t)snprintf(header, sizeof(header), "t=1492774577");

    for (int i = 0; i < STRIPE_V1_MAX - 1; i++)
        n += (size_t)snprintf(header + n, sizeof(header) - n, ",v1=%064d", i);
    snprintf(header + n, sizeof(header) - n, ",v1=" V1);
    assert_int_equal(check(header, SECRET, AT), STRIPE_SIGNATURE_OK);
    snprintf(header + n, sizeof(header) - n, ",v1=%064d,v1=" V1, 99);
    assert_int_equal(check(header, SECRET, AT), STRIPE_SIGNATURE_E_FORGED); /* the seventeenth */
}

static void a_session_is_asked_for_in_stripes_form(void **state)
{
    const struct stripe_session_wish wish = {
        .reference = STR("TO-4K7QZ2M9"),
        .cents = 1234,
        .return_url = STR("https://llm.example.org/billing/orders/7?a=b&c=\xc3\xa9 +"),
        .expires_at_s = 1796002143,
    };
    struct buf out;

    buf_init(&out, KIB(8));
    stripe_session_form(&wish, &out);
    assert_int_equal(buf_finish(&out), 0);
    assert_str(buf_str(&out),
               "mode=payment&client_reference_id=TO-4K7QZ2M9&metadata%5Btollgate_order%5D=TO-4K7QZ2M9"
               "&payment_intent_data%5Bmetadata%5D%5Btollgate_order%5D=TO-4K7QZ2M9"
               "&line_items%5B0%5D%5Bquantity%5D=1&line_items%5B0%5D%5Bprice_data%5D%5Bcurrency%5D=usd"
               "&line_items%5B0%5D%5Bprice_data%5D%5Bunit_amount%5D=1234"
               "&line_items%5B0%5D%5Bprice_data%5D%5Bproduct_data%5D%5Bname%5D=Top-up"
               "&line_items%5B0%5D%5Bprice_data%5D%5Bproduct_data%5D%5Bdescription%5D=TO-4K7QZ2M9"
               "&adaptive_pricing%5Benabled%5D=false"
               "&success_url=https%3A%2F%2Fllm.example.org%2Fbilling%2Forders%2F7%3Fa%3Db%26c%3D%C3%A9%20%2B"
               "&cancel_url=https%3A%2F%2Fllm.example.org%2Fbilling%2Forders%2F7%3Fa%3Db%26c%3D%C3%A9%20%2B"
               "&expires_at=1796002143");
    buf_done(&out);
}

static void amounts_are_whole_cents_or_none(void **state)
{
    struct money m;
    int64_t cents = -7;

    assert_true(stripe_cents((struct money){12340000000}, &cents));
    assert_int_equal(cents, 1234);
    assert_false(stripe_cents((struct money){12340000001}, &cents));
    assert_false(stripe_cents((struct money){5000000}, &cents));
    assert_false(stripe_cents(MONEY_ZERO, &cents));
    assert_false(stripe_cents((struct money){-10000000}, &cents));
    assert_int_equal(cents, 1234);
    assert_true(stripe_money(99999999, &m));
    assert_int_equal(m.nano, 999999990000000);
    assert_false(stripe_money(INT64_MAX, &m));
    assert_false(stripe_money(INT64_MIN / 2, &m));
}

static struct stripe_event event(const char *type, const char *object)
{
    struct stripe_event e = {.what = STRIPE_NOTHING};
    struct str body = arena_strf(
        a, "{\"id\":\"evt_9\",\"object\":\"event\",\"type\":\"%s\",\"data\":{\"object\":%s}}", type, object);

    assert_int_equal(stripe_event_read(a, body, &e), STRIPE_EVENT_OK);
    assert_str(e.id, "evt_9");
    return e;
}

#define SESSION(status, paid)                                                                      \
    "{\"id\":\"cs_1\",\"object\":\"checkout.session\",\"status\":\"" status                        \
    "\",\"payment_status\":\"" paid "\",\"amount_total\":1234,\"currency\":\"usd\","               \
    "\"payment_intent\":\"pi_1\",\"metadata\":{\"tollgate_order\":\"TO-4K7QZ2M9\"}}"

static void sessions_mean_what_their_events_say(void **state)
{
    static const struct {
        const char *type, *object;
        enum stripe_what what;
    } cases[] = {
        {"checkout.session.completed", SESSION("complete", "paid"), STRIPE_PAID},
        {"checkout.session.completed", SESSION("complete", "no_payment_required"), STRIPE_PAID},
        {"checkout.session.completed", SESSION("complete", "unpaid"), STRIPE_PENDING},
        {"checkout.session.async_payment_succeeded", SESSION("complete", "paid"), STRIPE_PAID},
        {"checkout.session.async_payment_failed", SESSION("complete", "unpaid"), STRIPE_FAILED},
        {"checkout.session.expired", SESSION("expired", "unpaid"), STRIPE_EXPIRED},
        {"checkout.session.invented", SESSION("complete", "paid"), STRIPE_NOTHING},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct stripe_event e = event(cases[i].type, cases[i].object);

        assert_int_equal(e.what, cases[i].what);
        if (e.what == STRIPE_NOTHING)
            continue;
        assert_str(e.payment_id, "pi_1");
        assert_str(e.reference, "TO-4K7QZ2M9");
        assert_int_equal(e.amount.nano, 12340000000);
        assert_str(e.currency, "USD");
    }
}

/* client_reference_id is what whoever follows a payment link chooses. */
static void a_session_without_our_metadata_is_not_ours(void **state)
{
    struct stripe_event e =
        event("checkout.session.completed",
              "{\"id\":\"cs_1\",\"status\":\"complete\",\"payment_status\":\"paid\",\"amount_total\":5,"
              "\"currency\":\"usd\",\"payment_intent\":\"pi_1\",\"client_reference_id\":\"TO-4K7QZ2M9\"}");

    assert_int_equal(e.what, STRIPE_NOTHING);
}

#define MOVED(status)                                                                              \
    "{\"id\":\"re_1\",\"amount\":500,\"currency\":\"usd\",\"payment_intent\":\"pi_1\",\"status\":\"" \
    status "\",\"reason\":\"fraudulent\",\"failure_reason\":\"unknown\"}"

static void refunds_and_disputes_mean_what_their_status_says(void **state)
{
    static const struct {
        const char *type, *object;
        enum stripe_what what;
    } cases[] = {
        {"refund.created", MOVED("succeeded"), STRIPE_REFUND},
        {"refund.created", MOVED("pending"), STRIPE_REFUND},
        {"refund.updated", MOVED("requires_action"), STRIPE_REFUND},
        {"refund.updated", MOVED("canceled"), STRIPE_REFUND_FAILED},
        {"refund.failed", MOVED("failed"), STRIPE_REFUND_FAILED},
        {"charge.refund.updated", MOVED("failed"), STRIPE_REFUND_FAILED},
        {"charge.refunded", MOVED("succeeded"), STRIPE_REFUNDED},
        {"charge.dispute.created", MOVED("needs_response"), STRIPE_DISPUTE},
        {"charge.dispute.created", MOVED("warning_needs_response"), STRIPE_NOTHING},
        {"charge.dispute.created", MOVED("prevented"), STRIPE_NOTHING},
        {"charge.dispute.funds_withdrawn", MOVED("under_review"), STRIPE_DISPUTE},
        {"charge.dispute.funds_reinstated", MOVED("under_review"), STRIPE_DISPUTE_BACK},
        {"charge.dispute.closed", MOVED("won"), STRIPE_DISPUTE_BACK},
        {"charge.dispute.closed", MOVED("lost"), STRIPE_DISPUTE},
        {"charge.dispute.closed", MOVED("warning_closed"), STRIPE_NOTHING},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct stripe_event e = event(cases[i].type, cases[i].object);

        assert_int_equal(e.what, cases[i].what);
        if (e.what == STRIPE_NOTHING || e.what == STRIPE_REFUNDED)
            continue;
        assert_str(e.object_id, "re_1");
        assert_int_equal(e.amount.nano, 5000000000);
    }
}

static void broken_events_are_told(void **state)
{
    static const char *const objects[] = {
        "{}", "{\"id\":5}", "{\"id\":\"cs_1\",\"metadata\":{\"tollgate_order\":\"TO-1\"}}",
        "{\"id\":\"cs_1\",\"metadata\":{\"tollgate_order\":\"TO-1\"},\"amount_total\":1.5,\"currency\":\"usd\"}",
        "{\"id\":\"cs_1\",\"metadata\":{\"tollgate_order\":\"TO-1\"},\"amount_total\":-1,\"currency\":\"usd\"}",
        ("{\"id\":\"cs_1\",\"metadata\":{\"tollgate_order\":\"TO-1\"},\"amount_total\":9223372036854775807,"
         "\"currency\":\"usd\"}"),
        "{\"id\":\"cs_1\",\"metadata\":{\"tollgate_order\":\"TO-1\"},\"amount_total\":1,\"currency\":\"us$\"}",
    };
    static const char *const bodies[] = {"", "[]", "{}", "null", "{\"id\":\"evt_1\"}",
                                         "{\"id\":\"\",\"object\":\"event\",\"type\":\"x\",\"data\":{\"object\":{}}}",
                                         "{\"id\":\"evt_1\",\"object\":\"event\",\"type\":\"x\",\"data\":{}}"};
    struct stripe_event e;

    for (size_t i = 0; i < ARRAY_LEN(objects); i++) {
        struct str body = arena_strf(a,
                                     "{\"id\":\"evt_9\",\"object\":\"event\",\"type\":"
                                     "\"checkout.session.completed\",\"data\":{\"object\":%s}}",
                                     objects[i]);

        assert_int_equal(stripe_event_read(a, body, &e), STRIPE_EVENT_E_MALFORMED);
    }
    for (size_t i = 0; i < ARRAY_LEN(bodies); i++)
        assert_int_equal(stripe_event_read(a, str_c(bodies[i]), &e), STRIPE_EVENT_E_MALFORMED);
}

static struct stripe *made(const char *key, const char *hooks)
{
    const struct stripe_settings settings = {str_c(key), str_c(hooks), STR("https://api.stripe.com"),
                                             STR("https://pay.example.org/x"), STR("https://own")};
    struct stripe *s;

    assert_int_equal(stripe_new(&settings, &s), 0);
    return s;
}

static void it_is_set_up_with_both_secrets_only(void **state)
{
    struct stripe *s = made("sk_live_1", "whsec_a, whsec_b,");

    assert_null(made("", "whsec_a"));
    assert_null(made("sk_live_1", ""));
    assert_null(made("sk_live_1", " , "));
    assert_int_equal(s->n_hooks, 2);
    assert_str(s->hooks[1].bytes_, "whsec_b");
    assert_int_equal(s->network, GUARD_PUBLIC);
    assert_false(stripe_is_test(s));
    assert_str(stripe_checkout_origin(s), "https://pay.example.org");
    assert_str(stripe_dashboard_url(a, s, STR("pi_1")), "https://dashboard.stripe.com/payments/pi_1");
    assert_null(stripe_dashboard_url(a, s, STR("cs_1")).p);
    stripe_free(s);
    s = made("rk_test_1", "whsec_a");
    assert_true(stripe_is_test(s));
    assert_str(stripe_dashboard_url(a, s, STR("pi_1")),
               "https://dashboard.stripe.com/test/payments/pi_1");
    stripe_free(s);
    stripe_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_signature_of_stripes_library_holds),
        cmocka_unit_test(the_clock_bounds_it_both_ways),
        cmocka_unit_test(an_empty_secret_signs_nothing),
        cmocka_unit_test(broken_headers_are_told),
        cmocka_unit_test(any_of_several_signatures_may_fit),
        cmocka_unit_test(a_session_is_asked_for_in_stripes_form),
        cmocka_unit_test(amounts_are_whole_cents_or_none),
        cmocka_unit_test(sessions_mean_what_their_events_say),
        cmocka_unit_test(a_session_without_our_metadata_is_not_ours),
        cmocka_unit_test(refunds_and_disputes_mean_what_their_status_says),
        cmocka_unit_test(broken_events_are_told),
        cmocka_unit_test(it_is_set_up_with_both_secrets_only),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
