/* schema.c: see schema.h. */
#include "web/schema.h"

#include <inttypes.h>

#include "base/bounds.h"

#define REF "#/components/schemas/"
/* Amounts: the one pattern that is better told by a word. */
#define DECIMAL "^-?[0-9]+(\\.[0-9]{1,9})?$"

enum {
    DEPTH = 4,        /* objects within objects that are told; the document has two */
    WORDS_BYTES = 200 /* "string, integer or null" */
};

struct str schema_ref(const struct json_object *schema)
{
    struct str ref = json_text(json_get(schema, "$ref"));

    if (!str_starts(ref, STR(REF)))
        return STR_NONE;
    return str_n(ref.p + strlen(REF), ref.n - strlen(REF));
}

const struct json_object *schema_resolve(const struct json_object *document,
                                         const struct json_object *schema)
{
    const struct json_object *components = json_get(json_get(document, "components"), "schemas");
    struct str name = schema_ref(schema);

    return name.p ? json_get(components, name.p) : schema;
}

struct str schema_anchor(struct arena *a, struct str component)
{
    return arena_strf(a, "object-%.*s", STR_FMT(component));
}

/* --- types --- */

/* A type may be one word or a list of them, of which null may be one. */
static bool has_type(const struct json_object *schema, const char *word)
{
    const struct json_object *type = json_get(schema, "type");

    if (json_kind(type) == JSON_STRING)
        return str_eq_c(json_text(type), word);
    for (size_t i = 0; i < json_length(type); i++)
        if (str_eq_c(json_text(json_at(type, i)), word))
            return true;
    return false;
}

static const struct json_object *inner(const struct json_object *schema)
{
    return has_type(schema, "array") ? json_get(schema, "items") : schema;
}

static struct str word_of(const struct json_object *schema, struct str type)
{
    struct str format = json_text(json_get(schema, "format"));

    if (str_eq_c(type, "string")) {
        if (str_eq_c(format, "date-time"))
            return STR("time");
        if (str_eq_c(format, "date"))
            return STR("day");
        if (str_eq_c(format, "binary"))
            return STR("file");
        if (str_eq_c(json_text(json_get(schema, "pattern")), DECIMAL))
            return STR("decimal string");
    }
    if (str_eq_c(type, "object") &&
        str_eq_c(json_text(json_get(json_get(schema, "additionalProperties"), "type")), "string"))
        return STR("object of strings");
    return type;
}

static void put_type(struct buf *b, const struct json_object *schema, struct str type)
{
    const struct json_object *items = json_get(schema, "items");
    struct str of = json_text(json_get(items, "type"));

    if (b->n)
        buf_puts(b, " or ");
    if (!str_eq_c(type, "array")) {
        buf_put_str(b, word_of(schema, type));
        return;
    }
    buf_puts(b, "list of ");
    if (!schema_ref(items).p) {
        buf_put_str(b, of.n ? word_of(items, of) : STR("value"));
        buf_putc(b, 's');
    }
}

static void put_types(struct buf *b, const struct json_object *schema)
{
    const struct json_object *type = json_get(schema, "type");

    if (json_kind(type) == JSON_STRING)
        put_type(b, schema, json_text(type));
    for (size_t i = 0; json_kind(type) == JSON_ARRAY && i < json_length(type); i++)
        if (!str_eq_c(json_text(json_at(type, i)), "null"))
            put_type(b, schema, json_text(json_at(type, i)));
}

void schema_type(struct arena *a, const struct json_object *schema, struct json_object *o)
{
    struct str component = schema_ref(inner(schema));
    struct json_object *type = json_new_object();
    struct buf words;

    buf_init(&words, WORDS_BYTES);
    put_types(&words, schema);
    json_set_str(type, "words", buf_str(&words));
    buf_done(&words);
    json_set_null(type, "object");
    if (component.p) {
        json_set_str(type, "object", component);
        json_set_str(type, "object_link",
                     arena_strf(a, "#%.*s", STR_FMT(schema_anchor(a, component))));
    }
    json_set_bool(type, "or_null", has_type(schema, "null"));
    json_set(o, "type", type);
}

/* --- fields --- */

static void choices_view(struct json_object *o, const struct json_object *schema)
{
    const struct json_object *all = json_get(schema, "enum"), *only = json_get(schema, "const");
    struct json_object *list = json_new_array();

    if (json_kind(only) == JSON_STRING)
        json_push_str(list, json_text(only));
    for (size_t i = 0; i < json_length(all); i++)
        if (json_kind(json_at(all, i)) == JSON_STRING)
            json_push_str(list, json_text(json_at(all, i)));
    json_set_bool(o, "any_choices", json_length(list) > 0);
    json_set(o, "choices", list);
}

/* "1 to 80 characters", "at least 1", "at most 30"; empty: whatever the type has. */
static struct str range_text(struct arena *a, const struct json_object *schema, const char *least,
                             const char *most, const char *unit)
{
    bool from = json_has(schema, least), to = json_has(schema, most);
    int64_t min = json_i64(json_get(schema, least)), max = json_i64(json_get(schema, most));

    if (from && to)
        return arena_strf(a, "%" PRId64 " to %" PRId64 "%s", min, max, unit);
    if (from)
        return arena_strf(a, "at least %" PRId64 "%s", min, unit);
    return to ? arena_strf(a, "at most %" PRId64 "%s", max, unit) : STR("");
}

static struct str bounds_text(struct arena *a, const struct json_object *schema)
{
    struct str pattern = json_text(json_get(schema, "pattern"));
    struct str text = range_text(a, schema, "minimum", "maximum", "");

    if (!text.n)
        text = range_text(a, schema, "minLength", "maxLength", " characters");
    if (!text.n)
        text = range_text(a, schema, "minItems", "maxItems", " in the list");
    if (!text.n && pattern.n && !str_eq_c(pattern, DECIMAL))
        text = arena_strf(a, "as %.*s", STR_FMT(pattern));
    return text;
}

struct json_object *schema_field(struct arena *a, struct str name, const struct json_object *schema,
                                 struct str description, bool required)
{
    struct json_object *o = json_new_object();

    json_set_str(o, "name", name);
    schema_type(a, schema, o);
    json_set_bool(o, "required", required);
    json_set_str(o, "description", description);
    choices_view(o, schema);
    json_set_str(o, "bounds", bounds_text(a, schema));
    return o;
}

struct walk {
    struct arena *arena;
    const struct json_object *known; /* properties that are told elsewhere */
    const struct json_object *required;
    struct str prefix; /* "figures[]." */
    unsigned depth;
    struct json_object *fields;
};

static bool is_required(const struct walk *w, const char *name)
{
    for (size_t i = 0; i < json_length(w->required); i++)
        if (str_eq_c(json_text(json_at(w->required, i)), name))
            return true;
    return false;
}

static bool add_field(void *ctx, const char *name, struct json_object *schema);

static void add_fields(struct walk *w, const struct json_object *schema)
{
    w->required = json_get(schema, "required");
    json_each(json_get(schema, "properties"), add_field, w);
}

static bool same_value(const struct json_object *a, const struct json_object *b)
{
    struct buf one, other;
    bool same;

    buf_init(&one, MIB(1));
    buf_init(&other, MIB(1));
    same = json_print(a, &one) == 0 && json_print(b, &other) == 0 &&
           str_eq(buf_str(&one), buf_str(&other));
    buf_done(&one);
    buf_done(&other);
    return same;
}

static bool add_field(void *ctx, const char *name, struct json_object *schema)
{
    struct walk *w = ctx;
    struct walk within = {.arena = w->arena, .depth = w->depth + 1, .fields = w->fields};
    struct str path = arena_strf(w->arena, "%.*s%s", STR_FMT(w->prefix), name);

    if (json_has(w->known, name) && same_value(json_get(w->known, name), schema))
        return true;
    json_push(w->fields, schema_field(w->arena, path, schema,
                                      json_text(json_get(schema, "description")),
                                      is_required(w, name)));
    within.prefix = arena_strf(w->arena, "%.*s%s.", STR_FMT(path),
                               has_type(schema, "array") ? "[]" : "");
    if (within.depth < DEPTH)
        add_fields(&within, inner(schema));
    return true;
}

struct json_object *schema_fields(struct arena *a, const struct json_object *schema,
                                  const struct json_object *known)
{
    struct walk w = {.arena = a, .known = json_get(known, "properties"), .fields = json_new_array()};

    add_fields(&w, inner(schema));
    return w.fields;
}

static bool is_property(void *ctx, const char *name, struct json_object *schema)
{
    const struct json_object **properties = ctx;

    (void)schema;
    if (!json_has(*properties, name))
        *properties = NULL;
    return *properties != NULL;
}

bool schema_extends(const struct json_object *a, const struct json_object *b)
{
    const struct json_object *properties = json_get(a, "properties");

    json_each(json_get(b, "properties"), is_property, &properties);
    return properties != NULL;
}
