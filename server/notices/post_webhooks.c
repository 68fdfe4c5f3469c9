/* post_webhooks.c: what waits for webhooks, many at once on a loop that runs for as long as there is
 * something to send. One message to each receiver: one that hangs holds up nobody but itself. */
#include "notices/post_inside.h"

#include <errno.h>
#include <pthread.h>

#include "base/bounds.h"
#include "base/err.h"
#include "notices/webhook.h"

/* A message, its sealed form, and what a try needs. */
#define DELIVERY_BYTES MIB(1)
/* So many receivers that hang are waited for at once; beyond them others wait, 10 s at most. */
#define AT_ONCE_MAX 32
/* While some are waited for, others are looked for this often. */
#define LOOK_MS 500

struct delivery {
    struct round *round; /* NULL: free */
    struct arena *a;
    struct outbox_taken taken;
    struct webhook_try try;
    struct fetch *fetch;
    int status;
};

struct round {
    struct post *post;
    struct db *db;
    struct loop *loop;
    struct fetcher *fetcher;
    struct loop_timer look;
    struct delivery deliveries[AT_ONCE_MAX];
    size_t under_way;
    int failed; /* what ended it before its time */
};

static void end_round(struct round *r, int failed)
{
    if (failed < 0 && !r->failed)
        r->failed = failed;
    loop_stop(r->loop);
}

static void let_go(struct delivery *d)
{
    d->round->under_way--;
    arena_free(d->a);
    *d = (struct delivery){0};
}

static int came_of_it(struct delivery *d, int outcome, struct str said)
{
    struct db *db = d->round->db;

    if (outcome == WEBHOOK_OK)
        return outbox_sent(db, d->taken.id, said);
    if (outcome == WEBHOOK_E_NEVER)
        return post_give_up(db, &d->taken, said);
    return post_put_off(db, &d->taken, POST_WAIT_MOST_S, said);
}

static int take_more(struct round *r);

static void on_head(struct fetch *f, const struct fetch_head *head, void *ctx)
{
    struct delivery *d = ctx;

    (void)f;
    d->status = head->status;
}

/* Of the answer only the status is looked at. */
static bool on_chunk(struct fetch *f, struct str bytes, void *ctx)
{
    (void)f, (void)bytes, (void)ctx;
    return true;
}

static void on_done(struct fetch *f, enum fetch_fault fault, void *ctx)
{
    struct delivery *d = ctx;
    struct round *r = d->round;
    struct str said;
    int outcome = webhook_answered(d->a, d->status, fault, &said);
    int failed = came_of_it(d, outcome, said);

    (void)f;
    let_go(d);
    if (!failed)
        failed = take_more(r);
    if (failed || !r->under_way)
        end_round(r, failed);
}

/* The loop and the fetcher are made once there is something to send. */
static int ready(struct round *r)
{
    char name[16] = "webhooks"; /* the loop names its thread: let this one keep its own */

    if (r->loop)
        return 0;
    (void)pthread_getname_np(pthread_self(), name, sizeof(name));
    r->loop = loop_new(name);
    return r->loop ? fetcher_new(r->loop, &r->fetcher) : err_origin(-ENOMEM);
}

/* What cannot be asked at all is over with this; else it is under way. */
static int start(struct delivery *d)
{
    static const struct fetch_callbacks callbacks = {on_head, on_chunk, on_done};
    struct round *r = d->round;
    struct str said = STR(WEBHOOK_UNREACHABLE);
    int outcome = webhook_prepare(r->db, d->a, r->post->notices, &d->taken, &d->try, &said);

    if (outcome == WEBHOOK_OK)
        outcome = ready(r);
    if (outcome == 0)
        outcome = fetch_start(r->fetcher, &d->try.request, &callbacks, d, &d->fetch);
    if (outcome > 0)
        outcome = came_of_it(d, WEBHOOK_E_NEVER, said);
    else if (outcome == 0)
        return 0;
    let_go(d);
    return outcome;
}

static struct delivery *free_one(struct round *r)
{
    for (size_t i = 0; i < AT_ONCE_MAX; i++)
        if (!r->deliveries[i].round)
            return &r->deliveries[i];
    return NULL;
}

/* OUTBOX_E_NONE: nothing may be tried to anybody to whom nothing is on its way. */
static int take(struct round *r, struct delivery *d)
{
    struct str busy[AT_ONCE_MAX];
    struct outbox_wanted wanted = {.channel = OUTBOX_WEBHOOK, .busy = busy};
    int failed;

    for (size_t i = 0; i < AT_ONCE_MAX; i++)
        if (r->deliveries[i].round)
            busy[wanted.n_busy++] = r->deliveries[i].taken.recipient;
    *d = (struct delivery){.round = r, .a = arena_new(DELIVERY_BYTES)};
    r->under_way++;
    failed = d->a ? outbox_take(r->db, d->a, r->post->notices, &wanted, &d->taken)
                  : err_origin(-ENOMEM);
    if (!failed)
        return start(d);
    let_go(d);
    return failed == OUTBOX_E_FORGED ? 0 : failed;
}

static int take_more(struct round *r)
{
    struct delivery *d;
    int failed = 0;

    while (!failed && !r->post->stop(r->post->ctx) && (d = free_one(r)))
        failed = take(r, d);
    return failed == OUTBOX_E_NONE ? 0 : failed;
}

static void look(struct loop_timer *t)
{
    struct round *r = container_of(t, struct round, look);
    bool stop = r->post->stop(r->post->ctx);
    int failed = stop ? 0 : take_more(r);

    if (!failed && !stop && r->under_way)
        failed = loop_timer_set(r->loop, &r->look, loop_now_ms(r->loop) + LOOK_MS);
    if (failed || stop || !r->under_way)
        end_round(r, failed);
}

/* The node ends, or the database is away: another node sends it, or this one when it is back. */
static void cut(struct round *r)
{
    for (size_t i = 0; i < AT_ONCE_MAX; i++) {
        struct delivery *d = &r->deliveries[i];

        if (!d->round)
            continue;
        fetch_cancel(d->fetch);
        if (!r->failed)
            r->failed = outbox_put_off(r->db, d->taken.id, 0, STR("the node ended meanwhile"),
                                       &(bool){false});
        let_go(d);
    }
}

static int run(struct round *r)
{
    int failed = take_more(r);

    r->look.fired = look;
    if (!failed && r->under_way)
        failed = loop_timer_set(r->loop, &r->look, loop_now_ms(r->loop) + LOOK_MS);
    if (!failed && r->under_way)
        failed = loop_run(r->loop);
    if (failed && !r->failed)
        r->failed = failed;
    cut(r);
    return r->failed;
}

int post_webhooks(struct post *p, struct db *db)
{
    struct round *r = calloc(1, sizeof(*r));
    int failed;

    if (!r)
        return err_origin(-ENOMEM);
    r->post = p;
    r->db = db;
    failed = run(r);
    loop_timer_clear(&r->look);
    fetcher_free(r->fetcher);
    loop_free(r->loop);
    free(r);
    return failed;
}
