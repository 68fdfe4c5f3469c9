/* credential.h: what a provider account's credential is made of, as an operator enters it, as one
 * text at rest, and opened again.
 *
 * Most kinds have a key, which is the text itself; a service account's is the JSON file that Google
 * gave out; keys of AWS are a JSON object of their parts. */
#pragma once

#include "identity/fault.h"
#include "providers/credential.h"

/* Parts by the names of their fields; empty: not given. Of a kind that has no such part: nothing. */
struct credential_parts {
    struct str key;             /* also an API key of Bedrock */
    struct str access_key_id, secret_access_key, session_token; /* of AWS */
    struct str service_account; /* of Google: the whole file */
};

/* The text to seal, in the arena; empty where nothing was given. */
int credential_join(const struct provider *p, struct arena *a,
                    const struct credential_parts *parts, struct str *ret) _must_use_;
/* May an account have it? IDENTITY_E_FAULT: the field and what is wrong with it. */
int credential_check(const struct provider *p, struct str text,
                     struct identity_fault *fault) _must_use_;
/* Opened into the arena, for text that credential_check() took or an earlier version sealed.
 * CREDENTIAL_E_BAD: it is none of the kind's, *ret has what could be read; empty text is fine. */
enum { CREDENTIAL_OK = 0, CREDENTIAL_E_BAD = 1 };
int credential_open(const struct provider *p, struct arena *a, struct str text,
                    struct provider_credential *ret) _must_use_;
/* The four characters by which people tell credentials apart; empty: it is too short to show any. */
struct str credential_last4(const struct provider_credential *c);
