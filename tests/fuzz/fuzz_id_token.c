/* What an identity provider sends, and what comes back in a browser: an ID token, a set of keys, the discovery
 * document, the cookie between. The first byte says which. No input is signed by a known key or sealed by ours. */
#include "fuzz.h"

#include "base/bounds.h"
#include "oidc/id_token.h"
#include "oidc/inside.h"
#include "tests/unit/oidc/tokens.h"

static const struct id_token_rules rules = {STR("https://id.example.org"), STR("client"), STR("n"), 1000001};

/* Some bits of the last character of a signature stand for nothing. */
static bool is_known(struct str token)
{
    for (size_t i = 0; i < ARRAY_LEN(known_tokens); i++) {
        struct str known = str_c(known_tokens[i]);

        if (token.n == known.n && memcmp(token.p, known.p, known.n - 1) == 0)
            return true;
    }
    return false;
}

static void token(struct arena *a, struct str in)
{
    struct json_object *keys;
    struct id_token t;
    int r;

    HOLDS(json_parse_object(a, str_c(known_keys), &keys) == 0 && keys);
    r = id_token_read(a, in, keys, &rules, &t);
    HOLDS(r >= 0 && id_token_outcome_name(r));
    HOLDS(r != ID_TOKEN_OK || is_known(in));
}

static void keys(struct arena *a, struct str in)
{
    struct json_object *set;
    struct id_token t;

    HOLDS(json_parse_object(a, in, &set) == 0);
    for (size_t i = 0; set && i < ARRAY_LEN(known_tokens); i++)
        (void)!id_token_read(a, str_c(known_tokens[i]), set, &rules, &t);
}

static void discovery(struct arena *a, struct str in)
{
    struct oidc_endpoints at;
    struct oidc_detail detail;

    if (oidc_endpoints_read(a, in, STR("https://id.example.org"), false, &at, &detail) != OIDC_OK)
        return;
    HOLDS(str_starts(at.authorization, STR("https://")) && str_starts(at.token, STR("https://")));
    HOLDS(str_is_field(at.authorization) && at.authorization.n < OIDC_URL_BYTES);
}

static void cookie(struct arena *a, struct str in)
{
    const struct oidc o = {.seal_key = {7}};
    struct oidc_flow flow;
    bool good;

    HOLDS(oidc_open_cookie(&o, a, in, 0, &flow, &good) == 0 && !good);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static void (*const readers[])(struct arena *, struct str) = {token, keys, discovery, cookie};
    struct str in = str_n((const char *)data, size);
    unsigned which = fuzz_byte(&in) % ARRAY_LEN(readers);
    struct arena *a = arena_new(MIB(64));
    char *copy = fuzz_copy(in);

    HOLDS(a);
    readers[which](a, str_n(copy, in.n));
    arena_free(a);
    free(copy);
    return 0;
}
