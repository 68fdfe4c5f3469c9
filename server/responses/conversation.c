/* conversation.c: see conversation.h. Changes are spliced into the client's bytes. */
#include "responses/conversation.h"

#include <errno.h>

#include "base/bounds.h"
#include "base/err.h"
#include "translation/edit.h"
#include "translation/elements.h"
#include "translation/wire.h"

enum { MODEL, MODELS, STREAM, INPUT, STORE, PREVIOUS, BACKGROUND, CONVERSATION, PROMPT, FIELDS };

static const char *const paths[FIELDS] = {
    [MODEL] = "model",
    [MODELS] = "models",
    [STREAM] = "stream",
    [INPUT] = "input",
    [STORE] = "store",
    [PREVIOUS] = "previous_response_id",
    [BACKGROUND] = "background",
    [CONVERSATION] = "conversation",
    [PROMPT] = "prompt",
};

static int fault_at(struct json_fault *fault, size_t field, const char *reason, int outcome)
{
    (void)wire_wrong(fault, paths[field], reason);
    return outcome;
}

/* Each is refused unless it says what is done anyway. */
static int check_unsupported(struct str body, const struct json_watch *w, struct json_fault *fault)
{
    if (wire_given(w[BACKGROUND].span) && w[BACKGROUND].span.kind != JSON_BOOL)
        return fault_at(fault, BACKGROUND, "must be a boolean", CONVERSATION_E_FIELD);
    if (wire_true(body, w[BACKGROUND].span))
        return fault_at(fault, BACKGROUND, "responses are not made in the background here",
                        CONVERSATION_E_UNSUPPORTED);
    if (wire_given(w[CONVERSATION].span))
        return fault_at(fault, CONVERSATION,
                        "there are no conversation objects here; go on by previous_response_id",
                        CONVERSATION_E_UNSUPPORTED);
    if (wire_given(w[PROMPT].span))
        return fault_at(fault, PROMPT, "there are no prompt templates here",
                        CONVERSATION_E_UNSUPPORTED);
    return CONVERSATION_OK;
}

static int check_kinds(const struct json_watch *w, struct json_fault *fault)
{
    if (wire_given(w[STORE].span) && w[STORE].span.kind != JSON_BOOL)
        return fault_at(fault, STORE, "must be a boolean", CONVERSATION_E_FIELD);
    if (wire_given(w[PREVIOUS].span) && w[PREVIOUS].span.kind != JSON_STRING)
        return fault_at(fault, PREVIOUS, "must be a string", CONVERSATION_E_FIELD);
    return CONVERSATION_OK;
}

static int take_fields(struct arena *a, const struct json_watch *w,
                       struct conversation_request *q)
{
    static const size_t taken_out[] = {PREVIOUS, BACKGROUND};
    int r = 0;

    if (w[MODEL].span.kind == JSON_STRING)
        r = wire_text(a, q->body, w[MODEL].span, &q->model);
    if (r == 0 && w[PREVIOUS].span.kind == JSON_STRING)
        r = wire_text(a, q->body, w[PREVIOUS].span, &q->previous_id);
    if (r < 0)
        return err_trace(r);
    q->stream = wire_true(q->body, w[STREAM].span);
    q->input = w[INPUT].span;
    q->store_at = w[STORE].span;
    if (wire_given(q->store_at))
        q->store = wire_true(q->body, q->store_at) ? CONVERSATION_STORE_YES : CONVERSATION_STORE_NO;
    for (size_t i = 0; i < ARRAY_LEN(taken_out); i++)
        if (wire_given(w[taken_out[i]].span))
            q->out[q->n_out++] = w[taken_out[i]].span;
    q->editable = w[MODEL].span.n || w[MODELS].span.n;
    return CONVERSATION_OK;
}

int conversation_read(struct arena *a, struct str body, struct conversation_request *ret,
                      struct json_fault *fault)
{
    struct conversation_request q = {.body = body};
    struct json_watch w[FIELDS];
    struct json_scan_result found;
    int r;

    for (size_t i = 0; i < FIELDS; i++)
        w[i] = (struct json_watch){.path = paths[i]};
    if (json_scan(body, w, FIELDS, &found, fault) != JSON_OK || found.root_kind != JSON_OBJECT)
        return CONVERSATION_E_SYNTAX;
    q.root_open = found.root_open;
    r = take_fields(a, w, &q);
    if (r == CONVERSATION_OK)
        *ret = q;
    if (r == CONVERSATION_OK)
        r = check_kinds(w, fault);
    if (r == CONVERSATION_OK)
        r = check_unsupported(body, w, fault);
    return r;
}

/* The request's own input as items, behind those that came before. */
static bool put_items(const struct conversation_request *q, struct str before, struct buf *out)
{
    struct str raw = q->input.n ? json_span_str(q->body, q->input) : STR_NONE;
    struct str own = STR_NONE;

    buf_putc(out, '[');
    buf_put_str(out, before);
    if (q->input.kind == JSON_ARRAY && raw.n)
        own = str_trim(elements_of(raw));
    if (before.n && (own.n || q->input.kind == JSON_STRING))
        buf_putc(out, ',');
    if (q->input.kind == JSON_STRING && raw.n) {
        buf_puts(out, "{\"type\":\"message\",\"role\":\"user\",\"content\":"
                      "[{\"type\":\"input_text\",\"text\":");
        buf_put_str(out, raw);
        buf_puts(out, "}]}");
    } else {
        buf_put_str(out, own);
    }
    buf_putc(out, ']');
    return raw.n ? q->input.kind == JSON_STRING || q->input.kind == JSON_ARRAY : before.n > 0;
}

/* items: p NULL leaves the input as it is. */
static void put_body(const struct conversation_request *q, struct str items, struct buf *out)
{
    struct buf front;
    struct edit e;

    buf_init(&front, BOUND_LLM_BODY_BYTES);
    edit_begin(&e, q->body);
    for (size_t i = 0; i < q->n_out; i++)
        edit_remove(&e, q->out[i]);
    if (q->store_at.n)
        edit_replace(&e, q->store_at, STR("false"));
    else
        buf_puts(&front, "\"store\":false,");
    if (items.p && q->input.n) {
        edit_replace(&e, q->input, items);
    } else if (items.p) {
        buf_puts(&front, "\"input\":");
        buf_put_str(&front, items);
        buf_putc(&front, ',');
    }
    edit_insert(&e, q->root_open + 1, buf_str(&front));
    edit_apply(&e, out);
    if (buf_finish(&front) < 0)
        out->err = buf_finish(&front);
    buf_done(&front);
}

static int take(struct arena *a, const struct buf *b, struct str *ret)
{
    struct str copy = STR_NONE;
    int r = buf_finish(b);

    if (r == -EMSGSIZE)
        return CONVERSATION_E_LARGE;
    if (r == 0)
        copy = arena_str(a, buf_str(b));
    if (!copy.p)
        return err_origin(-ENOMEM);
    *ret = copy;
    return CONVERSATION_OK;
}

int conversation_write(struct arena *a, const struct conversation_request *q, struct str before,
                       struct str *ret_body, struct str *ret_input)
{
    struct str input = STR_NONE, body = q->body;
    struct buf items, out;
    int r = CONVERSATION_OK;

    buf_init(&items, BOUND_LLM_BODY_BYTES);
    buf_init(&out, BOUND_LLM_BODY_BYTES);
    if (q->editable && (ret_input || before.n) && put_items(q, before, &items))
        r = take(a, &items, &input);
    buf_done(&items);
    if (r == CONVERSATION_OK && q->editable) {
        put_body(q, before.n ? input : STR_NONE, &out);
        r = take(a, &out, &body);
    }
    buf_done(&out);
    if (r != CONVERSATION_OK)
        return r;
    *ret_body = body;
    if (ret_input)
        *ret_input = input;
    return CONVERSATION_OK;
}

/* A thought is a pointer into its provider's store, unless it carries its own sealed form: nobody
 * could make anything of it, and the provider would refuse the request. */
static bool is_lost_thought(struct str item)
{
    struct json_watch w[] = {{.path = "type"}, {.path = "encrypted_content"}};
    struct json_scan_result found;
    struct json_fault fault;

    return json_scan(item, w, ARRAY_LEN(w), &found, &fault) == JSON_OK &&
           json_span_is(item, w[0].span, "reasoning") && w[1].span.kind != JSON_STRING;
}

static void put_output(struct str output, struct buf *out)
{
    struct str rest = elements_of(output), item;

    while (element_next(&rest, &item)) {
        if (is_lost_thought(item))
            continue;
        if (out->n)
            buf_putc(out, ',');
        buf_put_str(out, item);
    }
}

static bool is_array(struct str doc)
{
    struct json_scan_result found;
    struct json_fault fault;

    return json_scan(doc, NULL, 0, &found, &fault) == JSON_OK && found.root_kind == JSON_ARRAY;
}

int conversation_items(struct arena *a, struct str input, struct str response,
                       struct str *ret_items)
{
    struct json_watch w = {.path = "output"};
    struct json_scan_result found;
    struct json_fault fault;
    struct buf out;
    int r;

    if (!is_array(input) || json_scan(response, &w, 1, &found, &fault) != JSON_OK ||
        w.span.kind != JSON_ARRAY || !w.span.n)
        return CONVERSATION_E_SYNTAX;
    buf_init(&out, BOUND_STORED_INPUT_BYTES + BOUND_STORED_RESPONSE_BYTES);
    buf_put_str(&out, str_trim(elements_of(input)));
    put_output(json_span_str(response, w.span), &out);
    r = take(a, &out, ret_items);
    buf_done(&out);
    return r == CONVERSATION_E_LARGE ? err_origin(-EMSGSIZE) : r;
}
