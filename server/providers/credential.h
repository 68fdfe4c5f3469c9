/* credential.h: the opened credential of an account, and the headers that a request with it has.
 *
 * Opened once, when a snapshot is loaded (catalog/credential.h); then only read, on every loop,
 * without locks. */
#pragma once

#include "providers/google.h"
#include "providers/provider.h"

struct provider_credential {
    struct str bearer; /* "Bearer KEY", of which the key is the end; p NULL: there is none */
    struct {
        struct str id, secret, session;
    } aws;                        /* id p NULL: there is none */
    struct google_account google; /* email p NULL: there is none */
    uint64_t mark;                /* of a service account: tells one credential from another */
};
void provider_credential_wipe(struct provider_credential *c);

/* One request to a provider, as it will be sent. */
struct provider_ask {
    const struct provider *provider;
    const struct provider_way *way;
    const struct provider_credential *credential;
    const struct provider_place *place;
    const struct provider_header *extra; /* the operator's, for the account */
    size_t n_extra;
    const struct provider_header *client; /* the client's own, where the way lets it choose */
    size_t n_client;
    struct str token;   /* "Bearer TOKEN" that a service account was lent; p NULL: none */
    const char *method; /* what is signed: the method, the whole URL and the body */
    struct str url, body;
    int64_t now_us;
};

/* The operator's, and some of the table, the client and the credential. */
#define PROVIDER_HEADERS_MAX 32
struct provider_headers {
    struct provider_header v[PROVIDER_HEADERS_MAX];
    size_t n;
};
/* Appends what the request needs beside its content type: the credential's headers, then the
 * client's, the operator's and the table's, the first of a name. Values live as long as what they
 * were taken from, or in the arena. PROVIDER_E_NO_TOKEN: the service account has no token now. */
enum { PROVIDER_E_NO_TOKEN = 3 };
int provider_put_headers(const struct provider_ask *ask, struct arena *a,
                         struct provider_headers *out) _must_use_;
