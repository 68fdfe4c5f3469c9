/* answer.c: the answers of request.h, on their way to libmicrohttpd.
 *
 * A plain answer is queued whole from the request's arena. A streaming one is pulled by
 * libmicrohttpd from the exchange's queue; when the queue is empty the connection is suspended, and
 * the next write resumes it. */
#include <errno.h>
#include <microhttpd.h>

#include "base/bounds.h"
#include "base/err.h"
#include "base/log.h"
#include "http/exchange.h"

enum {
    OLD_CLIENT_BLOCK_BYTES = 4096, /* per read for HTTP/1.0, which has no chunks */
    QUEUE_LOW_BYTES = BOUND_STREAM_QUEUE_BYTES / 4,
    PROBLEM_BYTES = MIB(2), /* an upstream's error body and ours */
};

static bool is_field_value(struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];

        if ((c < ' ' && c != '\t') || c == 0x7f)
            return false;
    }
    return true;
}

void response_header(struct response *r, const char *name, struct str value)
{
    for (const char *c = name; *c; c++)
        assert((*c >= 'a' && *c <= 'z') || (*c >= '0' && *c <= '9') || *c == '-');
    assert(r->header_count < ARRAY_LEN(r->headers));
    if (!is_field_value(value)) {
        log_warn("header_dropped", "name=%s value=%s", name, log_str(value));
        return;
    }
    r->headers[r->header_count++] = (struct http_header){name, value};
}

static bool has_header(const struct response *response, const char *name)
{
    for (size_t i = 0; i < response->header_count; i++)
        if (strcmp(response->headers[i].name, name) == 0)
            return true;
    return false;
}

static bool add_header(struct MHD_Response *m, const char *name, const char *value)
{
    return MHD_add_response_header(m, name, value) == MHD_YES;
}

static bool add_headers(struct exchange *x, const struct response *response, struct MHD_Response *m)
{
    struct arena *arena = x->request.arena;
    char id[CALL_ID_TEXT];
    bool ok = true;

    call_id_text(x->request.id, id);
    if (response->content_type)
        ok = add_header(m, "content-type", response->content_type);
    ok = ok && add_header(m, "x-tollgate-request-id", id);
    ok = ok && add_header(m, "x-content-type-options", "nosniff");
    if (!has_header(response, "cache-control"))
        ok = ok && add_header(m, "cache-control", "no-store");
    for (size_t i = 0; ok && i < response->header_count; i++) {
        const char *value = arena_cstr(arena, response->headers[i].value);

        ok = value && (!*value || add_header(m, response->headers[i].name, value));
    }
    if (x->close || x->request.listener->draining)
        ok = ok && add_header(m, "connection", "close");
    return ok;
}

/* Takes m over. A failure is the end of the connection: the client sees it closed. */
static void queue_answer(struct exchange *x, const struct response *response,
                         struct MHD_Response *m)
{
    bool ok = m && add_headers(x, response, m) &&
              MHD_queue_response(x->conn->mhd, (unsigned)response->status, m) == MHD_YES;

    if (m)
        MHD_destroy_response(m);
    if (ok) {
        conn_wake(x->conn);
        return;
    }
    (void)err_origin(-ENOMEM);
    x->broken = true;
    conn_cut(x->conn);
}

void request_reply(struct request *r, const struct response *response)
{
    struct exchange *x = exchange_of(r);
    struct MHD_Response *m;

    if (response->stream || !x->conn || x->broken)
        return;
    assert(x->state == EXCHANGE_HANDLING);
    assert(response->status >= 200);
    x->state = EXCHANGE_LEAVING;
    conn_enter(x->conn, CONN_WRITING);
    m = MHD_create_response_from_buffer(response->body.n, (void *)(uintptr_t)response->body.p,
                                        MHD_RESPMEM_PERSISTENT);
    queue_answer(x, response, m);
}

static bool is_under(struct str path, struct str root)
{
    return str_starts(path, root) && (path.n == root.n || path.p[root.n] == '/');
}

/* The format of the route's family; where there is no route, what the client seems to want. */
static enum problem_format format_of(const struct request *r)
{
    struct str accept = request_header(r, "accept");

    if (r->route)
        return r->route->problems;
    if (is_under(r->path, STR("/v1")) || is_under(r->path, STR("/api")))
        return PROBLEM_AS_OPENAI;
    if (r->listener->config.problem_page && accept.p &&
        memmem(accept.p, accept.n, "text/html", strlen("text/html")))
        return PROBLEM_AS_PAGE;
    return PROBLEM_AS_OPENAI;
}

static bool fill_json(struct request *r, const struct problem *p, enum problem_format format,
                      struct response *out)
{
    char id[CALL_ID_TEXT];
    struct buf json;

    call_id_text(r->id, id);
    buf_init(&json, PROBLEM_BYTES);
    problem_json(p, format, str_c(id), &json);
    if (!buf_finish(&json))
        out->body = arena_str(r->arena, buf_str(&json));
    buf_done(&json);
    out->content_type = "application/json";
    return out->body.p != NULL;
}

void request_fail(struct request *r, const struct problem *p)
{
    const char *allow = exchange_of(r)->allow;
    struct response response = {.status = problem_status(p)};
    const struct listener_config *config;
    enum problem_format format;

    if (!exchange_of(r)->conn) /* the listener may be gone too */
        return;
    config = &r->listener->config;
    format = format_of(r);
    if (format == PROBLEM_AS_PAGE && config->problem_page)
        config->problem_page(r, p, &response, config->ctx);
    else if (!fill_json(r, p, format == PROBLEM_AS_PAGE ? PROBLEM_AS_OPENAI : format, &response))
        response.status = 500;
    if (p->retry_after_s > 0)
        response_header(&response, "retry-after", arena_strf(r->arena, "%d", p->retry_after_s));
    if (p->code == PROBLEM_BAD_METHOD && allow)
        response_header(&response, "allow", str_c(allow));
    request_reply(r, &response);
}

static ssize_t pull(void *cls, uint64_t pos, char *out, size_t max)
{
    (void)pos;
    return exchange_read_queue(cls, out, max);
}

int request_stream_begin(struct request *r, const struct response *head)
{
    struct exchange *x = exchange_of(r);
    struct MHD_Response *m;

    if (!x->conn || x->broken)
        return STREAM_E_GONE;
    assert(x->state == EXCHANGE_HANDLING);
    x->state = EXCHANGE_STREAMING;
    buf_init(&x->queue, BOUND_UPSTREAM_REPLY_BYTES);
    m = MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, OLD_CLIENT_BLOCK_BYTES, pull, x, NULL);
    queue_answer(x, head, m);
    return x->broken ? STREAM_E_GONE : STREAM_OK;
}

static size_t waiting_bytes(const struct exchange *x)
{
    return x->queue.n - x->queue_at;
}

int request_stream_write(struct request *r, struct str bytes)
{
    struct exchange *x = exchange_of(r);

    if (x->state != EXCHANGE_STREAMING || x->broken)
        return STREAM_E_GONE;
    if (!bytes.n)
        return x->full ? STREAM_E_FULL : STREAM_OK;
    if (!waiting_bytes(x))
        conn_enter(x->conn, CONN_WRITING);
    buf_put_str(&x->queue, bytes);
    if (buf_finish(&x->queue) < 0) {
        exchange_gone(x);
        return STREAM_E_GONE;
    }
    conn_wake(x->conn);
    x->full = waiting_bytes(x) > BOUND_STREAM_QUEUE_BYTES;
    return x->full ? STREAM_E_FULL : STREAM_OK;
}

void request_stream_on_drained(struct request *r, void (*drained)(struct request *))
{
    exchange_of(r)->drained = drained;
}

void request_stream_end(struct request *r)
{
    struct exchange *x = exchange_of(r);

    if (x->state != EXCHANGE_STREAMING)
        return;
    x->state = EXCHANGE_LEAVING;
    conn_enter(x->conn, CONN_WRITING);
    conn_wake(x->conn);
}

void request_stream_abort(struct request *r)
{
    struct exchange *x = exchange_of(r);

    x->broken = true;
    request_stream_end(r);
}

/* Gives the memory of what was sent back, without moving much. */
static void shrink_queue(struct exchange *x)
{
    if (waiting_bytes(x) && x->queue_at < BOUND_STREAM_QUEUE_BYTES)
        return;
    buf_consume(&x->queue, x->queue_at);
    x->queue_at = 0;
}

ssize_t exchange_read_queue(struct exchange *x, char *out, size_t max)
{
    size_t n = MIN(waiting_bytes(x), max);

    if (n) {
        memcpy(out, x->queue.p + x->queue_at, n);
        x->queue_at += n;
        shrink_queue(x);
        if (x->full && waiting_bytes(x) <= QUEUE_LOW_BYTES && !list_linked(&x->drained_link))
            list_add_tail(&x->request.listener->drained, &x->drained_link);
        return (ssize_t)n;
    }
    if (x->broken)
        return MHD_CONTENT_READER_END_WITH_ERROR;
    if (x->state != EXCHANGE_STREAMING)
        return MHD_CONTENT_READER_END_OF_STREAM;
    conn_enter(x->conn, CONN_WORKING);
    conn_suspend(x->conn);
    return 0;
}

void exchange_run_drained(struct listener *l)
{
    while (!list_empty(&l->drained)) {
        struct exchange *x = container_of(l->drained.next, struct exchange, drained_link);

        list_del(&x->drained_link);
        x->full = false;
        if (x->state == EXCHANGE_STREAMING && x->drained)
            x->drained(&x->request);
    }
}
