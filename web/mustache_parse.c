/* mustache_parse.c: template text to a tree, in three passes: tokens, lines, nodes.
 *
 * Lines need a pass of their own because a tag that stands alone on its line takes the whole line
 * away with it, and because partials and blocks hand their indentation on. */
#include "web/mustache_tree.h"

#include "base/bounds.h"
#include "base/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

struct token {
    struct token *next;
    char sigil; /* 0: text; 'v': a plain variable */
    bool bol;   /* the first one of a line that stays */
    bool alone; /* on a line of nothing but such tags and blanks, which is taken away */
    unsigned line;
    struct str text; /* text, or the name within the tag */
    struct str indent;
};

struct parser {
    struct arena *arena;
    const char *name;
    struct mustache_fault *fault;
    struct str rest, open, close;
    unsigned line, depth;
    struct token *first, **end, *at;
};

int mustache_fault_at(struct mustache_fault *fault, const char *name, unsigned line,
                      const char *fmt, ...)
{
    va_list args;
    int n = snprintf(fault->text, sizeof(fault->text), "%s:%u: ", name, line);

    if (n < 0 || (size_t)n >= sizeof(fault->text))
        return MUSTACHE_E_FAULT;
    va_start(args, fmt);
    (void)vsnprintf(fault->text + n, sizeof(fault->text) - (size_t)n, fmt, args);
    va_end(args);
    return MUSTACHE_E_FAULT;
}

static struct str take(struct str *rest, size_t n)
{
    struct str head = {rest->p, n};

    rest->p += n;
    rest->n -= n;
    return head;
}

static size_t find(struct str s, struct str what)
{
    const char *hit = s.n ? memmem(s.p, s.n, what.p, what.n) : NULL;

    return hit ? (size_t)(hit - s.p) : s.n;
}

static bool blank(struct str s)
{
    return str_trim(s).n == 0;
}

static struct str leading_blanks(struct str s)
{
    size_t n = 0;

    while (n < s.n && (s.p[n] == ' ' || s.p[n] == '\t'))
        n++;
    return (struct str){s.p, n};
}

/* --- tokens --- */

static int push(struct parser *p, char sigil, struct str text)
{
    struct token *t = arena_new0(p->arena, struct token);

    if (!t)
        return err_origin(-ENOMEM);
    *t = (struct token){.sigil = sigil, .text = text, .line = p->line};
    *p->end = t;
    p->end = &t->next;
    return 0;
}

/* One token for each line of the text. */
static int push_text(struct parser *p, struct str text)
{
    while (text.n) {
        ssize_t newline = str_find(text, '\n');
        struct str part = take(&text, newline < 0 ? text.n : (size_t)newline + 1);
        int r = push(p, 0, part);

        if (r < 0)
            return err_trace(r);
        if (newline >= 0)
            p->line++;
    }
    return 0;
}

/* "=<% %>=" */
static int set_delimiters(struct parser *p, struct str inside)
{
    struct str rest = str_trim(inside), open;

    if (rest.n && rest.p[rest.n - 1] == '=')
        rest.n--;
    rest = str_trim(rest);
    open = take(&rest, find(rest, STR(" ")));
    rest = str_trim(rest);
    if (!open.n || !rest.n || str_find(rest, ' ') >= 0 || str_find(open, '=') >= 0 ||
        str_find(rest, '=') >= 0)
        return mustache_fault_at(p->fault, p->name, p->line, "delimiters are two words without =");
    p->open = open;
    p->close = rest;
    return 0;
}

static int push_tag(struct parser *p)
{
    unsigned line = p->line;
    char sigil = p->rest.n ? p->rest.p[0] : 0;
    struct str inside, close = p->close;
    int r;

    if (sigil == '{')
        close = arena_strf(p->arena, "}%.*s", STR_FMT(p->close));
    if (sigil && strchr("{&#^/><$!=", sigil))
        take(&p->rest, 1);
    else
        sigil = 'v';
    if (find(p->rest, close) == p->rest.n)
        return mustache_fault_at(p->fault, p->name, line, "a tag is not closed");
    inside = take(&p->rest, find(p->rest, close));
    take(&p->rest, close.n);
    if (sigil == '=')
        r = set_delimiters(p, inside);
    else if (sigil != '!' && blank(inside))
        r = mustache_fault_at(p->fault, p->name, line, "a tag has no name");
    else
        r = 0;
    if (r != 0)
        return r;
    for (size_t i = 0; i < inside.n; i++)
        p->line += inside.p[i] == '\n';
    return push(p, sigil == '{' ? '&' : sigil, str_trim(inside));
}

static int tokens(struct parser *p)
{
    p->end = &p->first;
    while (p->rest.n) {
        int r = push_text(p, take(&p->rest, find(p->rest, p->open)));

        if (r == 0 && p->rest.n) {
            take(&p->rest, p->open.n);
            r = push_tag(p);
        }
        if (r != 0)
            return r;
    }
    return 0;
}

/* --- lines --- */

static bool closed_on_line(const struct token *block, const struct token *end)
{
    for (const struct token *t = block->next; t != end; t = t->next)
        if (t->sigil == '/' && str_eq(t->text, block->text))
            return true;
    return false;
}

/* Only tags that print nothing where they stand, and blanks. A partial counts when it is the only
 * tag; a block that opens and closes here prints here, unless it is a parent's. */
static bool stands_alone(const struct token *first, const struct token *end)
{
    size_t tags = 0, partials = 0, parents = 0;

    for (const struct token *t = first; t != end; t = t->next) {
        if (!t->sigil && !blank(t->text))
            return false;
        if (t->sigil == 'v' || t->sigil == '&')
            return false;
        if (t->sigil == '$' && !parents && closed_on_line(t, end))
            return false;
        tags += t->sigil != 0;
        partials += t->sigil == '>';
        parents += t->sigil == '<';
    }
    return tags && (!partials || tags == 1);
}

static void mark_line(struct token *first, const struct token *end)
{
    bool alone = stands_alone(first, end), led = !first->sigil && blank(first->text);
    struct str indent = led ? leading_blanks(first->text) : STR_NONE;

    first->bol = !alone;
    for (struct token *t = first; t != end; t = t->next) {
        t->alone = alone;
        if (alone && strchr("><$", t->sigil))
            t->indent = indent;
    }
    if (!alone && led && first->next != end && first->next && first->next->sigil == '$')
        first->next->indent = indent;
}

static void lines(struct parser *p)
{
    for (struct token *first = p->first; first;) {
        struct token *t = first;

        while (t && !(t->sigil == 0 && str_ends(t->text, STR("\n"))))
            t = t->next;
        t = t ? t->next : NULL;
        mark_line(first, t);
        first = t;
    }
}

/* --- nodes --- */

static enum node_kind node_kind_of(const struct token *t)
{
    switch (t->sigil) {
    case 'v':
        return NODE_VALUE;
    case '&':
        return NODE_RAW;
    case '#':
        return NODE_SECTION;
    case '^':
        return NODE_INVERTED;
    case '<':
        return NODE_PARENT;
    case '$':
        return NODE_BLOCK;
    case '>':
        return t->text.n && t->text.p[0] == '*' ? NODE_DYNAMIC : NODE_PARTIAL;
    default:
        return NODE_TEXT;
    }
}

static const char **split_path(struct arena *a, struct str name)
{
    const char **path = arena_array(a, const char *, name.n + 2);
    struct str part;
    size_t n = 0;

    if (!path || str_eq_c(name, "."))
        return path;
    while (str_split(&name, '.', &part))
        path[n++] = arena_cstr(a, part);
    return path;
}

static struct node *add_node(struct parser *p, struct node ***end, enum node_kind kind,
                             const struct token *t)
{
    struct node *n = arena_new0(p->arena, struct node);

    if (!n)
        return NULL;
    *n = (struct node){.kind = kind, .text = t->text, .line = t->line, .indent = t->indent};
    **end = n;
    *end = &n->next;
    return n;
}

static void strip(struct str *s, struct str prefix)
{
    if (str_starts(*s, prefix))
        take(s, prefix.n);
}

static void dedent(struct node *n, struct str by)
{
    for (; n; n = n->next) {
        if (n->kind == NODE_LINE && n->next && n->next->kind == NODE_TEXT)
            strip(&n->next->text, by);
        else if (n->kind == NODE_SECTION || n->kind == NODE_INVERTED)
            dedent(n->children, by);
        else if (n->indent.n)
            strip(&n->indent, by);
    }
}

/* A block whose content begins on a line of its own takes its indentation from that content's
 * first line, and the content loses it. */
static void indent_block(struct node *block)
{
    const struct node *n = block->children;

    while (n && (n->kind == NODE_SECTION || n->kind == NODE_INVERTED))
        n = n->children;
    if (!n)
        return;
    if (n->kind != NODE_LINE)
        block->indent = n->indent;
    else if (n->next && n->next->kind == NODE_TEXT)
        block->indent = leading_blanks(n->next->text);
    else
        block->indent = STR_NONE;
    dedent(block->children, block->indent);
}

static int nodes(struct parser *p, const struct token *opener, struct node **ret);

static int fill_node(struct parser *p, const struct token *t, struct node *n)
{
    struct str name = t->text;
    int r;

    if (n->kind == NODE_TEXT)
        return 0;
    if (n->kind == NODE_DYNAMIC)
        name = str_trim(str_n(name.p + 1, name.n - 1));
    n->text = arena_str(p->arena, name);
    n->path = split_path(p->arena, name);
    if (!n->path || !n->text.p)
        return err_origin(-ENOMEM);
    if (!strchr("#^<$", t->sigil))
        return 0;
    if (p->depth == BOUND_TEMPLATE_DEPTH)
        return mustache_fault_at(p->fault, p->name, t->line, "nested too deeply");
    p->depth++;
    r = nodes(p, t, &n->children);
    p->depth--;
    if (r == 0 && n->kind == NODE_BLOCK && t->alone)
        indent_block(n);
    return r;
}

static int closing(struct parser *p, const struct token *opener, const struct token *t)
{
    if (!opener)
        return mustache_fault_at(p->fault, p->name, t->line, "{{/%.*s}} closes nothing",
                                 STR_FMT(t->text));
    if (!str_eq(opener->text, t->text))
        return mustache_fault_at(p->fault, p->name, t->line, "{{/%.*s}} closes {{%c%.*s}}",
                                 STR_FMT(t->text), opener->sigil, STR_FMT(opener->text));
    return 0;
}

/* Everything up to the tag that closes the opener, or to the end. */
static int nodes(struct parser *p, const struct token *opener, struct node **ret)
{
    struct node **end = ret;

    while (p->at) {
        struct token *t = p->at;
        struct node *n;
        int r;

        p->at = t->next;
        if (t->bol && !add_node(p, &end, NODE_LINE, t))
            return err_origin(-ENOMEM);
        if (t->sigil == '/')
            return closing(p, opener, t);
        if (t->sigil == '!' || t->sigil == '=' || (t->sigil == 0 && t->alone))
            continue;
        n = add_node(p, &end, node_kind_of(t), t);
        if (!n)
            return err_origin(-ENOMEM);
        r = fill_node(p, t, n);
        if (r != 0)
            return r;
    }
    if (opener)
        return mustache_fault_at(p->fault, p->name, opener->line, "{{%c%.*s}} is not closed",
                                 opener->sigil, STR_FMT(opener->text));
    return 0;
}

int template_parse(struct arena *a, const char *name, struct str source, struct node **ret,
                   struct mustache_fault *fault)
{
    struct parser p = {.arena = a,
                       .name = name,
                       .fault = fault,
                       .rest = source,
                       .open = STR("{{"),
                       .close = STR("}}"),
                       .line = 1};
    struct node *first = NULL;
    int r = tokens(&p);

    if (r != 0)
        return r;
    lines(&p);
    p.at = p.first;
    r = nodes(&p, NULL, &first);
    if (r == 0)
        *ret = first;
    return r;
}
