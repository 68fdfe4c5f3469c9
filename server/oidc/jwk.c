/* jwk.c: see jwk.h. */
#include "oidc/jwk.h"

#include <errno.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>

#include "base/base64.h"
#include "base/bounds.h"
#include "base/err.h"

enum {
    KEYS_MAX = 100, /* providers publish two to six */
    NUMBER_BYTES = 1024,
    RSA_BITS_MIN = 2048,
    RSA_BITS_MAX = 8192, /* larger ones make a signature expensive to check */
    P256_BYTES = 32,
    DER_BYTES = 80, /* two numbers of 33 bytes, and what stands around them */
};

bool jwk_alg_parse(struct str name, enum jwk_alg *ret)
{
    static const char *const names[] = {
        [JWK_RS256] = "RS256", [JWK_PS256] = "PS256", [JWK_ES256] = "ES256"};

    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (str_eq_c(name, names[i])) {
            *ret = (enum jwk_alg)i;
            return true;
        }
    return false;
}

static struct str member(const struct json_object *key, const char *name)
{
    const struct json_object *v = json_get(key, name);

    return json_kind(v) == JSON_STRING ? json_text(v) : STR_NONE;
}

/* A key that does not say what it is for may be used for signatures (RFC 7517 4.2, 4.4). */
static bool fits(const struct json_object *key, struct str kid, enum jwk_alg alg)
{
    const char *type = alg == JWK_ES256 ? "EC" : "RSA";
    struct str use = member(key, "use"), named = member(key, "alg");
    enum jwk_alg its;

    if (json_kind(key) != JSON_OBJECT || !str_eq_c(member(key, "kty"), type))
        return false;
    if (use.p && !str_eq_c(use, "sig"))
        return false;
    if (named.p && (!jwk_alg_parse(named, &its) || its != alg))
        return false;
    return !kid.p || str_eq(member(key, "kid"), kid);
}

static const struct json_object *find(const struct json_object *set, struct str kid, enum jwk_alg alg)
{
    const struct json_object *keys = json_get(set, "keys"), *found = NULL;

    if (json_kind(keys) != JSON_ARRAY)
        return NULL;
    for (size_t i = 0; i < MIN(json_length(keys), (size_t)KEYS_MAX); i++) {
        const struct json_object *key = json_at(keys, i);

        if (!fits(key, kid, alg))
            continue;
        if (kid.p)
            return key;
        if (found)
            return NULL;
        found = key;
    }
    return found;
}

/* --- making keys of their numbers --- */

static bool number(const struct json_object *key, const char *name, struct buf *out)
{
    struct str text = member(key, name);

    return text.n && base64url_read(text, out) && buf_finish(out) == 0 && out->n;
}

static BIGNUM *big_number(const struct json_object *key, const char *name)
{
    BIGNUM *n = NULL;
    struct buf bytes;

    buf_init(&bytes, NUMBER_BYTES + 8);
    if (number(key, name, &bytes))
        n = BN_bin2bn((const unsigned char *)bytes.p, (int)bytes.n, NULL);
    buf_done(&bytes);
    return n;
}

static EVP_PKEY *from_parameters(const char *type, OSSL_PARAM_BLD *build)
{
    OSSL_PARAM *parameters = OSSL_PARAM_BLD_to_param(build);
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
    EVP_PKEY *key = NULL;

    if (!parameters || !ctx || EVP_PKEY_fromdata_init(ctx) != 1 ||
        EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_PUBLIC_KEY, parameters) != 1)
        key = NULL;
    EVP_PKEY_CTX_free(ctx);
    OSSL_PARAM_free(parameters);
    return key;
}

static EVP_PKEY *rsa_key(const struct json_object *jwk)
{
    OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
    BIGNUM *n = big_number(jwk, "n"), *e = big_number(jwk, "e");
    EVP_PKEY *key = NULL;

    if (build && n && e && BN_num_bits(n) >= RSA_BITS_MIN && BN_num_bits(n) <= RSA_BITS_MAX &&
        BN_is_odd(e) && !BN_is_one(e) && BN_num_bits(e) <= 64 &&
        OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_N, n) == 1 &&
        OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_E, e) == 1)
        key = from_parameters("RSA", build);
    OSSL_PARAM_BLD_free(build);
    BN_free(n);
    BN_free(e);
    return key;
}

/* OpenSSL refuses a point that is not on the curve. */
static EVP_PKEY *ec_key(const struct json_object *jwk)
{
    OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
    EVP_PKEY *key = NULL;
    struct buf point;

    buf_init(&point, 1 + 2 * P256_BYTES + 8);
    buf_putc(&point, 4); /* uncompressed */
    if (build && str_eq_c(member(jwk, "crv"), "P-256") && number(jwk, "x", &point) &&
        point.n == 1 + P256_BYTES && number(jwk, "y", &point) && point.n == 1 + 2 * P256_BYTES &&
        OSSL_PARAM_BLD_push_utf8_string(build, OSSL_PKEY_PARAM_GROUP_NAME, "prime256v1", 0) == 1 &&
        OSSL_PARAM_BLD_push_octet_string(build, OSSL_PKEY_PARAM_PUB_KEY, point.p, point.n) == 1)
        key = from_parameters("EC", build);
    buf_done(&point);
    OSSL_PARAM_BLD_free(build);
    return key;
}

/* --- checking --- */

/* r and s side by side (RFC 7518 3.4), as OpenSSL wants them; 0: they are none. */
static size_t der_of(struct str signature, unsigned char out[DER_BYTES])
{
    const unsigned char *p = (const unsigned char *)signature.p;
    unsigned char *to = out;
    ECDSA_SIG *sig = signature.n == 2 * P256_BYTES ? ECDSA_SIG_new() : NULL;
    BIGNUM *r = sig ? BN_bin2bn(p, P256_BYTES, NULL) : NULL;
    BIGNUM *s = sig ? BN_bin2bn(p + P256_BYTES, P256_BYTES, NULL) : NULL;
    int n = 0;

    if (r && s && ECDSA_SIG_set0(sig, r, s) == 1) {
        if (i2d_ECDSA_SIG(sig, NULL) <= DER_BYTES)
            n = i2d_ECDSA_SIG(sig, &to);
    } else {
        BN_free(r);
        BN_free(s);
    }
    ECDSA_SIG_free(sig);
    return n > 0 ? (size_t)n : 0;
}

/* As long as the digest (RFC 7518 3.5). */
static bool use_pss(EVP_PKEY_CTX *ctx)
{
    return EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING) == 1 &&
           EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, RSA_PSS_SALTLEN_DIGEST) == 1;
}

static bool verifies(EVP_PKEY *key, enum jwk_alg alg, struct str text, struct str signature)
{
    const unsigned char *sig = (const unsigned char *)signature.p;
    EVP_MD_CTX *md = EVP_MD_CTX_new();
    EVP_PKEY_CTX *ctx = NULL;
    unsigned char der[DER_BYTES];
    size_t n = signature.n;
    bool right;

    if (alg == JWK_ES256) {
        n = der_of(signature, der);
        sig = der;
    }
    right = md && n && EVP_DigestVerifyInit(md, &ctx, EVP_sha256(), NULL, key) == 1 &&
            (alg != JWK_PS256 || use_pss(ctx)) &&
            EVP_DigestVerify(md, sig, n, (const unsigned char *)text.p, text.n) == 1;
    EVP_MD_CTX_free(md);
    return right;
}

int jwk_verify(const struct json_object *set, struct str kid, enum jwk_alg alg, struct str text,
               struct str signature)
{
    const struct json_object *jwk = find(set, kid, alg);
    EVP_PKEY *key = !jwk ? NULL : alg == JWK_ES256 ? ec_key(jwk) : rsa_key(jwk);
    bool right;

    if (!key)
        return JWK_E_KEY;
    right = verifies(key, alg, text, signature);
    EVP_PKEY_free(key);
    return right ? JWK_OK : JWK_E_SIGNATURE;
}
