/* credential.h: the opened credential of an account, and the headers that a request with it has.
 *
 * Opened once, when a snapshot is loaded; then only read, on every loop, without locks. */
#pragma once

#include "providers/provider.h"

struct provider_credential {
    struct str bearer; /* "Bearer KEY", of which the key is the end; p NULL: there is none */
};

/* From the stored text (empty: none), copied into the arena. */
int provider_credential_open(const struct provider *p, struct arena *a, struct str stored,
                             struct provider_credential *ret) _must_use_;
void provider_credential_wipe(struct provider_credential *c);

/* One request to a provider. */
struct provider_ask {
    const struct provider *provider;
    const struct provider_way *way;
    const struct provider_credential *credential;
    const struct provider_header *extra; /* the operator's, for the account */
    size_t n_extra;
    const struct provider_header *client; /* the client's own, where the way lets it choose */
    size_t n_client;
};

/* The operator's, and some of the table, the client and the credential. */
#define PROVIDER_HEADERS_MAX 32
struct provider_headers {
    struct provider_header v[PROVIDER_HEADERS_MAX];
    size_t n;
};
/* Appends what the request needs beside its content type: the credential's headers, then the
 * client's, the operator's and the table's, the first of a name. Values live as long as what they
 * were taken from. */
int provider_put_headers(const struct provider_ask *ask, struct provider_headers *out) _must_use_;
