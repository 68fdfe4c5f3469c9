/* watch.h: which watched paths a value lies on. Only this room includes it.
 *
 * The paths of a scan are made into a tree of steps once, and the tree is kept for the process, known by
 * the addresses of the paths, so that a scan begins by finding it. A value that lies on a path is at a node
 * of the tree; on its way through a document a scan carries the node of each open object or array. */
#pragma once

#include "base/bounds.h"
#include "json/scan.h"

enum { WATCH_NOWHERE = 0, WATCH_ROOT = 1 }; /* nodes: of what lies on no path, and of the document */

struct watch_node {
    const char *key; /* of the member; NULL for the root and for elements */
    uint64_t key_lengths; /* bit n: a member is asked for whose key has n modulo 64 bytes */
    uint32_t here;   /* the watches whose path ends at it */
    uint16_t first;  /* of the members that are asked for; 0: none */
    uint16_t next;   /* of the members of the same object */
    uint16_t element; /* of an array's elements; WATCH_NOWHERE: nobody asks */
    uint8_t key_n;
};

enum { WATCH_NODES_MAX = 2 + BOUND_JSON_WATCHES * BOUND_JSON_WATCH_STEPS };

struct watch_tree {
    size_t n_paths, n_nodes;
    const char *paths[BOUND_JSON_WATCHES];
    struct watch_node nodes[]; /* n_nodes */
};

/* Resets the results. The tree is shared, or in `own`, which has room for WATCH_NODES_MAX nodes, where its
 * paths are not constants of the program, or there is no memory. Any thread. */
const struct watch_tree *watch_begin(struct json_watch *watches, size_t n, struct watch_tree *own);
/* The node of a member of the object at a node, one that has members. */
uint16_t watch_member(const struct watch_tree *tree, const struct watch_node *object, struct str key);
/* A value at a node that is watched has been read. */
void watch_note(struct json_watch *watches, uint32_t here, uint32_t at, uint32_t n, uint8_t kind);
