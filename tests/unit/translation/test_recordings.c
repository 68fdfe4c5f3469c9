/* Recorded exchanges of real providers: the usage that is read equals the usage that was recorded,
 * requests are read and answers come through an edit unchanged but for what was put in. Skipped by
 * name where the recordings (RECORDINGS, or the folder beside the project) are not there. */
#include "unit.h"

#include <stdio.h>

#include "base/bounds.h"
#include "json/value.h"
#include "translation/dialect.h"

static const char *const providers[] = {"openai",   "groq",     "mistral",     "openrouter",
                                        "deepseek", "cerebras", "huggingface", "zai"};

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
static int64_t member(struct json_object *usage, const char *key)
{
    struct json_object *v = json_get(usage, key);

    return v && json_kind(v) == JSON_INT ? json_i64(v) : 0;
}

static void equals(const struct llm_report *llm, struct json_object *usage, const char *file)
{
    int64_t prompt = member(usage, "prompt_tokens"), out = member(usage, "completion_tokens");

    if (!llm->has_usage)
        fail_msg("%s: no usage read", file);
    if (usage_sum(&llm->usage, USAGE_COVERS_PROMPT) != prompt)
        fail_msg("%s: prompt %lld", file, (long long)prompt);
    if (usage_sum(&llm->usage, USAGE_COVERS_OUTPUT) != out)
        fail_msg("%s: completion %lld", file, (long long)out);
}

/* The recorded answer's usage: the last one of a stream. */
static struct json_object *usage_in(struct json_object *doc)
{
    struct json_object *usage = doc ? json_get(doc, "usage") : NULL;

    return usage && json_kind(usage) == JSON_OBJECT ? json_ref(usage) : NULL;
}

static struct json_object *tree_of(struct str text)
{
    struct json_object *doc = NULL;
    struct json_fault fault;

    return json_parse(text, &doc, &fault) == JSON_OK ? doc : NULL;
}

static void plain(struct str body, const char *file)
{
    struct wire_report report;
    struct wire_report_edit none = {.has_cost = false};
    struct json_object *doc = tree_of(body), *usage = usage_in(doc);
    struct buf out;

    if (!doc)
        fail_msg("%s: not JSON", file);
    assert_int_equal(openai_chat.read_reply(body, &report), DIALECT_OK);
    if (usage)
        equals(&report.llm, usage, file);
    buf_init(&out, MIB(8));
    openai_chat.edit_reply(&report, &none, &out);
    assert_true(str_eq(buf_str(&out), body));
    buf_done(&out);
    json_unref(usage);
    json_unref(doc);
}

static void streamed(struct str body, const char *file)
{
    struct sse s;
    struct sse_event e;
    struct llm_report last = {0};
    struct json_object *usage = NULL;
    bool done = false;

    sse_init(&s);
    assert_int_equal(sse_push(&s, body), SSE_OK);
    sse_end(&s);
    while (sse_next(&s, &e) == SSE_OK) {
        struct wire_report report;
        struct json_object *doc = e.data.p ? tree_of(e.data) : NULL, *in = usage_in(doc);

        assert_int_equal(openai_chat.read_event(&e, &report), DIALECT_OK);
        done = done || report.done;
        if (report.llm.has_usage)
            last = report.llm;
        if (in) {
            json_unref(usage);
            usage = in;
        }
        json_unref(doc);
    }
    assert_true(done);
    if (usage)
        equals(&last, usage, file);
    json_unref(usage);
    sse_done(&s);
}

/* Nothing changes but the fields that only OpenRouter knows. */
static void request(struct arena *a, struct str body, bool stream, bool same)
{
    struct wire_request r = {0};
    struct wire_request_edit edit;
    struct json_fault fault;
    struct buf out;

    assert_int_equal(openai_chat.read_request(a, body, &r, &fault), DIALECT_OK);
    assert_int_equal(r.llm.stream, stream);
    edit = (struct wire_request_edit){.model = r.llm.model};
    buf_init(&out, MIB(32));
    openai_chat.edit_request(&r, &edit, &out);
    assert_int_equal(buf_finish(&out), 0);
    assert_true(!same || str_eq(buf_str(&out), body));
    assert_int_equal(openai_chat.read_request(a, buf_str(&out), &r, &fault), DIALECT_OK);
    buf_done(&out);
}

static size_t exchange(const char *provider, struct str line)
{
    struct arena *a = arena_new(MIB(64));
    struct json_object *row = tree_of(line);
    char path[1024];
    struct str body;
    bool stream;
    size_t n = 0;

    assert_non_null(row);
    if (str_eq_c(json_text(json_get(row, "api")), "chat") &&
        json_i64(json_get(row, "status")) == 200) {
        struct str res = json_text(json_get(row, "res")), req = json_text(json_get(row, "req"));

        stream = str_ends(res, STR(".sse"));
        (void)snprintf(path, sizeof(path), "%s/%s/%.*s", root_of(), provider, STR_FMT(res));
        body = read_file(a, path);
        if (body.p)
            (stream ? streamed : plain)(body, path);
        (void)snprintf(path, sizeof(path), "%s/%s/%.*s", root_of(), provider, STR_FMT(req));
        body = read_file(a, path);
        if (body.p)
            request(a, body, stream, strcmp(provider, "openrouter") != 0);
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
    print_message("%zu exchanges\n", n);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(recorded_usage_is_what_is_read)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
