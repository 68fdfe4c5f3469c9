/* stripe_event.c: see stripe_event.h. */
#include "payments/stripe_event.h"

#include <errno.h>

#include "base/err.h"
#include "json/value.h"
#include "payments/stripe_form.h"

#define ID_MAX 180  /* as the tables of payments take them */
#define NOTE_MAX 200

static struct str text_of(const struct json_object *o, const char *key)
{
    const struct json_object *v = json_get(o, key);

    return json_kind(v) == JSON_STRING ? json_text(v) : STR_NONE;
}

static bool says(const struct json_object *o, const char *key, const char *want)
{
    return str_eq_c(text_of(o, key), want);
}

/* An id that stands there, or within the object that it was expanded to. */
static struct str id_of(const struct json_object *o, const char *key)
{
    const struct json_object *v = json_get(o, key);

    return json_kind(v) == JSON_OBJECT ? text_of(v, "id") : text_of(o, key);
}

static bool is_id(struct str s)
{
    return s.n > 0 && s.n <= ID_MAX && !memchr(s.p, '\0', s.n);
}

static struct str cut(struct str s)
{
    size_t n = MIN(s.n, (size_t)NOTE_MAX);

    while (n > 0 && n < s.n && ((unsigned char)s.p[n] & 0xc0) == 0x80)
        n--;
    return str_n(s.p, n);
}

static int copy(struct arena *a, struct str *s)
{
    if (!s->p)
        return 0;
    *s = arena_str(a, *s);
    return s->p ? 0 : err_origin(-ENOMEM);
}

static int keep(struct arena *a, struct stripe_event *e)
{
    struct str *const texts[] = {&e->id,        &e->object_id, &e->payment_id,
                                 &e->reference, &e->note};
    int r = 0;

    for (size_t i = 0; r == 0 && i < ARRAY_LEN(texts); i++)
        r = copy(a, texts[i]);
    return r;
}

/* "usd" and cents as "USD" and nano-dollars; of another currency the figure only has to differ. */
static int read_amount(struct arena *a, const struct json_object *o, const char *key,
                       struct stripe_event *e)
{
    const struct json_object *cents = json_get(o, key);
    struct str currency = text_of(o, "currency");
    char upper[8];

    if (json_kind(cents) != JSON_INT || !stripe_money(json_i64(cents), &e->amount) ||
        e->amount.nano < 0 || currency.n != 3)
        return STRIPE_EVENT_E_MALFORMED;
    for (size_t i = 0; i < currency.n; i++) {
        char c = currency.p[i];

        upper[i] = c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
        if (upper[i] < 'A' || upper[i] > 'Z')
            return STRIPE_EVENT_E_MALFORMED;
    }
    e->currency = arena_str(a, str_n(upper, currency.n));
    return e->currency.p ? 0 : err_origin(-ENOMEM);
}

static struct str failure(const struct json_object *session)
{
    const struct json_object *intent = json_get(session, "payment_intent");
    struct str said = STR_NONE;

    if (json_kind(intent) == JSON_OBJECT)
        said = text_of(json_get(intent, "last_payment_error"), "message");
    return said.n ? cut(said) : STR("The payment did not go through.");
}

/* What a session says by itself. That a payment which takes days has failed is known of the payment only. */
static enum stripe_what session_state(const struct json_object *o)
{
    const struct json_object *intent = json_get(o, "payment_intent");

    if (says(o, "status", "expired"))
        return STRIPE_EXPIRED;
    if (!says(o, "status", "complete"))
        return STRIPE_NOTHING;
    if (!says(o, "payment_status", "unpaid"))
        return STRIPE_PAID;
    if (json_kind(intent) == JSON_OBJECT &&
        (says(intent, "status", "requires_payment_method") || says(intent, "status", "canceled")))
        return STRIPE_FAILED;
    return STRIPE_PENDING;
}

static int session_as(struct arena *a, const struct json_object *o, enum stripe_what what,
                      struct stripe_event *e)
{
    struct str intent = id_of(o, "payment_intent");
    int r;

    e->what = what;
    e->object_id = text_of(o, "id");
    e->payment_id = is_id(intent) ? intent : e->object_id;
    e->reference = text_of(json_get(o, "metadata"), STRIPE_ORDER_KEY);
    e->open = says(o, "status", "open");
    if (!is_id(e->object_id))
        return STRIPE_EVENT_E_MALFORMED;
    if (!is_id(e->reference)) {
        e->what = STRIPE_NOTHING;
        return 0;
    }
    r = read_amount(a, o, "amount_total", e);
    if (what == STRIPE_FAILED)
        e->note = failure(o);
    else if (what == STRIPE_EXPIRED)
        e->note = STR("Nothing was paid in time.");
    else if (what == STRIPE_PENDING)
        e->note = STR("The payment is on its way; with some banks that takes days.");
    return r;
}

static int refund_as(struct arena *a, const struct json_object *o, struct stripe_event *e)
{
    e->what = says(o, "status", "failed") || says(o, "status", "canceled") ? STRIPE_REFUND_FAILED
                                                                             : STRIPE_REFUND;
    e->object_id = text_of(o, "id");
    e->payment_id = id_of(o, "payment_intent");
    e->note = cut(text_of(o, e->what == STRIPE_REFUND ? "reason" : "failure_reason"));
    if (!is_id(e->object_id))
        return STRIPE_EVENT_E_MALFORMED;
    if (!is_id(e->payment_id))
        e->what = STRIPE_NOTHING;
    return read_amount(a, o, "amount", e);
}

/* Inquiries (warning_...) and disputes that were prevented take nothing. */
static enum stripe_what dispute_state(const struct json_object *o)
{
    struct str status = text_of(o, "status");

    if (str_starts(status, STR("warning_")) || str_eq_c(status, "prevented"))
        return STRIPE_NOTHING;
    return str_eq_c(status, "won") ? STRIPE_DISPUTE_BACK : STRIPE_DISPUTE;
}

static int dispute_as(struct arena *a, const struct json_object *o, enum stripe_what what,
                      struct stripe_event *e)
{
    e->what = what;
    e->object_id = text_of(o, "id");
    e->payment_id = id_of(o, "payment_intent");
    e->note = cut(text_of(o, "reason"));
    if (!is_id(e->object_id))
        return STRIPE_EVENT_E_MALFORMED;
    if (!is_id(e->payment_id))
        e->what = STRIPE_NOTHING;
    return read_amount(a, o, "amount", e);
}

/* --- events --- */

static int on_completed(struct arena *a, const struct json_object *o, struct stripe_event *e)
{
    return session_as(a, o, says(o, "payment_status", "unpaid") ? STRIPE_PENDING : STRIPE_PAID, e);
}

static int on_succeeded(struct arena *a, const struct json_object *o, struct stripe_event *e)
{
    return session_as(a, o, STRIPE_PAID, e);
}

static int on_failed(struct arena *a, const struct json_object *o, struct stripe_event *e)
{
    return session_as(a, o, STRIPE_FAILED, e);
}

static int on_expired(struct arena *a, const struct json_object *o, struct stripe_event *e)
{
    return session_as(a, o, STRIPE_EXPIRED, e);
}

static int on_charge_refunded(struct arena *a, const struct json_object *o, struct stripe_event *e)
{
    e->object_id = text_of(o, "id");
    e->payment_id = id_of(o, "payment_intent");
    e->what = is_id(e->payment_id) ? STRIPE_REFUNDED : STRIPE_NOTHING;
    return is_id(e->object_id) ? 0 : STRIPE_EVENT_E_MALFORMED;
}

/* The status decides, but for the two that say themselves where the money is. */
static int on_dispute(struct arena *a, const struct json_object *o, struct stripe_event *e)
{
    return dispute_as(a, o, dispute_state(o), e);
}

static int on_withdrawn(struct arena *a, const struct json_object *o, struct stripe_event *e)
{
    return dispute_as(a, o, STRIPE_DISPUTE, e);
}

static int on_reinstated(struct arena *a, const struct json_object *o, struct stripe_event *e)
{
    return dispute_as(a, o, STRIPE_DISPUTE_BACK, e);
}

static const struct {
    const char *type;
    int (*read)(struct arena *a, const struct json_object *o, struct stripe_event *e);
} types[] = {
    {"checkout.session.completed", on_completed},
    {"checkout.session.async_payment_succeeded", on_succeeded},
    {"checkout.session.async_payment_failed", on_failed},
    {"checkout.session.expired", on_expired},
    {"refund.created", refund_as},
    {"refund.updated", refund_as},
    {"refund.failed", refund_as},
    {"charge.refund.updated", refund_as}, /* as older versions of the API name it */
    {"charge.refunded", on_charge_refunded},
    {"charge.dispute.created", on_dispute},
    {"charge.dispute.closed", on_dispute},
    {"charge.dispute.funds_withdrawn", on_withdrawn},
    {"charge.dispute.funds_reinstated", on_reinstated},
};

static int event_as(struct arena *a, const struct json_object *o, struct stripe_event *e)
{
    const struct json_object *object = json_get(json_get(o, "data"), "object");
    struct str type = text_of(o, "type");

    e->id = text_of(o, "id");
    if (!is_id(e->id) || !type.n || !says(o, "object", "event") || json_kind(object) != JSON_OBJECT)
        return STRIPE_EVENT_E_MALFORMED;
    for (size_t i = 0; i < ARRAY_LEN(types); i++)
        if (str_eq_c(type, types[i].type))
            return types[i].read(a, object, e);
    return 0;
}

int stripe_event_read(struct arena *a, struct str body, struct stripe_event *ret)
{
    _cleanup_json_ struct json_object *o = NULL;
    struct stripe_event e = {.what = STRIPE_NOTHING};
    struct json_fault fault;
    int r = json_parse(body, &o, &fault);

    if (r == JSON_E_FAULT || (r == 0 && json_kind(o) != JSON_OBJECT))
        return STRIPE_EVENT_E_MALFORMED;
    if (r == 0)
        r = event_as(a, o, &e);
    if (r == 0)
        r = keep(a, &e);
    if (r == 0)
        *ret = e;
    return r < 0 ? err_trace(r) : r;
}

/* --- what the API returns --- */

/* "cs_1 paid": as one event of that name. */
static int name_it(struct arena *a, struct stripe_event *e, struct stripe_event *ret)
{
    static const char *const words[] = {
        [STRIPE_NOTHING] = "nothing",  [STRIPE_PAID] = "paid",
        [STRIPE_PENDING] = "pending",  [STRIPE_FAILED] = "failed",
        [STRIPE_EXPIRED] = "expired",  [STRIPE_REFUND] = "refund",
        [STRIPE_REFUNDED] = "refunds", [STRIPE_REFUND_FAILED] = "refund_failed",
        [STRIPE_DISPUTE] = "dispute",  [STRIPE_DISPUTE_BACK] = "dispute_back",
    };
    int r;

    e->id = arena_strf(a, "%.*s %s", STR_FMT(e->object_id), words[e->what]);
    r = e->id.p ? keep(a, e) : err_origin(-ENOMEM);
    if (r == 0)
        *ret = *e;
    return r;
}

int stripe_session_read(struct arena *a, const struct json_object *o, struct stripe_event *ret)
{
    struct stripe_event e = {.what = STRIPE_NOTHING};
    int r = session_as(a, o, session_state(o), &e);

    return r == 0 ? name_it(a, &e, ret) : r;
}

int stripe_refund_read(struct arena *a, const struct json_object *o, struct stripe_event *ret)
{
    struct stripe_event e = {.what = STRIPE_NOTHING};
    int r = refund_as(a, o, &e);

    return r == 0 ? name_it(a, &e, ret) : r;
}

int stripe_dispute_read(struct arena *a, const struct json_object *o, struct stripe_event *ret)
{
    struct stripe_event e = {.what = STRIPE_NOTHING};
    int r = dispute_as(a, o, dispute_state(o), &e);

    return r == 0 ? name_it(a, &e, ret) : r;
}
