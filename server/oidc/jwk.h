/* jwk.h: the keys that an OpenID provider publishes (a JWK set, RFC 7517), and signatures that they made
 * (JWS, RFC 7515 and 7518). Sole home of OpenSSL beside providers/google.c.
 *
 * OpenSSL and not a library for JWS: it is here already, and what is wanted of such a library is three
 * algorithms, all of which verify with a public key. An algorithm that is not in this list does not exist
 * here: neither `none` nor those with a shared secret can be asked for. */
#pragma once

#include "base/arena.h"
#include "json/value.h"

enum jwk_alg { JWK_RS256, JWK_PS256, JWK_ES256 };
/* False: another one. */
bool jwk_alg_parse(struct str name, enum jwk_alg *ret);

/* JWK_E_KEY: the set has no key of that id (p NULL: not exactly one) that may verify this algorithm, or it is
 * none that can be used (RSA below 2048 bits). JWK_E_SIGNATURE: it is not over these bytes. set: the document's
 * object; signature: its bytes. Any thread. */
enum { JWK_OK = 0, JWK_E_KEY = 1, JWK_E_SIGNATURE = 2 };
int jwk_verify(const struct json_object *set, struct str kid, enum jwk_alg alg, struct str text,
               struct str signature) _must_use_;
