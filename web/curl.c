/* curl.c: see curl.h. */
#include "web/curl.h"

#include "base/bounds.h"

#define COMMAND_BYTES KIB(8)
#define NEXT " \\\n  " /* the command goes on in another line */

/* The example of the parameter of this name; p NULL: there is no such parameter. */
static struct str example_of(struct arena *a, const struct json_object *parameters, struct str name)
{
    for (size_t i = 0; i < json_length(parameters); i++) {
        const struct json_object *one = json_at(parameters, i), *example = json_get(one, "example");

        if (!str_eq(json_text(json_get(one, "name")), name))
            continue;
        return json_kind(example) == JSON_INT ? arena_i64(a, json_i64(example), "")
                                              : json_text(example);
    }
    return STR_NONE;
}

static void put_path(struct arena *a, const struct curl_wish *w, struct buf *b)
{
    struct str rest = w->path, text, name;

    while (str_split(&rest, '{', &text)) {
        buf_put_str(b, text);
        if (rest.p && str_split(&rest, '}', &name))
            buf_put_str(b, example_of(a, w->shared, name));
    }
}

static void put_query(struct arena *a, const struct json_object *parameters, struct buf *b)
{
    char mark = '?';

    for (size_t i = 0; i < json_length(parameters); i++) {
        const struct json_object *one = json_at(parameters, i);
        struct str name = json_text(json_get(one, "name"));

        if (!json_true(json_get(one, "required")) ||
            !str_eq_c(json_text(json_get(one, "in")), "query"))
            continue;
        buf_putc(b, mark);
        buf_put_str(b, name);
        buf_putc(b, '=');
        buf_put_str(b, example_of(a, parameters, name));
        mark = '&';
    }
}

/* Between single quotes, which nothing but one of them ends. */
static void put_inside(struct buf *b, struct str text)
{
    for (size_t i = 0; i < text.n; i++)
        if (text.p[i] == '\'')
            buf_puts(b, "'\\''");
        else
            buf_putc(b, text.p[i]);
}

struct lines {
    struct buf *b;
    const char *mark; /* in front of the next member */
};

static bool put_member(void *ctx, const char *name, struct json_object *value)
{
    struct lines *lines = ctx;
    struct buf text;

    buf_init(&text, COMMAND_BYTES);
    buf_printf(lines->b, "%s\n    \"%s\": ", lines->mark, name);
    if (json_print(value, &text) == 0)
        put_inside(lines->b, buf_str(&text));
    buf_done(&text);
    lines->mark = ",";
    return true;
}

/* A line for each member. */
static void put_body(const struct json_object *operation, struct buf *b)
{
    const struct json_object *body = json_get(operation, "requestBody");
    const struct json_object *json = json_get(json_get(body, "content"), "application/json");
    struct lines lines = {b, ""};

    if (!json)
        return;
    buf_puts(b, NEXT "-H \"Content-Type: application/json\"" NEXT "-d '{");
    json_each(json_get(json, "example"), put_member, &lines);
    buf_puts(b, "\n  }'");
}

static bool is_file(void *ctx, const char *type, struct json_object *schema)
{
    bool *file = ctx;

    (void)schema;
    *file = str_eq_c(str_c(type), "application/pdf");
    return !*file;
}

/* A terminal shows no PDF. */
static bool answers_file(const struct json_object *operation)
{
    const struct json_object *good = json_get(json_get(operation, "responses"), "200");
    bool file = false;

    json_each(json_get(good, "content"), is_file, &file);
    return file;
}

/* curl gets, or posts what it is given, unless it is told otherwise. */
static void put_method(const struct curl_wish *w, struct buf *b)
{
    bool body = json_has(w->operation, "requestBody");

    if (!str_eq_c(w->method, body ? "POST" : "GET"))
        buf_printf(b, "-X %.*s ", STR_FMT(w->method));
}

struct str curl_text(struct arena *a, const struct curl_wish *w)
{
    const struct json_object *parameters = json_get(w->operation, "parameters");
    struct str text;
    struct buf b;

    buf_init(&b, COMMAND_BYTES);
    buf_puts(&b, "curl -sS ");
    put_method(w, &b);
    buf_putc(&b, '"');
    buf_put_str(&b, w->base_url);
    put_path(a, w, &b);
    put_query(a, parameters, &b);
    buf_putc(&b, '"');
    if (json_length(json_get(w->operation, "security")))
        buf_puts(&b, NEXT "-H \"Authorization: Bearer $TOLLGATE_KEY\"");
    put_body(w->operation, &b);
    if (answers_file(w->operation))
        buf_puts(&b, NEXT "-o answer.pdf");
    text = buf_finish(&b) == 0 ? arena_str(a, buf_str(&b)) : STR_NONE;
    buf_done(&b);
    return text;
}
