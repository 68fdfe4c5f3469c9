/* keys.c: see keys.h. */
#include "json/keys.h"

#include "base/random.h"
#include "json/text.h"

static const uint64_t *secret(void)
{
    static _Thread_local uint64_t words[2];

    while (!words[0] || !words[1])
        for (size_t i = 0; i < ARRAY_LEN(words); i++)
            words[i] = random_u64();
    return words;
}

uint32_t keys_hash_long(const struct key_store *store, struct str key, struct key_words words)
{
    uint64_t h = keys_fold(words.head ^ store->secret[0] ^ key.n, words.tail ^ store->secret[1]);
    uint64_t word;

    for (size_t i = sizeof(word); i + sizeof(word) < key.n; i += sizeof(word)) {
        memcpy(&word, key.p + i, sizeof(word));
        h = keys_fold(h ^ word, store->secret[1] | 1);
    }
    return (uint32_t)h;
}

void keys_begin(struct key_store *store, const char *doc, struct key_entry *v, uint32_t room)
{
    const uint64_t *words = secret();

    *store = (struct key_store){
        .doc = doc, .secret = {words[0], words[1]}, .room = room, .v = v};
}

/* Rare: the hashes are equal. */
static __attribute__((noinline)) bool equal(struct str raw, struct str key)
{
    char scratch[BOUND_JSON_ESCAPED_KEY_BYTES];
    struct str decoded;

    return text_decode(raw, scratch, sizeof(scratch), &decoded) && str_eq(decoded, key);
}

bool keys_has(const struct key_store *store, uint16_t head, uint32_t hash, struct str key)
{
    for (uint16_t i = head; i; i = store->v[i].next)
        if (store->v[i].hash == hash &&
            equal(str_n(store->doc + store->v[i].at, store->v[i].n), key))
            return true;
    return false;
}
