/* watch.h: which watched paths a value lies on. Only this room includes it. What each key and value takes
 * stands here to be inlined.
 *
 * The paths of a scan are made into a tree of steps once, and the tree is kept for the process, known by
 * the addresses of the paths, so that a scan begins by finding it. A value that lies on a path is at a node
 * of the tree; on its way through a document a scan carries the node of each open object or array. */
#pragma once

#include "base/bounds.h"
#include "json/keys.h"
#include "json/scan.h"

enum { WATCH_NOWHERE = 0, WATCH_ROOT = 1 }; /* nodes: of what lies on no path, and of the document */
enum { WATCH_LENGTHS = 8 };

struct watch_node {
    const char *key; /* of the member; NULL for the root and for elements */
    struct key_words words; /* of the key */
    uint32_t here;   /* the watches whose path ends at it */
    uint16_t first[WATCH_LENGTHS]; /* of the members with keys of n modulo 8 bytes; 0: none is asked for */
    uint16_t next;   /* of those members of the same object */
    uint16_t element; /* of an array's elements; WATCH_NOWHERE: nobody asks */
    uint8_t key_n;
};

enum { WATCH_NODES_MAX = 2 + BOUND_JSON_WATCHES * BOUND_JSON_WATCH_STEPS };

struct watch_tree {
    size_t n_paths, n_nodes;
    const char *paths[BOUND_JSON_WATCHES];
    struct watch_node nodes[]; /* n_nodes */
};

/* Resets the results and gives the tree of the paths; NULL: none is kept. Any thread. */
const struct watch_tree *watch_begin(struct json_watch *watches, size_t n);
/* Makes the tree in `own`, which has room for WATCH_NODES_MAX nodes, and keeps a copy of it, unless its
 * paths are not constants of the program, or there is no memory. Any thread. */
void watch_make(struct watch_tree *own, const struct json_watch *watches, size_t n);

/* The node of a member of the object at a node. */
static inline uint16_t watch_member(const struct watch_tree *tree, const struct watch_node *object,
                                    struct str key, struct key_words words)
{
    for (uint16_t i = object->first[key.n % WATCH_LENGTHS]; i; i = tree->nodes[i].next) {
        const struct watch_node *m = &tree->nodes[i];

        if (m->words.head == words.head && m->words.tail == words.tail && m->key_n == key.n &&
            (key.n <= KEY_WORDS_BYTES || memcmp(m->key, key.p, key.n) == 0))
            return i;
    }
    return WATCH_NOWHERE;
}

/* A value at a node that is watched has been read. */
static inline void watch_note(struct json_watch *watches, uint32_t here, struct json_span span)
{
    for (uint32_t left = here; left; left &= left - 1) {
        struct json_watch *w = &watches[__builtin_ctz(left)];

        w->span = span;
        w->count++;
        w->bytes += span.n;
    }
}
