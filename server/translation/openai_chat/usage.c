/* usage.c: see usage.h. */
#include "translation/openai_chat/usage.h"

#include "translation/figures.h"
#include "translation/report.h"

enum {
    PROMPT,
    COMPLETION,
    TOTAL,
    CACHED,
    CACHE_WRITE,
    AUDIO_IN,
    IMAGE_IN,
    REASONING,
    AUDIO_OUT,
    IMAGE_OUT,
    COST,
    SEARCHES_ROUTER,
    COMMON, /* to both formats */
    CACHED_DEEPSEEK = COMMON,
    CACHED_MISTRAL,
    CACHED_PLAIN,
    SEARCHES_ROUTER_OLD,
    SEARCHES,
    RESPONSES, /* what is only theirs, from here on */
    SEARCHES_TOOL = RESPONSES,
    SEARCHES_WEB,
    SEARCHES_X,
    FIGURES
};

static const char *const chat_paths[OPENAI_USAGE_WATCHES] = {OPENAI_USAGE_PATHS("")};
static const char *const responses_paths[RESPONSES_USAGE_WATCHES] = {RESPONSES_USAGE_PATHS("")};

_Static_assert((int)RESPONSES == (int)OPENAI_USAGE_WATCHES, "a path for each figure");
_Static_assert((int)COMMON + (int)FIGURES - (int)RESPONSES == (int)RESPONSES_USAGE_WATCHES,
               "and for those of the Responses format");

static void split_prompt(const int64_t v[FIGURES], int64_t prompt, struct usage *u)
{
    int64_t cached = v[CACHED];

    for (size_t i = CACHED_DEEPSEEK; i <= CACHED_PLAIN; i++)
        cached = MAX(cached, v[i]);
    u->n[USAGE_CACHED_INPUT] = figure_part(&prompt, cached);
    u->n[USAGE_CACHE_WRITE_5M] = figure_part(&prompt, v[CACHE_WRITE]);
    u->n[USAGE_AUDIO_INPUT] = figure_part(&prompt, v[AUDIO_IN]);
    u->n[USAGE_IMAGE_INPUT] = figure_part(&prompt, v[IMAGE_IN]);
    u->n[USAGE_INPUT] = prompt;
}

static void split_completion(const int64_t v[FIGURES], int64_t completion, int64_t beyond,
                             struct usage *u)
{
    if (beyond > 0 && (v[REASONING] == 0 || v[REASONING] == beyond))
        u->n[USAGE_REASONING] = beyond;
    else
        u->n[USAGE_REASONING] = figure_part(&completion, v[REASONING]);
    u->n[USAGE_AUDIO_OUTPUT] = figure_part(&completion, v[AUDIO_OUT]);
    u->n[USAGE_IMAGE_OUTPUT] = figure_part(&completion, v[IMAGE_OUT]);
    u->n[USAGE_OUTPUT] = completion;
}

/* One number under several names, but for xAI's two kinds. */
static void tell_searches(const int64_t v[FIGURES], const enum figure is[FIGURES],
                          struct llm_report *r)
{
    static const size_t names[] = {SEARCHES_ROUTER, SEARCHES_ROUTER_OLD, SEARCHES, SEARCHES_TOOL};
    int64_t n = v[SEARCHES_WEB] + v[SEARCHES_X];
    bool told = is[SEARCHES_WEB] == FIGURE_GOOD || is[SEARCHES_X] == FIGURE_GOOD;

    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        n = MAX(n, v[names[i]]);
        told = told || is[names[i]] == FIGURE_GOOD;
    }
    report_put_searches(r, told, n);
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

int openai_usage_take(struct str doc, const struct json_watch *w, size_t n, struct llm_report *ret,
                      struct json_span *ret_cost_at)
{
    struct llm_report report = *ret;
    enum figure is[FIGURES] = {FIGURE_ABSENT};
    int64_t v[FIGURES] = {0}, beyond;

    for (size_t i = 0; i < n; i++) {
        size_t which = n == RESPONSES_USAGE_WATCHES && i >= COMMON ? i - COMMON + RESPONSES : i;

        if (i != COST)
            is[which] = figure_read(doc, &w[i], &v[which]);
    }
    if (sides(v, is, &report, &beyond) != OPENAI_USAGE_OK)
        return OPENAI_USAGE_E_NONE;
    report.has_usage = true;
    report.usage = (struct usage){.n = {0}};
    split_prompt(v, v[PROMPT], &report.usage);
    split_completion(v, v[COMPLETION], beyond, &report.usage);
    report.silent = 0;
    tell_searches(v, is, &report);
    *ret = report;
    *ret_cost_at = w[COST].span;
    return OPENAI_USAGE_OK;
}

static int read_as(const char *const *paths, size_t n, struct str object, struct llm_report *ret,
                   struct json_span *ret_cost_at)
{
    struct json_watch w[FIGURES];

    if (!report_scan_figures(object, paths, w, n))
        return OPENAI_USAGE_E_NONE;
    return openai_usage_take(object, w, n, ret, ret_cost_at);
}

int openai_usage_read(struct str object, struct llm_report *ret, struct json_span *ret_cost_at)
{
    return read_as(chat_paths, ARRAY_LEN(chat_paths), object, ret, ret_cost_at);
}

int responses_usage_read(struct str object, struct llm_report *ret, struct json_span *ret_cost_at)
{
    return read_as(responses_paths, ARRAY_LEN(responses_paths), object, ret, ret_cost_at);
}

bool responses_searches_read(struct str doc, const struct json_watch *w, struct llm_report *ret)
{
    int64_t n = 0;

    if (figure_read(doc, w, &n) != FIGURE_GOOD || !ret->has_usage)
        return false;
    ret->usage.n[USAGE_SEARCH] = n;
    ret->silent &= ~LLM_SILENT(USAGE_SEARCH);
    return true;
}

static bool read_object(struct str object, struct llm_report *ret)
{
    struct json_span cost;

    return openai_usage_read(object, ret, &cost) == OPENAI_USAGE_OK;
}

static bool read_responses_object(struct str object, struct llm_report *ret)
{
    struct json_span cost;

    return responses_usage_read(object, ret, &cost) == OPENAI_USAGE_OK;
}

bool openai_usage_find(struct str part, struct llm_report *ret)
{
    return report_find_usage(part, STR("\"usage\""), read_object, ret);
}

static bool read_tool_usage(struct str object, struct llm_report *ret)
{
    struct json_watch w = {.path = "web_search.num_requests"};
    struct json_scan_result result;
    struct json_fault fault;

    return json_scan(object, &w, 1, &result, &fault) == JSON_OK &&
           responses_searches_read(object, &w, ret);
}

bool responses_usage_find(struct str part, struct llm_report *ret)
{
    bool found = report_find_usage(part, STR("\"usage\""), read_responses_object, ret);

    if (found)
        (void)report_find_usage(part, STR("\"tool_usage\""), read_tool_usage, ret);
    return found;
}
