/* tree.h: a JSON tree read member by member: each with its path, with one sticky failure, and with
 * what nobody asked for gathered at the end.
 *
 * After a failure every reading gives nothing, so a reader looks at tree_failed() once, where it
 * would otherwise loop or return. Null counts as absent. Text is the arena's. One owner. */
#pragma once

#include "model/chat.h"
#include "translation/chat_dialect.h"

struct tree {
    struct arena *a;
    struct json_fault *fault;
    struct json_object *root; /* owned */
    int r;                    /* CHAT_OK, CHAT_E_*, or < 0 */
};

struct node {
    const struct json_object *v; /* NULL: absent */
    struct str path;             /* "messages[2].content" */
};

/* Parses; the root has to be an object. On failure t->r says why and the root node is absent. */
struct node tree_open(struct tree *t, struct arena *a, struct str text, struct json_fault *fault);
void tree_close(struct tree *t);
static inline bool tree_failed(const struct tree *t)
{
    return t->r != CHAT_OK;
}
/* The first failure counts. path p NULL: the document. */
void tree_wrong(struct tree *t, struct str path, const char *reason);

static inline bool node_given(struct node n)
{
    return n.v != NULL;
}
/* Of whatever kind; absent when null. */
struct node node_get(struct tree *t, struct node o, const char *key);
struct node node_at(struct tree *t, struct node array, size_t i);
size_t node_length(struct node array);
bool node_is(struct node n, enum json_kind kind);

/* Readings of o.key: absent gives nothing, another kind fails. */
struct node tree_object(struct tree *t, struct node o, const char *key);
struct node tree_array(struct tree *t, struct node o, const char *key);
struct str tree_text(struct tree *t, struct node o, const char *key);
int64_t tree_int(struct tree *t, struct node o, const char *key, int64_t min, int64_t absent);
int tree_bool(struct tree *t, struct node o, const char *key); /* 1, 0; -1: absent */
/* The value as JSON text; p NULL: absent. */
struct str tree_raw(struct tree *t, struct node o, const char *key);
struct str node_raw(struct tree *t, struct node n);
/* The text of a string node. */
struct str node_text(struct tree *t, struct node n);
/* Fails when the member is absent. */
struct str tree_needs_text(struct tree *t, struct node o, const char *key);

/* Room for n elements of an array that is read; never NULL unless the tree has failed. */
void *tree_room(struct tree *t, size_t n, size_t size);
#define tree_array_of(t, type, n) ((type *)tree_room((t), (n), sizeof(type)))

/* Every member of o whose name is none of known (ended by NULL). */
struct chat_extras tree_extras(struct tree *t, struct node o, const char *const *known);

/* The members of o that names names (ended by NULL), where they are there. */
struct chat_extras tree_quiet(struct tree *t, struct node o, const char *const *names);

/* One setting that the format has: its member of the root, or of an object in it. */
struct tree_setting {
    enum chat_setting which;
    const char *name;
};
void tree_settings(struct tree *t, struct node o, const struct tree_setting *settings, size_t n,
                   struct chat_value *ret);
