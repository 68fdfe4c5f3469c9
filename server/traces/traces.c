/* traces.c: see traces.h. */
#include "traces/traces.h"

#include <errno.h>
#include <pthread.h>
#include <time.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "base/money.h"
#include "fetch/fetch.h"
#include "traces/header_list.h"
#include "traces/span.h"

#define EVERY_MS 2000
/* With so many bytes a batch is sent at once. */
#define BATCH_BYTES KIB(512)
#define PATIENCE_MS 5000
#define LAST_PATIENCE_MS 2000
/* A collector that is away is asked again after 1, 2, 4 ... of these. */
#define AGAIN_MS 1000
#define AGAIN_DOUBLED_MAX 5
#define ANSWER_BYTES KIB(64)
#define SETTINGS_BYTES KIB(64)

struct batch {
    struct buf spans; /* separated by commas */
    uint64_t calls;
};

struct traces {
    struct arena *a; /* of the settings */
    const char *url;
    struct header_list headers;
    struct str service, version, node;
    uint32_t kept; /* millionths */
    pthread_t thread;
    pthread_mutex_t lock; /* of what stands below it */
    pthread_cond_t wake;
    struct batch waiting;
    bool stop;
    struct traces_view counted;
};

/* --- settings --- */

static struct str without_slashes(struct str url)
{
    while (url.n && url.p[url.n - 1] == '/')
        url.n--;
    return url;
}

static bool read_kept(struct str text, uint32_t *ret)
{
    int64_t millionths;

    if (money_parse_scaled(text, 6, &millionths) != MONEY_OK || millionths < 0 || millionths > 1000000)
        return false;
    *ret = (uint32_t)millionths;
    return true;
}

const char *traces_wrong(const struct traces_config *c)
{
    struct arena *a = arena_new(SETTINGS_BYTES);
    struct header_list headers;
    const char *wrong = NULL;
    uint32_t kept;

    if (guard_url(GUARD_PRIVATE, without_slashes(c->endpoint)) != GUARD_OK)
        wrong = "OTEL_EXPORTER_OTLP_ENDPOINT: use the URL of a collector, as http://collector:4318";
    else if (!read_kept(c->kept, &kept))
        wrong = "OTEL_TRACES_SAMPLER_ARG: use a number from 0 to 1";
    else if (a && header_list_read(a, c->headers, &headers))
        wrong = "OTEL_EXPORTER_OTLP_HEADERS: use name=value, separated by commas, at most 15";
    arena_free(a);
    return wrong;
}

static int read_settings(struct traces *t, const struct traces_config *c)
{
    if (traces_wrong(c) || !read_kept(c->kept, &t->kept) ||
        header_list_read(t->a, c->headers, &t->headers))
        return err_origin(-EINVAL);
    t->url = arena_strf(t->a, "%.*s/v1/traces", STR_FMT(without_slashes(c->endpoint))).p;
    t->service = arena_str(t->a, c->service);
    t->version = arena_str(t->a, c->version);
    t->node = arena_str(t->a, c->node);
    return t->url ? 0 : err_origin(-ENOMEM);
}

/* --- sending --- */

enum sent { SENT, SENT_NEVER, SENT_LATER };

static enum sent judge(int r, enum fetch_fault fault, int status)
{
    if (r != 0)
        return SENT_NEVER; /* the URL or a header is no good for a request */
    if (fault != FETCH_DONE || status == 429 || (status >= 502 && status <= 504))
        return SENT_LATER;
    return status / 100 == 2 ? SENT : SENT_NEVER;
}

static enum sent post(struct traces *t, struct str body, int patience_ms)
{
    struct fetch_request request = {.method = "POST",
                                    .url = t->url,
                                    .headers = t->headers.v,
                                    .header_count = t->headers.n,
                                    .body = body,
                                    .network = GUARD_PRIVATE,
                                    .connect_timeout_ms = patience_ms,
                                    .total_timeout_ms = patience_ms,
                                    .reply_max = ANSWER_BYTES};
    enum fetch_fault fault = FETCH_DONE;
    struct buf answer;
    enum sent sent;
    int status = 0, r;

    buf_init(&answer, ANSWER_BYTES);
    r = fetch_blocking(&request, &status, &answer, &fault);
    buf_done(&answer);
    sent = judge(r, fault, status);
    if (sent != SENT)
        log_warn("traces_not_sent", "status=%d fault=%s again=%d", status, fetch_fault_name(fault),
                 sent == SENT_LATER);
    return sent;
}

/* Under the lock: until then, or until something has changed. */
static void doze(struct traces *t, int64_t until_ms)
{
    struct timespec until = {.tv_sec = until_ms / 1000, .tv_nsec = until_ms % 1000 * 1000000};

    (void)pthread_cond_clockwait(&t->wake, &t->lock, CLOCK_MONOTONIC, &until);
}

/* Until there is a batch, or there has been something for a while. True: it is to stop. */
static bool wait_for_some(struct traces *t)
{
    int64_t until_ms;
    bool stop;

    pthread_mutex_lock(&t->lock);
    while (!t->stop && !t->waiting.calls)
        (void)pthread_cond_wait(&t->wake, &t->lock);
    until_ms = clock_mono_ms() + EVERY_MS;
    while (!t->stop && clock_mono_ms() < until_ms && t->waiting.spans.n < BATCH_BYTES)
        doze(t, until_ms);
    stop = t->stop;
    pthread_mutex_unlock(&t->lock);
    return stop;
}

static bool wait_again(struct traces *t, int64_t ms)
{
    int64_t until_ms = clock_mono_ms() + ms;
    bool stop;

    pthread_mutex_lock(&t->lock);
    while (!t->stop && clock_mono_ms() < until_ms)
        doze(t, until_ms);
    stop = t->stop;
    pthread_mutex_unlock(&t->lock);
    return stop;
}

static void take(struct traces *t, struct batch *ret)
{
    pthread_mutex_lock(&t->lock);
    *ret = t->waiting;
    buf_init(&t->waiting.spans, TRACES_WAITING_BYTES);
    t->waiting.calls = 0;
    pthread_mutex_unlock(&t->lock);
}

static void count(struct traces *t, uint64_t calls, bool sent)
{
    pthread_mutex_lock(&t->lock);
    *(sent ? &t->counted.sent : &t->counted.dropped) += calls;
    pthread_mutex_unlock(&t->lock);
}

/* The batch until it is taken, refused, or the node ends. */
static void deliver(struct traces *t, struct str body, uint64_t calls, bool last)
{
    enum sent sent = post(t, body, last ? LAST_PATIENCE_MS : PATIENCE_MS);

    for (unsigned doubled = 0; sent == SENT_LATER && !last; doubled += doubled < AGAIN_DOUBLED_MAX)
        if (!(last = wait_again(t, (int64_t)AGAIN_MS << doubled)))
            sent = post(t, body, PATIENCE_MS);
    count(t, calls, sent == SENT);
}

static void send_waiting(struct traces *t, bool last)
{
    struct batch batch;
    struct buf body;

    take(t, &batch);
    if (batch.calls) {
        buf_init(&body, TRACES_WAITING_BYTES + KIB(8));
        span_write_head(&body, t->service, t->version, t->node);
        buf_put_str(&body, buf_str(&batch.spans));
        span_write_tail(&body);
        if (buf_finish(&body) == 0)
            deliver(t, buf_str(&body), batch.calls, last);
        else
            count(t, batch.calls, false);
        buf_done(&body);
    }
    buf_done(&batch.spans);
}

static void *work(void *arg)
{
    struct traces *t = arg;
    bool stop = false;

    while (!stop) {
        stop = wait_for_some(t);
        send_waiting(t, stop);
    }
    return NULL;
}

/* --- life --- */

static void let_go(struct traces *t)
{
    buf_done(&t->waiting.spans);
    pthread_cond_destroy(&t->wake);
    pthread_mutex_destroy(&t->lock);
    arena_free(t->a);
    free(t);
}

int traces_new(const struct traces_config *config, struct traces **ret)
{
    struct traces *t = calloc(1, sizeof(*t));
    int r;

    if (!t)
        return err_origin(-ENOMEM);
    pthread_mutex_init(&t->lock, NULL);
    pthread_cond_init(&t->wake, NULL);
    buf_init(&t->waiting.spans, TRACES_WAITING_BYTES);
    t->a = arena_new(SETTINGS_BYTES);
    r = t->a ? read_settings(t, config) : err_origin(-ENOMEM);
    if (!r)
        r = -pthread_create(&t->thread, NULL, work, t);
    if (r) {
        let_go(t);
        return r;
    }
    (void)pthread_setname_np(t->thread, "traces");
    *ret = t;
    return 0;
}

void traces_free(struct traces *t)
{
    if (!t)
        return;
    pthread_mutex_lock(&t->lock);
    t->stop = true;
    pthread_cond_signal(&t->wake);
    pthread_mutex_unlock(&t->lock);
    (void)pthread_join(t->thread, NULL);
    let_go(t);
}

void traces_note(struct traces *t, struct str traceparent, const struct call_record *r)
{
    struct trace_context context;
    struct buf one;
    bool first;

    trace_context_read(traceparent, r->call_id, &context);
    if (!trace_context_kept(&context, r->call_id, t->kept))
        return;
    buf_init(&one, SPAN_CALL_BYTES);
    span_write(&one, &context, r);
    pthread_mutex_lock(&t->lock);
    first = !t->waiting.calls;
    if (buf_finish(&one) == 0 && t->waiting.spans.n + one.n + 1 <= TRACES_WAITING_BYTES) {
        if (!first)
            buf_putc(&t->waiting.spans, ',');
        buf_put_str(&t->waiting.spans, buf_str(&one));
        t->waiting.calls++;
    } else {
        t->counted.dropped++;
    }
    if (first || t->waiting.spans.n >= BATCH_BYTES)
        pthread_cond_signal(&t->wake);
    pthread_mutex_unlock(&t->lock);
    buf_done(&one);
}

void traces_read(struct traces *t, struct traces_view *ret)
{
    pthread_mutex_lock(&t->lock);
    *ret = t->counted;
    ret->waiting = t->waiting.spans.n;
    pthread_mutex_unlock(&t->lock);
}
