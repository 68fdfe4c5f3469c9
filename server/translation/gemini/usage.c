/* usage.c: Google's usageMetadata.
 *
 * Cached and audio tokens are parts of the prompt, thoughts stand beside the candidates; what tools
 * put into the prompt is counted apart. */
#include "translation/elements.h"
#include "translation/figures.h"
#include "translation/gemini/bytes.h"
#include "translation/report.h"

enum {
    PROMPT,
    CACHED,
    CANDIDATES,
    THOUGHTS,
    TOOLS,
    TOTAL,
    FIGURES,
    PROMPT_PARTS = FIGURES,
    EMBEDDED_PARTS, /* in one letter less */
    CACHED_PARTS,
    CANDIDATES_PARTS,
    TIER,
    TRAFFIC,
    COST,
    WATCHES
};

static const char *const paths[] = {GEMINI_USAGE_PATHS("")};

_Static_assert((int)WATCHES == (int)GEMINI_USAGE_WATCHES && ARRAY_LEN(paths) == WATCHES,
               "a path for each");

/* Of a list of {modality, tokenCount}. */
static int64_t of_modality(struct str doc, const struct json_watch *list, const char *modality)
{
    struct str rest, one;
    int64_t sum = 0;

    if (!report_has_list(list))
        return 0;
    rest = elements_of(json_span_str(doc, list->span));
    while (element_next(&rest, &one)) {
        struct json_watch w[] = {{.path = "modality"}, {.path = "tokenCount"}};
        struct json_scan_result result;
        struct json_fault fault;
        int64_t n = 0;

        if (json_scan(one, w, ARRAY_LEN(w), &result, &fault) == JSON_OK &&
            json_span_is(one, w[0].span, modality) && figure_read(one, &w[1], &n) == FIGURE_GOOD)
            sum += n;
    }
    return sum;
}

/* What total leaves of a side that is not told; < 0: nothing can be said. */
static int64_t left_of(const int64_t v[FIGURES], const enum figure is[FIGURES], size_t side)
{
    size_t other = side == PROMPT ? CANDIDATES : PROMPT;

    if (is[TOTAL] != FIGURE_GOOD)
        return -1;
    return v[TOTAL] - v[other] - v[THOUGHTS] - v[TOOLS];
}

static void sides(int64_t v[FIGURES], const enum figure is[FIGURES], bool final,
                  struct llm_report *r)
{
    int64_t left;

    r->lacks_prompt = r->lacks_output = false;
    if (is[PROMPT] != FIGURE_GOOD) {
        left = final ? left_of(v, is, PROMPT) : -1;
        v[PROMPT] = MAX(left, (int64_t)0);
        r->lacks_prompt = left <= 0;
    }
    if (is[CANDIDATES] != FIGURE_GOOD) {
        left = final && !r->lacks_prompt ? left_of(v, is, CANDIDATES) : -1;
        v[CANDIDATES] = MAX(left, (int64_t)0);
        r->lacks_output = left < 0;
    }
}

static void split(struct str doc, const struct json_watch *w, const int64_t v[FIGURES],
                  struct usage *u)
{
    int64_t prompt = v[PROMPT] + v[TOOLS], answer = v[CANDIDATES];
    size_t parts = report_has_list(&w[PROMPT_PARTS]) ? PROMPT_PARTS : EMBEDDED_PARTS;
    int64_t audio = of_modality(doc, &w[parts], "AUDIO");
    int64_t image = of_modality(doc, &w[parts], "IMAGE");

    u->n[USAGE_CACHED_INPUT] = figure_part(&prompt, v[CACHED]);
    (void)figure_part(&audio, of_modality(doc, &w[CACHED_PARTS], "AUDIO"));
    (void)figure_part(&image, of_modality(doc, &w[CACHED_PARTS], "IMAGE"));
    u->n[USAGE_AUDIO_INPUT] = figure_part(&prompt, audio);
    u->n[USAGE_IMAGE_INPUT] = figure_part(&prompt, image);
    u->n[USAGE_INPUT] = prompt;
    u->n[USAGE_AUDIO_OUTPUT] =
        figure_part(&answer, of_modality(doc, &w[CANDIDATES_PARTS], "AUDIO"));
    u->n[USAGE_IMAGE_OUTPUT] =
        figure_part(&answer, of_modality(doc, &w[CANDIDATES_PARTS], "IMAGE"));
    u->n[USAGE_OUTPUT] = answer;
    u->n[USAGE_REASONING] = v[THOUGHTS];
}

/* The Gemini API names the tier, Vertex the kind of traffic. */
static void put_service(struct str doc, const struct json_watch *w, struct llm_report *r)
{
    static const struct {
        const char *word;
        enum service_tier tier;
    } kinds[] = {{"ON_DEMAND", SERVICE_STANDARD},
                 {"PROVISIONED_THROUGHPUT", SERVICE_STANDARD},
                 {"ON_DEMAND_FLEX", SERVICE_FLEX},
                 {"ON_DEMAND_PRIORITY", SERVICE_PRIORITY}};
    struct str tier = report_inside(doc, w[TIER].span);

    if (tier.p && service_tier_read(tier, &r->service) == SERVICE_OK)
        r->has_service = true;
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
        if (json_span_is(doc, w[TRAFFIC].span, kinds[i].word)) {
            r->has_service = true;
            r->service = kinds[i].tier;
        }
}

bool gemini_usage_take(struct str doc, const struct json_watch *w, bool final,
                       struct llm_report *ret, struct json_span *ret_cost_at)
{
    struct llm_report r = *ret;
    enum figure is[FIGURES];
    int64_t v[FIGURES] = {0};

    for (size_t i = 0; i < FIGURES; i++)
        is[i] = figure_read(doc, &w[i], &v[i]);
    put_service(doc, w, &r);
    if (is[PROMPT] != FIGURE_GOOD && is[CANDIDATES] != FIGURE_GOOD && is[TOTAL] != FIGURE_GOOD) {
        ret->has_service = r.has_service;
        ret->service = r.service;
        return false;
    }
    r.has_usage = true;
    r.silent = 0;
    r.usage = (struct usage){.n = {0}};
    sides(v, is, final, &r);
    split(doc, w, v, &r.usage);
    usage_clamp(&r.usage);
    *ret = r;
    *ret_cost_at = w[COST].span;
    return true;
}

bool gemini_usage_read(struct str object, bool final, struct llm_report *ret,
                       struct json_span *ret_cost_at)
{
    struct json_watch w[WATCHES];

    return report_scan_figures(object, paths, w, WATCHES) &&
           gemini_usage_take(object, w, final, ret, ret_cost_at);
}

static bool read_object(struct str object, struct llm_report *ret)
{
    struct json_span cost;

    return gemini_usage_read(object, true, ret, &cost);
}

bool gemini_usage_find(struct str part, struct llm_report *ret)
{
    return report_find_usage(part, STR("\"usageMetadata\""), read_object, ret);
}
