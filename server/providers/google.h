/* google.h: what a Google service account shows to be lent an access token.
 *
 * Source: "Using OAuth 2.0 for Server to Server Applications"
 * (developers.google.com/identity/protocols/oauth2/service-account): a JWT of at most an hour,
 * signed with the account's RSA key (RS256), is sent to its token_uri as a form; the answer is
 * {"access_token", "expires_in"}. Any thread. */
#pragma once

#include "base/arena.h"

/* The fields of the JSON file that Google gives out for it. */
struct google_account {
    struct str email;       /* client_email; p NULL: there is no account */
    struct str key_id;      /* private_key_id; empty: none */
    struct str private_key; /* PEM */
    struct str token_uri;
};

/* Is this a private RSA key? */
bool google_key_usable(struct str pem);
/* The form to send to token_uri, in the arena. GOOGLE_E_KEY: the key cannot sign. */
enum { GOOGLE_OK = 0, GOOGLE_E_KEY = 1 };
int google_token_form(struct arena *a, const struct google_account *account, int64_t now_us,
                      struct str *ret) _must_use_;
