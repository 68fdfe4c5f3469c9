/* schema.c: see schema.h. */
#include "demo/schema.h"

#include "json/write.h"

enum { DEPTH_MAX = 12, VALUES_MAX = 2000, ITEMS_MAX = 4 };
#define FARTHEST ((int64_t)1000000000000000)

struct inventor {
    struct dice *dice;
    const struct topics *topics;
    const struct json_object *root;
    struct json_writer w;
    unsigned depth, values;
};

static void invent(struct inventor *i, const struct json_object *schema);

/* From here on containers stay empty, so that schemas which hold themselves end. */
static bool is_enough(const struct inventor *i)
{
    return i->depth >= DEPTH_MAX || i->values >= VALUES_MAX;
}

static bool is_kind(const struct json_object *v, enum json_kind kind)
{
    return v && json_kind(v) == kind;
}

/* "#/$defs/step" and the like; NULL when it leads nowhere. */
static const struct json_object *follow(const struct inventor *i, struct str ref)
{
    const struct json_object *at = i->root;
    struct str part;
    char key[128];

    if (!str_starts(ref, STR("#")))
        return NULL;
    ref = str_n(ref.p + 1, ref.n - 1);
    while (at && str_split(&ref, '/', &part)) {
        if (!part.n)
            continue;
        if (part.n >= sizeof(key))
            return NULL;
        memcpy(key, part.p, part.n);
        key[part.n] = '\0';
        at = is_kind(at, JSON_OBJECT) ? json_get(at, key) : NULL;
    }
    return at;
}

/* Goes through references and choices to a schema that says what it wants itself. */
static const struct json_object *resolve(const struct inventor *i, const struct json_object *schema)
{
    static const char *const choices[] = {"anyOf", "oneOf", "allOf"};

    for (unsigned steps = 0; is_kind(schema, JSON_OBJECT) && steps < DEPTH_MAX; steps++) {
        const struct json_object *ref = json_get(schema, "$ref"), *next = NULL;

        if (is_kind(ref, JSON_STRING))
            next = follow(i, json_text(ref));
        for (size_t k = 0; !ref && !next && k < ARRAY_LEN(choices); k++) {
            const struct json_object *list = json_get(schema, choices[k]);

            if (is_kind(list, JSON_ARRAY))
                next = json_at(list, 0);
        }
        if (!next)
            return schema;
        schema = next;
    }
    return schema;
}

static int64_t bound_of(const struct json_object *schema, const char *key, int64_t otherwise)
{
    const struct json_object *v = json_get(schema, key);

    return is_kind(v, JSON_INT) ? json_i64(v) : otherwise;
}

static const char *type_by_keywords(const struct json_object *schema)
{
    if (json_get(schema, "properties"))
        return "object";
    return json_get(schema, "items") ? "array" : "string";
}

/* The first type that is not null; may point into the schema. */
static struct str type_of(const struct json_object *schema)
{
    const struct json_object *type = json_get(schema, "type");

    if (is_kind(type, JSON_STRING))
        return json_text(type);
    for (size_t k = 0; is_kind(type, JSON_ARRAY) && k < json_length(type); k++)
        if (!str_eq_c(json_text(json_at(type, k)), "null"))
            return json_text(json_at(type, k));
    return type ? STR("null") : str_c(type_by_keywords(schema));
}

static const char *text_of_format(const struct json_object *schema)
{
    static const char *const formats[][2] = {
        {"date", "2026-03-14"},          {"date-time", "2026-03-14T09:26:53Z"},
        {"time", "09:26:53Z"},           {"email", "ada@example.com"},
        {"uri", "https://example.com/"}, {"uuid", "6f1c2d3e-4b5a-4678-9abc-def012345678"},
        {"ipv4", "192.0.2.1"},           {"ipv6", "2001:db8::1"},
        {"hostname", "example.com"},
    };
    const struct json_object *format = json_get(schema, "format");

    for (size_t k = 0; is_kind(format, JSON_STRING) && k < ARRAY_LEN(formats); k++)
        if (str_eq_c(json_text(format), formats[k][0]))
            return formats[k][1];
    return NULL;
}

static void invent_string(struct inventor *i, const struct json_object *schema)
{
    int64_t least = bound_of(schema, "minLength", 0), most = bound_of(schema, "maxLength", 200);
    const char *fixed = text_of_format(schema);
    struct buf text;

    if (fixed) {
        json_cstr(&i->w, fixed);
        return;
    }
    buf_init(&text, 4096);
    buf_put_str(&text, topics_pick(i->topics, i->dice));
    while ((int64_t)text.n < least && !buf_finish(&text)) {
        buf_putc(&text, ' ');
        buf_put_str(&text, topics_pick(i->topics, i->dice));
    }
    if ((int64_t)text.n > most) { /* whole characters only */
        text.n = (size_t)MAX(most, 0);
        while (text.n && !str_utf8(buf_str(&text)))
            text.n--;
    }
    json_str(&i->w, buf_str(&text));
    buf_done(&text);
}

/* A bound with room for sums around it; beyond 1e15 a schema is not kept. */
static int64_t near_bound(const struct json_object *schema, const char *key, int64_t otherwise)
{
    return MAX(MIN(bound_of(schema, key, otherwise), FARTHEST), -FARTHEST);
}

static void invent_integer(struct inventor *i, const struct json_object *schema)
{
    int64_t above = near_bound(schema, "exclusiveMinimum", -FARTHEST);
    int64_t below = near_bound(schema, "exclusiveMaximum", FARTHEST);
    int64_t low = MAX(near_bound(schema, "minimum", -FARTHEST), above + 1);
    int64_t high = MIN(near_bound(schema, "maximum", FARTHEST), below - 1);

    if (low == -FARTHEST + 1)
        low = high < 100 ? high - 100 : 1;
    high = MAX(MIN(high, low + 99), low);
    json_int(&i->w, low + (int64_t)dice_below(i->dice, (size_t)(high - low) + 1));
}

/* Integers serve as numbers, unless the schema's own bound is a fraction: then that bound does. */
static void invent_number(struct inventor *i, const struct json_object *schema)
{
    const struct json_object *low = json_get(schema, "minimum");
    const struct json_object *high = json_get(schema, "maximum");

    if (is_kind(low, JSON_NUMBER))
        json_raw(&i->w, json_text(low));
    else if (is_kind(high, JSON_NUMBER))
        json_raw(&i->w, json_text(high));
    else
        invent_integer(i, schema);
}

static bool invent_member(void *ctx, const char *key, struct json_object *schema)
{
    struct inventor *i = ctx;

    json_key(&i->w, key);
    invent(i, schema);
    return true;
}

static void invent_object(struct inventor *i, const struct json_object *schema)
{
    const struct json_object *properties = json_get(schema, "properties");

    json_open_object(&i->w);
    if (is_kind(properties, JSON_OBJECT) && !is_enough(i))
        json_each(properties, invent_member, i);
    json_close_object(&i->w);
}

static void invent_array(struct inventor *i, const struct json_object *schema)
{
    int64_t least = near_bound(schema, "minItems", i->depth > 3 ? 0 : 1);
    int64_t most = near_bound(schema, "maxItems", ITEMS_MAX);
    int64_t n = least + (int64_t)dice_below(i->dice, i->depth > 3 ? 1 : 2);

    n = MAX(MIN(n, most), MIN(least, (int64_t)100));
    json_open_array(&i->w);
    for (int64_t k = 0; k < n && !is_enough(i); k++)
        invent(i, json_get(schema, "items"));
    json_close_array(&i->w);
}

/* A value given by the schema itself, printed as it stands there. */
static void put_given(struct inventor *i, const struct json_object *v)
{
    struct buf text;

    buf_init(&text, 65536);
    if (json_print(v, &text) == 0)
        json_raw(&i->w, buf_str(&text));
    else
        json_null(&i->w);
    buf_done(&text);
}

static bool invent_given(struct inventor *i, const struct json_object *schema)
{
    const struct json_object *list = json_get(schema, "enum");

    if (json_has(schema, "const")) {
        put_given(i, json_get(schema, "const"));
        return true;
    }
    if (!is_kind(list, JSON_ARRAY) || !json_length(list))
        return false;
    put_given(i, json_at(list, dice_below(i->dice, json_length(list))));
    return true;
}

static void invent_typed(struct inventor *i, const struct json_object *schema)
{
    struct str type = type_of(schema);

    if (str_eq_c(type, "object"))
        invent_object(i, schema);
    else if (str_eq_c(type, "array"))
        invent_array(i, schema);
    else if (str_eq_c(type, "integer"))
        invent_integer(i, schema);
    else if (str_eq_c(type, "number"))
        invent_number(i, schema);
    else if (str_eq_c(type, "boolean"))
        json_bool(&i->w, dice_below(i->dice, 2) == 1);
    else if (str_eq_c(type, "string"))
        invent_string(i, schema);
    else
        json_null(&i->w);
}

static void invent(struct inventor *i, const struct json_object *schema)
{
    schema = resolve(i, schema);
    i->values++;
    if (!is_kind(schema, JSON_OBJECT)) { /* true, or nothing said */
        json_str(&i->w, topics_pick(i->topics, i->dice));
        return;
    }
    i->depth++;
    if (!invent_given(i, schema))
        invent_typed(i, schema);
    i->depth--;
}

static void invent_free(struct inventor *i)
{
    json_open_object(&i->w);
    json_key(&i->w, "topic");
    json_str(&i->w, topics_pick(i->topics, i->dice));
    json_key(&i->w, "score");
    json_int(&i->w, (int64_t)dice_below(i->dice, 101));
    json_key(&i->w, "tags");
    json_open_array(&i->w);
    json_str(&i->w, topics_pick(i->topics, i->dice));
    json_str(&i->w, topics_pick(i->topics, i->dice));
    json_close_array(&i->w);
    json_close_object(&i->w);
}

void schema_invent(struct dice *d, const struct topics *t, const struct json_object *schema,
                   struct buf *out)
{
    struct inventor i = {.dice = d, .topics = t, .root = schema};

    json_begin(&i.w, out);
    if (is_kind(schema, JSON_OBJECT) && json_length(schema))
        invent(&i, schema);
    else
        invent_free(&i);
}
