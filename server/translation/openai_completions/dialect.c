/* dialect.c: OpenAI's legacy completions (API reference, "Create completion"). Answers and chunks
 * are those of chat but for their choices, which have a `text`.
 *
 * Odd: each of several prompts is completed `n` times, `best_of` completions are made for each and
 * paid where that is more, and all share one max_tokens, which is for each of them. */
#include "translation/openai_chat/chat.h"
#include "translation/openai_chat/usage.h"
#include "translation/plain.h"
#include "translation/report.h"
#include "translation/request_edit.h"
#include "translation/said.h"

enum {
    PROMPT = PLAIN_OWN,
    PROMPTS,
    STREAM,
    STREAM_OPTIONS,
    INCLUDE_USAGE,
    MAX_TOKENS,
    CHOICES,
    BEST_OF,
    WATCHES
};

static const struct field fields[WATCHES] = {
    PLAIN_FIELDS,
    [PROMPT] = {.path = "prompt"},
    [PROMPTS] = {.path = "prompt[]"},
    [STREAM] = {"stream", "must be true or false", JSON_BOOL},
    [STREAM_OPTIONS] = {"stream_options", "must be an object", JSON_OBJECT},
    [INCLUDE_USAGE] = {"stream_options.include_usage", "must be true or false", JSON_BOOL},
    [MAX_TOKENS] = {"max_tokens", "must be a positive integer", JSON_INT},
    [CHOICES] = {"n", "must be an integer from 1 to 128", JSON_INT},
    [BEST_OF] = {"best_of", "must be an integer from 1 to 128", JSON_INT},
};

static const struct plain_shape shape = {.fields = fields, .n = WATCHES};

enum { CHOICES_MAX = 128, PROMPTS_MAX = 2048 }; /* OpenAI's bounds */

/* How many prompts there are: an array of numbers is the tokens of one. */
static int count_prompts(const struct marks *m, const struct json_watch *w, uint64_t *ret,
                         struct json_fault *fault)
{
    uint8_t kind = m->at[PROMPT].kind;

    if (!field_given(m, PROMPT))
        return plain_lacks(fields, PROMPT, fault);
    if (kind != JSON_STRING && kind != JSON_ARRAY)
        return wire_wrong(fault, "prompt", "must be a string or an array");
    *ret = 1;
    if (kind == JSON_ARRAY && m->at[PROMPTS].kind != JSON_INT)
        *ret = MAX(w[PROMPTS].count, 1u);
    return *ret <= PROMPTS_MAX ? DIALECT_OK
                               : wire_wrong(fault, "prompt", "has more than 2048 prompts");
}

static int read_counts(struct str body, const struct marks *m, const struct json_watch *w,
                       struct llm_request *llm, struct json_fault *fault)
{
    uint64_t limit = 0, n = 1, best_of = 1, prompts = 1;
    int r = count_prompts(m, w, &prompts, fault);

    if (r == DIALECT_OK)
        r = field_count(body, m, fields, MAX_TOKENS, 1, INT32_MAX, &limit, fault);
    if (r == DIALECT_OK)
        r = field_count(body, m, fields, CHOICES, 1, CHOICES_MAX, &n, fault);
    if (r == DIALECT_OK)
        r = field_count(body, m, fields, BEST_OF, 1, CHOICES_MAX, &best_of, fault);
    llm->has_output_limit = limit > 0;
    llm->output_limit = limit;
    llm->choices = (uint32_t)(prompts * MAX(n, best_of));
    return r;
}

static int read_request(struct arena *a, struct str body, struct wire_request *ret,
                        struct json_fault *fault)
{
    struct json_watch w[WATCHES];
    struct wire_request request;
    const struct marks *m;
    int r = plain_read(a, body, &shape, w, &request, &m, fault);

    if (r == DIALECT_OK)
        r = read_counts(body, m, w, &request.llm, fault);
    if (r != DIALECT_OK)
        return r;
    request.llm.stream = wire_true(body, m->at[STREAM]);
    request.llm.wants_usage = wire_true(body, m->at[INCLUDE_USAGE]);
    request.llm.prompt_bytes = w[PROMPT].bytes;
    *ret = request;
    return DIALECT_OK;
}

/* Only `max_tokens` exists here, whatever chats of the target call it. */
static void edit_request(const struct wire_request *request, const struct wire_request_edit *edit,
                         struct buf *out)
{
    static const size_t ours[] = {PLAIN_MODELS, PLAIN_PROVIDER};
    const struct marks *m = request->marks;
    struct request_edit e;

    request_edit_begin(&e, request, m);
    request_edit_model(&e, m->at[PLAIN_MODEL], request->llm.model, edit->model);
    if (edit->ask_usage && request->llm.stream && !request->llm.wants_usage)
        request_edit_ask_usage(&e, m->at[STREAM_OPTIONS], m->at[INCLUDE_USAGE]);
    if (edit->output_limit && !request->llm.has_output_limit)
        request_edit_limit(&e, m->at[MAX_TOKENS], "max_tokens", edit->output_limit);
    request_edit_remove(&e, m, ours, ARRAY_LEN(ours));
    request_edit_end(&e, out);
}

static int read_reply(struct str body, struct wire_report *ret)
{
    return openai_chat_read_report(body, OPENAI_TEXT, ret);
}

static int read_event(const struct sse_event *event, struct wire_report *ret)
{
    return openai_read_chunk(event, OPENAI_TEXT, ret);
}

static void put_stop(const struct wire_stop *stop, struct buf *out)
{
    openai_put_stop(stop, OPENAI_TEXT, out);
}

const struct dialect openai_completions = {
    .name = "openai_completions",
    .read_request = read_request,
    .edit_request = edit_request,
    .read_reply = read_reply,
    .edit_reply = wire_edit_reply,
    .find_usage = openai_usage_find,
    .edit_error = openai_chat_edit_error,
    .error_status = wire_error_status,
    .read_event = read_event,
    .edit_event = wire_edit_event,
    .put_note = wire_put_note,
    .put_error = openai_chat_put_error,
    .put_stop = put_stop,
    .end_mark = "data: [DONE]\n\n",
};
