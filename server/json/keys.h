/* keys.h: the keys of the objects that are open, to find one that comes twice. Only this room
 * includes it. What each key takes stands here to be inlined.
 *
 * Memory is a stack as deep as the nesting: an object that ends takes its keys with it. Chained
 * hashing under a secret of the thread, so that a client cannot choose keys that all fall into one chain. */
#pragma once

#include "base/bounds.h"
#include "base/str.h"

enum {
    KEYS_BUCKETS = 64,
    KEY_WORD_BYTES = 8,
    KEY_WORDS_BYTES = 2 * KEY_WORD_BYTES, /* longer ones are not all in their words */
};

/* The first and the last eight bytes of a key, or all of a shorter one: equal for equal keys, and of two
 * keys of one length up to KEY_WORDS_BYTES only for those. */
struct key_words {
    uint64_t head, tail;
};

/* In unaligned loads, each of a fixed size. */
static inline struct key_words key_words(struct str key)
{
    struct key_words w = {0, 0};
    uint32_t half[2];

    if (key.n >= KEY_WORD_BYTES) {
        memcpy(&w.head, key.p, KEY_WORD_BYTES);
        memcpy(&w.tail, key.p + key.n - KEY_WORD_BYTES, KEY_WORD_BYTES);
    } else if (key.n >= sizeof(half[0])) {
        memcpy(&half[0], key.p, sizeof(half[0]));
        memcpy(&half[1], key.p + key.n - sizeof(half[1]), sizeof(half[1]));
        w.head = half[0] | (uint64_t)half[1] << 32;
    } else if (key.n) {
        w.head = (unsigned char)key.p[0] | (uint64_t)(unsigned char)key.p[key.n / 2] << 8 |
                 (uint64_t)(unsigned char)key.p[key.n - 1] << 16;
    }
    return w;
}

struct key_set {
    uint64_t used;  /* bit n: heads[n] is the head of a chain, else it is nothing yet */
    uint32_t first; /* its keys in the store start here */
    uint16_t heads[KEYS_BUCKETS];
};

struct key_entry {
    uint32_t hash;
    uint32_t at; /* of the raw key behind its quote, in the document */
    uint16_t n, next; /* 0 ends a chain */
};

struct key_store {
    const char *doc;
    uint64_t secret[2];
    uint32_t n, room;
    struct key_entry *v; /* v[0] is never used; room + 1 of them */
};

/* v is the caller's, and may be changed for a larger one with the same entries. */
void keys_begin(struct key_store *store, const char *doc, struct key_entry *v, uint32_t room);

static inline void keys_open(const struct key_store *store, struct key_set *set)
{
    set->first = store->n;
    set->used = 0;
}

static inline void keys_close(struct key_store *store, const struct key_set *set)
{
    store->n = set->first;
}

enum { KEYS_OK = 0, KEYS_E_TWICE = 1, KEYS_E_FULL = 2, KEYS_E_LONG = 3 };

static inline uint64_t keys_fold(uint64_t a, uint64_t b)
{
    unsigned __int128 product = (unsigned __int128)a * b;

    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

/* Of a key that is longer than its words. */
uint32_t keys_hash_long(const struct key_store *store, struct str key, struct key_words words);
/* Is there a key in the chain that is equal when decoded? */
bool keys_has(const struct key_store *store, uint16_t head, uint32_t hash, struct str key);

/* raw: as it stands in the document; key: decoded. Objects must be filled innermost first, that is,
 * in the order of the document. */
static inline _must_use_ int keys_add(struct key_store *store, struct key_set *set, struct str raw,
                                      struct str key, struct key_words words)
{
    uint32_t hash = key.n > KEY_WORDS_BYTES
                        ? keys_hash_long(store, key, words)
                        : (uint32_t)keys_fold(words.head ^ store->secret[0] ^ key.n,
                                              words.tail ^ store->secret[1]);
    unsigned bucket = hash % KEYS_BUCKETS;
    uint64_t bit = (uint64_t)1 << bucket;
    uint16_t next = 0;

    if (raw.n > UINT16_MAX)
        return KEYS_E_LONG;
    if (set->used & bit) {
        next = set->heads[bucket];
        if (keys_has(store, next, hash, key))
            return KEYS_E_TWICE;
    }
    if (store->n == store->room)
        return KEYS_E_FULL;
    store->n++;
    store->v[store->n] = (struct key_entry){
        .hash = hash, .at = (uint32_t)(raw.p - store->doc), .n = (uint16_t)raw.n, .next = next};
    set->used |= bit;
    set->heads[bucket] = (uint16_t)store->n;
    return KEYS_OK;
}
