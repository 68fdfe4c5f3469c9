/* digest.c: see digest.h. */
#include "base/digest.h"

#include <sodium.h>

#include "base/random.h"

struct digest digest_keyed(const uint8_t pepper[32], struct str s)
{
    struct digest d;

    random_ready();
    (void)crypto_generichash(d.b, sizeof(d.b), (const uint8_t *)s.p, s.n, pepper, 32);
    return d;
}

struct digest digest_plain(struct str s)
{
    struct digest d;

    random_ready();
    (void)crypto_generichash(d.b, sizeof(d.b), (const uint8_t *)s.p, s.n, NULL, 0);
    return d;
}

struct digest digest_sha256(struct str s)
{
    struct digest d;

    random_ready();
    (void)crypto_hash_sha256(d.b, (const uint8_t *)s.p, s.n);
    return d;
}

struct digest digest_hmac_sha256(struct str key, struct str s)
{
    crypto_auth_hmacsha256_state state;
    struct digest d;

    random_ready();
    (void)crypto_auth_hmacsha256_init(&state, (const uint8_t *)key.p, key.n);
    (void)crypto_auth_hmacsha256_update(&state, (const uint8_t *)s.p, s.n);
    (void)crypto_auth_hmacsha256_final(&state, d.b);
    sodium_memzero(&state, sizeof(state));
    return d;
}

bool digest_eq(const struct digest *a, const struct digest *b)
{
    return sodium_memcmp(a->b, b->b, sizeof(a->b)) == 0;
}

void digest_hex(const struct digest *d, char out[65])
{
    (void)sodium_bin2hex(out, 65, d->b, sizeof(d->b));
}
