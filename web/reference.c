/* reference.c: see reference.h. */
#include "web/reference.h"

#include <ctype.h>

#include "base/bounds.h"
#include "web/curl.h"
#include "web/schema.h"

#define API "/api/v1/" /* what every path of the document begins with */

/* What is walked: the document, and of it the family, the path and the method that are at hand. */
struct walk {
    struct arena *arena;
    const struct json_object *document;
    struct str base_url;
    struct str family;
    const char *path;
    const struct json_object *item;
    struct json_object *out;
};

/* "get-keys-id-rotate" of GET /api/v1/keys/{id}/rotate */
static struct str anchor_of(struct arena *a, const char *method, const char *path)
{
    struct str text;
    struct buf b;

    buf_init(&b, KIB(1));
    buf_puts(&b, method);
    buf_putc(&b, '-');
    for (const char *p = path + strlen(API); *p; p++)
        if (*p == '/')
            buf_putc(&b, '-');
        else if (isalnum((unsigned char)*p) || *p == '_')
            buf_putc(&b, *p);
    text = arena_str(a, buf_str(&b));
    buf_done(&b);
    return text;
}

/* --- who may call --- */

static bool first_scheme(void *ctx, const char *name, struct json_object *roles)
{
    const char **ret = ctx;

    (void)roles;
    *ret = name;
    return false;
}

static struct str who_text(const struct walk *w, const struct json_object *operation)
{
    const struct json_object *need = json_at(json_get(operation, "security"), 0);
    const struct json_object *schemes =
        json_get(json_get(w->document, "components"), "securitySchemes");
    const char *scheme = NULL;
    struct str role;

    json_each(need, first_scheme, &scheme);
    if (!scheme)
        return STR("Anybody; no key is asked for");
    role = json_text(json_at(json_get(need, scheme), 0));
    if (!role.n)
        return json_text(json_get(json_get(schemes, scheme), "description"));
    if (str_eq_c(role, "installation"))
        return STR("A management key of the installation");
    return arena_strf(w->arena,
                      "A management key of the team that may act as %.*s, or one of the installation",
                      STR_FMT(role));
}

/* --- what goes in --- */

static void push_parameters(const struct walk *w, const struct json_object *parameters,
                            struct json_object *list)
{
    for (size_t i = 0; i < json_length(parameters); i++) {
        const struct json_object *one = json_at(parameters, i);
        struct json_object *field = schema_field(
            w->arena, json_text(json_get(one, "name")), json_get(one, "schema"),
            json_text(json_get(one, "description")), json_true(json_get(one, "required")));

        json_set_bool(field, "in_path", str_eq_c(json_text(json_get(one, "in")), "path"));
        json_push(list, field);
    }
}

/* {fields}, or null: there are none. */
static struct json_object *params_view(struct json_object *list)
{
    struct json_object *o;

    if (!json_length(list)) {
        json_unref(list);
        return NULL;
    }
    o = json_new_object();
    json_set(o, "fields", list);
    return o;
}

/* {required, note, fields}, or null: it takes no body. */
static struct json_object *body_view(const struct walk *w, const struct json_object *operation)
{
    const struct json_object *body = json_get(operation, "requestBody"), *schema;
    struct json_object *o;

    if (!body)
        return NULL;
    schema = schema_resolve(
        w->document, json_get(json_get(json_get(body, "content"), "application/json"), "schema"));
    o = json_new_object();
    json_set_bool(o, "required", json_true(json_get(body, "required")));
    json_set_str(o, "note", json_text(json_get(schema, "description")));
    json_set(o, "fields", schema_fields(w->arena, schema, NULL));
    return o;
}

/* --- what comes back --- */

struct answer {
    const struct walk *walk;
    struct json_object *view;
};

static bool fill_answer(void *ctx, const char *content_type, struct json_object *content)
{
    struct answer *answer = ctx;
    const struct json_object *schema = json_get(content, "schema");
    struct json_object *fields;

    json_set_cstr(answer->view, "content_type", content_type);
    schema_type(answer->walk->arena, schema, answer->view);
    fields = schema_fields(answer->walk->arena, schema, NULL);
    json_set_bool(answer->view, "any_fields", json_length(fields) > 0);
    json_set(answer->view, "fields", fields);
    return false; /* each has one */
}

struct answers {
    const struct walk *walk;
    struct json_object *list;
};

/* An answer that several operations share stands among the components. */
static struct json_object *referred(const struct walk *w, struct json_object *response)
{
    const struct str shared = STR("#/components/responses/");
    struct str ref = json_text(json_get(response, "$ref"));

    if (!ref.n)
        return response;
    assert(str_starts(ref, shared));
    ref = arena_str(w->arena, str_n(ref.p + shared.n, ref.n - shared.n));
    return json_get(json_get(json_get(w->document, "components"), "responses"), ref.p);
}

static bool add_answer(void *ctx, const char *status, struct json_object *response)
{
    struct answers *answers = ctx;
    struct answer answer = {answers->walk, json_new_object()};
    bool other = strcmp(status, "default") == 0;

    response = referred(answers->walk, response);
    json_set_cstr(answer.view, "status", status);
    json_set_bool(answer.view, "other", other);
    json_set_bool(answer.view, "wrong", !other && status[0] != '2');
    json_set_bool(answer.view, "good", !other && status[0] == '2');
    json_set_str(answer.view, "description", json_text(json_get(response, "description")));
    json_each(json_get(response, "content"), fill_answer, &answer);
    json_push(answers->list, answer.view);
    return true;
}

/* --- operations --- */

static bool is_method(const char *name)
{
    static const char *const methods[] = {"get", "post", "put", "patch", "delete"};

    for (size_t i = 0; i < ARRAY_LEN(methods); i++)
        if (strcmp(name, methods[i]) == 0)
            return true;
    return false;
}

static struct str upper(struct arena *a, const char *word)
{
    char text[8];
    size_t n = MIN(strlen(word), sizeof(text));

    for (size_t i = 0; i < n; i++)
        text[i] = (char)toupper((unsigned char)word[i]);
    return arena_str(a, str_n(text, n));
}

static struct json_object *operation_view(const struct walk *w, const char *method,
                                          const struct json_object *operation)
{
    struct json_object *o = json_new_object(), *params = json_new_array();
    struct answers answers = {w, json_new_array()};
    struct str anchor = anchor_of(w->arena, method, w->path);
    const struct curl_wish wish = {w->base_url, upper(w->arena, method), str_c(w->path),
                                   json_get(w->item, "parameters"), operation};

    push_parameters(w, wish.shared, params);
    push_parameters(w, json_get(operation, "parameters"), params);
    json_each(json_get(operation, "responses"), add_answer, &answers);
    json_set_str(o, "method", wish.method);
    json_set_cstr(o, "method_class", method);
    json_set_cstr(o, "path", w->path);
    json_set_str(o, "anchor", anchor);
    json_set_str(o, "summary", json_text(json_get(operation, "summary")));
    json_set_str(o, "who", who_text(w, operation));
    json_set(o, "params", params_view(params));
    json_set(o, "body", body_view(w, operation));
    json_set(o, "answers", answers.list);
    json_set_str(o, "curl", curl_text(w->arena, &wish));
    json_set_str(o, "curl_id", arena_strf(w->arena, "curl-%.*s", STR_FMT(anchor)));
    return o;
}

static bool add_operation(void *ctx, const char *method, struct json_object *operation)
{
    struct walk *w = ctx;

    if (is_method(method) && str_eq(json_text(json_at(json_get(operation, "tags"), 0)), w->family))
        json_push(w->out, operation_view(w, method, operation));
    return true;
}

static bool add_path(void *ctx, const char *path, struct json_object *item)
{
    struct walk *w = ctx;

    w->path = path;
    w->item = item;
    json_each(item, add_operation, w);
    return true;
}

static struct json_object *families_view(struct walk *w)
{
    const struct json_object *tags = json_get(w->document, "tags");
    struct json_object *families = json_new_array();

    for (size_t i = 0; i < json_length(tags); i++) {
        const struct json_object *tag = json_at(tags, i);
        struct json_object *o = json_new_object();

        w->family = json_text(json_get(tag, "name"));
        w->out = json_new_array();
        json_each(json_get(w->document, "paths"), add_path, w);
        json_set_str(o, "name", json_text(json_get(tag, "x-displayName")));
        json_set_str(o, "description", json_text(json_get(tag, "description")));
        json_set_str(o, "anchor", arena_strf(w->arena, "family-%zu", i + 1));
        json_set(o, "operations", w->out);
        json_push(families, o);
    }
    return families;
}

/* --- objects --- */

/* Bodies stand where they are sent, and nowhere else. */
static bool is_body(const struct json_object *bodies, struct str component)
{
    return json_has(bodies, component.p);
}

static bool note_body(void *ctx, const char *method, struct json_object *operation)
{
    const struct json_object *content = json_get(json_get(operation, "requestBody"), "content");
    struct str component = schema_ref(json_get(json_get(content, "application/json"), "schema"));

    (void)method;
    if (component.p)
        json_set_bool(ctx, component.p, true);
    return true;
}

static bool note_bodies(void *ctx, const char *path, struct json_object *item)
{
    (void)path;
    json_each(item, note_body, ctx);
    return true;
}

struct objects {
    const struct walk *walk;
    struct json_object *bodies, *list;
    struct str name; /* of the one at hand */
    const struct json_object *schema;
    struct str base; /* the one before it that it is more of */
};

static struct str word_of_object(const struct json_object *schema)
{
    return json_text(json_get(json_get(json_get(schema, "properties"), "object"), "const"));
}

/* Both say of themselves that they are the same thing, and this one has all that the other has. */
static bool find_base(void *ctx, const char *name, struct json_object *schema)
{
    struct objects *o = ctx;
    struct str word = word_of_object(o->schema);

    if (schema == o->schema)
        return false;
    if (word.n && str_eq(word, word_of_object(schema)) && !is_body(o->bodies, str_c(name)) &&
        schema_extends(o->schema, schema))
        o->base = str_c(name);
    return !o->base.p;
}

static bool add_object(void *ctx, const char *name, struct json_object *schema)
{
    struct objects *o = ctx;
    struct arena *a = o->walk->arena;
    const struct json_object *all = json_get(json_get(o->walk->document, "components"), "schemas");
    struct json_object *view;

    if (is_body(o->bodies, str_c(name)))
        return true;
    o->schema = schema;
    o->base = STR_NONE;
    json_each(all, find_base, o);
    view = json_new_object();
    json_set_cstr(view, "name", name);
    json_set_str(view, "anchor", schema_anchor(a, str_c(name)));
    json_set_str(view, "description", json_text(json_get(schema, "description")));
    json_set_str(view, "base", o->base);
    json_set_str(view, "base_link",
                 arena_strf(a, "#%.*s", STR_FMT(schema_anchor(a, o->base))));
    json_set(view, "fields",
             schema_fields(a, schema, o->base.p ? json_get(all, o->base.p) : NULL));
    json_push(o->list, view);
    return true;
}

static struct json_object *objects_view(const struct walk *w)
{
    _cleanup_json_ struct json_object *bodies = json_new_object();
    struct objects o = {.walk = w, .bodies = bodies, .list = json_new_array()};

    json_each(json_get(w->document, "paths"), note_bodies, bodies);
    json_each(json_get(json_get(w->document, "components"), "schemas"), add_object, &o);
    return o.list;
}

void reference_view(struct arena *a, const struct json_object *document, struct str base_url,
                    struct json_object *view)
{
    struct walk w = {.arena = a, .document = document, .base_url = base_url};

    json_set(view, "families", families_view(&w));
    json_set(view, "objects", objects_view(&w));
}
