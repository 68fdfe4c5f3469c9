/* plain.c: the same listener and the same fetcher as the gateway's, and nothing between them: a POST
 * goes to the upstream as it came, and its answer to the client. What a call costs beyond this is what
 * Tollgate's features cost; what this costs beyond nginx is the price of the libraries.
 *
 *   bench-plain UPSTREAM       a base URL; prints the port it has taken, then serves until it is ended */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>

#include "base/bounds.h"
#include "base/heap.h"
#include "base/log.h"
#include "fetch/fetch.h"
#include "http/listener.h"

struct forward {
    struct request *r;
    struct fetch *fetch;
    struct response response;
    struct buf got;
    bool stream, begun, full;
};

static struct fetcher *fetcher;
static const char *upstream;

static void on_head(struct fetch *fetch, const struct fetch_head *head, void *ctx)
{
    struct forward *f = ctx;

    (void)fetch;
    f->response.status = head->status;
    f->response.content_type = arena_cstr(f->r->arena, head->content_type);
    f->stream = str_starts(head->content_type, STR("text/event-stream"));
}

static bool on_chunk(struct fetch *fetch, struct str bytes, void *ctx)
{
    struct forward *f = ctx;

    (void)fetch;
    if (!f->stream) {
        buf_put_str(&f->got, bytes);
        return true;
    }
    if (!f->begun && request_stream_begin(f->r, &f->response) == STREAM_OK)
        f->begun = true;
    f->full = request_stream_write(f->r, bytes) == STREAM_E_FULL;
    return !f->full;
}

static void release(void *forward)
{
    struct forward *f = forward;
    struct request *r = f->r;

    buf_done(&f->got);
    request_release(r);
}

static void on_done(struct fetch *fetch, enum fetch_fault fault, void *ctx)
{
    struct forward *f = ctx;

    (void)fetch;
    f->fetch = NULL;
    if (f->begun) {
        request_stream_end(f->r);
    } else {
        f->response.body = arena_str(f->r->arena, buf_str(&f->got));
        f->response.status = fault == FETCH_DONE ? f->response.status : 502;
        request_reply(f->r, &f->response);
    }
    loop_free_later(f->r->loop, release, f);
}

static void on_gone(struct request *r)
{
    struct forward *f = r->user;

    if (!f->fetch)
        return;
    fetch_cancel(f->fetch);
    loop_free_later(r->loop, release, f);
}

static void on_drained(struct request *r)
{
    struct forward *f = r->user;

    if (f->fetch)
        fetch_resume(f->fetch);
}

static void forward(struct request *r)
{
    static const struct fetch_callbacks callbacks = {on_head, on_chunk, on_done};
    const struct fetch_header headers[] = {{"content-type", STR("application/json")},
                                           {"authorization", STR("Bearer sk-upstream")}};
    struct forward *f = arena_new0(r->arena, struct forward);
    const char *url = arena_strf(r->arena, "%s%.*s", upstream, STR_FMT(r->path)).p;
    struct fetch_request request = {.method = "POST", .url = url, .headers = headers,
                                    .header_count = ARRAY_LEN(headers), .body = r->body,
                                    .network = GUARD_PRIVATE, .connect_timeout_ms = 10000,
                                    .first_byte_timeout_ms = 60000, .idle_timeout_ms = 180000,
                                    .total_timeout_ms = 1800000,
                                    .reply_max = BOUND_UPSTREAM_REPLY_BYTES};
    struct problem busy = problem_of(PROBLEM_BUSY);

    if (!f || !url) {
        request_fail(r, &busy);
        return;
    }
    f->r = r;
    buf_init(&f->got, BOUND_UPSTREAM_REPLY_BYTES);
    r->user = f;
    r->gone = on_gone;
    request_stream_on_drained(r, on_drained);
    if (fetch_start(fetcher, &request, &callbacks, f, &f->fetch)) {
        request_fail(r, &busy);
        return;
    }
    request_hold(r);
}

static const struct route routes[] = {
    {HTTP_POST, "/{any*}", AUTH_NONE, BOUND_LLM_BODY_BYTES, RUNS_ON_LOOP, PROBLEM_AS_OPENAI, forward},
};

int main(int argc, char **argv)
{
    struct router *router = NULL;
    struct listener *listener = NULL;
    struct loop *loop = loop_new("loop");
    struct listener_config config = {.loop = loop, .address = "127.0.0.1", .max_connections = 10000,
                                     .max_per_address = 10000, .head_timeout_ms = 10000,
                                     .body_timeout_ms = 30000, .idle_timeout_ms = 120000,
                                     .write_timeout_ms = 30000};
    struct rlimit files;

    if (argc != 2) {
        fprintf(stderr, "usage: bench-plain UPSTREAM\n");
        return 2;
    }
    upstream = argv[1];
    heap_keep_pages();
    (void)signal(SIGPIPE, SIG_IGN);
    (void)getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &files);
    if (!loop || router_new(routes, ARRAY_LEN(routes), &router) || fetcher_new(loop, &fetcher))
        return 1;
    config.router = router;
    if (listener_new(&config, &listener))
        return 1;
    printf("%u\n", listener_port(listener));
    fflush(stdout);
    return loop_run(loop) ? 1 : 0; /* ended by a signal */
}
