/* exchange.c: see exchange.h. The request's way in; the answer's way out is answer.c. */
#include "http/exchange.h"

#include <errno.h>
#include <microhttpd.h>

#include "base/bounds.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/heap.h"
#include "base/log.h"
#include "http/admission.h"
#include "http/backlog.h"
#include "http/forwarded.h"
#include "http/percent.h"

struct exchange *exchange_new(struct http_conn *c, const char *target)
{
    struct listener *l = c->listener;
    struct exchange *x = calloc(1, sizeof(*x));

    if (!x)
        return NULL;
    x->request.arena = arena_new_large(BOUND_REQUEST_ARENA_BYTES);
    if (!x->request.arena) {
        free(x);
        return NULL;
    }
    x->refs = 1;
    x->conn = c;
    x->target = arena_str(x->request.arena, str_c(target));
    x->request.loop = l->config.loop;
    x->request.listener = l;
    x->request.conn_ = c;
    x->request.peer = c->peer;
    x->request.id = call_id_new();
    x->request.began_mono_ns = clock_mono_ns();
    x->request.began_wall_us = clock_wall_us();
    x->request.https = l->config.tls_cert_file != NULL;
    list_add_tail(&l->exchanges, &x->link);
    l->active++;
    return x;
}

/* Those who do not read are cut together, each with a queue that is full. */
static void drop_queue(struct exchange *x)
{
    heap_let_go(x->queue.p, x->queue.cap);
    buf_done(&x->queue);
    x->queue_at = 0;
}

static void exchange_free(void *p)
{
    struct exchange *x = p;

    if (x->first)
        exchange_unref(x->first);
    arena_free(x->request.arena);
    buf_done(&x->body);
    drop_queue(x);
    free(x);
}

void exchange_ref(struct exchange *x)
{
    assert(x->refs > 0);
    x->refs++;
}

void exchange_unref(struct exchange *x)
{
    assert(x->refs > 0);
    if (--x->refs > 0)
        return;
    exchange_answer_inner(x, NULL);
    list_del(&x->link);
    list_del(&x->drained_link);
    loop_free_later(x->request.loop, exchange_free, x);
}

void request_hold(struct request *r)
{
    exchange_ref(exchange_of(r));
}

void request_release(struct request *r)
{
    exchange_unref(exchange_of(r));
}

struct copy {
    struct exchange *x;
    size_t room;
    bool failed;
};

/* Headers are copied, as workers read them when the connection may be gone. */
static enum MHD_Result copy_header(void *cls, enum MHD_ValueKind kind, const char *name,
                                   size_t name_size, const char *value, size_t value_size)
{
    struct copy *copy = cls;
    struct exchange *x = copy->x;
    struct gate_header *h = &x->headers[x->header_count];

    if (x->header_count == copy->room)
        return MHD_NO;
    h->name = arena_str(x->request.arena, str_n(name ? name : "", name_size));
    h->value = value ? arena_str(x->request.arena, str_n(value, value_size)) : STR_NONE;
    copy->failed = copy->failed || !h->name.p || (value && !h->value.p);
    x->header_count++;
    return MHD_YES;
}

static bool copy_headers(struct exchange *x)
{
    int sent = MHD_get_connection_values_n(x->conn->mhd, MHD_HEADER_KIND, NULL, NULL);
    /* One more than may be, so that the gate sees it. */
    struct copy copy = {.x = x, .room = (size_t)MIN(MAX(sent, 1), BOUND_HEADER_COUNT + 1)};

    x->headers = arena_array(x->request.arena, struct gate_header, copy.room);
    if (!x->headers || !x->target.p)
        return false;
    (void)MHD_get_connection_values_n(x->conn->mhd, MHD_HEADER_KIND, copy_header, &copy);
    return !copy.failed;
}

static void split_target(struct exchange *x)
{
    ssize_t mark = str_find(x->target, '?');

    x->request.path = mark < 0 ? x->target : str_n(x->target.p, (size_t)mark);
    if (mark >= 0)
        x->request.query = str_n(x->target.p + mark + 1, x->target.n - (size_t)mark - 1);
}

static void read_forwarded(struct exchange *x)
{
    const struct listener_config *config = &x->request.listener->config;
    struct forwarded from;

    forwarded_read(&x->conn->peer, x->headers, x->header_count, config->trusted,
                   config->trusted_count, &from);
    x->request.peer = from.client;
    x->request.https = x->request.https || from.https;
    if (!from.through_peer || x->conn->over_limit)
        return;
    x->counted_address = tally_take(x->request.listener, &x->request.peer);
    x->conn->over_limit = !x->counted_address;
}

/* The route, or the problem that stands in its place. */
static enum problem_code find_route(struct exchange *x)
{
    struct request *r = &x->request;
    struct str raw[4];
    int outcome =
        router_find(r->listener->config.router, r->method, r->path, &r->route, raw, &x->allow);

    if (outcome == ROUTER_E_METHOD)
        return PROBLEM_BAD_METHOD;
    if (outcome == ROUTER_E_NONE)
        return PROBLEM_NO_ROUTE;
    for (size_t i = 0; i < ARRAY_LEN(raw); i++) {
        if (!raw[i].p)
            continue;
        r->params[i] = percent_decode(r->arena, raw[i], false);
        if (!r->params[i].p)
            return PROBLEM_NO_ROUTE;
    }
    return PROBLEM_NONE;
}

static enum problem_code judge(struct exchange *x, const struct gate_body *body)
{
    enum problem_code code = find_route(x);

    if (x->conn->over_limit) {
        x->request.listener->refused_by_limits++;
        return PROBLEM_BUSY;
    }
    if (code != PROBLEM_NONE)
        return code;
    if (body->kind == GATE_SIZED && body->length > x->request.route->body_max)
        return PROBLEM_TOO_LARGE;
    if (body->kind == GATE_CHUNKED && x->request.listener->config.refuse_chunked)
        return PROBLEM_LENGTH_REQUIRED;
    return admission_head(x, body) ? PROBLEM_NONE : PROBLEM_BUSY;
}

static struct problem refusal_of(enum problem_code code)
{
    struct problem problem = problem_of(code);

    if (code == PROBLEM_BUSY)
        problem.retry_after_s = 1;
    return problem;
}

/* Refused before its body is read? One that is short is read nevertheless when the server is busy: a
 * connection that stays costs less than the next one. */
static bool refuses_early(const struct exchange *x, enum problem_code code,
                          const struct gate_body *body)
{
    if (x->conn->over_limit)
        return true;
    if (code == PROBLEM_NONE || body->kind == GATE_NO_BODY)
        return false;
    return code != PROBLEM_BUSY || body->kind != GATE_SIZED || body->length > BOUND_FORM_BODY_BYTES;
}

/* Answers before the body was read, and closes. */
static bool refuse_early(struct exchange *x, enum problem_code code, bool unread)
{
    struct problem problem = refusal_of(code);

    x->close = true;
    x->conn->unread = unread;
    x->state = EXCHANGE_HANDLING;
    request_fail(&x->request, &problem);
    return true;
}

static bool refuse_framing(struct exchange *x, enum problem_code code, const char *reason)
{
    struct problem problem = problem_of(code);

    x->request.listener->refused_by_gate++;
    log_debug("refused_by_gate", "reason=%s", log_str(str_c(reason)));
    problem.message = arena_strf(x->request.arena, "%s (%s)", problem_sentence(code), reason);
    x->close = true;
    x->conn->unread = true;
    x->state = EXCHANGE_HANDLING;
    request_fail(&x->request, &problem);
    return true;
}

bool exchange_head(struct exchange *x, const char *method, const char *version)
{
    struct gate_head head = {
        .method = str_c(method), .target = x->target, .version = str_c(version)};
    struct gate_body body = {.kind = GATE_NO_BODY};
    enum problem_code code;
    const char *reason;

    assert(x->state == EXCHANGE_HEAD);
    if (!copy_headers(x))
        return false;
    head.headers = x->headers;
    head.header_count = x->header_count;
    split_target(x);
    x->request.listener->requests++;
    code = gate_check(&head, &x->request.method, &body, &reason);
    if (code != PROBLEM_NONE)
        return refuse_framing(x, code, reason);
    read_forwarded(x);
    x->close = x->request.listener->draining;
    x->sized = body.kind == GATE_SIZED;
    x->chunked = !x->request.listener->config.tls_cert_file && str_eq(head.version, STR("HTTP/1.1"));
    code = judge(x, &body);
    if (refuses_early(x, code, &body))
        return refuse_early(x, code, body.kind != GATE_NO_BODY);
    x->refusal = code;
    x->state = EXCHANGE_BODY;
    buf_init(&x->body, code == PROBLEM_NONE ? x->request.route->body_max : 0);
    if (code == PROBLEM_NONE && body.kind == GATE_SIZED) {
        (void)buf_reserve(&x->body, (size_t)body.length); /* memory is used as it comes */
        x->intake.left = body.length;
    }
    if (body.kind != GATE_NO_BODY)
        conn_enter(x->conn, CONN_BODY);
    return true;
}

bool exchange_body(struct exchange *x, struct str bytes)
{
    assert(x->state == EXCHANGE_BODY);
    x->conn->body_bytes += bytes.n;
    if (x->intake.told)
        return intake_counts(x, bytes.n);
    if (x->refusal == PROBLEM_NONE && !admission_body(x, bytes.n)) {
        x->refusal = PROBLEM_BUSY;
        x->close = true;
        buf_done(&x->body);
    }
    if (x->refusal == PROBLEM_NONE) {
        buf_put_str(&x->body, bytes);
        if (!buf_finish(&x->body)) {
            intake_begin(x, bytes.n);
            return true;
        }
        if (buf_finish(&x->body) == -ENOMEM)
            return false;
        /* A chunked body tells too late; libmicrohttpd takes no answer in the middle of it. */
        x->refusal = PROBLEM_TOO_LARGE;
        x->close = true;
    }
    x->dropped_bytes += bytes.n;
    return x->dropped_bytes <= BOUND_LINGER_BYTES;
}

void exchange_handle(struct exchange *x)
{
    struct request *r = &x->request;
    struct problem problem;

    if (x->refusal != PROBLEM_NONE) {
        problem = refusal_of(x->refusal);
        request_fail(r, &problem);
    } else if (r->route->runs == RUNS_ON_LOOP) {
        r->route->on_loop(r);
    } else {
        r->listener->config.dispatch(r, r->listener->config.ctx);
    }
}

bool exchange_dispatch(struct exchange *x)
{
    struct http_conn *c = x->conn;
    bool passes;

    assert(x->state == EXCHANGE_BODY);
    x->state = EXCHANGE_HANDLING;
    admission_end(x);
    x->request.body = buf_str(&x->body);
    conn_enter(c, CONN_WORKING);
    passes = backlog_pass(x);
    if (passes)
        exchange_handle(x);
    if (x->state == EXCHANGE_HANDLING && passes)
        conn_await(c);
    else if (x->state == EXCHANGE_HANDLING)
        conn_suspend(c);
    if (c->hung_up)
        exchange_gone(x);
    return true;
}

static bool owes(const struct exchange *x)
{
    return x->state == EXCHANGE_HANDLING || x->state == EXCHANGE_STREAMING;
}

static void tell_gone(struct exchange *x)
{
    struct request *r = &x->request;

    x->state = EXCHANGE_LEAVING;
    x->broken = true;
    backlog_leave(x);
    drop_queue(x);
    r->listener->gone++;
    if (r->gone)
        r->gone(r);
}

static void told_gone(void *p)
{
    struct exchange *x = p;

    if (x->request.gone)
        x->request.gone(&x->request);
    exchange_unref(x);
}

/* libmicrohttpd gave up while it was handed the answer: the handler is in the middle of that. */
static void tell_gone_later(struct exchange *x)
{
    x->broken = true;
    x->request.listener->gone++;
    exchange_ref(x);
    loop_free_later(x->request.loop, told_gone, x);
}

void exchange_gone(struct exchange *x)
{
    if (!owes(x))
        return;
    conn_cut(x->conn);
    tell_gone(x);
}

void exchange_detach(struct exchange *x)
{
    struct listener *l = x->request.listener;

    if (x->state == EXCHANGE_OVER)
        return;
    if (owes(x) && x->queueing)
        tell_gone_later(x);
    else if (owes(x))
        tell_gone(x);
    admission_end(x);
    intake_end(x);
    exchange_uncork(x);
    if (x->counted_address)
        tally_give(l, &x->request.peer);
    x->state = EXCHANGE_OVER;
    x->conn->exchange = NULL;
    x->conn = NULL;
    x->request.conn_ = NULL;
    l->active--;
    exchange_unref(x);
}
