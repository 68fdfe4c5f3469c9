/* google.c: see google.h. */
#include "providers/google.h"

#include <errno.h>
#include <inttypes.h>
#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include "base/err.h"

enum { ASSERTION_S = 3600 };
static const char scope[] = "https://www.googleapis.com/auth/cloud-platform";
static const char grant[] = "urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer";

/* A key that wants a pass phrase is not asked for one. */
static int no_pass_phrase(char *buf, int size, int writing, void *ctx)
{
    (void)buf;
    (void)size;
    (void)writing;
    (void)ctx;
    return -1;
}

static EVP_PKEY *read_key(struct str pem)
{
    BIO *bio = pem.n && pem.n < INT32_MAX ? BIO_new_mem_buf(pem.p, (int)pem.n) : NULL;
    EVP_PKEY *key = bio ? PEM_read_bio_PrivateKey(bio, NULL, no_pass_phrase, NULL) : NULL;

    BIO_free(bio);
    if (key && EVP_PKEY_base_id(key) != EVP_PKEY_RSA) {
        EVP_PKEY_free(key);
        return NULL;
    }
    return key;
}

bool google_key_usable(struct str pem)
{
    EVP_PKEY *key = read_key(pem);

    EVP_PKEY_free(key);
    return key != NULL;
}

/* base64url without padding (RFC 7515 2). */
static struct str base64url(struct arena *a, const unsigned char *p, size_t n)
{
    char *out = n < INT32_MAX / 2 ? arena_alloc(a, (n + 2) / 3 * 4 + 1) : NULL;
    size_t length;

    if (!out)
        return STR_NONE;
    length = (size_t)EVP_EncodeBlock((unsigned char *)out, p, (int)n);
    while (length && out[length - 1] == '=')
        length--;
    for (size_t i = 0; i < length; i++)
        out[i] = (char)(out[i] == '+' ? '-' : out[i] == '/' ? '_' : out[i]);
    return str_n(out, length);
}

static struct str encoded(struct arena *a, struct str s)
{
    return s.p ? base64url(a, (const unsigned char *)s.p, s.n) : STR_NONE;
}

/* p NULL: it cannot sign. */
static struct str signature(struct arena *a, EVP_PKEY *key, struct str text)
{
    size_t n = (size_t)EVP_PKEY_size(key);
    unsigned char *bytes = arena_alloc(a, n);
    EVP_MD_CTX *md = EVP_MD_CTX_new();
    struct str out = STR_NONE;

    if (bytes && md && EVP_DigestSignInit(md, NULL, EVP_sha256(), NULL, key) == 1 &&
        EVP_DigestSign(md, bytes, &n, (const unsigned char *)text.p, text.n) == 1)
        out = base64url(a, bytes, n);
    EVP_MD_CTX_free(md);
    return out;
}

/* The fields were checked when they were entered: none has what JSON would have to escape. */
static struct str claims(struct arena *a, const struct google_account *account, int64_t now_us)
{
    int64_t now_s = now_us / 1000000;
    struct str head = account->key_id.n
                          ? arena_strf(a, "{\"alg\":\"RS256\",\"typ\":\"JWT\",\"kid\":\"%.*s\"}",
                                       STR_FMT(account->key_id))
                          : STR("{\"alg\":\"RS256\",\"typ\":\"JWT\"}");
    struct str body = arena_strf(a,
                                 "{\"iss\":\"%.*s\",\"scope\":\"%s\",\"aud\":\"%.*s\","
                                 "\"iat\":%" PRId64 ",\"exp\":%" PRId64 "}",
                                 STR_FMT(account->email), scope, STR_FMT(account->token_uri),
                                 now_s, now_s + ASSERTION_S);

    head = encoded(a, head);
    body = encoded(a, body);
    return head.p && body.p ? arena_strf(a, "%.*s.%.*s", STR_FMT(head), STR_FMT(body)) : STR_NONE;
}

int google_token_form(struct arena *a, const struct google_account *account, int64_t now_us,
                      struct str *ret)
{
    EVP_PKEY *key = read_key(account->private_key);
    struct str text, sign, form;

    if (!key)
        return GOOGLE_E_KEY;
    text = claims(a, account, now_us);
    sign = text.p ? signature(a, key, text) : STR_NONE;
    EVP_PKEY_free(key);
    if (!text.p)
        return err_origin(-ENOMEM);
    if (!sign.p)
        return GOOGLE_E_KEY;
    form = arena_strf(a, "grant_type=%s&assertion=%.*s.%.*s", grant, STR_FMT(text), STR_FMT(sign));
    if (!form.p)
        return err_origin(-ENOMEM);
    *ret = form;
    return GOOGLE_OK;
}
