/* inside.h: the provider as the files of this room see it. */
#pragma once

#include <pthread.h>

#include "base/secret.h"
#include "json/value.h"
#include "oidc/oidc.h"

#define OIDC_DISCOVERY_BYTES ((size_t)256 * 1024)
/* A hundred keys with their certificates are half of it. */
#define OIDC_KEYS_BYTES ((size_t)512 * 1024)
#define OIDC_ANSWER_BYTES ((size_t)256 * 1024) /* of the token and userinfo endpoints */
#define OIDC_URL_BYTES ((size_t)8 * 1024)

/* A document of the provider's, as text; kept for an hour, a failure for some seconds. */
struct oidc_document {
    char *text; /* NULL: none */
    size_t n;
    int64_t got_ms, tried_ms; /* clock_mono_ms(); 0: never */
    int outcome;              /* of the last try */
    struct oidc_detail detail;
};

struct oidc {
    struct arena *arena;
    struct str issuer; /* as it was set */
    struct str discovery_url;
    struct str client_id, name, scopes, groups_claim, operator_group, domains, own_url, redirect_url;
    struct secret client_secret; /* bytes_.p NULL: a public client */
    bool emails_trusted;
    bool plain; /* the issuer is on this machine and speaks http */
    uint8_t seal_key[32];
    pthread_mutex_t lock; /* of the two documents, held while one is fetched */
    struct oidc_document discovery, keys;
};

struct oidc_endpoints {
    struct str issuer; /* as it stands in tokens */
    struct str authorization, token, keys, userinfo, end_session; /* the last two: p NULL for none */
    bool by_form;      /* the client's secret goes in the body and not in a header */
    bool names_issuer; /* in each answer (RFC 9207) */
};
/* OIDC_OK, _E_AWAY, _E_SETUP. */
int oidc_endpoints_get(struct oidc *o, struct arena *a, struct oidc_endpoints *ret,
                       struct oidc_detail *detail) _must_use_;
/* Reads the discovery document. OIDC_OK, _E_SETUP. Pure. */
int oidc_endpoints_read(struct arena *a, struct str text, struct str issuer, bool plain,
                        struct oidc_endpoints *ret, struct oidc_detail *detail) _must_use_;
/* The provider's keys. fresh: those that are kept do not have the one that is wanted; they are fetched again
 * once in half a minute at most. OIDC_OK, _E_AWAY, _E_SETUP. */
int oidc_keys_get(struct oidc *o, struct arena *a, struct str url, bool fresh, struct json_object **ret,
                  struct oidc_detail *detail) _must_use_;

/* One request to the provider. form p NULL: a GET. authorization p NULL: none. *ret_body is in the arena. OIDC_OK
 * with any status, or _E_AWAY, _E_SETUP. */
struct oidc_ask {
    struct str url, form, authorization;
    size_t reply_max;
};
int oidc_fetch(struct arena *a, const struct oidc_ask *ask, int *ret_status, struct str *ret_body,
               struct oidc_detail *detail) _must_use_;
/* The code for tokens. OIDC_OK, _E_AWAY, _E_SETUP, _E_REFUSED, _E_TOKEN. */
struct oidc_tokens {
    struct str id_token, access_token; /* the latter may be p NULL */
};
int oidc_exchange(const struct oidc *o, struct arena *a, const struct oidc_endpoints *at,
                  const struct oidc_flow *flow, struct str code, struct oidc_tokens *ret,
                  struct oidc_detail *detail) _must_use_;
/* What the userinfo endpoint tells of the subject; *ret NULL: nothing, or of somebody else. */
int oidc_userinfo(struct arena *a, const struct oidc_endpoints *at, struct str access_token,
                  struct str subject, struct json_object **ret) _must_use_;

/* Appends name=value, encoded, after '&' or what begins the text. */
void oidc_put(struct buf *out, struct arena *a, char sign, const char *name, struct str value);
void oidc_detail_set(struct oidc_detail *detail, const char *text);
