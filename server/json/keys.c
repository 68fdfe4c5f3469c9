/* keys.c: see keys.h. Chained hashing under a secret of the thread, so that a client cannot choose
 * keys that all fall into one chain. */
#include "json/keys.h"

#include "base/random.h"
#include "json/text.h"

static uint64_t secret(void)
{
    static _Thread_local uint64_t value;

    while (!value)
        value = random_u64();
    return value;
}

static uint64_t fold(uint64_t a, uint64_t b)
{
    unsigned __int128 product = (unsigned __int128)a * b;

    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static uint32_t hash_of(uint64_t seed, struct str key)
{
    uint64_t h = seed ^ key.n, word = 0;

    for (; key.n >= sizeof(word); key = str_n(key.p + sizeof(word), key.n - sizeof(word))) {
        memcpy(&word, key.p, sizeof(word));
        h = fold(h ^ word, seed | 1);
    }
    word = 0;
    memcpy(&word, key.p, key.n);
    return (uint32_t)fold(h ^ word, seed | 1);
}

void keys_begin(struct key_store *store, const char *doc)
{
    store->doc = doc;
    store->seed = secret();
    store->n = 0;
}

void keys_open(struct key_store *store, struct key_set *set)
{
    set->first = store->n;
    memset(set->heads, 0, sizeof(set->heads));
}

void keys_close(struct key_store *store, const struct key_set *set)
{
    store->n = set->first;
}

/* Rare: the hashes are equal. */
static __attribute__((noinline)) bool equal(struct str raw, struct str key)
{
    char scratch[BOUND_JSON_ESCAPED_KEY_BYTES];
    struct str decoded;

    return text_decode(raw, scratch, sizeof(scratch), &decoded) && str_eq(decoded, key);
}

int keys_add(struct key_store *store, struct key_set *set, struct str raw, struct str key)
{
    uint32_t hash = hash_of(store->seed, key);
    uint16_t *head = &set->heads[hash % KEYS_BUCKETS];

    if (raw.n > UINT16_MAX)
        return KEYS_E_LONG;
    for (uint16_t i = *head; i; i = store->v[i].next)
        if (store->v[i].hash == hash &&
            equal(str_n(store->doc + store->v[i].at, store->v[i].n), key))
            return KEYS_E_TWICE;
    if (store->n == BOUND_JSON_OPEN_KEYS)
        return KEYS_E_FULL;
    store->n++;
    store->v[store->n].hash = hash;
    store->v[store->n].at = (uint32_t)(raw.p - store->doc);
    store->v[store->n].n = (uint16_t)raw.n;
    store->v[store->n].next = *head;
    *head = (uint16_t)store->n;
    return KEYS_OK;
}
