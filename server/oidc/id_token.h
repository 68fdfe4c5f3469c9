/* id_token.h: what an ID token says, after all that has to be checked of it was (OpenID Connect Core 3.1.3.7).
 * Pure; any thread.
 *
 * Whoever has the token's bytes sent them: nothing of it is believed before its signature held. */
#pragma once

#include "base/arena.h"
#include "json/value.h"

#define ID_TOKEN_BYTES ((size_t)64 * 1024) /* groups of a large company are in it */
/* How far the clocks of the provider and of this machine may be apart. */
#define ID_TOKEN_SKEW_S 120

enum {
    ID_TOKEN_OK = 0,
    ID_TOKEN_E_FORM,      /* no signed token, or without what has to be in it */
    ID_TOKEN_E_ALG,       /* not signed by RS256, PS256 or ES256 */
    ID_TOKEN_E_KEY,       /* by a key that is not in the set */
    ID_TOKEN_E_SIGNATURE,
    ID_TOKEN_E_ISSUER,
    ID_TOKEN_E_AUDIENCE,  /* for another client, or also for others that nobody knows here */
    ID_TOKEN_E_NONCE,     /* of another sign-in */
    ID_TOKEN_E_EXPIRED,
    ID_TOKEN_E_EARLY,     /* made in a time that is yet to come by this machine's clock */
};
const char *id_token_outcome_name(int outcome); /* "nonce", for logs */

struct id_token_rules {
    struct str issuer, client_id, nonce;
    int64_t now_s;
};

struct id_token {
    struct str subject;           /* 1 to 255 bytes */
    const struct json_object *claims; /* as long as the arena */
};
/* keys: the provider's JWK set. */
int id_token_read(struct arena *a, struct str token, const struct json_object *keys,
                  const struct id_token_rules *rules, struct id_token *ret) _must_use_;

/* A claim that is a string; p NULL: it is none. */
struct str id_claim(const struct json_object *claims, const char *name);
/* true, or the string "true", which some providers send. */
bool id_claim_true(const struct json_object *claims, const char *name);
/* Is word the claim, or one of its list? */
bool id_claim_has(const struct json_object *claims, const char *name, struct str word);
