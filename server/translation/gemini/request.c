/* request.c: a generateContent request read, and the bytes that an upstream gets for it. The settings
 * of the answer stand in an object of their own, which is read in a second scan. */
#include <errno.h>
#include <stdio.h>

#include "base/err.h"
#include "translation/gemini/bytes.h"
#include "translation/media.h"
#include "translation/request_edit.h"
#include "translation/searches.h"

enum {
    CONTENTS,
    SYSTEM,
    SYSTEM_SNAKE,
    TOOLS,
    CONFIG,
    CONFIG_SNAKE,
    TIER,
    TIER_SNAKE,
    CACHED,
    CACHED_SNAKE,
    FIRST_MEDIA,
    WATCHES = FIRST_MEDIA + 10
};

static const struct field fields[WATCHES] = {
    [CONTENTS] = {.path = "contents"},
    [SYSTEM] = {.path = "systemInstruction"},
    [SYSTEM_SNAKE] = {.path = "system_instruction"},
    [TOOLS] = {.path = "tools"},
    [CONFIG] = {"generationConfig", "must be an object", JSON_OBJECT},
    [CONFIG_SNAKE] = {"generation_config", "must be an object", JSON_OBJECT},
    [TIER] = {"serviceTier", "must be standard, flex or priority", JSON_STRING},
    [TIER_SNAKE] = {"service_tier", "must be standard, flex or priority", JSON_STRING},
    [CACHED] = {.path = "cachedContent"},
    [CACHED_SNAKE] = {.path = "cached_content"},
    [FIRST_MEDIA] = {.path = "contents[].parts[].inlineData"},
    {.path = "contents[].parts[].inline_data"},
    {.path = "contents[].parts[].fileData"},
    {.path = "contents[].parts[].file_data"},
    {.path = "contents[].parts[].functionResponse.parts"},
    {.path = "contents[].parts[].function_response.parts"},
    {.path = "contents[].parts.inlineData"},
    {.path = "contents[].parts.inline_data"},
    {.path = "contents[].parts.fileData"},
    {.path = "contents[].parts.file_data"},
};

/* Within the configuration; of two spellings the second stands behind the first. */
enum {
    LIMIT,
    LIMIT_SNAKE,
    CHOICES,
    CHOICES_SNAKE,
    SCHEMA,
    SCHEMA_SNAKE,
    JSON_SCHEMA,
    JSON_SCHEMA_SNAKE,
    MODALITIES,
    MODALITIES_SNAKE,
    THINKING,
    THINKING_SNAKE,
    SETTINGS
};

static const char *const settings[SETTINGS] = {
    [LIMIT] = "maxOutputTokens",
    [LIMIT_SNAKE] = "max_output_tokens",
    [CHOICES] = "candidateCount",
    [CHOICES_SNAKE] = "candidate_count",
    [SCHEMA] = "responseSchema",
    [SCHEMA_SNAKE] = "response_schema",
    [JSON_SCHEMA] = "responseJsonSchema",
    [JSON_SCHEMA_SNAKE] = "response_json_schema",
    [MODALITIES] = "responseModalities",
    [MODALITIES_SNAKE] = "response_modalities",
    [THINKING] = "thinkingConfig",
    [THINKING_SNAKE] = "thinking_config",
};

enum { CHOICES_MAX = 128 };

struct kept {
    const struct marks *root;
    size_t config;          /* which spelling of it is there; WATCHES: none */
    struct json_span limit; /* a null in the place of the limit; n 0: none */
};

static int wrong_setting(struct json_fault *fault, const struct kept *k, size_t which,
                         const char *reason)
{
    char path[64];

    (void)snprintf(path, sizeof(path), "%s.%s", fields[k->config].path, settings[which]);
    return wire_wrong(fault, path, reason);
}

static int read_number(struct str config, const struct json_watch *w, size_t which, uint64_t max,
                       const char *reason, const struct kept *k, uint64_t *ret,
                       struct json_fault *fault)
{
    for (size_t i = which; i <= which + 1; i++) {
        uint64_t v;

        if (!wire_given(w[i].span))
            continue;
        if (!json_span_u64(config, w[i].span, &v) || !v || v > max)
            return wrong_setting(fault, k, i, reason);
        *ret = MAX(*ret, v);
    }
    return DIALECT_OK;
}

static bool has_schema(const struct json_watch *w)
{
    for (size_t i = SCHEMA; i <= JSON_SCHEMA_SNAKE; i++)
        if (wire_given(w[i].span))
            return true;
    return false;
}

/* A level, or a budget that is not 0; what it is told of the thoughts asks for none. */
static bool wants_thoughts(struct str config, struct json_span at)
{
    struct json_watch w[] = {{.path = "thinkingLevel"}, {.path = "thinking_level"},
                             {.path = "thinkingBudget"}, {.path = "thinking_budget"}};
    struct str object = json_span_str(config, at);
    struct json_scan_result result;
    struct json_fault fault;

    if (at.kind != JSON_OBJECT ||
        json_scan(object, w, ARRAY_LEN(w), &result, &fault) != JSON_OK)
        return false;
    for (size_t i = 0; i < ARRAY_LEN(w); i++)
        if (wire_given(w[i].span) && !str_eq(json_span_str(object, w[i].span), STR("0")))
            return true;
    return false;
}

static int read_config(struct str body, struct kept *k, struct llm_request *llm,
                       struct json_fault *fault)
{
    struct json_span at = k->root->at[k->config];
    struct str config = json_span_str(body, at);
    struct json_watch w[SETTINGS] = {0};
    struct json_scan_result result;
    uint64_t choices = 1;
    int r;

    for (size_t i = 0; i < SETTINGS; i++)
        w[i].path = settings[i];
    r = json_scan(config, w, SETTINGS, &result, fault);
    if (r != JSON_OK)
        return r < 0 ? err_trace(r) : DIALECT_E_SYNTAX;
    for (size_t i = LIMIT; i <= LIMIT_SNAKE; i++)
        if (w[i].span.n && !wire_given(w[i].span))
            k->limit = (struct json_span){at.at + w[i].span.at, w[i].span.n, JSON_NULL};
    llm->wants_schema = has_schema(w);
    llm->wants_reasoning = wants_thoughts(config, w[THINKING].span) ||
                           wants_thoughts(config, w[THINKING_SNAKE].span);
    for (size_t i = MODALITIES; i <= MODALITIES_SNAKE; i++)
        llm->wants_audio = llm->wants_audio || str_ihas(json_span_str(config, w[i].span),
                                                        STR("\"audio\""));
    r = read_number(config, w, LIMIT, INT32_MAX, "must be a positive integer", k,
                    &llm->output_limit, fault);
    llm->has_output_limit = llm->output_limit > 0;
    if (r == DIALECT_OK)
        r = read_number(config, w, CHOICES, CHOICES_MAX, "must be an integer from 1 to 128", k,
                        &choices, fault);
    llm->choices = (uint32_t)choices;
    return r;
}

/* An unknown tier could cost anything, so it is not passed on. */
static int read_service(struct str body, const struct marks *m, struct llm_request *llm,
                        struct json_fault *fault)
{
    static const struct {
        const char *word;
        enum service_tier tier;
    } words[] = {{"unspecified", SERVICE_STANDARD},
                 {"standard", SERVICE_STANDARD},
                 {"flex", SERVICE_FLEX},
                 {"priority", SERVICE_PRIORITY}};

    for (size_t i = TIER; i <= TIER_SNAKE; i++) {
        struct str word = field_raw(body, m, i);
        size_t k = 0;

        if (!word.p)
            continue;
        word = str_n(word.p + 1, word.n - 2);
        while (k < ARRAY_LEN(words) && !str_ieq(word, str_c(words[k].word)))
            k++;
        if (k == ARRAY_LEN(words))
            return wire_wrong(fault, fields[i].path, fields[i].reason);
        llm->service = words[k].tier;
    }
    return DIALECT_OK;
}

static void read_media(struct str body, const struct json_watch w[WATCHES], const struct marks *m,
                       struct llm_request *llm)
{
    struct media media = {.llm = llm};
    uint64_t seen = m->at[CONTENTS].kind == JSON_OBJECT;

    for (size_t i = FIRST_MEDIA; i < WATCHES; i++)
        seen += w[i].count;
    if (seen)
        gemini_count_media(json_span_str(body, m->at[CONTENTS]), &media);
    if (field_given(m, CACHED) || field_given(m, CACHED_SNAKE))
        media_elsewhere(&media, MEDIA_FILE); /* a part of the prompt that is kept there */
    media_end(&media, body.n,
              w[CONTENTS].bytes + w[SYSTEM].bytes + w[SYSTEM_SNAKE].bytes + w[TOOLS].bytes);
}

static int check(const struct marks *m, struct kept *k, struct json_fault *fault)
{
    k->root = m;
    k->config = field_given(m, CONFIG) ? CONFIG : field_given(m, CONFIG_SNAKE) ? CONFIG_SNAKE : WATCHES;
    if (!field_given(m, CONTENTS))
        return wire_wrong(fault, "contents", "is required");
    if (m->at[CONTENTS].kind != JSON_ARRAY && m->at[CONTENTS].kind != JSON_OBJECT)
        return wire_wrong(fault, "contents", "must be an array");
    if (field_given(m, CONFIG) && field_given(m, CONFIG_SNAKE))
        return wire_wrong(fault, "generation_config", "stands beside generationConfig");
    return DIALECT_OK;
}

int gemini_bytes_read_request(struct arena *a, struct str body, struct wire_request *ret,
                              struct json_fault *fault)
{
    struct wire_request request = {.body = body, .llm = {.choices = 1, .wants_usage = true}};
    struct kept *k = arena_new0(a, struct kept);
    struct json_watch w[WATCHES];
    struct marks *m;
    int r = k ? fields_read(a, body, fields, WATCHES, w, &m, fault) : err_origin(-ENOMEM);

    if (r == DIALECT_OK)
        r = check(m, k, fault);
    if (r == DIALECT_OK && k->config != WATCHES)
        r = read_config(body, k, &request.llm, fault);
    if (r == DIALECT_OK)
        r = read_service(body, m, &request.llm, fault);
    if (r == DIALECT_OK)
        r = searches_read(a, "tools", field_raw(body, m, TOOLS), searches_google, &request.llm);
    if (r < 0)
        return err_trace(r);
    if (r != DIALECT_OK)
        return r;
    request.llm.has_tools = field_given(m, TOOLS);
    read_media(body, w, m, &request.llm);
    request.marks = k;
    *ret = request;
    return DIALECT_OK;
}

/* A configuration that is null counts as absent, but its place is taken. */
static void new_config(const struct marks *m, uint64_t limit, struct request_edit *e)
{
    struct json_span null_at = m->at[CONFIG].n ? m->at[CONFIG] : m->at[CONFIG_SNAKE];

    buf_printf(&e->digits, "{\"maxOutputTokens\":%llu}", (unsigned long long)limit);
    if (null_at.n) {
        edit_replace(&e->edit, null_at, buf_str(&e->digits));
        return;
    }
    buf_puts(&e->front, "\"generationConfig\":");
    buf_put_str(&e->front, buf_str(&e->digits));
    buf_putc(&e->front, ',');
}

static void set_limit(const struct wire_request *request, const struct kept *k, uint64_t limit,
                      struct request_edit *e)
{
    struct json_span at;
    bool empty;

    if (k->limit.n) {
        request_edit_limit(e, k->limit, settings[LIMIT], limit);
    } else if (k->config == WATCHES) {
        new_config(k->root, limit, e);
    } else {
        at = k->root->at[k->config];
        empty = !str_trim(str_n(request->body.p + at.at + 1, at.n - 2)).n;
        buf_printf(&e->digits, "\"maxOutputTokens\":%llu%s", (unsigned long long)limit,
                   empty ? "" : ",");
        edit_insert(&e->edit, at.at + 1, buf_str(&e->digits));
    }
}

/* The path has the model, and streams tell their figures unasked. */
void gemini_bytes_edit_request(const struct wire_request *request,
                               const struct wire_request_edit *edit, struct buf *out)
{
    const struct kept *k = request->marks;
    struct request_edit e;

    request_edit_begin(&e, request, k->root);
    if (!request->llm.has_output_limit && edit->output_limit)
        set_limit(request, k, edit->output_limit, &e);
    request_edit_end(&e, out);
}
