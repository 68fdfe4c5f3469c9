/* request.c: a chat request read in one scan, and the bytes that an upstream gets for it.
 *
 * Odd: `models`, `provider`, `usage` and `route` are OpenRouter's names for what this gateway does
 * itself. They are read here and taken out, because other providers refuse unknown fields. */
#include <errno.h>

#include "base/bounds.h"
#include "base/err.h"
#include "translation/edit.h"
#include "translation/openai_chat/chat.h"
#include "translation/wire.h"

enum {
    MODEL,
    STREAM,
    STREAM_OPTIONS,
    INCLUDE_USAGE,
    MAX_TOKENS,
    MAX_COMPLETION,
    CHOICES,
    SERVICE_TIER,
    MODALITIES,
    AUDIO,
    TOOLS,
    RESPONSE_FORMAT,
    MESSAGES,
    IMAGE_PART,
    IMAGE_URL,
    AUDIO_PART,
    AUDIO_DATA,
    FILE_PART,
    FILE_DATA,
    MODELS,
    PROVIDER,
    USAGE,
    USAGE_INCLUDE,
    ROUTE,
    WATCHES
};

static const char *const paths[WATCHES] = {
    [MODEL] = "model",
    [STREAM] = "stream",
    [STREAM_OPTIONS] = "stream_options",
    [INCLUDE_USAGE] = "stream_options.include_usage",
    [MAX_TOKENS] = "max_tokens",
    [MAX_COMPLETION] = "max_completion_tokens",
    [CHOICES] = "n",
    [SERVICE_TIER] = "service_tier",
    [MODALITIES] = "modalities",
    [AUDIO] = "audio",
    [TOOLS] = "tools",
    [RESPONSE_FORMAT] = "response_format",
    [MESSAGES] = "messages",
    [IMAGE_PART] = "messages[].content[].image_url",
    [IMAGE_URL] = "messages[].content[].image_url.url",
    [AUDIO_PART] = "messages[].content[].input_audio",
    [AUDIO_DATA] = "messages[].content[].input_audio.data",
    [FILE_PART] = "messages[].content[].file",
    [FILE_DATA] = "messages[].content[].file.file_data",
    [MODELS] = "models",
    [PROVIDER] = "provider",
    [USAGE] = "usage",
    [USAGE_INCLUDE] = "usage.include",
    [ROUTE] = "route",
};

/* What a field that is read here must be; null counts as absent. */
static const struct {
    enum json_kind kind;
    const char *reason;
} kinds[WATCHES] = {
    [MODEL] = {JSON_STRING, "must be a string"},
    [STREAM] = {JSON_BOOL, "must be true or false"},
    [STREAM_OPTIONS] = {JSON_OBJECT, "must be an object"},
    [INCLUDE_USAGE] = {JSON_BOOL, "must be true or false"},
    [MAX_TOKENS] = {JSON_INT, "must be a positive integer"},
    [MAX_COMPLETION] = {JSON_INT, "must be a positive integer"},
    [CHOICES] = {JSON_INT, "must be an integer from 1 to 128"},
    [SERVICE_TIER] = {JSON_STRING, "must be a string"},
    [MESSAGES] = {JSON_ARRAY, "must be an array"},
    [MODELS] = {JSON_ARRAY, "must be an array of model names"},
    [PROVIDER] = {JSON_OBJECT, "must be an object"},
};

enum { CHOICES_MAX = 128 }; /* OpenAI's own bound of n */

struct marks {
    struct json_span at[WATCHES]; /* n 0: absent */
    uint32_t root_open;
};

static bool given(const struct marks *m, size_t which)
{
    return wire_given(m->at[which]);
}

static int wrong(struct json_fault *fault, size_t which, const char *reason)
{
    return wire_wrong(fault, paths[which], reason);
}

static int check_kinds(const struct json_watch w[WATCHES], struct json_fault *fault)
{
    for (size_t i = 0; i < WATCHES; i++) {
        const struct json_span *span = &w[i].span;

        if (wire_given(*span) && kinds[i].reason && span->kind != kinds[i].kind)
            return wrong(fault, i, kinds[i].reason);
    }
    return DIALECT_OK;
}

static void keep_marks(const struct json_watch w[WATCHES], struct marks *m)
{
    for (size_t i = 0; i < WATCHES; i++)
        m->at[i] = w[i].span;
}

static int read_limits(struct str doc, const struct marks *m, struct llm_request *llm,
                       struct json_fault *fault)
{
    uint64_t v;

    for (size_t i = MAX_TOKENS; i <= MAX_COMPLETION; i++) {
        if (!given(m, i))
            continue;
        if (!json_span_u64(doc, m->at[i], &v) || !v || v > INT32_MAX)
            return wrong(fault, i, kinds[i].reason);
        llm->has_output_limit = true;
        llm->output_limit = MAX(llm->output_limit, v);
    }
    llm->choices = 1;
    if (!given(m, CHOICES))
        return DIALECT_OK;
    if (!json_span_u64(doc, m->at[CHOICES], &v) || !v || v > CHOICES_MAX)
        return wrong(fault, CHOICES, kinds[CHOICES].reason);
    llm->choices = (uint32_t)v;
    return DIALECT_OK;
}

/* An unknown tier could cost anything, so it is not passed on. */
static int read_service(struct arena *a, struct str doc, const struct marks *m,
                        struct llm_request *llm, struct json_fault *fault)
{
    struct str word = STR_NONE;
    int r = wire_text(a, doc, m->at[SERVICE_TIER], &word);

    if (r < 0)
        return err_trace(r);
    llm->service = SERVICE_STANDARD;
    if (word.p && service_tier_read(word, &llm->service) != SERVICE_OK)
        return wrong(fault, SERVICE_TIER, "must be auto, default, flex or priority");
    return DIALECT_OK;
}

static void read_media(struct str doc, const struct json_watch w[WATCHES], struct llm_request *llm)
{
    uint64_t inline_bytes = w[IMAGE_URL].bytes + w[AUDIO_DATA].bytes + w[FILE_DATA].bytes;
    uint64_t prompt = w[MESSAGES].bytes + w[TOOLS].bytes;

    llm->image_parts = w[IMAGE_PART].count;
    llm->audio_parts = w[AUDIO_PART].count;
    llm->audio_bytes = w[AUDIO_DATA].bytes;
    llm->file_parts = MIN(w[FILE_DATA].count, w[FILE_PART].count);
    llm->file_bytes = w[FILE_DATA].bytes;
    llm->files_elsewhere = w[FILE_PART].count - llm->file_parts;
    llm->text_bytes = doc.n - MIN(inline_bytes, (uint64_t)doc.n);
    llm->prompt_bytes = prompt - MIN(inline_bytes, prompt);
}

static struct str raw_of(struct str doc, const struct marks *m, size_t which)
{
    return given(m, which) ? json_span_str(doc, m->at[which]) : STR_NONE;
}

static int fill(struct arena *a, struct str doc, const struct json_watch w[WATCHES],
                const struct marks *m, struct llm_request *llm, struct json_fault *fault)
{
    int r = wire_text(a, doc, m->at[MODEL], &llm->model);

    if (r < 0)
        return err_trace(r);
    llm->stream = wire_true(doc, m->at[STREAM]);
    llm->wants_usage = wire_true(doc, m->at[INCLUDE_USAGE]) || wire_true(doc, m->at[USAGE_INCLUDE]);
    llm->has_tools = given(m, TOOLS);
    llm->has_format = given(m, RESPONSE_FORMAT);
    llm->models_json = raw_of(doc, m, MODELS);
    llm->provider_json = raw_of(doc, m, PROVIDER);
    llm->wants_audio = given(m, AUDIO) || (given(m, MODALITIES) &&
                                           str_ihas(raw_of(doc, m, MODALITIES), STR("\"audio\"")));
    read_media(doc, w, llm);
    r = read_limits(doc, m, llm, fault);
    return r == DIALECT_OK ? read_service(a, doc, m, llm, fault) : r;
}

int openai_chat_read_request(struct arena *a, struct str body, struct wire_request *ret,
                             struct json_fault *fault)
{
    struct marks *m = arena_new0(a, struct marks);
    struct json_watch w[WATCHES] = {0};
    struct json_scan_result result;
    struct wire_request request = {.body = body, .marks = m};
    int r;

    if (!m)
        return err_origin(-ENOMEM);
    for (size_t i = 0; i < WATCHES; i++)
        w[i].path = paths[i];
    r = json_scan(body, w, WATCHES, &result, fault);
    if (r != JSON_OK)
        return r < 0 ? err_trace(r) : DIALECT_E_SYNTAX;
    if (result.root_kind != JSON_OBJECT)
        return wrong(fault, MODEL, "the body must be an object with a model");
    r = check_kinds(w, fault);
    if (r != DIALECT_OK)
        return r;
    keep_marks(w, m);
    m->root_open = result.root_open;
    if (!given(m, MESSAGES))
        return wrong(fault, MESSAGES, "is required");
    if (!given(m, MODEL) && !given(m, MODELS))
        return wrong(fault, MODEL, "is required");
    r = fill(a, body, w, m, &request.llm, fault);
    if (r == DIALECT_OK)
        *ret = request;
    return r;
}

/* The member that makes a stream end with its usage, wherever the client left room for it. */
static void ask_usage(const struct wire_request *request, const struct marks *m, struct edit *e,
                      struct buf *front)
{
    struct json_span options = m->at[STREAM_OPTIONS], include = m->at[INCLUDE_USAGE];
    struct str inside;

    if (include.n) {
        edit_replace(e, include, STR("true"));
    } else if (!options.n) {
        buf_puts(front, "\"stream_options\":{\"include_usage\":true},");
    } else if (!given(m, STREAM_OPTIONS)) {
        edit_replace(e, options, STR("{\"include_usage\":true}"));
    } else {
        inside = str_trim(str_n(request->body.p + options.at + 1, options.n - 2));
        edit_insert(e, options.at + 1,
                    inside.n ? STR("\"include_usage\":true,") : STR("\"include_usage\":true"));
    }
}

/* The limit under the target's own name. What the client gave under another name is renamed. */
static void set_limit(const struct marks *m, const struct wire_request_edit *edit, struct edit *e,
                      struct buf *front, struct buf *digits)
{
    size_t other;

    if (given(m, MAX_TOKENS) || given(m, MAX_COMPLETION)) {
        if (!edit->limit_name)
            return;
        other = str_eq_c(STR("max_tokens"), edit->limit_name) ? MAX_COMPLETION : MAX_TOKENS;
        if (given(m, other) && !m->at[MAX_TOKENS + MAX_COMPLETION - other].n)
            edit_rename(e, m->at[other], edit->limit_name);
        return;
    }
    if (!edit->output_limit)
        return;
    assert(edit->limit_name);
    for (size_t i = MAX_TOKENS; i <= MAX_COMPLETION; i++) {
        if (!m->at[i].n || !str_eq_c(str_c(paths[i]), edit->limit_name))
            continue;
        buf_put_u64(digits, edit->output_limit);
        edit_replace(e, m->at[i], buf_str(digits));
        return;
    }
    buf_putc(front, '"');
    buf_puts(front, edit->limit_name);
    buf_puts(front, "\":");
    buf_put_u64(front, edit->output_limit);
    buf_putc(front, ',');
}

static void set_model(const struct wire_request *request, const struct marks *m,
                      const struct wire_request_edit *edit, struct edit *e, struct buf *front,
                      struct buf *model)
{
    if (str_eq(edit->model, request->llm.model) && given(m, MODEL))
        return;
    if (m->at[MODEL].n) {
        wire_put_string(model, edit->model);
        edit_replace(e, m->at[MODEL], buf_str(model));
        return;
    }
    buf_puts(front, "\"model\":");
    wire_put_string(front, edit->model);
    buf_putc(front, ',');
}

void openai_chat_edit_request(const struct wire_request *request,
                              const struct wire_request_edit *edit, struct buf *out)
{
    static const size_t ours[] = {MODELS, PROVIDER, USAGE, ROUTE};
    const struct marks *m = request->marks;
    struct buf front, model, digits;
    struct edit e;

    buf_init(&front, KIB(8));
    buf_init(&model, KIB(8));
    buf_init(&digits, 32);
    edit_begin(&e, request->body);
    set_model(request, m, edit, &e, &front, &model);
    if (edit->ask_usage && request->llm.stream && !wire_true(request->body, m->at[INCLUDE_USAGE]))
        ask_usage(request, m, &e, &front);
    set_limit(m, edit, &e, &front, &digits);
    for (size_t i = 0; i < ARRAY_LEN(ours); i++)
        if (m->at[ours[i]].n)
            edit_remove(&e, m->at[ours[i]]);
    if (front.n)
        edit_insert(&e, m->root_open + 1, buf_str(&front));
    if (buf_finish(&front) < 0 || buf_finish(&model) < 0)
        out->err = -ENOMEM;
    edit_apply(&e, out);
    buf_done(&front);
    buf_done(&model);
    buf_done(&digits);
}
