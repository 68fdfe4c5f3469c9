/* secret.h: bytes that must never be printed, sealed values at rest, and password hashes.
 *
 * The master secret is the 32 bytes of SECRET_FILE; sub-keys are derived from it per purpose. */
#pragma once

#include "base/arena.h"
#include "base/digest.h"

/* No format takes it; wiped by secret_wipe. */
struct secret {
    struct str bytes_;
};

struct master; /* opaque, locked in memory */

enum { MASTER_OK = 0, MASTER_E_MISSING = 1, MASTER_E_LENGTH = 2, MASTER_E_MODE = 3 };
/* Reads exactly 32 bytes from path; refuses a file that group or others can read. */
int master_load(const char *path, struct master **ret) _must_use_;
/* Writes 32 random bytes to path with mode 0600 unless it exists. */
int master_create(const char *path) _must_use_;
void master_free(struct master *m);
/* Sub-key for a purpose such as "api-key", "session", "provider-key", "fingerprint". */
void master_subkey(const struct master *m, const char *purpose, uint8_t ret_key[32]);

/* XChaCha20-Poly1305 with associated data (row and purpose). Output: nonce, then ciphertext. */
struct str secret_seal(struct arena *a, const uint8_t key[32], struct str ad, struct str plain)
    _must_use_;
enum { SECRET_OK = 0, SECRET_E_FORGED = 1 };
int secret_open(struct arena *a, const uint8_t key[32], struct str ad, struct str sealed,
                struct str *ret_plain) _must_use_;
void secret_wipe(void *p, size_t n);

/* argon2id, 19 MiB, t=2 (OWASP); the string carries its parameters. Password lane only. */
#define SECRET_PASSWORD_SIZE 128
int secret_password_hash(struct str password, char out[SECRET_PASSWORD_SIZE]) _must_use_;
bool secret_password_check(const char *hash, struct str password);
bool secret_password_stale(const char *hash);
/* prefix + 43 base62 characters (256 bits) + 6 characters of CRC, in the arena. */
struct str secret_token(struct arena *a, const char *prefix) _must_use_;
bool secret_token_wellformed(struct str token, const char *prefix);
