/* mustache.h: a set of Mustache templates, parsed once, rendered from JSON values.
 *
 * The whole mandatory specification, and of the optional parts inheritance ({{<parent}}, {{$block}})
 * and dynamic names ({{>*name}}). What is decided here where the specification is silent:
 *
 *  - & < > " ' are escaped, so an interpolation is safe in text and in quoted attributes.
 *  - {{{name}}} and {{&name}} print without escaping only what the view marked by
 *    mustache_markup(); any other value is escaped (and a fault in a strict set).
 *  - "" is falsy like null, false and []; 0 is not.
 *  - A partial sees no blocks of the template that includes it; a parent does.
 *
 * A set is immutable after mustache_seal() and may then be used by any thread. */
#pragma once

#include "json/value.h"

struct mustache;

enum mustache_mode {
    MUSTACHE_LENIENT, /* a missing name prints nothing: production */
    MUSTACHE_STRICT,  /* a missing name is a fault: tests */
    MUSTACHE_SPEC,    /* as lenient, and {{{}}} prints any value: the specification's cases */
};

/* What is wrong, where: "keys:12: the view has no `nmae`". */
struct mustache_fault {
    char text[240];
};

enum { MUSTACHE_OK = 0, MUSTACHE_E_FAULT = 1 };

int mustache_new(enum mustache_mode mode, struct mustache **ret) _must_use_;
void mustache_free(struct mustache *m); /* NULL is fine */
void mustache_freep(struct mustache **m);

/* Parses source (copied) under a name. */
int mustache_add(struct mustache *m, const char *name, struct str source,
                 struct mustache_fault *fault) _must_use_;
/* Every partial and parent that is named statically exists, else MUSTACHE_E_FAULT (MUSTACHE_SPEC:
 * they print nothing). No additions afterwards. */
int mustache_seal(struct mustache *m, struct mustache_fault *fault) _must_use_;
bool mustache_has(const struct mustache *m, const char *name);

/* Appends to out. The fault is filled on MUSTACHE_E_FAULT: a template nested deeper than
 * BOUND_TEMPLATE_DEPTH, or what MUSTACHE_STRICT finds. */
int mustache_render(const struct mustache *m, const char *name, const struct json_object *view,
                    struct buf *out, struct mustache_fault *fault) _must_use_;

/* Sets o.key to a value that {{{key}}} prints as it stands. Only for markup made from constants. */
void mustache_markup(struct json_object *o, const char *key, struct str markup);
/* Appends s with & < > " ' as entities. */
void mustache_escape(struct buf *out, struct str s);
