/* id_token.c: see id_token.h. */
#include "oidc/id_token.h"

#include <errno.h>

#include "base/base64.h"
#include "base/err.h"
#include "oidc/jwk.h"

enum { SUBJECT_BYTES = 255, AUDIENCES_MAX = 16 };

const char *id_token_outcome_name(int outcome)
{
    static const char *const names[] = {
        [ID_TOKEN_OK] = "ok",           [ID_TOKEN_E_FORM] = "form",
        [ID_TOKEN_E_ALG] = "algorithm", [ID_TOKEN_E_KEY] = "unknown_key",
        [ID_TOKEN_E_SIGNATURE] = "signature", [ID_TOKEN_E_ISSUER] = "issuer",
        [ID_TOKEN_E_AUDIENCE] = "audience", [ID_TOKEN_E_NONCE] = "nonce",
        [ID_TOKEN_E_EXPIRED] = "expired", [ID_TOKEN_E_EARLY] = "early"};

    assert(outcome >= 0 && (size_t)outcome < ARRAY_LEN(names));
    return names[outcome];
}

struct str id_claim(const struct json_object *claims, const char *name)
{
    const struct json_object *v = json_get(claims, name);

    return json_kind(v) == JSON_STRING ? json_text(v) : STR_NONE;
}

bool id_claim_true(const struct json_object *claims, const char *name)
{
    const struct json_object *v = json_get(claims, name);

    return json_true(v) || (json_kind(v) == JSON_STRING && str_eq_c(json_text(v), "true"));
}

bool id_claim_has(const struct json_object *claims, const char *name, struct str word)
{
    const struct json_object *v = json_get(claims, name);

    if (json_kind(v) == JSON_STRING)
        return str_eq(json_text(v), word);
    if (json_kind(v) != JSON_ARRAY)
        return false;
    for (size_t i = 0; i < json_length(v); i++) {
        const struct json_object *one = json_at(v, i);

        if (json_kind(one) == JSON_STRING && str_eq(json_text(one), word))
            return true;
    }
    return false;
}

/* Seconds since 1970, of which a fraction is left out (RFC 7519 2, NumericDate). */
static bool time_claim(const struct json_object *claims, const char *name, int64_t *ret)
{
    const struct json_object *v = json_get(claims, name);
    struct str text, whole;

    if (json_kind(v) != JSON_INT && json_kind(v) != JSON_NUMBER)
        return false;
    text = json_text(v);
    return str_split(&text, '.', &whole) && str_i64(whole, ret) == STR_OK && *ret >= 0 &&
           *ret < INT64_MAX / 4;
}

struct parts {
    struct str signed_text; /* head and payload as they came */
    struct json_object *head, *claims;
    struct str signature;
};

/* p NULL where it is no base64url. */
static int decode(struct arena *a, struct str text, struct str *ret)
{
    struct buf bytes;
    int r = 0;

    *ret = STR_NONE;
    buf_init(&bytes, ID_TOKEN_BYTES);
    if (base64url_read(text, &bytes) && bytes.n) {
        *ret = arena_str(a, buf_str(&bytes));
        r = ret->p ? 0 : err_origin(-ENOMEM);
    } else if (buf_finish(&bytes) == -ENOMEM) {
        r = err_origin(-ENOMEM);
    }
    buf_done(&bytes);
    return r;
}

static int decode_object(struct arena *a, struct str text, struct json_object **ret)
{
    struct str plain;
    int r = decode(a, text, &plain);

    *ret = NULL;
    return r < 0 || !plain.p ? r : json_parse_object(a, plain, ret);
}

/* head.claims.signature. */
static bool split(struct str token, struct str parts[3])
{
    struct str rest = token;

    return token.n <= ID_TOKEN_BYTES && str_split(&rest, '.', &parts[0]) && str_split(&rest, '.', &parts[1]) &&
           str_split(&rest, '.', &parts[2]) && !rest.p;
}

static int take_apart(struct arena *a, struct str token, struct parts *ret)
{
    struct str parts[3];
    int r;

    if (!split(token, parts))
        return ID_TOKEN_E_FORM;
    ret->signed_text = str_n(token.p, parts[0].n + 1 + parts[1].n);
    r = decode_object(a, parts[0], &ret->head);
    if (r == 0)
        r = decode_object(a, parts[1], &ret->claims);
    if (r == 0)
        r = decode(a, parts[2], &ret->signature);
    if (r < 0)
        return err_trace(r);
    return ret->head && ret->claims ? 0 : ID_TOKEN_E_FORM;
}

/* No extension of the format is known here (RFC 7515 4.1.11). */
static int check_signature(const struct parts *parts, const struct json_object *keys)
{
    enum jwk_alg alg;
    int r;

    if (!jwk_alg_parse(id_claim(parts->head, "alg"), &alg))
        return ID_TOKEN_E_ALG;
    if (json_has(parts->head, "crit") || !parts->signature.p)
        return ID_TOKEN_E_FORM;
    r = jwk_verify(keys, id_claim(parts->head, "kid"), alg, parts->signed_text, parts->signature);
    return r == JWK_E_KEY ? ID_TOKEN_E_KEY : r == JWK_E_SIGNATURE ? ID_TOKEN_E_SIGNATURE : 0;
}

/* Where there are several audiences, the token has to say that it was made for us (azp). */
static bool is_for(const struct json_object *claims, struct str client_id)
{
    const struct json_object *aud = json_get(claims, "aud");
    bool several = json_kind(aud) == JSON_ARRAY && json_length(aud) > 1;
    struct str azp = id_claim(claims, "azp");

    if (!id_claim_has(claims, "aud", client_id) ||
        (json_kind(aud) == JSON_ARRAY && json_length(aud) > AUDIENCES_MAX))
        return false;
    return json_has(claims, "azp") ? str_eq(azp, client_id) : !several;
}

static int check_times(const struct json_object *claims, int64_t now_s)
{
    int64_t exp, iat, nbf;

    if (!time_claim(claims, "exp", &exp) || !time_claim(claims, "iat", &iat))
        return ID_TOKEN_E_FORM;
    if (exp + ID_TOKEN_SKEW_S <= now_s)
        return ID_TOKEN_E_EXPIRED;
    if (iat - ID_TOKEN_SKEW_S > now_s)
        return ID_TOKEN_E_EARLY;
    if (json_has(claims, "nbf") && (!time_claim(claims, "nbf", &nbf) || nbf - ID_TOKEN_SKEW_S > now_s))
        return ID_TOKEN_E_EARLY;
    return 0;
}

static int check_claims(const struct json_object *claims, const struct id_token_rules *rules)
{
    struct str subject = id_claim(claims, "sub"), nonce = id_claim(claims, "nonce");

    if (!str_eq(id_claim(claims, "iss"), rules->issuer) || !rules->issuer.n)
        return ID_TOKEN_E_ISSUER;
    if (!is_for(claims, rules->client_id))
        return ID_TOKEN_E_AUDIENCE;
    if (!nonce.n || !str_eq(nonce, rules->nonce))
        return ID_TOKEN_E_NONCE;
    if (subject.n == 0 || subject.n > SUBJECT_BYTES || memchr(subject.p, '\0', subject.n))
        return ID_TOKEN_E_FORM;
    return check_times(claims, rules->now_s);
}

int id_token_read(struct arena *a, struct str token, const struct json_object *keys,
                  const struct id_token_rules *rules, struct id_token *ret)
{
    struct parts parts = {.head = NULL};
    int r = take_apart(a, token, &parts);

    if (r == 0)
        r = check_signature(&parts, keys);
    if (r == 0)
        r = check_claims(parts.claims, rules);
    if (r != 0)
        return r < 0 ? err_trace(r) : r;
    *ret = (struct id_token){id_claim(parts.claims, "sub"), parts.claims};
    return 0;
}
