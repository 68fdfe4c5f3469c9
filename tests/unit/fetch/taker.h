/* taker.h: who takes the answers in the tests of fetch: all at once, slowly, or not to the end. */
#pragma once

#include "fetch/asking.h"

struct take {
    struct fetch *fetch;
    int status, heads, dones, chunks;
    struct buf body;
    char headers[500];
    char type[50];
    enum fetch_fault fault;
    struct fetch_timing timing;
    int64_t began_ms, done_ms;
    enum { TAKE_ALL, TAKE_SLOWLY, TAKE_NONE, CANCEL_IN_HEAD, CANCEL_IN_CHUNK, CHAIN_IN_HEAD } how;
    struct loop_timer timer;
    struct take *next;
    struct take *then; /* begun when this one is done */
    const char *then_path;
};

static inline void on_head(struct fetch *f, const struct fetch_head *head, void *ctx);
static inline bool on_chunk(struct fetch *f, struct str bytes, void *ctx);
static inline void on_done(struct fetch *f, enum fetch_fault fault, void *ctx);
static const struct fetch_callbacks callbacks = {on_head, on_chunk, on_done};

static inline void start_take(struct take *t);

static inline void over(void)
{
    if (--waiting_for == 0)
        loop_stop(loop);
}

static inline void on_head(struct fetch *f, const struct fetch_head *head, void *ctx)
{
    struct take *t = ctx;

    t->heads++;
    t->status = head->status;
    (void)snprintf(t->type, sizeof(t->type), "%.*s", STR_FMT(head->content_type));
    for (size_t i = 0; i < head->header_count; i++) {
        size_t n = strlen(t->headers);

        (void)snprintf(t->headers + n, sizeof(t->headers) - n, "%s=%.*s|", head->headers[i].name,
                       STR_FMT(head->headers[i].value));
    }
    if (t->how == CHAIN_IN_HEAD) {
        assert_int_equal(fetch_start(fetcher, &request, &callbacks, t->next, &t->next->fetch), 0);
        waiting_for++;
    }
    if (t->how == CANCEL_IN_HEAD || t->how == CHAIN_IN_HEAD) {
        fetch_cancel(f);
        over();
    }
}

static inline void resume(struct loop_timer *timer)
{
    fetch_resume(container_of(timer, struct take, timer)->fetch);
}

static inline bool on_chunk(struct fetch *f, struct str bytes, void *ctx)
{
    struct take *t = ctx;

    t->chunks++;
    taken++;
    buf_put_str(&t->body, bytes);
    if (t->how == CANCEL_IN_CHUNK) {
        fetch_cancel(f);
        over();
    }
    if (t->how != TAKE_SLOWLY)
        return t->how != TAKE_NONE;
    t->timer.fired = resume;
    assert_int_equal(loop_timer_set(loop, &t->timer, loop_now_ms(loop) + 5), 0);
    return false;
}

static inline void on_done(struct fetch *f, enum fetch_fault fault, void *ctx)
{
    struct take *t = ctx;

    t->dones++;
    t->fault = fault;
    t->done_ms = now_ms();
    fetch_read_timing(f, &t->timing);
    loop_timer_clear(&t->timer);
    if (t->then) {
        ask(t->then_path);
        start_take(t->then);
    }
    over();
}

static inline void start_take(struct take *t)
{
    buf_init(&t->body, 16 << 20);
    t->began_ms = now_ms();
    assert_int_equal(fetch_start(fetcher, &request, &callbacks, t, &t->fetch), FETCH_START_OK);
    waiting_for++;
}

static inline struct take get(const char *path)
{
    struct take t = {0};

    make_loop();
    ask(path);
    start_take(&t);
    run_loop();
    end_loop();
    assert_int_equal(t.dones, 1);
    return t;
}
