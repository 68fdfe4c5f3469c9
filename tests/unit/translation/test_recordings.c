/* Recorded exchanges of real providers: the usage that is read equals the usage that was recorded, and
 * what the format's neutral reader counts; requests are read, and answers and streams in which nothing
 * is put come through an edit byte for byte. Skipped by
 * name where the recordings (RECORDINGS, or the folder beside the project) are not there. */
#include "unit.h"

#include <stdio.h>

#include "base/bounds.h"
#include "json/value.h"
#include "model/llm.h"
#include "translation/chat_dialect.h"
#include "translation/dialect.h"

static const char *const providers[] = {"openai",   "groq",     "mistral",     "openrouter",
                                        "deepseek", "cerebras", "huggingface", "zai",
                                        "azure",    "anthropic", "gemini",     "vertex"};

/* What the folders of recordings hold, and what of the usage object is prompt and answer there. */
struct kind {
    const char *api;
    const struct dialect *dialect;
    const struct chat_dialect *neutral; /* NULL: none */
    const char *usage;
    const char *prompt[4], *answer[3]; /* summed up */
    const char *cached, *thoughts;     /* "a.b": within an object */
};
static const struct kind kinds[] = {
    {"chat", &openai_chat, &openai_chat_neutral, "usage", {"prompt_tokens"}, {"completion_tokens"},
     NULL, NULL},
    {"embeddings", &openai_embeddings, NULL, "usage", {"prompt_tokens"}, {NULL}, NULL, NULL},
    {"responses", &openai_responses, &openai_responses_neutral, "usage", {"input_tokens"},
     {"output_tokens"}, "input_tokens_details.cached_tokens",
     "output_tokens_details.reasoning_tokens"},
    {"messages", &anthropic_messages, &anthropic_messages_neutral, "usage",
     {"input_tokens", "cache_read_input_tokens", "cache_creation_input_tokens"},
     {"output_tokens"}, "cache_read_input_tokens", "output_tokens_details.thinking_tokens"},
    {"generateContent", &gemini, &gemini_neutral, "usageMetadata",
     {"promptTokenCount", "toolUsePromptTokenCount"},
     {"candidatesTokenCount", "thoughtsTokenCount"}, "cachedContentTokenCount",
     "thoughtsTokenCount"},
    {"streamGenerateContent", &gemini, &gemini_neutral, "usageMetadata",
     {"promptTokenCount", "toolUsePromptTokenCount"},
     {"candidatesTokenCount", "thoughtsTokenCount"}, "cachedContentTokenCount",
     "thoughtsTokenCount"},
    {"batchEmbedContents", &gemini_embed_batch, NULL, "usageMetadata", {"promptTokenCount"}, {NULL},
     NULL, NULL},
};

static const char *root_of(void)
{
    const char *root = getenv("RECORDINGS");

    return root ? root : "../shared/recordings";
}

static struct str read_file(struct arena *a, const char *path)
{
    FILE *f = fopen(path, "rb");
    char *p;
    size_t n;

    if (!f)
        return STR_NONE;
    p = arena_alloc(a, MIB(4));
    assert_non_null(p);
    n = fread(p, 1, MIB(4), f);
    fclose(f);
    return str_n(p, n);
}

/* What the recorded usage object itself says, read by the tree, not by the code under test. */
static int64_t member(struct json_object *usage, const char *path)
{
    struct str rest = str_c(path), name;
    struct json_object *v = usage;
    char key[64];

    while (v && str_split(&rest, '.', &name)) {
        (void)snprintf(key, sizeof(key), "%.*s", STR_FMT(name));
        v = json_kind(v) == JSON_OBJECT ? json_get(v, key) : NULL;
    }
    return v && json_kind(v) == JSON_INT ? json_i64(v) : 0;
}

static int64_t sum(struct json_object *usage, const char *const *names, size_t n)
{
    int64_t total = 0;

    for (size_t i = 0; i < n && names[i]; i++)
        total += member(usage, names[i]);
    return total;
}

static void same(int64_t read, int64_t recorded, const char *what, const char *file)
{
    if (read != recorded)
        fail_msg("%s: %s: %lld, not %lld", file, what, (long long)read, (long long)recorded);
}

static void equals(const struct kind *k, const struct llm_report *llm, struct json_object *usage,
                   const char *file)
{
    const struct usage *u = &llm->usage;

    if (!llm->has_usage)
        fail_msg("%s: no usage read", file);
    same(usage_sum(u, USAGE_COVERS_PROMPT), sum(usage, k->prompt, ARRAY_LEN(k->prompt)), "prompt",
         file);
    same(usage_sum(u, USAGE_COVERS_OUTPUT), sum(usage, k->answer, ARRAY_LEN(k->answer)), "answer",
         file);
    if (k->cached)
        same(u->n[USAGE_CACHED_INPUT], member(usage, k->cached), "cached", file);
    if (k->thoughts)
        same(u->n[USAGE_REASONING], member(usage, k->thoughts), "thoughts", file);
    same(llm->lacks_prompt, false, "lacks the prompt", file);
    same(llm->lacks_output && k->answer[0], false, "lacks the answer", file);
}

/* Of one answer, or of one event of it, by the tree: searches of the web as its provider bills them. */
static int64_t output_searches(struct json_object *response)
{
    struct json_object *output = response ? json_get(response, "output") : NULL;
    int64_t n = 0;

    for (size_t i = 0; output && i < json_length(output); i++)
        n += str_eq(json_text(json_get(json_at(output, i), "type")), STR("web_search_call"));
    return n;
}

/* None of the recorded ones asks twice for the same. */
static int64_t google_searches(struct json_object *doc)
{
    struct json_object *candidate = json_at(json_get(doc, "candidates"), 0);
    struct json_object *grounded = candidate ? json_get(candidate, "groundingMetadata") : NULL;
    struct json_object *list = grounded ? json_get(grounded, "webSearchQueries") : NULL;
    bool by_prompt = str_starts(json_text(json_get(doc, "modelVersion")), STR("gemini-2"));
    int64_t n = 0;

    for (size_t i = 0; list && i < json_length(list); i++)
        n += json_text(json_at(list, i)).n > 0;
    return by_prompt ? MIN(n, (int64_t)1) : n;
}

static int64_t recorded_searches(const struct kind *k, struct json_object *doc)
{
    struct json_object *response;

    if (!doc || json_kind(doc) != JSON_OBJECT)
        return 0;
    response = json_get(doc, "response") ? json_get(doc, "response") : doc;
    if (k->dialect == &openai_responses)
        return json_get(response, "tool_usage") ? member(response, "tool_usage.web_search.num_requests")
                                                : output_searches(response);
    if (k->dialect == &gemini)
        return google_searches(doc);
    return member(doc, "usage.server_tool_use.web_search_requests");
}

static int64_t searches_read_of(const struct llm_report *llm, int64_t seen)
{
    bool told = llm->has_usage && !(llm->silent & LLM_SILENT(USAGE_SEARCH));

    return told ? llm->usage.n[USAGE_SEARCH] : seen;
}

static int64_t all_searches, all_asked;

/* The two readers of a format count alike. Searches are told beside the usage object by some, and the
 * neutral form has no place for them. */
static void alike(const struct llm_report *bytes, bool has_usage, const struct usage *neutral,
                  const char *file)
{
    same(bytes->has_usage, has_usage, "usage read", file);
    for (size_t i = 0; has_usage && i < USAGE_SEARCH; i++)
        same(bytes->usage.n[i], neutral->n[i], usage_unit_info((enum usage_unit)i)->name, file);
}

static struct json_object *tree_of(struct str text)
{
    struct json_object *doc = NULL;
    struct json_fault fault;

    return json_parse(text, &doc, &fault) == JSON_OK ? doc : NULL;
}

/* The object that holds the figures: of Responses' events within the response. */
static struct json_object *usage_in(const struct kind *k, struct json_object *doc)
{
    struct json_object *within = doc ? json_get(doc, "response") : NULL, *usage;

    if (!doc || json_kind(doc) != JSON_OBJECT)
        return NULL;
    usage = json_get(within ? within : doc, k->usage);
    return usage && json_kind(usage) == JSON_OBJECT && json_length(usage) ? json_ref(usage) : NULL;
}

static void plain(const struct kind *k, struct arena *a, struct str body, const char *file)
{
    const struct wire_report_edit none = {.has_cost = false};
    struct json_object *doc = tree_of(body), *usage = usage_in(k, doc);
    struct wire_report report;
    struct chat_answer answer;
    struct json_fault fault;
    struct buf out;

    if (!doc)
        fail_msg("%s: not JSON", file);
    assert_int_equal(k->dialect->read_reply(body, &report), DIALECT_OK);
    if (!report.has_choices && !report.has_data)
        fail_msg("%s: no answer in it", file);
    if (usage)
        equals(k, &report.llm, usage, file);
    same(searches_read_of(&report.llm, report.llm.searches), recorded_searches(k, doc), "searches", file);
    all_searches += recorded_searches(k, doc);
    buf_init(&out, MIB(8));
    k->dialect->edit_reply(&report, &none, &out);
    assert_true(str_eq(buf_str(&out), body));
    buf_done(&out);
    if (k->neutral && k->neutral->read_answer(a, body, &answer, &fault) == CHAT_OK)
        alike(&report.llm, answer.has_usage, &answer.usage, file);
    else if (k->neutral)
        fail_msg("%s: %s: %s", file, fault.path, fault.reason);
    json_unref(usage);
    json_unref(doc);
}

static void neutral_event(const struct kind *k, struct arena *a, struct chat_reader *r,
                          const struct sse_event *e, struct chat_answer *last)
{
    struct chat_events events = {.n = 0};

    assert_int_equal(k->neutral->read_event(r, a, e, &events), CHAT_OK);
    for (size_t i = 0; i < events.n; i++)
        if (events.v[i].kind == CHAT_EVENT_USAGE) {
            last->has_usage = true;
            last->usage = events.v[i].usage;
        }
}

static void streamed(const struct kind *k, struct arena *a, struct str body, const char *file)
{
    const struct wire_report_edit none = {.has_cost = false};
    struct sse s;
    struct sse_event e;
    struct llm_report last = {0};
    struct chat_answer neutral = {0};
    struct chat_reader *reader = k->neutral->reader_new(a);
    struct json_object *usage = NULL;
    int64_t seen = 0, searches = 0;
    bool done = false;
    struct buf out;

    sse_init(&s);
    buf_init(&out, MIB(8));
    assert_int_equal(sse_push(&s, body), SSE_OK);
    sse_end(&s);
    while (sse_next(&s, &e) == SSE_OK) {
        struct wire_report report;
        struct json_object *doc = e.data.p ? tree_of(e.data) : NULL, *in = usage_in(k, doc);

        assert_int_equal(k->dialect->read_event(&e, &report), DIALECT_OK);
        k->dialect->edit_event(&e, &report, &none, &out);
        neutral_event(k, a, reader, &e, &neutral);
        done = done || report.done || (!k->dialect->end_mark && report.llm.finish_reason.n);
        if (report.llm.has_usage)
            llm_take_usage(&last, &report.llm);
        seen += report.llm.searches;
        searches = MAX(searches, recorded_searches(k, doc));
        if (in) {
            json_unref(usage);
            usage = in;
        }
        json_unref(doc);
    }
    if (!done)
        fail_msg("%s: no end", file);
    assert_true(str_eq(buf_str(&out), body));
    if (usage)
        equals(k, &last, usage, file);
    same(searches_read_of(&last, seen), searches, "searches", file);
    all_searches += searches;
    alike(&last, neutral.has_usage, &neutral.usage, file);
    json_unref(usage);
    buf_done(&out);
    sse_done(&s);
}

static bool asks_to_search(struct json_object *doc)
{
    struct json_object *tools = doc ? json_get(doc, "tools") : NULL;

    for (size_t i = 0; tools && i < json_length(tools); i++)
        if (str_starts(json_text(json_get(json_at(tools, i), "type")), STR("web_search")) ||
            json_has(json_at(tools, i), "googleSearch"))
            return true;
    return doc && json_has(doc, "web_search_options");
}

/* Nothing changes but the fields that only OpenRouter knows. */
static void request(const struct kind *k, struct arena *a, struct str body, const char *file,
                    struct str model, bool same_bytes)
{
    struct wire_request r = {0};
    struct wire_request_edit edit;
    struct json_object *doc;
    struct json_fault fault;
    struct buf out;

    if (k->dialect->read_request(a, body, &r, &fault) != DIALECT_OK) {
        if (strcmp(fault.path, "background") != 0)
            fail_msg("%s: %s: %s", file, fault.path, fault.reason);
        return;
    }
    doc = tree_of(body);
    same(r.llm.search_path.p != NULL, asks_to_search(doc), "asks to search", file);
    all_asked += r.llm.search_path.p != NULL;
    json_unref(doc);
    edit = (struct wire_request_edit){.model = r.llm.model.p ? r.llm.model : model};
    buf_init(&out, MIB(32));
    k->dialect->edit_request(&r, &edit, &out);
    assert_int_equal(buf_finish(&out), 0);
    if (same_bytes && !str_eq(buf_str(&out), body))
        fail_msg("%s: changed", file);
    assert_int_equal(k->dialect->read_request(a, buf_str(&out), &r, &fault), DIALECT_OK);
    buf_done(&out);
}

static const struct kind *kind_of(struct str api)
{
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
        if (str_eq_c(api, kinds[i].api))
            return &kinds[i];
    return NULL;
}

static size_t exchange(const char *provider, struct str line)
{
    struct arena *a = arena_new(MIB(512));
    struct json_object *row = tree_of(line);
    const struct kind *k;
    char path[1024];
    struct str body;
    size_t n = 0;

    assert_non_null(row);
    k = kind_of(json_text(json_get(row, "api")));
    if (k && json_i64(json_get(row, "status")) == 200) {
        struct str res = json_text(json_get(row, "res")), req = json_text(json_get(row, "req"));

        (void)snprintf(path, sizeof(path), "%s/%s/%.*s", root_of(), provider, STR_FMT(res));
        body = read_file(a, path);
        if (body.p)
            (str_ends(res, STR(".sse")) ? streamed : plain)(k, a, body, path);
        (void)snprintf(path, sizeof(path), "%s/%s/%.*s", root_of(), provider, STR_FMT(req));
        body = read_file(a, path);
        if (body.p)
            request(k, a, body, path, json_text(json_get(row, "model")), strcmp(provider, "openrouter") != 0);
        n = 1;
    }
    json_unref(row);
    arena_free(a);
    return n;
}

static void recorded_usage_is_what_is_read(void **state)
{
    size_t n = 0;

    for (size_t i = 0; i < ARRAY_LEN(providers); i++) {
        struct arena *a = arena_new(MIB(16));
        char path[1024];
        struct str rest, line;

        (void)snprintf(path, sizeof(path), "%s/%s/index.jsonl", root_of(), providers[i]);
        rest = read_file(a, path);
        while (rest.p && str_split(&rest, '\n', &line))
            if (line.n)
                n += exchange(providers[i], line);
        arena_free(a);
    }
    if (!n) {
        print_message("skipped: no recordings at %s\n", root_of());
        skip();
    }
    print_message("%zu exchanges, %lld searches, %lld requests that ask for them\n", n,
                  (long long)all_searches, (long long)all_asked);
    assert_true(all_searches && all_asked);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(recorded_usage_is_what_is_read)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
