/* blocking.c: a fetch for threads that may wait: a loop of its own that runs until it is done. */
#include <errno.h>
#include <pthread.h>

#include "base/buf.h"
#include "base/err.h"
#include "fetch/fetch.h"

struct blocking {
    struct loop *loop;
    struct buf *out;
    int status;
    enum fetch_fault fault;
};

static void on_head(struct fetch *f, const struct fetch_head *head, void *ctx)
{
    struct blocking *b = ctx;

    (void)f;
    b->status = head->status;
}

static bool on_chunk(struct fetch *f, struct str bytes, void *ctx)
{
    struct blocking *b = ctx;

    buf_put_str(b->out, bytes);
    if (buf_finish(b->out) < 0) {
        b->fault = FETCH_E_TOO_LARGE;
        fetch_cancel(f);
        loop_stop(b->loop);
    }
    return true;
}

static void on_done(struct fetch *f, enum fetch_fault fault, void *ctx)
{
    struct blocking *b = ctx;

    (void)f;
    b->fault = fault;
    loop_stop(b->loop);
}

static int run(struct blocking *b, struct fetcher *fetcher, const struct fetch_request *request)
{
    const struct fetch_callbacks callbacks = {on_head, on_chunk, on_done};
    struct fetch *fetch;
    int r = fetch_start(fetcher, request, &callbacks, b, &fetch);

    return r ? r : loop_run(b->loop);
}

int fetch_blocking(const struct fetch_request *request, int *ret_status, struct buf *out,
                   enum fetch_fault *ret_fault)
{
    struct blocking b = {.out = out};
    struct fetcher *fetcher = NULL;
    char name[16] = "fetch"; /* the loop names its thread: let the worker keep its own */
    int r;

    (void)pthread_getname_np(pthread_self(), name, sizeof(name));
    b.loop = loop_new(name);
    if (!b.loop)
        return err_origin(-ENOMEM);
    r = fetcher_new(b.loop, &fetcher);
    if (!r)
        r = run(&b, fetcher, request);
    fetcher_free(fetcher);
    loop_free(b.loop);
    if (r)
        return r < 0 ? err_trace(r) : r;
    *ret_status = b.status;
    *ret_fault = b.fault;
    return 0;
}
