/* searches.c: see searches.h. Lists are looked at more closely only where a word in them may ask. */
#include "translation/searches.h"

#include <errno.h>

#include "base/bounds.h"
#include "base/err.h"
#include "json/word.h"
#include "translation/elements.h"
#include "translation/report.h"
#include "translation/wire.h"

/* Of one answer: more are none that a model has made, and each is compared with those before it. */
enum { QUERIES_MOST = 512 };

static bool has(struct str s, struct str word)
{
    return s.n && memmem(s.p, s.n, word.p, word.n);
}

/* "web_search", "googleSearch", "x_search", of plugins "web"; or a word that is written with escapes. */
static bool may_ask(struct str list, search_asked *asked)
{
    return json_may_hold(list, asked == searches_plugin ? STR("\"web\"") : STR("earch"));
}

/* False: it is no object in which to look for fields. */
static bool look(struct str element, struct json_watch *w, size_t n)
{
    struct json_scan_result result;
    struct json_fault fault;

    return json_scan(element, w, n, &result, &fault) == JSON_OK && result.root_kind == JSON_OBJECT;
}

static void read_most(struct str element, const struct json_watch *w, uint64_t *ret)
{
    uint64_t v;

    if (json_span_u64(element, w->span, &v) && v)
        *ret = v;
}

/* The types have names by day, "web_search_20250305", "web_search_preview_2025_03_11". */
static int tool(struct arena *a, struct str element, uint64_t *ret_most, struct str *ret_type)
{
    struct json_watch w[] = {{.path = "type"}, {.path = "max_uses"}, {.path = "parameters.max_uses"}};
    int r;

    *ret_type = STR_NONE;
    if (!look(element, w, ARRAY_LEN(w)))
        return 0;
    r = w[0].span.kind == JSON_STRING ? wire_text(a, element, w[0].span, ret_type) : 0;
    if (r < 0)
        return err_trace(r);
    read_most(element, &w[1], ret_most);
    read_most(element, &w[2], ret_most);
    return str_starts(*ret_type, STR("web_search")) ||
           str_starts(*ret_type, STR("openrouter:web_search")) ||
           str_starts(*ret_type, STR("x_search"));
}

int searches_tool(struct arena *a, struct str element, struct llm_request *llm, uint64_t *ret_most)
{
    struct str type;

    (void)llm;
    return tool(a, element, ret_most, &type);
}

/* Those who take the type in chats but do not tell what they made of it. */
int searches_chat_tool(struct arena *a, struct str element, struct llm_request *llm,
                       uint64_t *ret_most)
{
    struct str type;
    int r = tool(a, element, ret_most, &type);

    if (r > 0 && str_starts(type, STR("web_search")))
        llm->searches_always = true;
    return r;
}

int searches_plugin(struct arena *a, struct str element, struct llm_request *llm,
                    uint64_t *ret_most)
{
    struct json_watch w[] = {{.path = "id"}, {.path = "enabled"}};

    (void)a;
    (void)ret_most;
    if (!look(element, w, ARRAY_LEN(w)) || !json_span_is(element, w[0].span, "web") ||
        str_eq(json_span_str(element, w[1].span), STR("false")))
        return 0;
    llm->searches_always = true;
    return 1;
}

int searches_google(struct arena *a, struct str element, struct llm_request *llm,
                    uint64_t *ret_most)
{
    struct json_watch w[] = {
        {.path = "googleSearch"},          {.path = "google_search"},
        {.path = "googleSearchRetrieval"}, {.path = "google_search_retrieval"},
        {.path = "enterpriseWebSearch"},   {.path = "enterprise_web_search"},
    };

    (void)a;
    (void)llm;
    (void)ret_most;
    if (!look(element, w, ARRAY_LEN(w)))
        return 0;
    for (size_t i = 0; i < ARRAY_LEN(w); i++)
        if (wire_given(w[i].span))
            return 1;
    return 0;
}

void searches_ask(struct llm_request *llm, struct str path, uint64_t most)
{
    const uint64_t bound = BOUND_USAGE_QUANTITY;

    if (!llm->search_path.p)
        llm->search_path = path;
    llm->searches = MIN(llm->searches + MIN(most, bound), bound);
}

int searches_read(struct arena *a, const char *name, struct str list, search_asked *asked,
                  struct llm_request *llm)
{
    struct str rest, one;

    if (!list.p || !may_ask(list, asked))
        return 0;
    rest = elements_of(list);
    for (size_t i = 0; element_next(&rest, &one); i++) {
        uint64_t most = SEARCHES_UNBOUND;
        struct str path;
        int r = asked(a, one, llm, &most);

        if (r < 0)
            return err_trace(r);
        if (!r)
            continue;
        path = arena_strf(a, "%s[%zu]", name, i);
        if (!path.p)
            return err_origin(-ENOMEM);
        searches_ask(llm, path, most);
    }
    return 0;
}

/* --- what was made --- */

bool searches_item(struct str doc, struct json_span type, struct json_span action)
{
    return json_span_is(doc, type, "web_search_call") &&
           (!wire_given(action) || json_span_is(doc, action, "search"));
}

/* Elements that are one by their type and what stands at the second path. */
static uint32_t count(struct str list, struct str type, const char *second,
                      bool is_one(struct str, struct json_span, struct json_span))
{
    struct str rest, one;
    uint32_t n = 0;

    if (!has(list, type))
        return 0;
    rest = elements_of(list);
    while (element_next(&rest, &one)) {
        struct json_watch w[] = {{.path = "type"}, {.path = second}};

        n += look(one, w, ARRAY_LEN(w)) && is_one(one, w[0].span, w[1].span);
    }
    return n;
}

uint32_t searches_of_output(struct str output)
{
    return count(output, STR("web_search_call"), "action.type", searches_item);
}

bool searches_block(struct str doc, struct json_span type, struct json_span found)
{
    return json_span_is(doc, type, "web_search_tool_result") && found.n && found.kind == JSON_ARRAY;
}

uint32_t searches_of_content(struct str content)
{
    return count(content, STR("web_search_tool_result"), "content", searches_block);
}

/* "gemini-2.5-pro", "gemini-robotics-er-1.5-preview": the first number says which it is of. */
static bool is_by_prompt(struct str version)
{
    for (size_t i = 0; i < version.n; i++)
        if (version.p[i] >= '0' && version.p[i] <= '9')
            return version.p[i] < '3' && (i + 1 == version.n || version.p[i + 1] == '.' ||
                                          version.p[i + 1] == '-');
    return false;
}

struct queries {
    struct str v[QUERIES_MOST];
    uint32_t n;
};

static void add_query(struct queries *q, struct str query)
{
    if (str_eq(query, STR("\"\"")) || query.p[0] != '"' || q->n == QUERIES_MOST)
        return;
    for (uint32_t i = 0; i < q->n; i++)
        if (str_eq(q->v[i], query))
            return;
    q->v[q->n++] = query;
}

uint32_t searches_of_candidates(struct str candidates, struct str version)
{
    struct str rest = elements_of(candidates), one, query;
    struct queries q = {.n = 0};

    while (element_next(&rest, &one)) {
        struct json_watch w = {.path = "groundingMetadata.webSearchQueries"};
        struct str list;

        if (!look(one, &w, 1) || !report_has_list(&w))
            continue;
        list = elements_of(json_span_str(one, w.span));
        while (element_next(&list, &query))
            add_query(&q, query);
    }
    return is_by_prompt(version) ? MIN(q.n, UINT32_C(1)) : q.n;
}
