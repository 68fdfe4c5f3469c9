/* call_keep.c: see call_keep.h: the answer of a call is written to the store.
 *
 * The last bytes wait for that, so that a client that goes on at once finds its answer, whichever
 * node serves it next. They do not wait for long, and an answer that cannot be kept goes out as any
 * other: the call was served, and nobody is helped when it fails behind that. Metrics and the log
 * say so. What a client has left is not kept. */
#include "gateway/call_keep.h"

#include <stdlib.h>

#include "base/bounds.h"
#include "base/log.h"
#include "gateway/call_flow.h"
#include "responses/object.h"
#include "responses/stored.h"

enum { KEEP_WAIT_MS = 2000 };

struct keep_write {
    struct job job;
    struct call *call;     /* NULL: it waits no more */
    struct gateways *all;  /* outlives the loop's own */
    struct stored_response row; /* its text is in bytes */
    size_t n_bytes;
    enum kept kept;
    char bytes[];
};

const char *kept_name(enum kept kept)
{
    static const char *const names[KEPTS] = {
        [KEPT_OK] = "kept",          [KEPT_OFF] = "turned_off", [KEPT_UNREADABLE] = "unreadable",
        [KEPT_TOO_LARGE] = "too_large", [KEPT_BUSY] = "lane_full", [KEPT_DATABASE] = "database",
    };

    return names[kept];
}

static void count(struct gateways *all, enum kept kept, struct team_id team, struct str id)
{
    atomic_fetch_add_explicit(&all->kept[kept], 1, memory_order_relaxed);
    if (kept != KEPT_OK && kept != KEPT_OFF)
        log_warn("response_not_kept", "call_team=%lld response=%s reason=%s", (long long)team.v,
                 log_str(id), kept_name(kept));
}

/* --- writing --- */

static void write_work(struct job *job, void *worker)
{
    struct keep_write *w = container_of(job, struct keep_write, job);
    int r = worker ? stored_put(worker, &w->row) : STORED_E_AWAY;

    w->kept = r == STORED_OK ? KEPT_OK : r == STORED_E_NONE ? KEPT_OFF : KEPT_DATABASE;
}

static void write_free(struct keep_write *w)
{
    atomic_fetch_sub_explicit(&w->all->keeping_bytes, w->n_bytes, memory_order_relaxed);
    free(w);
}

static void write_done(struct job *job)
{
    struct keep_write *w = container_of(job, struct keep_write, job);
    struct call *c = w->call;

    count(w->all, w->kept, w->row.team, w->row.id);
    if (c)
        call_keep_leave(c);
    write_free(w);
    if (c)
        call_kept(c);
}

static struct str put(char **at, struct str text)
{
    struct str copy = {*at, text.n};

    memcpy(*at, text.p, text.n);
    *at += text.n;
    return copy;
}

/* A copy of all that is written: the call may be over before. NULL: too much waits already. */
static struct keep_write *write_new(struct call *c, struct str id, struct str response)
{
    struct str model = c->record.served_model, input = c->keep.input;
    size_t n = id.n + response.n + input.n + model.n;
    struct gateways *all = c->g->all;
    struct keep_write *w = NULL;
    char *at;

    if (atomic_fetch_add_explicit(&all->keeping_bytes, n, memory_order_relaxed) + n <=
        BOUND_STORED_WAITING_BYTES)
        w = malloc(sizeof(*w) + n);
    if (!w) {
        atomic_fetch_sub_explicit(&all->keeping_bytes, n, memory_order_relaxed);
        return NULL;
    }
    *w = (struct keep_write){
        .job = {.reply_to = c->g->loop, .work = write_work, .done = write_done},
        .call = c,
        .all = all,
        .row = {.team = c->key->policy->team, .key = c->key->policy->key, .call = c->r->id},
        .n_bytes = n,
    };
    at = w->bytes;
    w->row.id = put(&at, id);
    w->row.model = put(&at, model);
    w->row.response = put(&at, response);
    w->row.input = put(&at, input);
    return w;
}

/* False: it is not kept, and the answer has nothing to wait for. */
static bool begin(struct call *c, struct str response)
{
    struct str id = object_id(c->r->arena, response);
    struct keep_write *w = NULL;
    enum kept why = !id.p || !c->keep.input.p ? KEPT_UNREADABLE
                    : response.n > BOUND_STORED_RESPONSE_BYTES ? KEPT_TOO_LARGE
                                                               : KEPT_BUSY;

    if (why == KEPT_BUSY)
        w = write_new(c, id, response);
    if (w && jobs_submit(c->g->services->responses, &w->job) == JOBS_OK) {
        c->keep.write = w;
        call_enter(c, CALL_KEEP);
        call_wait(c, KEEP_WAIT_MS);
        return true;
    }
    if (w)
        write_free(w);
    count(c->g->all, why, c->key->policy->team, id);
    return false;
}

/* --- what waits --- */

void call_kept(struct call *c)
{
    struct call_keep *k = &c->keep;

    loop_timer_clear(&c->timer);
    call_keep_leave(c);
    call_enter(c, CALL_SETTLED);
    if (c->client_there && k->whole)
        request_reply(c->r, k->whole);
    if (c->client_there && !k->whole) {
        c->client_full = request_stream_write(c->r, k->last) == STREAM_E_FULL;
        request_stream_end(c->r);
    }
    if (k->whole)
        call_end(c);
    else
        call_stream_close(c);
}

void call_keep_leave(struct call *c)
{
    if (c->keep.write)
        steal(&c->keep.write)->call = NULL;
}

bool call_keep_whole(struct call *c, const struct response *whole)
{
    struct response *copy = c->keep.wanted ? arena_new0(c->r->arena, struct response) : NULL;

    if (!copy)
        return false;
    *copy = *whole;
    c->keep.whole = copy;
    return begin(c, whole->body);
}

void call_keep_too_large(struct call *c)
{
    if (c->keep.wanted)
        count(c->g->all, KEPT_TOO_LARGE, c->key->policy->team, STR_NONE);
    c->keep.wanted = false;
}

struct str call_keep_mark(struct call *c, struct str answer)
{
    const struct object_marks marks = {.previous_id = c->keep.asked.previous_id,
                                       .kept = c->keep.wanted};
    struct str marked = STR_NONE;
    struct buf out;

    if (!call_keep_marks(&c->keep))
        return answer;
    buf_init(&out, answer.n + KIB(8));
    if (object_mark(answer, false, &marks, &out) && buf_finish(&out) == 0)
        marked = arena_str(c->r->arena, buf_str(&out));
    buf_done(&out);
    return marked.p ? marked : answer;
}

/* --- streams --- */

/* Appends the event as the client gets it; true: it is the one that carries the answer, which is in
 * *ret_answer then. */
static bool put_event(struct call *c, const struct sse_event *e, struct buf *out,
                      struct str *ret_answer)
{
    const struct object_marks marks = {.previous_id = c->keep.asked.previous_id,
                                       .kept = c->keep.wanted};
    struct buf data;
    struct str answer = STR_NONE;

    buf_init(&data, e->data.n + KIB(8));
    if (!e->data.p || !object_mark(e->data, true, &marks, &data) || buf_finish(&data) < 0) {
        buf_put_str(out, e->raw);
        buf_done(&data);
        return false;
    }
    answer = object_of_event(buf_str(&data));
    if (answer.p)
        *ret_answer = arena_str(c->r->arena, answer);
    if (e->type.p) {
        buf_puts(out, "event: ");
        buf_put_str(out, e->type);
        buf_putc(out, '\n');
    }
    buf_puts(out, "data: ");
    buf_put_str(out, buf_str(&data));
    buf_puts(out, "\n\n");
    buf_done(&data);
    return answer.p != NULL;
}

/* The events behind `from`, anew. p NULL: none of them carries the answer. */
static struct str mark_events(struct call *c, struct buf *out, size_t from)
{
    struct str answer = STR_NONE;
    struct sse_event e;
    struct sse s;

    sse_init(&s);
    if (sse_push(&s, str_n(out->p + from, out->n - from)) == SSE_OK) {
        sse_end(&s);
        out->n = from;
        while (sse_next(&s, &e) == SSE_OK)
            (void)put_event(c, &e, out, &answer);
    }
    sse_done(&s);
    return answer;
}

/* Events of the beginning; the rest passes as it is. */
static bool carries_object(struct str event)
{
    return str_starts(event, STR("event: response.created")) ||
           str_starts(event, STR("event: response.queued")) ||
           str_starts(event, STR("event: response.in_progress"));
}

void call_keep_event(struct call *c, struct buf *out, size_t from)
{
    if (call_keep_marks(&c->keep) && out->n > from &&
        carries_object(str_n(out->p + from, out->n - from)))
        (void)mark_events(c, out, from);
}

bool call_keep_stream(struct call *c, struct buf *out, size_t from)
{
    struct str answer, all;

    if (!call_keep_marks(&c->keep) || out->n == from)
        return false;
    answer = mark_events(c, out, from);
    if (!c->keep.wanted)
        return false;
    all = arena_str(c->r->arena, buf_str(out));
    c->keep.last = all;
    return all.p && begin(c, answer);
}
