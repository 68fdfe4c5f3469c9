/* usage.c: Anthropic's usage object, whole or in the pieces of a stream.
 *
 * Odd: the end of a stream tells all writes to the cache as one sum, its start by how long they are
 * kept. thinking_tokens are a part of output_tokens. The tier that served stands here too, and what
 * fast mode costs is another price: it is sold as the priority tier. Searches of the web are billed by
 * their number, beside the tokens of what they found. */
#include "translation/anthropic_messages/bytes.h"
#include "translation/figures.h"
#include "translation/report.h"
#include "translation/wire.h"

enum { INPUT, READ, WRITES, WRITES_5M, WRITES_1H, OUTPUT, THINKING, SEARCHES, FIGURES,
       TIER = FIGURES, SPEED, COST, WATCHES };

static const char *const paths[] = {ANTHROPIC_USAGE_PATHS("")};

_Static_assert((int)WATCHES == (int)ANTHROPIC_USAGE_WATCHES && ARRAY_LEN(paths) == WATCHES,
               "a path for each");

static void put_prompt(const int64_t v[FIGURES], const enum figure is[FIGURES],
                       struct llm_report *r)
{
    struct usage *u = &r->usage;
    bool split = is[WRITES_5M] == FIGURE_GOOD || is[WRITES_1H] == FIGURE_GOOD;

    u->n[USAGE_INPUT] = v[INPUT];
    u->n[USAGE_CACHED_INPUT] = v[READ];
    u->n[USAGE_CACHE_WRITE_1H] = v[WRITES_1H];
    u->n[USAGE_CACHE_WRITE_5M] = MAX(v[WRITES_5M], v[WRITES] - v[WRITES_1H]);
    if (is[READ] != FIGURE_GOOD)
        r->silent |= LLM_SILENT(USAGE_CACHED_INPUT);
    if (!split)
        r->silent |= LLM_SILENT(USAGE_CACHE_WRITE_1H);
    if (!split && is[WRITES] != FIGURE_GOOD)
        r->silent |= LLM_SILENT(USAGE_CACHE_WRITE_5M);
}

static void put_service(struct str doc, const struct json_watch *w, struct llm_report *r)
{
    struct str tier = report_inside(doc, w[TIER].span);

    if (json_span_is(doc, w[SPEED].span, "fast")) {
        r->has_service = true;
        r->service = SERVICE_PRIORITY;
    } else if (tier.p && service_tier_read(tier, &r->service) == SERVICE_OK) {
        r->has_service = true;
    }
}

bool anthropic_usage_take(struct str doc, const struct json_watch *w, struct llm_report *ret,
                          struct json_span *ret_cost_at)
{
    struct llm_report r = *ret;
    enum figure is[FIGURES];
    int64_t v[FIGURES] = {0};

    for (size_t i = 0; i < FIGURES; i++)
        is[i] = figure_read(doc, &w[i], &v[i]);
    if (is[INPUT] != FIGURE_GOOD && is[OUTPUT] != FIGURE_GOOD)
        return false;
    r.has_usage = true;
    r.usage = (struct usage){.n = {0}};
    r.silent = 0;
    r.lacks_prompt = is[INPUT] != FIGURE_GOOD;
    r.lacks_output = is[OUTPUT] != FIGURE_GOOD;
    put_prompt(v, is, &r);
    r.usage.n[USAGE_REASONING] = figure_part(&v[OUTPUT], v[THINKING]);
    r.usage.n[USAGE_OUTPUT] = v[OUTPUT];
    report_put_searches(&r, is[SEARCHES] == FIGURE_GOOD, v[SEARCHES]);
    put_service(doc, w, &r);
    *ret = r;
    *ret_cost_at = w[COST].span;
    return true;
}

bool anthropic_usage_read(struct str object, struct llm_report *ret, struct json_span *ret_cost_at)
{
    struct json_watch w[WATCHES];

    return report_scan_figures(object, paths, w, WATCHES) &&
           anthropic_usage_take(object, w, ret, ret_cost_at);
}

static bool read_object(struct str object, struct llm_report *ret)
{
    struct json_span cost;

    return anthropic_usage_read(object, ret, &cost);
}

bool anthropic_usage_find(struct str part, struct llm_report *ret)
{
    return report_find_usage(part, STR("\"usage\""), read_object, ret);
}
