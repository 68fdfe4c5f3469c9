/* secret.c: see secret.h. */
#include "base/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sodium.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/random.h"

enum {
    KEY_BYTES = 32,
    PASSWORD_PASSES = 2,
    PASSWORD_MEMORY_BYTES = 19 * 1024 * 1024,
};

struct master {
    uint8_t key[KEY_BYTES];
};

_Static_assert(SECRET_PASSWORD_SIZE >= crypto_pwhash_STRBYTES, "the hash string fits");

void secret_wipe(void *p, size_t n)
{
    sodium_memzero(p, n);
}

static void closep(int *fd)
{
    if (*fd >= 0)
        (void)close(*fd);
}

/* The key from an open file; 0 or a MASTER_E outcome. */
static int read_key(int fd, uint8_t key[KEY_BYTES])
{
    struct stat st;
    ssize_t n;

    if (fstat(fd, &st) < 0)
        return err_origin(-errno);
    if (!S_ISREG(st.st_mode) || st.st_size != KEY_BYTES)
        return MASTER_E_LENGTH;
    if (st.st_mode & 077)
        return MASTER_E_MODE;
    do
        n = read(fd, key, KEY_BYTES);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return err_origin(-errno);
    return n == KEY_BYTES ? MASTER_OK : MASTER_E_LENGTH;
}

int master_load(const char *path, struct master **ret)
{
    _cleanup_(closep) int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct master *m;
    int r;

    if (fd < 0)
        return errno == ENOENT ? MASTER_E_MISSING : err_origin(-errno);
    random_ready();
    m = sodium_malloc(sizeof(*m)); /* guarded by unreadable pages, locked in memory */
    if (!m)
        return err_origin(-ENOMEM);
    r = read_key(fd, m->key);
    if (r) {
        master_free(m);
        return r;
    }
    (void)sodium_mprotect_readonly(m);
    *ret = m;
    return MASTER_OK;
}

static int write_key(int fd)
{
    uint8_t key[KEY_BYTES];
    ssize_t n;

    random_bytes(key, sizeof(key));
    n = write(fd, key, sizeof(key));
    secret_wipe(key, sizeof(key));
    if (n != (ssize_t)sizeof(key))
        return err_origin(n < 0 ? -errno : -EIO);
    if (fsync(fd) < 0)
        return err_origin(-errno);
    return 0;
}

/* The directory entry must outlive a power cut as surely as what is sealed under the key. */
static int sync_directory_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    char directory[PATH_MAX];
    int n = slash ? snprintf(directory, sizeof(directory), "%.*s", (int)(slash - path) + 1, path)
                  : snprintf(directory, sizeof(directory), ".");
    _cleanup_(closep) int fd = -1;

    if (n < 0 || n >= (int)sizeof(directory))
        return err_origin(-ENAMETOOLONG);
    fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 || fsync(fd) < 0)
        return err_origin(-errno);
    return 0;
}

int master_create(const char *path)
{
    char fresh[PATH_MAX];
    _cleanup_(closep) int fd = -1;
    int r;

    if (access(path, F_OK) == 0)
        return 0;
    r = snprintf(fresh, sizeof(fresh), "%s.%08x", path, (unsigned)random_u64());
    if (r < 0 || r >= (int)sizeof(fresh))
        return err_origin(-ENAMETOOLONG);
    fd = open(fresh, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return err_origin(-errno);
    r = write_key(fd);
    /* link(2) never replaces: of two processes that start together, both use the first one's. */
    if (r == 0 && link(fresh, path) < 0 && errno != EEXIST)
        r = err_origin(-errno);
    (void)unlink(fresh);
    if (r < 0)
        return err_trace(r);
    return sync_directory_of(path);
}

void master_free(struct master *m)
{
    sodium_free(m); /* wipes; NULL is fine */
}

void master_subkey(const struct master *m, const char *purpose, uint8_t ret_key[32])
{
    struct digest d = digest_keyed(m->key, str_c(purpose));

    memcpy(ret_key, d.b, KEY_BYTES);
    secret_wipe(&d, sizeof(d));
}

enum {
    NONCE_BYTES = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES,
    TAG_BYTES = crypto_aead_xchacha20poly1305_ietf_ABYTES,
};

struct str secret_seal(struct arena *a, const uint8_t key[32], struct str ad, struct str plain)
{
    size_t bytes = NONCE_BYTES + plain.n + TAG_BYTES;
    uint8_t *out = plain.n <= SIZE_MAX / 2 ? arena_alloc(a, bytes) : NULL;

    if (!out)
        return STR_NONE;
    random_ready();
    random_bytes(out, NONCE_BYTES);
    (void)crypto_aead_xchacha20poly1305_ietf_encrypt(out + NONCE_BYTES, NULL,
                                                     (const uint8_t *)plain.p, plain.n,
                                                     (const uint8_t *)ad.p, ad.n, NULL, out, key);
    return str_n((const char *)out, bytes);
}

int secret_open(struct arena *a, const uint8_t key[32], struct str ad, struct str sealed,
                struct str *ret_plain)
{
    const uint8_t *in = (const uint8_t *)sealed.p;
    uint8_t *out;

    if (sealed.n < NONCE_BYTES + TAG_BYTES)
        return SECRET_E_FORGED;
    out = arena_alloc(a, sealed.n - NONCE_BYTES - TAG_BYTES + 1);
    if (!out)
        return err_origin(-ENOMEM);
    random_ready();
    if (crypto_aead_xchacha20poly1305_ietf_decrypt(out, NULL, NULL, in + NONCE_BYTES,
                                                   sealed.n - NONCE_BYTES, (const uint8_t *)ad.p,
                                                   ad.n, in, key) != 0)
        return SECRET_E_FORGED;
    *ret_plain = str_n((const char *)out, sealed.n - NONCE_BYTES - TAG_BYTES);
    return SECRET_OK;
}

int secret_password_hash(struct str password, char out[SECRET_PASSWORD_SIZE])
{
    char hash[crypto_pwhash_STRBYTES];

    random_ready();
    if (crypto_pwhash_str_alg(hash, password.p ? password.p : "", password.n, PASSWORD_PASSES,
                              PASSWORD_MEMORY_BYTES, crypto_pwhash_ALG_ARGON2ID13) != 0)
        return err_origin(-ENOMEM);
    memcpy(out, hash, sizeof(hash));
    return 0;
}

bool secret_password_check(const char *hash, struct str password)
{
    random_ready();
    return crypto_pwhash_str_verify(hash, password.p ? password.p : "", password.n) == 0;
}

bool secret_password_stale(const char *hash)
{
    random_ready();
    return crypto_pwhash_str_needs_rehash(hash, PASSWORD_PASSES, PASSWORD_MEMORY_BYTES) != 0;
}
