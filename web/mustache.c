/* mustache.c: see mustache.h. The set of templates, and rendering. */
#include "web/mustache_tree.h"

#include "base/bounds.h"
#include "base/err.h"

#include <errno.h>

/* The member by which mustache_markup() marks a value; no view has a name like it. */
#define MARKUP_KEY "\x01markup"

struct mustache {
    enum mustache_mode mode;
    bool sealed;
    struct arena *arena;
    struct template *templates;
};

/* The values a name is looked up in, innermost first. */
struct scope {
    const struct scope *up;
    const struct json_object *value;
};

/* The parents being rendered, innermost first; the outermost one's blocks win. */
struct override {
    const struct override *up;
    const struct node *blocks;
};

struct render {
    const struct mustache *set;
    const struct template *template;
    struct buf *out;
    struct mustache_fault *fault;
    const struct override *overrides;
    struct arena *arena;
    struct str indent;
    unsigned depth;
};

/* --- the set --- */

int mustache_new(enum mustache_mode mode, struct mustache **ret)
{
    struct mustache *m = calloc(1, sizeof(*m));

    if (!m)
        return err_origin(-ENOMEM);
    m->mode = mode;
    m->arena = arena_new(BOUND_TEMPLATES_BYTES);
    if (!m->arena) {
        free(m);
        return err_origin(-ENOMEM);
    }
    *ret = m;
    return 0;
}

void mustache_free(struct mustache *m)
{
    if (!m)
        return;
    arena_free(m->arena);
    free(m);
}

void mustache_freep(struct mustache **m)
{
    mustache_free(*m);
}

static const struct template *find_template(const struct mustache *m, struct str name)
{
    for (const struct template *t = m->templates; t; t = t->next)
        if (str_eq_c(name, t->name))
            return t;
    return NULL;
}

bool mustache_has(const struct mustache *m, const char *name)
{
    return find_template(m, str_c(name)) != NULL;
}

int mustache_add(struct mustache *m, const char *name, struct str source,
                 struct mustache_fault *fault)
{
    struct template *t = arena_new0(m->arena, struct template);
    struct str copy = arena_str(m->arena, source);
    int r;

    assert(!m->sealed);
    assert(!mustache_has(m, name));
    if (!t || !copy.p)
        return err_origin(-ENOMEM);
    t->name = arena_cstr(m->arena, str_c(name));
    r = template_parse(m->arena, t->name, copy, &t->nodes, fault);
    if (r != 0)
        return r;
    t->next = m->templates;
    m->templates = t;
    return 0;
}

static int resolve(struct mustache *m, const struct template *t, struct node *n,
                   struct mustache_fault *fault)
{
    for (; n; n = n->next) {
        int r = resolve(m, t, n->children, fault);

        if (r != 0)
            return r;
        if (n->kind != NODE_PARTIAL && n->kind != NODE_PARENT)
            continue;
        n->target = find_template(m, n->text);
        if (!n->target && m->mode != MUSTACHE_SPEC)
            return mustache_fault_at(fault, t->name, n->line, "there is no template %.*s",
                                     STR_FMT(n->text));
    }
    return 0;
}

int mustache_seal(struct mustache *m, struct mustache_fault *fault)
{
    for (struct template *t = m->templates; t; t = t->next) {
        int r = resolve(m, t, t->nodes, fault);

        if (r != 0)
            return r;
    }
    m->sealed = true;
    return 0;
}

/* --- values --- */

void mustache_escape(struct buf *out, struct str s)
{
    size_t from = 0;

    for (size_t i = 0; i < s.n; i++) {
        const char *entity = s.p[i] == '&'    ? "&amp;"
                             : s.p[i] == '<'  ? "&lt;"
                             : s.p[i] == '>'  ? "&gt;"
                             : s.p[i] == '"'  ? "&quot;"
                             : s.p[i] == '\'' ? "&#39;"
                                              : NULL;

        if (!entity)
            continue;
        buf_put(out, s.p + from, i - from);
        buf_puts(out, entity);
        from = i + 1;
    }
    buf_put(out, s.p + from, s.n - from);
}

void mustache_markup(struct json_object *o, const char *key, struct str markup)
{
    struct json_object *marked = json_new_object();

    json_set_str(marked, MARKUP_KEY, markup);
    json_set(o, key, marked);
}

/* A member that is null is there, and hides members of the same name further out. */
static bool has_member(const struct json_object *o, const char *key, const struct json_object **ret)
{
    if (json_kind(o) != JSON_OBJECT)
        return false;
    *ret = json_get(o, key);
    return *ret || json_has(o, key);
}

static bool look_up(const struct scope *scope, const char **path, const struct json_object **ret)
{
    const struct json_object *v = NULL;

    if (!path[0]) {
        *ret = scope->value;
        return true;
    }
    while (scope && !has_member(scope->value, path[0], &v))
        scope = scope->up;
    if (!scope)
        return false;
    for (path++; *path; path++)
        if (!has_member(v, *path, &v))
            return false;
    *ret = v;
    return true;
}

/* The value of a node's name, NULL when there is none. */
static int node_value(struct render *r, const struct node *n, const struct scope *scope,
                      const struct json_object **ret)
{
    const struct json_object *v = NULL;

    if (!look_up(scope, n->path, &v)) {
        if (r->set->mode == MUSTACHE_STRICT)
            return mustache_fault_at(r->fault, r->template->name, n->line,
                                     "the view has no `%.*s`", STR_FMT(n->text));
        v = NULL;
    }
    *ret = v;
    return 0;
}

static bool truthy(const struct json_object *v)
{
    switch (json_kind(v)) {
    case JSON_NULL:
        return false;
    case JSON_BOOL:
        return json_true(v);
    case JSON_STRING:
        return json_text(v).n > 0;
    case JSON_ARRAY:
        return json_length(v) > 0;
    case JSON_INT:
    case JSON_NUMBER:
    case JSON_OBJECT:
        break;
    }
    return true;
}

static bool is_text(const struct json_object *v)
{
    switch (json_kind(v)) {
    case JSON_NULL:
    case JSON_BOOL:
    case JSON_INT:
    case JSON_NUMBER:
    case JSON_STRING:
        return true;
    case JSON_ARRAY:
    case JSON_OBJECT:
        break;
    }
    return false;
}

/* In a strict set only what is a text is printed, and only markup without escaping. */
static int check_value(struct render *r, const struct node *n, const struct json_object *v,
                       bool markup)
{
    if (r->set->mode != MUSTACHE_STRICT || !v || markup)
        return 0;
    if (!is_text(v))
        return mustache_fault_at(r->fault, r->template->name, n->line, "`%.*s` is not a text",
                                 STR_FMT(n->text));
    if (n->kind == NODE_RAW)
        return mustache_fault_at(r->fault, r->template->name, n->line,
                                 "`%.*s` is not marked as markup", STR_FMT(n->text));
    return 0;
}

static void print_value(struct buf *out, const struct json_object *v, bool raw)
{
    if (json_kind(v) == JSON_INT)
        buf_put_i64(out, json_i64(v));
    else if (json_kind(v) == JSON_BOOL)
        buf_puts(out, json_true(v) ? "true" : "false");
    else if (raw)
        buf_put_str(out, json_text(v));
    else
        mustache_escape(out, json_text(v));
}

static int render_value(struct render *r, const struct node *n, const struct scope *scope)
{
    const struct json_object *v, *markup = NULL;
    int result = node_value(r, n, scope, &v);

    if (result != 0)
        return result;
    if (n->kind == NODE_RAW && json_kind(v) == JSON_OBJECT)
        markup = json_get(v, MARKUP_KEY);
    result = check_value(r, n, v, markup != NULL);
    if (result == 0)
        print_value(r->out, markup ? markup : v,
                    markup || (n->kind == NODE_RAW && r->set->mode == MUSTACHE_SPEC));
    return result;
}

/* --- nodes --- */

static int render_nodes(struct render *r, const struct node *n, const struct scope *scope);

static int render_section(struct render *r, const struct node *n, const struct scope *scope)
{
    const struct json_object *v;
    int result = node_value(r, n, scope, &v);

    if (result != 0 || truthy(v) != (n->kind == NODE_SECTION))
        return result;
    if (n->kind == NODE_INVERTED)
        return render_nodes(r, n->children, scope);
    if (json_kind(v) != JSON_ARRAY)
        return render_nodes(r, n->children, &(struct scope){.up = scope, .value = v});
    for (size_t i = 0; result == 0 && i < json_length(v); i++)
        result = render_nodes(r, n->children,
                              &(struct scope){.up = scope, .value = json_at(v, i)});
    return result;
}

/* Renders nodes of another template, or of another place, further in by `indent`. */
static int render_inside(struct render *r, const struct template *t, const struct node *nodes,
                         struct str indent, const struct override *overrides,
                         const struct scope *scope)
{
    struct render inner = *r;

    if (r->depth == BOUND_TEMPLATE_DEPTH)
        return mustache_fault_at(r->fault, t->name, 0, "included too deeply");
    inner.depth++;
    inner.template = t;
    inner.overrides = overrides;
    if (indent.n) {
        inner.indent = arena_strf(r->arena, "%.*s%.*s", STR_FMT(r->indent), STR_FMT(indent));
        if (!inner.indent.p)
            return err_origin(-ENOMEM);
    }
    return render_nodes(&inner, nodes, scope);
}

static int render_dynamic(struct render *r, const struct node *n, const struct scope *scope)
{
    const struct json_object *v;
    const struct template *t;
    int result = node_value(r, n, scope, &v);

    if (result != 0)
        return result;
    t = json_kind(v) == JSON_STRING ? find_template(r->set, json_text(v)) : NULL;
    if (!t && r->set->mode == MUSTACHE_STRICT)
        return mustache_fault_at(r->fault, r->template->name, n->line, "`%.*s` is no template",
                                 STR_FMT(n->text));
    return t ? render_inside(r, t, t->nodes, n->indent, NULL, scope) : 0;
}

static int render_block(struct render *r, const struct node *n, const struct scope *scope)
{
    const struct node *content = n->children;

    for (const struct override *o = r->overrides; o; o = o->up)
        for (const struct node *b = o->blocks; b; b = b->next)
            if (b->kind == NODE_BLOCK && str_eq(b->text, n->text))
                content = b->children;
    return render_inside(r, r->template, content, n->indent, r->overrides, scope);
}

static void render_line(struct render *r)
{
    if (r->indent.n && (!r->out->n || r->out->p[r->out->n - 1] == '\n'))
        buf_put_str(r->out, r->indent);
}

static int render_node(struct render *r, const struct node *n, const struct scope *scope)
{
    struct override override = {.up = r->overrides, .blocks = n->children};

    switch (n->kind) {
    case NODE_TEXT:
        buf_put_str(r->out, n->text);
        return 0;
    case NODE_LINE:
        render_line(r);
        return 0;
    case NODE_VALUE:
    case NODE_RAW:
        return render_value(r, n, scope);
    case NODE_SECTION:
    case NODE_INVERTED:
        return render_section(r, n, scope);
    case NODE_PARTIAL:
        return n->target ? render_inside(r, n->target, n->target->nodes, n->indent, NULL, scope)
                         : 0;
    case NODE_DYNAMIC:
        return render_dynamic(r, n, scope);
    case NODE_PARENT:
        return n->target
                   ? render_inside(r, n->target, n->target->nodes, n->indent, &override, scope)
                   : 0;
    case NODE_BLOCK:
        return render_block(r, n, scope);
    }
    return 0;
}

static int render_nodes(struct render *r, const struct node *n, const struct scope *scope)
{
    int result = 0;

    for (; n && result == 0; n = n->next)
        result = render_node(r, n, scope);
    return result;
}

int mustache_render(const struct mustache *m, const char *name, const struct json_object *view,
                    struct buf *out, struct mustache_fault *fault)
{
    _cleanup_(arena_freep) struct arena *arena = arena_new(BOUND_TEMPLATES_BYTES);
    struct scope scope = {.value = view};
    struct render r = {.set = m,
                       .template = find_template(m, str_c(name)),
                       .out = out,
                       .fault = fault,
                       .arena = arena};
    int result;

    assert(m->sealed);
    if (!arena)
        return err_origin(-ENOMEM);
    if (!r.template)
        return mustache_fault_at(fault, name, 0, "there is no such template");
    result = render_nodes(&r, r.template->nodes, &scope);
    if (result == 0)
        result = buf_finish(out);
    return result;
}
