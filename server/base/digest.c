/* digest.c: see digest.h. CRC-32C (RFC 3720 12.1) runs eight bytes at a time over eight tables that
 * are made at first use. */
#include "base/digest.h"

#include <pthread.h>
#include <sodium.h>

#include "base/random.h"

enum { CRC32C_POLYNOMIAL = 0x82f63b78 }; /* reflected */

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

/* crc_table[k][v]: the remainder of byte v followed by k zero bytes. Written once, then read. */
static uint32_t crc_table[8][256];

static void make_crc_table(void)
{
    for (uint32_t v = 0; v < 256; v++) {
        uint32_t crc = v;

        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? (uint32_t)CRC32C_POLYNOMIAL : 0);
        crc_table[0][v] = crc;
    }
    for (size_t k = 1; k < 8; k++)
        for (size_t v = 0; v < 256; v++) {
            uint32_t before = crc_table[k - 1][v];

            crc_table[k][v] = before >> 8 ^ crc_table[0][before & 255];
        }
}

static uint32_t crc_eight(uint32_t crc, const uint8_t *p)
{
    return crc_table[7][p[0] ^ (crc & 255)] ^ crc_table[6][p[1] ^ (crc >> 8 & 255)] ^
           crc_table[5][p[2] ^ (crc >> 16 & 255)] ^ crc_table[4][p[3] ^ crc >> 24] ^
           crc_table[3][p[4]] ^ crc_table[2][p[5]] ^ crc_table[1][p[6]] ^ crc_table[0][p[7]];
}

uint32_t digest_crc32c(uint32_t crc, const void *p, size_t n)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    const uint8_t *b = p;
    int r = pthread_once(&once, make_crc_table);

    assert(r == 0);
    crc = ~crc;
    for (; n >= 8; n -= 8, b += 8)
        crc = crc_eight(crc, b);
    for (; n; n--, b++)
        crc = crc >> 8 ^ crc_table[0][(crc ^ *b) & 255];
    return ~crc;
}

void digest_hex(const struct digest *d, char out[65])
{
    (void)sodium_bin2hex(out, 65, d->b, sizeof(d->b));
}
