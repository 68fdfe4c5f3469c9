/* services.h: what the composition root hands to handlers, pages and the management API.
 *
 * Made by app before the loops run, read-only afterwards; the things it points to have their own
 * thread rules. Reached from a loop handler by listener_ctx() -> struct gateway -> services, from a
 * page by web->services, from a management call by admin->services. */
#pragma once

#include <stdatomic.h>

#include "base/money.h"
#include "http/request.h"
#include "loop/jobs.h"

struct node;           /* lease/node.h: this process's session and leases */
struct journal;        /* ledger/journal.h */
struct catalog_holder; /* catalog/snapshot.h */
struct health_board;   /* providers/health.h */
struct pace_board;     /* providers/pace.h */
struct quota_board;    /* providers/quota.h */
struct token_board;    /* providers/tokens.h */
struct answers;        /* cache/answers.h */
struct guards;         /* guard/set.h */
struct site;           /* web/site.h */
struct gateways;       /* gateway/gateway.h */
struct oversight;      /* logs/oversight.h */
struct listener;       /* http/listener.h */
struct memory_guard;   /* http/admission.h */
struct notices;        /* notices/notices.h */
struct route;          /* http/router.h */
struct stripe;         /* payments/stripe.h */
struct oidc;           /* oidc/oidc.h */
struct traces;         /* traces/traces.h */
struct db;

enum signup_mode { SIGNUP_OPEN, SIGNUP_INVITE, SIGNUP_CLOSED };

struct services {
    struct node *node;
    struct journal *journal;
    struct catalog_holder *catalog;
    struct health_board *health;
    struct pace_board *pace;
    struct quota_board *quota; /* of provider accounts */
    struct token_board *tokens; /* of service accounts */
    struct answers *answers;    /* NULL: this node keeps none */
    struct guards *guards;      /* NULL in tests: no key has rules then */
    struct site *site;
    struct gateways *gateways;
    struct oversight *oversight; /* NULL in tests: not printed */
    struct listener **listeners; /* of each loop; NULL in tests, as the next one */
    struct memory_guard *memory;
    const struct notices *notices; /* NULL in tests: nothing is mailed */
    struct traces *traces; /* NULL: no collector is set */

    /* Worker lanes (DESIGN 2). A worker's state is its struct db. */
    struct jobs *money, *pages, *passwords, *long_jobs, *waiting, *responses;

    /* Sub-keys of the installation's secret. */
    uint8_t key_pepper[32];     /* virtual and management keys */
    uint8_t session_pepper[32]; /* sessions, invites, reset links */
    uint8_t seal_key[32];       /* provider credentials at rest */

    struct str public_url; /* "https://llm.example.org", no trailing slash */
    bool public_https;
    bool plain_sign_in_allowed;
    bool loopback_only; /* the listener is not reachable from other machines */
    _Atomic enum signup_mode signup; /* this and the times below: also later, see app.c */
    struct oidc *oidc; /* the identity provider; NULL: none is set */
    bool oidc_signup_own;         /* whom it signs in that is new: oidc_signup, else signup */
    enum signup_mode oidc_signup;
    bool oidc_link_by_email;
    bool password_of_operators; /* nobody else signs in with one */
    bool sandbox_payments;
    const struct stripe *stripe; /* NULL: no card payments by it */
    struct str page_policy; /* pages' Content-Security-Policy; p NULL: web/frame.h's own */
    uint16_t demo_port; /* 0: no demo upstream */
    struct str node_name, version, default_time_zone;

    /* What is answered here, for the page that tells of it: the route table, and the document of the
     * management API. */
    const struct route *routes;
    size_t routes_count;
    struct str api_document;

    unsigned loops;
    atomic_uint shadow_calls; /* as many shadows may be in flight (gateway/call_shadow.h) */
    atomic_int connect_timeout_ms, first_byte_timeout_ms, idle_timeout_ms, total_timeout_ms;

    /* Milliseconds since the database last answered; any thread. */
    int64_t (*database_silence_ms)(void *ctx);
    /* True from the first SIGTERM on. Any thread. */
    bool (*draining)(void *ctx);
    void *ctx;
};

/* Who gets an account when the identity provider signs them in for the first time. */
static inline enum signup_mode services_oidc_signup(const struct services *s)
{
    return s->oidc_signup_own ? s->oidc_signup : s->signup;
}
/* Strangers can make themselves an account, in one way or another. */
static inline bool services_signup_open(const struct services *s)
{
    return (s->signup == SIGNUP_OPEN && !s->password_of_operators) ||
           (s->oidc && services_oidc_signup(s) == SIGNUP_OPEN);
}
