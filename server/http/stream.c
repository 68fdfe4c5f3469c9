/* stream.c: see stream.h.
 *
 * One message carries everything to the loop: whoever finds it not posted posts it. The loop takes
 * all that waits, unless the client's queue is full; then it takes again when that has drained. The
 * pipe is freed by the loop when it has seen the end. */
#include "http/stream.h"

#include <errno.h>
#include <pthread.h>

#include "base/bounds.h"
#include "base/err.h"
#include "http/exchange.h"

struct stream {
    struct loop_msg msg;
    struct request *request;
    struct response head;

    pthread_mutex_t lock;
    pthread_cond_t room;
    struct buf waiting; /* from here to `gone`: under the lock */
    bool posted, ended, complete;
    bool gone;

    bool begun, full, passing; /* the loop's */
    void (*gone_before)(struct request *);
};

static void stream_free(struct stream *s)
{
    struct request *r = s->request;

    r->gone = s->gone_before;
    exchange_of(r)->stream = NULL;
    buf_done(&s->waiting);
    (void)pthread_cond_destroy(&s->room);
    (void)pthread_mutex_destroy(&s->lock);
    free(s);
    request_release(r);
}

/* True when the worker has said all and no message is under way: nobody else will free the pipe. */
static bool mark_gone(struct stream *s)
{
    bool last;

    (void)pthread_mutex_lock(&s->lock);
    s->gone = true;
    buf_done(&s->waiting);
    last = s->ended && !s->posted;
    (void)pthread_cond_signal(&s->room);
    (void)pthread_mutex_unlock(&s->lock);
    return last;
}

static void on_gone(struct request *r)
{
    struct stream *s = exchange_of(r)->stream;
    void (*gone_before)(struct request *) = s->gone_before;

    s->full = false;
    if (mark_gone(s) && !s->passing)
        stream_free(s);
    if (gone_before)
        gone_before(r);
}

/* Hands what waits to the client. The end is seen by the last message or, when the client's queue
 * was full then, by the drain after it. */
static void pass_on(struct stream *s)
{
    struct buf taken;
    bool last, complete;
    int r;

    (void)pthread_mutex_lock(&s->lock);
    taken = s->waiting;
    buf_init(&s->waiting, s->waiting.max);
    last = s->ended && !s->posted;
    complete = s->complete;
    (void)pthread_cond_signal(&s->room);
    (void)pthread_mutex_unlock(&s->lock);

    s->passing = true;
    r = request_stream_write(s->request, buf_str(&taken));
    s->passing = false;
    buf_done(&taken);
    s->full = r == STREAM_E_FULL;
    if (r == STREAM_E_GONE)
        (void)mark_gone(s);
    if (!last)
        return;
    if (complete)
        request_stream_end(s->request);
    else
        request_stream_abort(s->request);
    stream_free(s);
}

static void on_drained(struct request *r)
{
    struct stream *s = exchange_of(r)->stream;

    s->full = false;
    pass_on(s);
}

static void begin(struct stream *s)
{
    struct request *r = s->request;

    s->begun = true;
    request_hold(r);
    exchange_of(r)->stream = s;
    s->gone_before = r->gone;
    r->gone = on_gone;
    request_stream_on_drained(r, on_drained);
    if (request_stream_begin(r, &s->head) == STREAM_E_GONE)
        (void)mark_gone(s);
}

static void on_message(struct loop_msg *m)
{
    struct stream *s = container_of(m, struct stream, msg);

    (void)pthread_mutex_lock(&s->lock);
    s->posted =
        false; /* only here: a message that is still in the loop's inbox must not be posted */
    (void)pthread_mutex_unlock(&s->lock);
    if (!s->begun)
        begin(s);
    if (!s->full)
        pass_on(s);
}

int stream_begin(struct request *r, const struct response *head, struct stream **ret)
{
    struct stream *s = calloc(1, sizeof(*s));

    if (!s)
        return err_origin(-ENOMEM);
    s->request = r;
    s->head = *head;
    s->head.stream = NULL;
    (void)pthread_mutex_init(&s->lock, NULL);
    (void)pthread_cond_init(&s->room, NULL);
    buf_init(&s->waiting, BOUND_STREAM_QUEUE_BYTES + BOUND_UPSTREAM_REPLY_BYTES);
    s->msg.fn = on_message;
    s->posted = true;
    loop_post(r->loop, &s->msg);
    *ret = s;
    return 0;
}

/* Under the lock: true when the caller must post. */
static bool claim_post(struct stream *s)
{
    bool mine = !s->posted;

    s->posted = true;
    return mine;
}

int stream_write(struct stream *s, struct str bytes)
{
    struct loop *loop = s->request->loop;
    bool post = false, gone;

    (void)pthread_mutex_lock(&s->lock);
    while (!s->gone && s->waiting.n > BOUND_STREAM_QUEUE_BYTES)
        (void)pthread_cond_wait(&s->room, &s->lock);
    if (!s->gone)
        buf_put_str(&s->waiting, bytes);
    gone = s->gone || buf_finish(&s->waiting) < 0;
    if (!gone)
        post = claim_post(s);
    (void)pthread_mutex_unlock(&s->lock);
    if (post)
        loop_post(loop, &s->msg);
    return gone ? STREAM_E_GONE : 0;
}

void stream_end(struct stream *s, bool complete)
{
    struct loop *loop = s->request->loop;
    bool post;

    (void)pthread_mutex_lock(&s->lock);
    s->ended = true;
    s->complete = complete && !buf_finish(&s->waiting);
    post = claim_post(s);
    (void)pthread_mutex_unlock(&s->lock);
    if (post)
        loop_post(loop, &s->msg); /* s may be freed from here on */
}
