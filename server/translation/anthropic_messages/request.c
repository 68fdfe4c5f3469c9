/* request.c: a Messages request read in one scan, and the bytes that an upstream gets for it.
 *
 * Odd: `models` and `provider` are OpenRouter's names for what this gateway does itself; they are
 * read here and taken out, because Anthropic refuses unknown fields. */
#include "base/err.h"
#include "translation/anthropic_messages/bytes.h"
#include "translation/media.h"
#include "translation/plain.h"
#include "translation/searches.h"

enum {
    MESSAGES = PLAIN_OWN,
    MAX_TOKENS,
    STREAM,
    SYSTEM,
    TOOLS,
    FORMAT,
    OLD_FORMAT,
    THINKING,
    SERVICE_TIER,
    SPEED,
    SOURCE,
    RESULT_SOURCE,
    WATCHES
};

static const struct field fields[WATCHES] = {
    PLAIN_FIELDS,
    [MESSAGES] = {"messages", "must be an array", JSON_ARRAY},
    [MAX_TOKENS] = {"max_tokens", "must be an integer from 0 to 2147483647", JSON_INT},
    [STREAM] = {"stream", "must be true or false", JSON_BOOL},
    [SYSTEM] = {.path = "system"},
    [TOOLS] = {"tools", "must be an array", JSON_ARRAY},
    [FORMAT] = {.path = "output_config.format"},
    [OLD_FORMAT] = {.path = "output_format"}, /* of the time when it was in beta */
    [THINKING] = {.path = "thinking.type"},
    [SERVICE_TIER] = {"service_tier", "must be auto or standard_only", JSON_STRING},
    [SPEED] = {"speed", "must be standard or fast", JSON_STRING},
    [SOURCE] = {.path = "messages[].content[].source"},
    [RESULT_SOURCE] = {.path = "messages[].content[].content[].source"},
};

/* Where tokens are only counted there is no limit. */
static const struct plain_shape shape = {
    .fields = fields, .n = WATCHES, .needed = MAX_TOKENS, .models_do = true};
static const struct plain_shape prompt_shape = {
    .fields = fields, .n = WATCHES, .needed = MESSAGES, .models_do = true};

static int wrong(struct json_fault *fault, size_t which, const char *reason)
{
    return wire_wrong(fault, fields[which].path, reason);
}

/* An unknown tier or speed could cost anything, so it is not passed on. What Anthropic itself
 * chooses under "auto" is its affair: the customer pays for standard. */
static int read_service(struct str body, const struct marks *m, struct llm_request *llm,
                        struct json_fault *fault)
{
    struct json_span tier = m->at[SERVICE_TIER], speed = m->at[SPEED];

    if (wire_given(tier) && !json_span_is(body, tier, "auto") &&
        !json_span_is(body, tier, "standard_only"))
        return wrong(fault, SERVICE_TIER, fields[SERVICE_TIER].reason);
    if (json_span_is(body, speed, "fast"))
        llm->service = SERVICE_PRIORITY;
    else if (wire_given(speed) && !json_span_is(body, speed, "standard"))
        return wrong(fault, SPEED, fields[SPEED].reason);
    return DIALECT_OK;
}

static void read_media(struct str body, const struct json_watch w[WATCHES], const struct marks *m,
                       struct llm_request *llm)
{
    struct media media = {.llm = llm};

    if (w[SOURCE].count + w[RESULT_SOURCE].count > 0)
        anthropic_count_media(json_span_str(body, m->at[MESSAGES]), &media);
    media_end(&media, body.n, w[MESSAGES].bytes + w[SYSTEM].bytes + w[TOOLS].bytes);
}

static int fill(struct str body, const struct json_watch w[WATCHES], const struct marks *m,
                struct llm_request *llm, struct json_fault *fault)
{
    int r;

    llm->stream = wire_true(body, m->at[STREAM]);
    llm->wants_usage = true; /* every stream of this format tells it */
    llm->has_tools = field_given(m, TOOLS);
    llm->wants_schema = field_given(m, FORMAT) || field_given(m, OLD_FORMAT);
    llm->wants_reasoning =
        field_given(m, THINKING) && !json_span_is(body, m->at[THINKING], "disabled");
    read_media(body, w, m, llm);
    llm->has_output_limit = field_given(m, MAX_TOKENS);
    r = field_count(body, m, fields, MAX_TOKENS, 0, INT32_MAX, &llm->output_limit, fault);
    return r == DIALECT_OK ? read_service(body, m, llm, fault) : r;
}

static int read_by(const struct plain_shape *by, struct arena *a, struct str body,
                   struct wire_request *ret, struct json_fault *fault)
{
    struct json_watch w[WATCHES];
    struct wire_request request;
    const struct marks *m;
    int r = plain_read(a, body, by, w, &request, &m, fault);

    if (r == DIALECT_OK)
        r = fill(body, w, m, &request.llm, fault);
    if (r == DIALECT_OK)
        r = searches_read(a, "tools", field_raw(body, m, TOOLS), searches_tool, &request.llm);
    if (r < 0)
        return err_trace(r);
    if (r == DIALECT_OK)
        *ret = request;
    return r;
}

int anthropic_bytes_read_request(struct arena *a, struct str body, struct wire_request *ret,
                                 struct json_fault *fault)
{
    return read_by(&shape, a, body, ret, fault);
}

int anthropic_bytes_read_prompt(struct arena *a, struct str body, struct wire_request *ret,
                                struct json_fault *fault)
{
    return read_by(&prompt_shape, a, body, ret, fault);
}

/* The client has given a limit, and streams tell their figures unasked. */
void anthropic_bytes_edit_request(const struct wire_request *request,
                                 const struct wire_request_edit *edit, struct buf *out)
{
    plain_edit_request(request, edit, out);
}
