/* stripe.c: the way of paying, and getting an order's page; see stripe.h.
 *
 * The attempt stands in the database before Stripe is asked, and its idempotency key is made of the order
 * and the attempt: whoever asks again, after a time-out or from a second tab, gets the same page, so that
 * an order never has two that could be paid. */
#include "payments/stripe.h"

#include <errno.h>

#include "base/bounds.h"
#include "base/clock.h"
#include "base/err.h"
#include "json/value.h"
#include "payments/order_row.h"
#include "payments/payment_provider.h"
#include "payments/stripe_api.h"
#include "payments/stripe_form.h"
#include "payments/stripe_signature.h"

#define FORM_BYTES KIB(8)
#define URL_MAX 4000
#define SESSION_MAX 180
/* A page lives half an hour at least, says Stripe; two minutes for the way there. */
#define PAGE_LEAST_S (32 * 60)
/* Its events usually come within seconds of the payment. */
#define FIRST_ASK_S 60

static int stripe_begin(struct db *db, struct arena *a, struct order *order,
                        struct payment_next *ret)
{
    *ret = (struct payment_next){
        .instructions = STR("Stripe has taken the payment and is waiting for the bank. The balance "
                            "grows when the money is certain.")};
    return 0;
}

static const char *stripe_refusal(struct money amount)
{
    int64_t cents;

    if (!stripe_cents(amount, &cents))
        return "By card, give an amount of whole cents.";
    return cents > 99999999 ? "By card, $999,999.99 at most." : NULL; /* eight digits, says Stripe */
}

/* What is booked by hand and then told by Stripe has to be one thing. */
static const char *stripe_return_refusal(struct str reference)
{
    static const char *const ids[] = {"re_", "pyr_", "dp_", "du_"};

    for (size_t i = 0; i < ARRAY_LEN(ids); i++)
        if (str_starts(reference, str_c(ids[i])))
            return NULL;
    return "Refund it, or answer the dispute, at Stripe: it is booked here by itself. To book it by "
           "hand, give its id there (re_..., dp_...).";
}

/* stripe_look() closes the page. */
static int stripe_canceled(struct db *db, const struct order *order)
{
    return stripe_row_ask(db, order->team, order->id, 0);
}

const struct payment_provider payment_stripe = {
    .name = "stripe",
    .label = "Card (Stripe)",
    .sentence = "You pay on Stripe’s page, by card or what else is offered there.",
    /* A page lives a day at most, and is made some time after the order. */
    .expires_after_s = 23 * 3600,
    .refusal = stripe_refusal,
    .return_refusal = stripe_return_refusal,
    .begin = stripe_begin,
    .canceled = stripe_canceled,
};

/* --- settings --- */

static bool add_hooks(struct stripe *s, struct arena *a, struct str list)
{
    struct str part;

    while (list.n > 0 && str_split(&list, ',', &part)) {
        part = str_trim(part);
        if (part.n == 0 || s->n_hooks == STRIPE_HOOKS_MAX)
            continue;
        part = arena_str(a, part);
        if (!part.p)
            return false;
        s->hooks[s->n_hooks++].bytes_ = part;
    }
    return true;
}

int stripe_new(const struct stripe_settings *settings, struct stripe **ret)
{
    struct arena *a;
    struct stripe *s;

    *ret = NULL;
    if (!settings->secret_key.n || !str_trim(settings->webhook_secrets).n)
        return 0;
    a = arena_new(KIB(64));
    s = a ? arena_new0(a, struct stripe) : NULL;
    if (!s || !add_hooks(s, a, settings->webhook_secrets)) {
        arena_free(a);
        return err_origin(-ENOMEM);
    }
    s->arena = a;
    s->key.bytes_ = arena_str(a, settings->secret_key);
    s->api_url = arena_str(a, settings->api_url);
    s->checkout_url = arena_str(a, settings->checkout_url);
    s->own_url = arena_str(a, settings->own_url);
    /* Another API than Stripe's own is the operator's choice, also within his network. */
    s->network = str_eq_c(s->api_url, "https://api.stripe.com") ? GUARD_PUBLIC : GUARD_PRIVATE;
    if (!s->n_hooks || !s->key.bytes_.p || !s->api_url.p || !s->checkout_url.p || !s->own_url.p) {
        bool none = !s->n_hooks;

        stripe_free(s);
        return none ? 0 : err_origin(-ENOMEM);
    }
    *ret = s;
    return 0;
}

static void wipe(struct secret *secret)
{
    if (secret->bytes_.p)
        secret_wipe((void *)(uintptr_t)secret->bytes_.p, secret->bytes_.n);
}

void stripe_free(struct stripe *s)
{
    if (!s)
        return;
    wipe(&s->key);
    for (size_t i = 0; i < s->n_hooks; i++)
        wipe(&s->hooks[i]);
    arena_free(s->arena);
}

bool stripe_is_test(const struct stripe *s)
{
    struct str key = s->key.bytes_;

    return str_starts(key, STR("sk_test_")) || str_starts(key, STR("rk_test_"));
}

struct str stripe_checkout_origin(const struct stripe *s)
{
    struct str url = s->checkout_url, host = url;

    host.p += str_starts(url, STR("https://")) ? 8 : 7;
    host.n -= (size_t)(host.p - url.p);
    ssize_t slash = str_find(host, '/');

    return slash < 0 ? url : str_n(url.p, (size_t)(host.p - url.p) + (size_t)slash);
}

struct str stripe_dashboard_url(struct arena *a, const struct stripe *s, struct str payment_id)
{
    if (!str_starts(payment_id, STR("pi_")))
        return STR_NONE;
    return arena_strf(a, "https://dashboard.stripe.com/%spayments/%.*s",
                      s && stripe_is_test(s) ? "test/" : "", STR_FMT(payment_id));
}

int stripe_check(const struct stripe *s, struct str header, struct str body, int64_t now_s)
{
    struct str secrets[STRIPE_HOOKS_MAX];

    for (size_t i = 0; i < s->n_hooks; i++)
        secrets[i] = s->hooks[i].bytes_;
    return stripe_signature_check(header, body, secrets, s->n_hooks, now_s);
}

/* --- the page --- */

struct paying {
    struct arena *a;
    struct team_id team;
    int64_t order_id;
    struct order order;
    struct stripe_row row;
    const char *fault; /* of the attempt; NULL: there is a page */
    bool next_attempt;
};

static const char *not_payable(const struct order *o)
{
    if (o->state == ORDER_PENDING)
        return "The payment for this top-up is on its way.";
    if (o->state != ORDER_CREATED)
        return "This top-up is closed. Make a new one.";
    return NULL;
}

static bool too_late(const struct order *o)
{
    return o->expires_at_us / 1000000 < clock_wall_us() / 1000000 + PAGE_LEAST_S;
}

static int open_tx(struct db *db, void *ctx)
{
    struct paying *t = ctx;
    int r = order_lock(db, t->a, t->order_id, &t->order);

    if (r == ORDER_E_NONE || (r == 0 && (t->order.team.v != t->team.v ||
                                         !str_eq_c(t->order.provider, payment_stripe.name))))
        return IDENTITY_E_NONE;
    if (r == 0)
        t->fault = not_payable(&t->order);
    if (r == 0 && !t->fault)
        r = stripe_row_open(db, t->a, &t->order, &t->row);
    if (r == 0 && !t->fault && !t->row.url.n && too_late(&t->order))
        t->fault = "There is too little time left for this top-up. Make a new one.";
    return r;
}

static int noted_tx(struct db *db, void *ctx)
{
    struct paying *t = ctx;

    return t->fault ? stripe_row_fault(db, &t->row, t->fault, t->next_attempt)
                    : stripe_row_page(db, &t->row, FIRST_ASK_S);
}

static int write_form(const struct stripe *s, struct arena *a, const struct order *o,
                      struct str *ret)
{
    struct str back = arena_strf(a, "%.*s/billing/orders/%lld", STR_FMT(s->own_url),
                                 (long long)o->id);
    struct stripe_session_wish wish = {.reference = o->reference,
                                       .return_url = back,
                                       .expires_at_s = o->expires_at_us / 1000000};
    struct buf form;
    int r;

    if (!back.p || !stripe_cents(o->amount, &wish.cents))
        return err_origin(back.p ? -EINVAL : -ENOMEM);
    buf_init(&form, FORM_BYTES);
    stripe_session_form(&wish, &form);
    *ret = arena_str(a, buf_str(&form));
    r = buf_finish(&form);
    buf_done(&form);
    return r == 0 && !ret->p ? err_origin(-ENOMEM) : r;
}

static struct str text_of(const struct json_object *o, const char *key)
{
    const struct json_object *v = json_get(o, key);

    return json_kind(v) == JSON_STRING ? json_text(v) : STR("");
}

/* The browser is sent nowhere but to Stripe's page. */
static bool is_page(const struct stripe *s, struct str url)
{
    return url.n <= URL_MAX && str_starts(url, s->checkout_url) && url.n > s->checkout_url.n &&
           url.p[s->checkout_url.n] == '/' && str_is_field(url);
}

static int ask_for_page(const struct stripe *s, struct arena *a, struct paying *t)
{
    struct stripe_ask ask = {.path = "/v1/checkout/sessions"};
    struct stripe_answer answer = {0};
    int r = write_form(s, a, &t->order, &ask.form);

    ask.key = arena_strf(a, "tollgate-%.*s-%d", STR_FMT(t->order.reference), t->row.attempt);
    if (r == 0 && !ask.key.p)
        r = err_origin(-ENOMEM);
    if (r == 0)
        r = stripe_api(s, a, &ask, &answer);
    if (r < 0)
        return err_trace(r);
    t->fault = answer.fault;
    t->next_attempt = answer.key_spent;
    if (r != STRIPE_API_OK)
        return 0;
    t->row.session_id = text_of(answer.json, "id");
    t->row.url = text_of(answer.json, "url");
    if (!t->row.session_id.n || t->row.session_id.n > SESSION_MAX || !is_page(s, t->row.url)) {
        t->fault = "Stripe’s answer names no payment page that is known here (STRIPE_CHECKOUT_URL).";
        t->next_attempt = true;
    }
    return 0;
}

int stripe_pay(const struct stripe *s, struct db *db, struct arena *a, struct team_id team,
               int64_t order_id, struct str *ret_url, struct identity_fault *fault)
{
    struct paying t = {.a = a, .team = team, .order_id = order_id};
    int r = identity_tx(db, DB_TEAM(team), "stripe_pay", open_tx, &t);

    if (r == 0 && !t.fault && !t.row.url.n) {
        r = ask_for_page(s, a, &t);
        if (r == 0)
            r = identity_tx(db, DB_TEAM(team), "stripe_page", noted_tx, &t);
    }
    if (r != 0)
        return r < 0 ? err_trace(r) : r;
    if (t.fault)
        return identity_fault_set(fault, "", t.fault);
    *ret_url = t.row.url;
    return 0;
}

int stripe_state(struct db *db, struct arena *a, const struct order *order,
                 struct stripe_state *ret)
{
    struct stripe_row row;
    int r = stripe_row_get(db, a, order->team, order->id, &row);

    if (r < 0)
        return err_trace(r);
    *ret = (struct stripe_state){
        .session_id = row.session_id,
        .fault = row.fault,
        .payable = !not_payable(order) && (row.url.n > 0 || !too_late(order)),
    };
    return 0;
}
