/* asked.c: see asked.h. */
#include "cache/asked.h"

#include "base/bounds.h"
#include "translation/edit.h"

/* Room for the parts beside the body. */
#define PARTS_BYTES KIB(16)
#define MEMBERS_MAX 6

/* Members that say on whose behalf a request is sent, or how the provider is to find what it has
 * cached of the prompt: an answer does not show them. Those of the Responses API are in its answers,
 * so there nothing is left out. The model is known by its id: an alias asks for the same. */
static const struct {
    const char *endpoint;
    const char *members[MEMBERS_MAX];
} left_out[] = {
    {"chat.completions", {"model", "user", "metadata", "safety_identifier", "prompt_cache_key"}},
    {"completions", {"model", "user"}},
    {"embeddings", {"model", "user"}},
    {"messages", {"model", "metadata"}},
    {"moderations", {"model"}},
    {"rerank", {"model"}},
};

static const char *const *members_of(struct str endpoint)
{
    static const char *const none[MEMBERS_MAX] = {NULL};

    for (size_t i = 0; i < ARRAY_LEN(left_out); i++)
        if (str_eq_c(endpoint, left_out[i].endpoint))
            return left_out[i].members;
    return none;
}

/* Their names stay: a member may be the only one of its object. */
static bool put_body(const struct asked *a, struct buf *out)
{
    const char *const *members = members_of(a->endpoint);
    struct json_watch w[MEMBERS_MAX] = {{.path = NULL}};
    struct json_scan_result result;
    struct json_fault fault;
    struct edit e;
    size_t n = 0;

    while (n < MEMBERS_MAX && members[n]) {
        w[n].path = members[n];
        n++;
    }
    if (!n && !a->text.n) {
        buf_put_str(out, a->body);
        return true;
    }
    if (json_scan(a->body, w, n, &result, &fault) != JSON_OK || result.root_kind != JSON_OBJECT)
        return false;
    edit_begin(&e, a->body);
    for (size_t i = 0; i < n; i++)
        if (w[i].span.n)
            edit_replace(&e, w[i].span, STR("0"));
    if (a->text.n)
        edit_replace(&e, a->text, STR("0"));
    edit_apply(&e, out);
    buf_join(out);
    return true;
}

static void put_part(struct buf *out, struct str part)
{
    buf_printf(out, "%zu:", part.n);
    buf_put_str(out, part);
}

static void put_number(struct buf *out, int64_t number)
{
    buf_put_i64(out, number);
    buf_putc(out, ';');
}

bool asked_digest(const uint8_t pepper[32], const struct asked *a, struct digest *ret)
{
    struct buf all;
    bool made;

    buf_init(&all, BOUND_REQUEST_ARENA_BYTES + PARTS_BYTES);
    put_number(&all, a->team.v);
    put_number(&all, a->key.v);
    put_number(&all, a->cleared_at_us);
    put_number(&all, a->model.v);
    put_number(&all, a->sort);
    buf_put(&all, a->standing.b, sizeof(a->standing.b));
    put_part(&all, a->endpoint);
    put_part(&all, a->rules);
    put_part(&all, a->headers);
    put_part(&all, a->likeness);
    /* The body is the last part, so its own length need not stand before it. */
    made = put_body(a, &all) && buf_finish(&all) == 0;
    if (made)
        *ret = digest_keyed(pepper, buf_str(&all));
    buf_done(&all);
    return made;
}
