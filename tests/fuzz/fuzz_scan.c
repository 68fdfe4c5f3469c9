/* The scanner: what it accepts a tree can be made of, and every span lies inside and is JSON. */
#include "fuzz.h"

#include "json/scan.h"

static struct json_watch watches[] = {
    {.path = "model"},          {.path = "stream_options.include_usage"},
    {.path = "messages[].content[].type"}, {.path = "usage.prompt_tokens_details.x"},
    {.path = "a"},              {.path = "a.b"},
    {.path = "tools[]"},
};

static void look_at(struct str doc, const struct json_watch *w)
{
    struct json_fault fault;
    struct buf text;
    uint64_t number;

    if (!w->span.n)
        return;
    HOLDS(w->count > 0 && (size_t)w->span.at + w->span.n <= doc.n);
    HOLDS(json_check(json_span_str(doc, w->span), &fault) == JSON_OK || w->span.kind == JSON_OBJECT ||
          w->span.kind == JSON_ARRAY);
    buf_init(&text, doc.n * 3 + 16);
    HOLDS((json_span_text(doc, w->span, &text) == JSON_OK) == (w->span.kind == JSON_STRING));
    HOLDS(str_utf8(buf_str(&text)));
    (void)json_span_u64(doc, w->span, &number);
    buf_done(&text);
}

/* Taking a value out and putting it back gives the document again. */
static void splice(struct str doc, struct json_span span)
{
    struct json_splice change = {.at = span.at, .n = span.n, .text = json_span_str(doc, span)};
    struct buf out;

    buf_init(&out, doc.n + 16);
    json_splice_apply(doc, &change, span.n ? 1 : 0, &out);
    HOLDS(buf_finish(&out) == 0 && str_eq(buf_str(&out), doc));
    buf_done(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *copy = fuzz_copy(str_n((const char *)data, size));
    struct str doc = {copy, size};
    struct json_object *tree = NULL;
    struct json_scan_result result;
    struct json_fault fault;
    int scanned = json_scan(doc, watches, ARRAY_LEN(watches), &result, &fault);

    if (scanned == JSON_OK) {
        for (size_t i = 0; i < ARRAY_LEN(watches); i++)
            look_at(doc, &watches[i]);
        splice(doc, watches[0].span);
        if (result.root_kind == JSON_OBJECT)
            HOLDS(doc.p[result.root_open] == '{' && doc.p[result.root_close] == '}');
    } else {
        HOLDS(scanned == JSON_E_FAULT && fault.reason[0] && fault.at <= doc.n);
    }
    if (json_check(doc, &fault) == JSON_OK) {
        struct buf printed;

        HOLDS(scanned == JSON_OK);
        HOLDS(json_parse(doc, &tree, &fault) == JSON_OK);
        buf_init(&printed, doc.n * 6 + 64);
        HOLDS(json_print(tree, &printed) == 0);
        HOLDS(json_check(buf_str(&printed), &fault) == JSON_OK);
        buf_done(&printed);
        json_unref(tree);
    }
    free(copy);
    return 0;
}
