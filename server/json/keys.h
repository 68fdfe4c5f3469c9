/* keys.h: the keys of the objects that are open, to find one that comes twice. Only this room
 * includes it.
 *
 * Memory is a stack as deep as the nesting: an object that ends takes its keys with it. */
#pragma once

#include "base/bounds.h"
#include "base/str.h"

enum { KEYS_BUCKETS = 64 };

struct key_set {
    uint32_t first; /* its keys in the store start here */
    uint16_t heads[KEYS_BUCKETS];
};

struct key_store {
    const char *doc;
    uint64_t seed; /* of the hash */
    uint32_t n;
    struct {
        uint32_t hash;
        uint32_t at; /* of the raw key behind its quote, in the document */
        uint16_t n, next;
    } v[BOUND_JSON_OPEN_KEYS + 1]; /* 0 ends a chain */
};

void keys_begin(struct key_store *store, const char *doc);
void keys_open(struct key_store *store, struct key_set *set);
void keys_close(struct key_store *store, const struct key_set *set);

enum { KEYS_OK = 0, KEYS_E_TWICE = 1, KEYS_E_FULL = 2, KEYS_E_LONG = 3 };
/* raw: as it stands in the document; key: decoded. Objects must be filled innermost first, that is,
 * in the order of the document. */
int keys_add(struct key_store *store, struct key_set *set, struct str raw, struct str key)
    _must_use_;
