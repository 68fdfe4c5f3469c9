/* oidc.h: the installation's identity provider (OpenID Connect 1.0: Core, Discovery, RP-Initiated Logout; PKCE,
 * RFC 7636; issuer in the answer, RFC 9207): who it says that somebody is. What that person may do here is
 * identity/federated.h's.
 *
 * All that is asked of the operator is the issuer, a client id and its secret; the rest is read in the issuer's
 * discovery document, which is kept for an hour, as are the keys that it names.
 *
 *   oidc_begin()   a state, a nonce and a verifier, sealed into a cookie of the browser that begins
 *   oidc_url()     where the browser goes to
 *   oidc_finish()  what it comes back with, exchanged for an ID token, which is checked
 *
 * Nothing is stored between the two: the cookie is of use for ten minutes to the browser that has it, the code
 * once to whoever knows the verifier, and the token only with the nonce. Secrets, codes and tokens are never
 * logged. What fetches waits for the provider, OIDC_WAIT_MS at a time at most: lane `waiting`. Any thread. */
#pragma once

#include "base/arena.h"

struct oidc;
struct json_object;

#define OIDC_WAIT_MS 8000
#define OIDC_FLOW_S 600

struct oidc_settings {
    struct str issuer, client_id;
    const char *secret_file; /* "": a public client, which PKCE alone protects */
    struct str name;         /* what people call it */
    struct str scopes;       /* "openid email profile" */
    struct str groups_claim, operator_group; /* the latter may be empty */
    struct str domains;      /* "example.org, example.com"; empty: any */
    bool emails_trusted;     /* email_verified is not asked for */
    struct str own_url;      /* PUBLIC_URL */
    struct str callback;     /* path of ours that the browser comes back to */
};
/* A sentence that names the setting that is wrong, or NULL. */
const char *oidc_wrong(const struct oidc_settings *settings);
/* NULL in *ret: no issuer is set. seal_key: 32 bytes for cookies, copied. OIDC_NEW_E_SECRET: the file cannot be
 * read, or holds no line. */
enum { OIDC_NEW_OK = 0, OIDC_NEW_E_SECRET = 1 };
int oidc_new(const struct oidc_settings *settings, const uint8_t seal_key[32], struct oidc **ret) _must_use_;
void oidc_free(struct oidc *o); /* NULL is fine */
struct str oidc_name(const struct oidc *o);

enum oidc_outcome {
    OIDC_OK = 0,
    OIDC_E_AWAY,    /* the provider does not answer */
    OIDC_E_SETUP,   /* it answers what it should not: another issuer, a client that it does not know */
    OIDC_E_STATE,   /* not the browser that began, too late, or a second time */
    OIDC_E_DENIED,  /* the person, or the provider, said no */
    OIDC_E_REFUSED, /* it does not take the code, or failed */
    OIDC_E_TOKEN,   /* the ID token is not what it has to be */
    OIDC_E_CLOCK,   /* or not at this time: the clocks differ */
    OIDC_E_NO_EMAIL,
    OIDC_E_UNVERIFIED, /* the e-mail */
    OIDC_E_DOMAIN,     /* the e-mail is of none that may come in */
};
/* Of the last call: a word for the log ("timeout_connect", "nonce"), never of what was received but for the
 * error code of an answer, which is printable. */
struct oidc_detail {
    char text[80];
};

struct oidc_flow {
    struct str state, nonce, verifier; /* made by oidc_begin() */
    struct str next;   /* a path of ours to go to afterwards */
    struct str invite; /* of somebody who follows one; empty: none */
    bool fresh;        /* the provider is to ask who it is, though it knows: not in the cookie */
    int64_t link_user; /* who wants the provider for his account here; 0: somebody signs in */
    int64_t until_s;
};
/* flow: next, invite, fresh and link_user are set, the rest is filled in. *ret_cookie is sealed. */
int oidc_begin(const struct oidc *o, struct arena *a, int64_t now_s, struct oidc_flow *flow,
               struct str *ret_cookie) _must_use_;
/* False: none, of another secret, or too old. */
int oidc_open_cookie(const struct oidc *o, struct arena *a, struct str cookie, int64_t now_s,
                     struct oidc_flow *ret, bool *ret_good) _must_use_;
/* enum oidc_outcome: OK, AWAY, SETUP. */
int oidc_url(struct oidc *o, struct arena *a, const struct oidc_flow *flow, struct str *ret,
             struct oidc_detail *detail) _must_use_;

/* Query parameters of the callback; p NULL: not there. */
struct oidc_answer {
    struct str state, code, iss, error;
};
struct oidc_person {
    struct str issuer, subject;
    struct str email; /* may be believed; p NULL: email_outcome says why there is none */
    enum oidc_outcome email_outcome; /* OIDC_OK, _E_NO_EMAIL, _E_UNVERIFIED */
    struct str name;  /* empty: none was told */
    bool in_operator_group;
};
/* enum oidc_outcome. The state is looked at first: an answer to somebody else's sign-in is not looked into. An
 * e-mail is asked for where only some domains may come in. */
int oidc_finish(struct oidc *o, struct arena *a, const struct oidc_flow *flow, const struct oidc_answer *answer,
                int64_t now_s, struct oidc_person *ret, struct oidc_detail *detail) _must_use_;
/* Where the browser signs out of the provider, coming back to `path`; p NULL: the provider has no such page, or
 * does not answer. */
int oidc_sign_out_url(struct oidc *o, struct arena *a, struct str path, struct str *ret) _must_use_;
/* Is somebody made an operator by a group? */
bool oidc_names_operators(const struct oidc *o);
