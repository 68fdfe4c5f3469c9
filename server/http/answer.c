/* answer.c: the plain answers of request.h, on their way to libmicrohttpd: each is queued whole from
 * the request's arena. Streaming ones are in answer_stream.c. */
#include <errno.h>
#include <microhttpd.h>

#include "base/bounds.h"
#include "base/err.h"
#include "base/log.h"
#include "http/exchange.h"

enum {
    PROBLEM_BYTES = MIB(2), /* an upstream's error body and ours */
    SHORT_VALUE_BYTES = 256, /* of a header; longer ones are copied to the arena */
};

/* Sixteen bytes at a time; those at the end are looked at twice. */
static bool is_lower_name(struct str name)
{
    static const bool belongs[256] = {
        ['a' ... 'z'] = true, ['0' ... '9'] = true, ['-'] = true};
    typedef unsigned char lanes __attribute__((vector_size(16)));
    typedef uint64_t words __attribute__((vector_size(16)));
    size_t i = 0;

    while (name.n >= sizeof(lanes) && i < name.n) {
        size_t at = MIN(i, name.n - sizeof(lanes));
        lanes v;
        words bad;

        memcpy(&v, name.p + at, sizeof(v));
        bad = (words) ~(((v >= 'a') & (v <= 'z')) | ((v >= '0') & (v <= '9')) | (v == '-'));
        if (bad[0] | bad[1])
            return false;
        i = at + sizeof(lanes);
    }
    for (; i < name.n; i++)
        if (!belongs[(unsigned char)name.p[i]])
            return false;
    return name.n > 0;
}

void response_header(struct response *r, const char *name, struct str value)
{
    assert(is_lower_name(str_c(name)));
    assert(r->header_count < ARRAY_LEN(r->headers));
    if (!str_is_field(value)) {
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

/* libmicrohttpd copies it, but wants it to end with a NUL. */
static bool add_text(struct arena *arena, struct MHD_Response *m, const struct http_header *h)
{
    char text[SHORT_VALUE_BYTES];

    if (!h->value.n)
        return true;
    if (h->value.n >= sizeof(text)) {
        const char *value = arena_cstr(arena, h->value);

        return value && add_header(m, h->name, value);
    }
    memcpy(text, h->value.p, h->value.n);
    text[h->value.n] = '\0';
    return add_header(m, h->name, text);
}

static bool add_headers(struct exchange *x, const struct response *response, struct MHD_Response *m)
{
    char id[CALL_ID_TEXT];
    bool ok = true;

    call_id_text(x->request.id, id);
    if (response->content_type)
        ok = add_header(m, "content-type", response->content_type);
    ok = ok && add_header(m, "x-tollgate-request-id", id);
    ok = ok && add_header(m, "x-content-type-options", "nosniff");
    if (!has_header(response, "cache-control"))
        ok = ok && add_header(m, "cache-control", "no-store");
    for (size_t i = 0; ok && i < response->header_count; i++)
        ok = add_text(x->request.arena, m, &response->headers[i]);
    if (x->close || x->request.listener->draining)
        ok = ok && add_header(m, "connection", "close");
    return ok;
}

void exchange_queue_answer(struct exchange *x, const struct response *response,
                           struct MHD_Response *m)
{
    struct http_conn *c = x->conn; /* x loses it when there is no room for the head */
    bool ok;

    x->queueing = true;
    ok = m && add_headers(x, response, m) &&
         MHD_queue_response(c->mhd, (unsigned)response->status, m) == MHD_YES;
    x->queueing = false;
    if (m)
        MHD_destroy_response(m);
    if (ok) {
        conn_wake(c);
        return;
    }
    (void)err_origin(-ENOMEM);
    x->broken = true;
    conn_cut(c);
}

void request_reply(struct request *r, const struct response *response)
{
    struct exchange *x = exchange_of(r);
    struct MHD_Response *m;

    exchange_answer_inner(x, response);
    if (response->stream || !x->conn || x->broken)
        return;
    assert(x->state == EXCHANGE_HANDLING);
    assert(response->status >= 200);
    x->state = EXCHANGE_LEAVING;
    conn_enter(x->conn, CONN_WRITING);
    m = MHD_create_response_from_buffer(response->body.n, (void *)(uintptr_t)response->body.p,
                                        MHD_RESPMEM_PERSISTENT);
    exchange_queue_answer(x, response, m);
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

    if (exchange_of(r)->answered) /* who asks itself needs no words */
        exchange_answer_inner(exchange_of(r), &response);
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
