/* schema.c: Google's OpenAPI schemas as JSON Schema. */
#include "base/bounds.h"
#include "json/write.h"
#include "translation/gemini/gemini.h"
#include "translation/tree.h"

/* Deeper schemas are given up: the scanner lets no deeper document through anyway. */
#define SCHEMA_DEPTH 64

struct rewriting {
    struct json_writer w;
    struct buf *out;
    unsigned depth;
    bool names; /* the members are names of properties, not words of the schema */
};

static const struct {
    const char *snake, *camel;
} words[] = {{"any_of", "anyOf"},         {"min_items", "minItems"},   {"max_items", "maxItems"},
             {"min_length", "minLength"}, {"max_length", "maxLength"}, {"one_of", "oneOf"},
             {"all_of", "allOf"},         {"additional_properties", "additionalProperties"}};

static void value(struct rewriting *x, struct json_object *v, bool names);

static const char *word_of(const char *key)
{
    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        if (strcmp(words[i].snake, key) == 0)
            return words[i].camel;
    return key;
}

static void lower(struct rewriting *x, struct str type)
{
    char text[16];
    size_t n = MIN(type.n, sizeof(text));

    for (size_t i = 0; i < n; i++)
        text[i] = (char)(type.p[i] >= 'A' && type.p[i] <= 'Z' ? type.p[i] + 32 : type.p[i]);
    json_str(&x->w, str_n(text, n));
}

static bool member(void *ctx, const char *key, struct json_object *v)
{
    struct rewriting *x = ctx;
    bool names = x->names;

    json_key(&x->w, names ? key : word_of(key));
    if (!names && strcmp(key, "type") == 0 && json_kind(v) == JSON_STRING)
        lower(x, json_text(v));
    else
        value(x, v, !names && strcmp(key, "properties") == 0);
    x->names = names;
    return true;
}

static void value(struct rewriting *x, struct json_object *v, bool names)
{
    struct buf raw;

    if (x->depth < SCHEMA_DEPTH && json_kind(v) == JSON_OBJECT) {
        x->depth++;
        x->names = names;
        json_open_object(&x->w);
        json_each(v, member, x);
        json_close_object(&x->w);
        x->depth--;
        return;
    }
    if (x->depth < SCHEMA_DEPTH && json_kind(v) == JSON_ARRAY) {
        x->depth++;
        json_open_array(&x->w);
        for (size_t i = 0; i < json_length(v); i++)
            value(x, json_at(v, i), false);
        json_close_array(&x->w);
        x->depth--;
        return;
    }
    buf_init(&raw, BOUND_LLM_BODY_BYTES);
    json_raw(&x->w, json_print(v, &raw) == 0 ? buf_str(&raw) : STR("null"));
    buf_done(&raw);
}

struct str gemini_plain_schema(struct tree *t, struct node schema)
{
    struct rewriting x = {.depth = 0};
    struct str text = STR_NONE;
    struct buf out;

    if (tree_failed(t) || !node_is(schema, JSON_OBJECT))
        return text;
    buf_init(&out, BOUND_LLM_BODY_BYTES);
    x.out = &out;
    json_begin(&x.w, &out);
    value(&x, json_ref((struct json_object *)schema.v), false);
    json_unref((struct json_object *)schema.v);
    if (buf_finish(&out) == 0)
        text = arena_str(t->a, buf_str(&out));
    buf_done(&out);
    return text;
}
