/* usage.c: see usage.h. */
#include "translation/openai_chat/usage.h"

#include "base/bounds.h"

enum {
    PROMPT,
    COMPLETION,
    TOTAL,
    CACHED,
    CACHED_DEEPSEEK,
    CACHED_MISTRAL,
    CACHED_PLAIN,
    CACHE_WRITE,
    AUDIO_IN,
    IMAGE_IN,
    REASONING,
    AUDIO_OUT,
    IMAGE_OUT,
    COST,
    FIGURES
};

static const char *const paths[FIGURES] = {
    [PROMPT] = "prompt_tokens",
    [COMPLETION] = "completion_tokens",
    [TOTAL] = "total_tokens",
    [CACHED] = "prompt_tokens_details.cached_tokens",
    [CACHED_DEEPSEEK] = "prompt_cache_hit_tokens",
    [CACHED_MISTRAL] = "num_cached_tokens",
    [CACHED_PLAIN] = "cached_tokens",
    [CACHE_WRITE] = "prompt_tokens_details.cache_write_tokens",
    [AUDIO_IN] = "prompt_tokens_details.audio_tokens",
    [IMAGE_IN] = "prompt_tokens_details.image_tokens",
    [REASONING] = "completion_tokens_details.reasoning_tokens",
    [AUDIO_OUT] = "completion_tokens_details.audio_tokens",
    [IMAGE_OUT] = "completion_tokens_details.image_tokens",
    [COST] = "cost",
};

enum figure { FIGURE_ABSENT, FIGURE_BROKEN, FIGURE_GOOD };

/* BROKEN: there is something, but it is no count. */
static enum figure figure(struct str doc, const struct json_watch *w, int64_t *ret)
{
    uint64_t v;

    if (!w->span.n || w->span.kind == JSON_NULL)
        return FIGURE_ABSENT;
    if (!json_span_u64(doc, w->span, &v) || v > BOUND_USAGE_QUANTITY)
        return FIGURE_BROKEN;
    *ret = (int64_t)v;
    return FIGURE_GOOD;
}

/* Takes a part off the whole, never more than there is. */
static int64_t part(int64_t *whole, int64_t wanted)
{
    int64_t taken = MIN(*whole, wanted);

    *whole -= taken;
    return taken;
}

static void split_prompt(const int64_t v[FIGURES], int64_t prompt, struct usage *u)
{
    int64_t cached = v[CACHED];

    for (size_t i = CACHED_DEEPSEEK; i <= CACHED_PLAIN; i++)
        cached = MAX(cached, v[i]);
    u->n[USAGE_CACHED_INPUT] = part(&prompt, cached);
    u->n[USAGE_CACHE_WRITE_5M] = part(&prompt, v[CACHE_WRITE]);
    u->n[USAGE_AUDIO_INPUT] = part(&prompt, v[AUDIO_IN]);
    u->n[USAGE_IMAGE_INPUT] = part(&prompt, v[IMAGE_IN]);
    u->n[USAGE_INPUT] = prompt;
}

static void split_completion(const int64_t v[FIGURES], int64_t completion, int64_t beyond,
                             struct usage *u)
{
    if (beyond > 0 && (v[REASONING] == 0 || v[REASONING] == beyond))
        u->n[USAGE_REASONING] = beyond;
    else
        u->n[USAGE_REASONING] = part(&completion, v[REASONING]);
    u->n[USAGE_AUDIO_OUTPUT] = part(&completion, v[AUDIO_OUT]);
    u->n[USAGE_IMAGE_OUTPUT] = part(&completion, v[IMAGE_OUT]);
    u->n[USAGE_OUTPUT] = completion;
}

/* What total leaves of the other side, where that is a count; else the side is lacking. */
static bool is_left(int64_t v[FIGURES], const enum figure is[FIGURES], size_t side, size_t other)
{
    v[side] = 0;
    if (is[TOTAL] != FIGURE_GOOD || v[TOTAL] < v[other])
        return false;
    v[side] = v[TOTAL] - v[other];
    return true;
}

/* Both sides, as far as the figures tell them; *ret_beyond: what only the total counts. */
static int sides(int64_t v[FIGURES], const enum figure is[FIGURES], struct llm_report *ret,
                 int64_t *ret_beyond)
{
    bool prompt = is[PROMPT] == FIGURE_GOOD, completion = is[COMPLETION] == FIGURE_GOOD;

    *ret_beyond = 0;
    ret->lacks_prompt = ret->lacks_output = false;
    if (prompt && completion) {
        if (is[TOTAL] == FIGURE_GOOD)
            *ret_beyond = v[TOTAL] - v[PROMPT] - v[COMPLETION];
    } else if (prompt) {
        ret->lacks_output = !is_left(v, is, COMPLETION, PROMPT);
    } else if (completion) {
        ret->lacks_prompt = !is_left(v, is, PROMPT, COMPLETION);
    } else if (is[TOTAL] == FIGURE_GOOD && is[PROMPT] == FIGURE_ABSENT &&
               is[COMPLETION] == FIGURE_ABSENT) {
        v[PROMPT] = v[TOTAL]; /* embeddings of some providers name the total only */
    } else {
        return OPENAI_USAGE_E_NONE;
    }
    return OPENAI_USAGE_OK;
}

int openai_usage_read(struct str object, struct llm_report *ret, struct json_span *ret_cost_at)
{
    struct json_watch w[FIGURES] = {0};
    struct json_scan_result result;
    struct json_fault fault;
    struct llm_report report = *ret;
    enum figure is[FIGURES];
    int64_t v[FIGURES] = {0}, beyond;

    for (size_t i = 0; i < FIGURES; i++)
        w[i].path = paths[i];
    if (json_scan(object, w, FIGURES, &result, &fault) != JSON_OK)
        return OPENAI_USAGE_E_NONE;
    for (size_t i = 0; i < COST; i++)
        is[i] = figure(object, &w[i], &v[i]);
    if (sides(v, is, &report, &beyond) != OPENAI_USAGE_OK)
        return OPENAI_USAGE_E_NONE;
    report.has_usage = true;
    report.usage = (struct usage){.n = {0}};
    split_prompt(v, v[PROMPT], &report.usage);
    split_completion(v, v[COMPLETION], beyond, &report.usage);
    *ret = report;
    *ret_cost_at = w[COST].span;
    return OPENAI_USAGE_OK;
}

/* Strings are stepped over. */
struct str openai_object_at(struct str s)
{
    unsigned depth = 0;
    bool quoted = false;

    if (!s.n || s.p[0] != '{')
        return STR_NONE;
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];

        if (quoted && c == '\\')
            i++;
        else if (c == '"')
            quoted = !quoted;
        else if (!quoted && c == '{')
            depth++;
        else if (!quoted && c == '}' && --depth == 0)
            return str_n(s.p, i + 1);
    }
    return STR_NONE;
}

/* A quote within a string is escaped, so the name with plain quotes can only be a name. */
bool openai_usage_find(struct str part, struct llm_report *ret)
{
    const struct str name = STR("\"usage\"");

    for (size_t end = part.n; end >= name.n; end--) {
        struct str rest = str_n(part.p + end, part.n - end), object;
        struct json_span cost;

        if (memcmp(part.p + end - name.n, name.p, name.n) != 0)
            continue;
        rest = str_trim(rest);
        if (!rest.n || rest.p[0] != ':')
            continue;
        object = openai_object_at(str_trim(str_n(rest.p + 1, rest.n - 1)));
        if (object.p && openai_usage_read(object, ret, &cost) == OPENAI_USAGE_OK)
            return true;
    }
    return false;
}
