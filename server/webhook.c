/* webhook.c: see webhook.h. */
#include "webhook.h"

#include <errno.h>

#include "base/bounds.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "db/tx.h"
#include "gateway/gateway.h"
#include "http/listener.h"
#include "logs/findings.h"
#include "payments/stripe.h"
#include "payments/stripe_signature.h"

#define WORK_BYTES MIB(4)  /* the event's tree and a few rows */
#define LOOK_BYTES MIB(16) /* a few sessions with a hundred refunds each */

struct work {
    struct job job;
    struct request *req;
    int outcome; /* of stripe_take(); < 0: it is to be sent again */
};

static void say(struct request *r, enum problem_code code, const char *message)
{
    struct problem p = problem_of(code);

    p.message = str_c(message);
    if (code == PROBLEM_BUSY)
        p.retry_after_s = 5;
    request_fail(r, &p);
}

static int report_tx(struct db *db, void *ctx)
{
    const struct stripe_unbooked *u = ctx;
    bool is_new;
    int r = 0;

    for (size_t i = 0; r == 0 && i < u->n; i++)
        r = finding_report(db, STR("what Stripe sent or took back is booked"), u->v[i].subject,
                           u->v[i].detail, &is_new);
    return r;
}

/* What has happened at Stripe and could not be booked becomes findings, once each. */
static int report(struct db *db, const struct stripe_unbooked *unbooked)
{
    if (!unbooked->n)
        return 0;
    log_error("stripe_not_booked", "subject=%s detail=%s", log_str(unbooked->v[0].subject),
              log_str(unbooked->v[0].detail));
    return db_fatal(db_tx(db, DB_SYSTEM, "stripe_unbooked", report_tx, (void *)(uintptr_t)unbooked));
}

static int take(struct db *db, struct arena *a, struct str body)
{
    struct stripe_unbooked unbooked = {.n = 0};
    int outcome = stripe_take(db, a, body, &unbooked);
    int r = report(db, &unbooked);

    return r < 0 ? r : outcome;
}

static void work_run(struct job *job, void *worker)
{
    struct work *w = container_of(job, struct work, job);
    struct arena *a = worker && db_ensure(worker) == DB_OK ? arena_new(WORK_BYTES) : NULL;

    w->outcome = a ? take(worker, a, w->req->body) : -1;
    arena_free(a);
    if (w->outcome < 0)
        log_warn("stripe_event_not_taken", "error=%d", w->outcome);
    else if (w->outcome == STRIPE_E_REVIEW)
        log_warn("stripe_payment_in_review", "request=%s", "see the operator's orders");
}

static void work_done(struct job *job)
{
    struct work *w = container_of(job, struct work, job);
    struct response taken = {.status = 200,
                             .content_type = "application/json",
                             .body = STR("{\"received\":true}\n")};

    if (w->outcome < 0)
        say(w->req, PROBLEM_BUSY, NULL);
    else if (w->outcome == STRIPE_E_MALFORMED)
        say(w->req, PROBLEM_BAD_REQUEST, "This is not an event as Stripe sends it.");
    else
        request_reply(w->req, &taken);
    request_release(w->req);
}

static void submit(struct request *r, struct jobs *lane)
{
    struct work *w = arena_new0(r->arena, struct work);

    if (!w) {
        say(r, PROBLEM_BUSY, NULL);
        return;
    }
    *w = (struct work){.job = {.reply_to = r->loop, .work = work_run, .done = work_done}, .req = r};
    request_hold(r);
    if (jobs_submit(lane, &w->job)) {
        say(r, PROBLEM_BUSY, NULL);
        request_release(r);
    }
}

void webhook_stripe(struct request *r)
{
    const struct gateway *g = listener_ctx(r->listener);
    const struct services *s = g->services;
    int outcome;

    if (!s->stripe) {
        say(r, PROBLEM_BUSY, "Payments by Stripe are not set up here.");
        return;
    }
    outcome = stripe_check(s->stripe, request_header(r, "stripe-signature"), r->body,
                           clock_wall_us() / 1000000);
    if (outcome < 0)
        say(r, PROBLEM_BUSY, NULL);
    else if (outcome == STRIPE_SIGNATURE_E_HEADER)
        say(r, PROBLEM_BAD_REQUEST, "The header Stripe-Signature is missing or malformed.");
    else if (outcome == STRIPE_SIGNATURE_E_TIME)
        say(r, PROBLEM_BAD_REQUEST, "The signature is too old, or the clocks differ.");
    else if (outcome == STRIPE_SIGNATURE_E_FORGED)
        say(r, PROBLEM_BAD_REQUEST, "The signature does not match the body.");
    else
        submit(r, s->pages);
}

int webhook_look(const struct services *services, struct db *db)
{
    _cleanup_(arena_freep) struct arena *a = NULL;
    struct stripe_unbooked unbooked = {.n = 0};
    const char *away = NULL;
    int r;

    if (!services->stripe)
        return 0;
    a = arena_new(LOOK_BYTES);
    if (!a)
        return err_origin(-ENOMEM);
    r = stripe_look(services->stripe, db, a, &away, &unbooked);
    if (away)
        log_warn("stripe_away", "reason=%s", away);
    return r == 0 ? report(db, &unbooked) : err_trace(r);
}
