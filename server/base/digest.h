/* digest.h: keyed hashes of secrets, and sums over records. libsodium. Any thread. */
#pragma once

#include "base/str.h"

struct digest {
    uint8_t b[32];
};

/* BLAKE2b-256 of s under a 32-byte pepper; for keys, session ids and tokens (never passwords). */
struct digest digest_keyed(const uint8_t pepper[32], struct str s);
struct digest digest_plain(struct str s);
/* As others' protocols want them: SHA-256, and HMAC-SHA-256 under a key of any length. */
struct digest digest_sha256(struct str s);
struct digest digest_hmac_sha256(struct str key, struct str s);
bool digest_eq(const struct digest *a, const struct digest *b); /* constant time */
/* CRC-32C; start with crc 0, pass the result on to continue. */
uint32_t digest_crc32c(uint32_t crc, const void *p, size_t n);
/* The same as on a processor without an instruction for it. */
uint32_t digest_crc32c_by_tables(uint32_t crc, const void *p, size_t n);
void digest_hex(const struct digest *d, char out[65]);
