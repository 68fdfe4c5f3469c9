/* request.c: a Responses request read in one scan, and the bytes that an upstream gets for it. */
#include "base/bounds.h"
#include "base/err.h"
#include "translation/media.h"
#include "translation/openai_responses/bytes.h"
#include "translation/plain.h"
#include "translation/searches.h"

enum {
    INPUT = PLAIN_OWN,
    INSTRUCTIONS,
    STREAM,
    LIMIT,
    TOOLS,
    TOOL_CALLS,
    FORMAT_TYPE,
    EFFORT,
    SERVICE_TIER,
    BACKGROUND,
    PREVIOUS,
    CONVERSATION,
    PROMPT,
    FIRST_MEDIA,
    WATCHES = FIRST_MEDIA + 11
};

static const struct field fields[WATCHES] = {
    PLAIN_FIELDS,
    [INPUT] = {.path = "input"},
    [INSTRUCTIONS] = {.path = "instructions"},
    [STREAM] = {"stream", "must be true or false", JSON_BOOL},
    [LIMIT] = {"max_output_tokens", "must be a positive integer", JSON_INT},
    [TOOLS] = {"tools", "must be an array", JSON_ARRAY},
    [TOOL_CALLS] = {.path = "max_tool_calls"},
    [FORMAT_TYPE] = {"text.format.type", "must be a string", JSON_STRING},
    [EFFORT] = {"reasoning.effort", "must be a string", JSON_STRING},
    [SERVICE_TIER] = {"service_tier", "must be auto, default, flex or priority", JSON_STRING},
    [BACKGROUND] = {"background", "must be true or false", JSON_BOOL},
    [PREVIOUS] = {"previous_response_id", "must be a string", JSON_STRING},
    [CONVERSATION] = {.path = "conversation"},
    [PROMPT] = {"prompt", "must be an object", JSON_OBJECT},
    [FIRST_MEDIA] = {.path = "input[].content[].image_url"},
    {.path = "input[].content[].file_id"},
    {.path = "input[].content[].file_data"},
    {.path = "input[].content[].file_url"},
    {.path = "input[].content[].input_audio"},
    {.path = "input[].output[].image_url"},
    {.path = "input[].output[].file_id"},
    {.path = "input[].output[].file_data"},
    {.path = "input[].output[].file_url"},
    {.path = "input[].output.image_url"}, /* what a computer shows */
    {.path = "input[].result"},           /* of the generation of images */
};

static const struct plain_shape shape = {
    .fields = fields, .n = WATCHES, .models_do = true};

static int wrong(struct json_fault *fault, size_t which, const char *reason)
{
    return wire_wrong(fault, fields[which].path, reason);
}

static int check(struct str body, const struct marks *m, struct json_fault *fault)
{
    struct json_span input = m->at[INPUT];

    if (!wire_given(input) && !field_given(m, PROMPT))
        return wrong(fault, INPUT, "is required");
    if (wire_given(input) && input.kind != JSON_STRING && input.kind != JSON_ARRAY)
        return wrong(fault, INPUT, "must be a string or an array of items");
    if (wire_true(body, m->at[BACKGROUND]))
        return wrong(fault, BACKGROUND, "is not served here: answers are given at once");
    return DIALECT_OK;
}

static void read_media(struct str body, const struct json_watch w[WATCHES], const struct marks *m,
                       struct llm_request *llm)
{
    static const size_t kept[] = {PREVIOUS, CONVERSATION, PROMPT};
    struct media media = {.llm = llm};
    uint64_t seen = 0;

    for (size_t i = FIRST_MEDIA; i < WATCHES; i++)
        seen += w[i].count;
    if (seen)
        responses_count_media(json_span_str(body, m->at[INPUT]), &media);
    for (size_t i = 0; i < ARRAY_LEN(kept); i++)
        if (field_given(m, kept[i]))
            media_elsewhere(&media, MEDIA_FILE);
    media_end(&media, body.n, w[INPUT].bytes + w[INSTRUCTIONS].bytes + w[TOOLS].bytes);
}

/* One bound for all tools that the provider runs. */
static int read_searches(struct arena *a, struct str body, const struct marks *m,
                         struct llm_request *llm)
{
    int r = searches_read(a, "tools", field_raw(body, m, TOOLS), searches_tool, llm);
    uint64_t most;

    if (llm->searches && json_span_u64(body, m->at[TOOL_CALLS], &most) && most)
        llm->searches = MIN(most, (uint64_t)BOUND_USAGE_QUANTITY);
    return r;
}

static int fill(struct arena *a, struct str body, const struct json_watch w[WATCHES],
                const struct marks *m, struct llm_request *llm, struct json_fault *fault)
{
    int r = wire_text(a, body, m->at[PREVIOUS], &llm->previous_id);

    if (r == 0)
        r = read_searches(a, body, m, llm);
    if (r < 0)
        return err_trace(r);
    llm->stream = wire_true(body, m->at[STREAM]);
    llm->wants_usage = true; /* every stream of this format tells it */
    llm->has_tools = field_given(m, TOOLS);
    llm->wants_schema = json_span_is(body, m->at[FORMAT_TYPE], "json_schema");
    llm->wants_reasoning =
        field_given(m, EFFORT) && !json_span_is(body, m->at[EFFORT], "none");
    read_media(body, w, m, llm);
    llm->has_output_limit = field_given(m, LIMIT);
    r = field_count(body, m, fields, LIMIT, 1, INT32_MAX, &llm->output_limit, fault);
    return r == DIALECT_OK ? plain_service(a, body, m, fields, SERVICE_TIER, &llm->service, fault)
                           : r;
}

int responses_bytes_read_request(struct arena *a, struct str body, struct wire_request *ret,
                                 struct json_fault *fault)
{
    struct json_watch w[WATCHES];
    struct wire_request request;
    const struct marks *m;
    int r = plain_read(a, body, &shape, w, &request, &m, fault);

    if (r == DIALECT_OK)
        r = check(body, m, fault);
    if (r == DIALECT_OK)
        r = fill(a, body, w, m, &request.llm, fault);
    if (r == DIALECT_OK)
        *ret = request;
    return r;
}

void responses_bytes_edit_request(const struct wire_request *request,
                                  const struct wire_request_edit *edit, struct buf *out)
{
    plain_edit_limited(request, edit, fields, LIMIT, out);
}
