/* tree.c: see tree.h. */
#include "translation/tree.h"

#include <errno.h>
#include <stdio.h>

#include "base/bounds.h"
#include "base/err.h"
#include "json/scan.h"

static void *room(struct tree *t, size_t n, size_t size)
{
    void *p = arena_alloc_n(t->a, n ? n : 1, size);

    if (!p && t->r == CHAT_OK)
        t->r = err_origin(-ENOMEM);
    return p;
}

void *tree_room(struct tree *t, size_t n, size_t size)
{
    return tree_failed(t) ? NULL : room(t, n, size);
}

void tree_wrong(struct tree *t, struct str path, const char *reason)
{
    if (tree_failed(t))
        return;
    t->r = CHAT_E_FIELD;
    snprintf(t->fault->path, sizeof(t->fault->path), "%.*s", STR_FMT(path));
    snprintf(t->fault->reason, sizeof(t->fault->reason), "%s", reason);
    t->fault->at = 0;
}

struct node tree_open(struct tree *t, struct arena *a, struct str text, struct json_fault *fault)
{
    struct node root = {.path = STR("")};
    int r;

    *t = (struct tree){.a = a, .fault = fault};
    r = json_check(text, fault);
    if (r == JSON_OK)
        r = json_parse(text, &t->root, fault);
    if (r != JSON_OK)
        t->r = r < 0 ? err_trace(r) : CHAT_E_SYNTAX;
    else if (json_kind(t->root) != JSON_OBJECT)
        tree_wrong(t, STR(""), "the document must be an object");
    else
        root.v = t->root;
    return root;
}

void tree_close(struct tree *t)
{
    json_unrefp(&t->root);
}

static struct node child(struct tree *t, const struct json_object *v, struct str path)
{
    struct node n = {.path = path};

    if (!path.p && t->r == CHAT_OK)
        t->r = err_origin(-ENOMEM);
    if (!tree_failed(t) && json_kind(v) != JSON_NULL)
        n.v = v;
    return n;
}

struct node node_get(struct tree *t, struct node o, const char *key)
{
    struct json_object *v = node_is(o, JSON_OBJECT) ? json_get(o.v, key) : NULL;

    if (!v)
        return (struct node){.path = STR("")};
    if (!o.path.n)
        return child(t, v, arena_str(t->a, str_c(key)));
    return child(t, v, arena_strf(t->a, "%.*s.%s", STR_FMT(o.path), key));
}

struct node node_at(struct tree *t, struct node array, size_t i)
{
    return child(t, json_at(array.v, i), arena_strf(t->a, "%.*s[%zu]", STR_FMT(array.path), i));
}

size_t node_length(struct node array)
{
    return node_is(array, JSON_ARRAY) ? json_length(array.v) : 0;
}

bool node_is(struct node n, enum json_kind kind)
{
    return n.v && json_kind(n.v) == kind;
}

static struct node of_kind(struct tree *t, struct node o, const char *key, enum json_kind kind,
                           const char *reason)
{
    struct node n = node_get(t, o, key);

    if (!n.v || json_kind(n.v) == kind)
        return n;
    tree_wrong(t, n.path, reason);
    return (struct node){.path = n.path};
}

struct node tree_object(struct tree *t, struct node o, const char *key)
{
    return of_kind(t, o, key, JSON_OBJECT, "must be an object");
}

struct node tree_array(struct tree *t, struct node o, const char *key)
{
    return of_kind(t, o, key, JSON_ARRAY, "must be an array");
}

struct str node_text(struct tree *t, struct node n)
{
    struct str text;

    if (tree_failed(t) || !n.v)
        return STR_NONE;
    if (json_kind(n.v) != JSON_STRING) {
        tree_wrong(t, n.path, "must be a string");
        return STR_NONE;
    }
    text = arena_str(t->a, json_text(n.v));
    if (!text.p)
        t->r = err_origin(-ENOMEM);
    return text;
}

struct str tree_text(struct tree *t, struct node o, const char *key)
{
    return node_text(t, node_get(t, o, key));
}

struct str tree_needs_text(struct tree *t, struct node o, const char *key)
{
    struct str text = tree_text(t, o, key);

    if (!text.p && !tree_failed(t))
        tree_wrong(t, o.path.n ? arena_strf(t->a, "%.*s.%s", STR_FMT(o.path), key) : str_c(key),
                   "is required");
    return text;
}

int64_t tree_int(struct tree *t, struct node o, const char *key, int64_t min, int64_t absent)
{
    struct node n = node_get(t, o, key);

    if (!n.v)
        return absent;
    if (json_kind(n.v) != JSON_INT || json_i64(n.v) < min) {
        tree_wrong(t, n.path, min > 0 ? "must be a positive integer" : "must be an integer, not negative");
        return absent;
    }
    return json_i64(n.v);
}

int tree_bool(struct tree *t, struct node o, const char *key)
{
    struct node n = of_kind(t, o, key, JSON_BOOL, "must be true or false");

    return n.v ? json_true(n.v) : -1;
}

struct str node_raw(struct tree *t, struct node n)
{
    struct str text = STR_NONE;
    struct buf out;

    if (tree_failed(t) || !n.v)
        return text;
    buf_init(&out, BOUND_LLM_BODY_BYTES);
    if (json_print(n.v, &out) == 0)
        text = arena_str(t->a, buf_str(&out));
    if (!text.p)
        t->r = err_origin(-ENOMEM);
    buf_done(&out);
    return text;
}

struct str tree_raw(struct tree *t, struct node o, const char *key)
{
    return node_raw(t, node_get(t, o, key));
}

/* --- what nobody asked for --- */

struct gather {
    struct tree *t;
    struct node o;
    const char *const *names;
    bool inside; /* gather those that are named, not the others */
    struct chat_extra *v;
    size_t n;
};

static bool is_known(const char *const *known, const char *key)
{
    for (; *known; known++)
        if (strcmp(*known, key) == 0)
            return true;
    return false;
}

static bool gather_member(void *ctx, const char *key, struct json_object *v)
{
    struct gather *g = ctx;
    struct node n;

    if (is_known(g->names, key) != g->inside || json_kind(v) == JSON_NULL)
        return true;
    n = node_get(g->t, g->o, key);
    g->v[g->n++] = (struct chat_extra){.path = n.path,
                                       .name = arena_str(g->t->a, str_c(key)),
                                       .raw = node_raw(g->t, n)};
    return !tree_failed(g->t);
}

static struct chat_extras gather(struct tree *t, struct node o, const char *const *names,
                                 bool inside)
{
    struct gather g = {.t = t, .o = o, .names = names, .inside = inside};

    if (tree_failed(t) || !node_is(o, JSON_OBJECT))
        return (struct chat_extras){0};
    g.v = tree_array_of(t, struct chat_extra, json_length(o.v));
    if (g.v)
        json_each(o.v, gather_member, &g);
    return (struct chat_extras){.v = g.v, .n = tree_failed(t) ? 0 : g.n};
}

struct chat_extras tree_extras(struct tree *t, struct node o, const char *const *known)
{
    return gather(t, o, known, false);
}

struct chat_extras tree_quiet(struct tree *t, struct node o, const char *const *names)
{
    return gather(t, o, names, true);
}

/* --- settings --- */

static const struct {
    const char *name;
    enum { NUMBER, INTEGER, BOOL, TEXT, RAW } kind;
} settings_info[CHAT_SETTINGS] = {
#define X(ident, name, kind) [CHAT_SET_##ident] = {name, kind},
#include "model/chat_setting.def"
#undef X
};

static const char *wrong_kind(enum chat_setting which, enum json_kind kind)
{
    switch (settings_info[which].kind) {
    case NUMBER:
        return kind == JSON_NUMBER || kind == JSON_INT ? NULL : "must be a number";
    case INTEGER:
        return kind == JSON_INT ? NULL : "must be an integer";
    case BOOL:
        return kind == JSON_BOOL ? NULL : "must be true or false";
    case TEXT:
        return kind == JSON_STRING ? NULL : "must be a string";
    case RAW:
        return NULL;
    }
    return NULL;
}

void tree_settings(struct tree *t, struct node o, const struct tree_setting *settings, size_t n,
                   struct chat_value *ret)
{
    for (size_t i = 0; i < n; i++) {
        struct node v = node_get(t, o, settings[i].name);
        const char *reason;

        if (!v.v)
            continue;
        reason = wrong_kind(settings[i].which, json_kind(v.v));
        if (reason)
            tree_wrong(t, v.path, reason);
        ret[settings[i].which] = (struct chat_value){.path = v.path, .raw = node_raw(t, v)};
    }
}
