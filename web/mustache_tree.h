/* mustache_tree.h: a parsed template, between mustache_parse.c and mustache.c. Not for others. */
#pragma once

#include "base/arena.h"
#include "web/mustache.h"

struct template;

enum node_kind {
    NODE_TEXT,     /* text */
    NODE_LINE,     /* a line of the template begins here: prints the indentation, if any */
    NODE_VALUE,    /* {{name}} */
    NODE_RAW,      /* {{{name}}}, {{&name}} */
    NODE_SECTION,  /* {{#name}} */
    NODE_INVERTED, /* {{^name}} */
    NODE_PARTIAL,  /* {{>name}} */
    NODE_DYNAMIC,  /* {{>*name}}: the view says which partial */
    NODE_PARENT,   /* {{<name}}: its children are the blocks that replace the parent's */
    NODE_BLOCK,    /* {{$name}} */
};

struct node {
    struct node *next, *children;
    enum node_kind kind;
    unsigned line;
    struct str text;   /* of NODE_TEXT; else the name as written */
    const char **path; /* the name's parts, NULL-terminated; of "." none */
    struct str indent; /* of partials, parents, blocks: goes before each further line */
    const struct template *target; /* of NODE_PARTIAL, NODE_PARENT; set when the set is sealed */
};

struct template {
    struct template *next;
    const char *name;
    struct node *nodes;
};

/* Parses into the arena; name is for the fault. */
int template_parse(struct arena *a, const char *name, struct str source, struct node **ret,
                   struct mustache_fault *fault) _must_use_;
int mustache_fault_at(struct mustache_fault *fault, const char *name, unsigned line,
                      const char *fmt, ...) _printf_(4, 5); /* MUSTACHE_E_FAULT */
