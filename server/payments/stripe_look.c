/* stripe_look.c: asking Stripe what became of orders whose events may not have come, and closing the pages
 * of those that were canceled.
 *
 * What it answers is applied as an event would be. A page is asked after until it is paid, expired or has
 * failed; once it is paid, also for refunds and disputes, which may have been told before the payment. */
#include <errno.h>

#include "base/err.h"
#include "json/value.h"
#include "payments/stripe_api.h"
#include "payments/stripe_event.h"

/* At a time; whatever else the thread does waits so long. */
#define LOOK_MAX 5

struct looking {
    const struct stripe *s;
    struct db *db;
    struct arena *a;
    struct stripe_rows rows;
    const struct stripe_row *row;
    struct stripe_unbooked *unbooked;
    const char *away;
    bool settled;
};

static int claim_tx(struct db *db, void *ctx)
{
    struct looking *t = ctx;

    return stripe_row_claim(db, t->a, LOOK_MAX, &t->rows);
}

static int settled_tx(struct db *db, void *ctx)
{
    const struct looking *t = ctx;

    return stripe_row_settled(db, t->row->team, t->row->order_id);
}

/* *ret NULL: no answer that can be used; t->away says why, or the thing is not there any more. */
static int get(struct looking *t, struct str path, struct json_object **ret)
{
    struct stripe_answer answer = {0};
    int r;

    *ret = NULL;
    if (!path.p)
        return err_origin(-ENOMEM);
    r = stripe_api(t->s, t->a, &(struct stripe_ask){.path = path.p}, &answer);
    if (r < 0)
        return err_trace(r);
    if (r == STRIPE_API_OK)
        *ret = answer.json;
    else if (answer.status == 404)
        t->settled = true;
    else
        t->away = answer.fault;
    return 0;
}

typedef int reader(struct arena *a, const struct json_object *o, struct stripe_event *ret);

/* Each refund, or dispute, of a payment: a hundred at most, of which each is part of the payment. */
static int apply_list(struct looking *t, const char *what, struct str payment_id, reader *read)
{
    struct json_object *list, *data;
    int r = get(t, arena_strf(t->a, "/v1/%s?limit=100&payment_intent=%.*s", what, STR_FMT(payment_id)),
                &list);

    data = json_get(list, "data");
    for (size_t i = 0; r == 0 && i < json_length(data); i++) {
        struct stripe_event e;

        r = read(t->a, json_at(data, i), &e);
        if (r == 0)
            r = stripe_apply(t->db, t->a, &e, t->unbooked);
        if (r > 0)
            r = 0;
    }
    return r;
}

struct reviewing {
    struct looking *t;
    struct str payment_id;
    bool in_review;
};

static int review_tx(struct db *db, void *ctx)
{
    struct reviewing *v = ctx;
    struct payment p;
    int r = payment_find(db, v->t->a, STR("stripe"), v->payment_id, &p);

    v->in_review = r == 0 && str_eq_c(p.state, "review");
    return r;
}

static int look_back(struct looking *t, struct str payment_id)
{
    struct reviewing v = {t, payment_id, false};
    int r = identity_tx(t->db, DB_OPERATOR, "stripe_find", review_tx, &v);

    if (r == 0 && str_starts(payment_id, STR("pi_"))) {
        r = apply_list(t, "refunds", payment_id, stripe_refund_read);
        if (r == 0 && !t->away)
            r = apply_list(t, "disputes", payment_id, stripe_dispute_read);
    }
    t->settled = r >= 0 && !t->away && !v.in_review;
    return r < 0 ? err_trace(r) : 0;
}

/* So that nobody pays there any more. Who has paid since it was looked at goes before: Stripe refuses
 * then, and what became of it is told, or asked for later. */
static int close_page(struct looking *t)
{
    struct str path = arena_strf(t->a, "/v1/checkout/sessions/%.*s/expire", STR_FMT(t->row->session_id));
    const struct stripe_ask ask = {.path = path.p, .form = STR("")};
    struct stripe_answer answer = {0};
    struct stripe_event e;
    int r = path.p ? stripe_api(t->s, t->a, &ask, &answer) : err_origin(-ENOMEM);

    if (r == STRIPE_API_E_UNKNOWN)
        t->away = answer.fault;
    if (r != STRIPE_API_OK)
        return r < 0 ? err_trace(r) : 0;
    r = stripe_session_read(t->a, answer.json, &e);
    if (r != STRIPE_EVENT_OK)
        return r < 0 ? err_trace(r) : 0;
    r = stripe_apply(t->db, t->a, &e, t->unbooked);
    t->settled = r >= 0 && !e.open;
    return r < 0 ? err_trace(r) : 0;
}

static int look_at(struct looking *t)
{
    struct stripe_event e;
    struct json_object *session;
    int r = get(t, arena_strf(t->a, "/v1/checkout/sessions/%.*s?expand%%5B%%5D=payment_intent",
                              STR_FMT(t->row->session_id)),
                &session);

    if (r < 0 || !session)
        return r;
    r = stripe_session_read(t->a, session, &e);
    if (r == STRIPE_EVENT_E_MALFORMED) {
        t->away = "Stripe’s answer is not a Checkout Session.";
        return 0;
    }
    if (r == 0)
        r = stripe_apply(t->db, t->a, &e, t->unbooked);
    if (r < 0)
        return err_trace(r);
    if (e.what == STRIPE_PAID)
        return look_back(t, e.payment_id);
    if (e.open && t->row->canceled)
        return close_page(t);
    t->settled = e.what != STRIPE_PENDING && !e.open;
    return 0;
}

int stripe_look(const struct stripe *s, struct db *db, struct arena *a, const char **ret_away,
                struct stripe_unbooked *unbooked)
{
    struct looking t = {.s = s, .db = db, .a = a, .unbooked = unbooked};
    int r = identity_tx(db, DB_SYSTEM, "stripe_claim", claim_tx, &t);

    for (size_t i = 0; r == 0 && i < t.rows.n && !t.away; i++) {
        t.row = &t.rows.v[i];
        t.settled = false;
        r = look_at(&t);
        if (r == 0 && t.settled)
            r = identity_tx(db, DB_SYSTEM, "stripe_settled", settled_tx, &t);
    }
    *ret_away = t.away;
    return r < 0 ? err_trace(r) : 0;
}
