/* call.h: one client request, from its key to its record.
 *
 * The call is an object of its own with two legs: the client (request) and the upstream (fetch). It
 * holds the request, whose arena is its memory, until both are done; a client that hangs up only
 * detaches. A call lives and dies on one loop. Its steps are in call_flow.h:
 *
 *   call_admit -> call_route -> (upstream's callbacks) -> call_settle -> call_end
 *                     ^                |
 *                     +----------------+  a failed try that the client has not seen */
#pragma once

#include "gateway/call_cache.h"
#include "gateway/call_guard.h"
#include "gateway/call_keep.h"
#include "gateway/call_money.h"
#include "gateway/call_shadow.h"
#include "gateway/endpoint.h"
#include "gateway/gateway.h"
#include "gateway/json_array.h"
#include "gateway/key_cache.h"
#include "gateway/leg.h"
#include "gateway/things.h"
#include "routing/route.h"

enum call_phase {
    CALL_NEW,     /* made by the handler */
    CALL_KEY,     /* waits for a worker that looks the key up */
    CALL_ADMIT,   /* the key is known; body, model and limits are checked */
    CALL_PREVIOUS, /* waits for a worker that reads the answer it goes on from */
    CALL_HOLD,    /* waits for PostgreSQL to grant what the hold needs */
    CALL_LIKE,    /* waits for the vector of its question, see call_like.h */
    CALL_ROUTE,   /* the next candidate is chosen */
    CALL_SENT,    /* an upstream has been asked, its head has not come */
    CALL_ERROR,   /* its head was an error, the body of it is read */
    CALL_WHOLE,   /* a plain answer is read whole */
    CALL_PASS,    /* a plain answer too large for that goes through as it comes */
    CALL_PEEK,    /* a stream has begun, but nothing has been shown to the client */
    CALL_STREAM,  /* its events go to the client */
    CALL_GROW,    /* more than the hold is used: waits for PostgreSQL to let it grow */
    CALL_DRAIN,   /* the client is gone, the upstream is read for its usage */
    CALL_VIDEO,   /* settled; the answer waits for a worker that keeps its job */
    CALL_KEEP,    /* settled; the last bytes wait for a worker that keeps the answer */
    CALL_SETTLED, /* the record is in the journal, the last bytes may go out */
    CALL_END,     /* answered, or nobody is there to answer */
    CALL_PHASES
};
/* One try at one candidate; reused by the next. */
struct call_try {
    const struct catalog_target *target;
    struct attempt_record *record; /* NULL: no try is running */
    struct fetch *fetch;           /* NULL: the upstream is closed */
    struct health *health;         /* NULL: it has been told */
    int64_t began_ns, first_byte_ns;
    struct fetch_timing timing;
    int status;
    int64_t retry_after_ms; /* -1: none named */
    int64_t input_tokens;   /* that the head tells, for bodies that do not; -1: none */
    int64_t quota_at_us;    /* when of the account's own limits was taken; 0: it has none */
    int64_t quota_tokens;   /* that were taken of them */
    struct str token;       /* "Bearer TOKEN", where the account is lent one */
    struct buf sent;        /* the body as this target gets it, lent parts of the client's */
    struct buf_lent lent;
    struct buf got;         /* an answer read whole, an error's body, or comments held back */
};

/* What the last failed try left for the client. */
struct call_failure {
    enum try_outcome outcome;
    int status;
    struct str body; /* an error document of the endpoint's format; p NULL: not for the client */
};

/* What happens to a stream while it waits in CALL_GROW. */
struct call_grow {
    bool fetch_done, cut;
    enum fetch_fault fault;
    struct problem problem; /* why it was cut */
};

struct call {
    struct list link; /* gateway->calls */
    struct gateway *g;
    struct request *r;
    const struct endpoint *endpoint;
    enum call_phase phase;
    bool client_there;
    bool inner;       /* the gateway's own, for another call: see call_begin_inner() */
    bool trace;       /* x-tollgate-trace: 1 */
    bool client_full; /* the client is slower than its upstream, which is paused */
    bool end_seen;    /* the upstream's end mark has come */
    bool drains_pass; /* CALL_DRAIN reads an answer too large to be kept */
    struct call_grow grow;
    struct key_waiter waiter;
    struct known_key *key;   /* a reference; NULL before it is known */
    struct catalog *catalog; /* a reference */
    struct loop_timer timer; /* of the phases that wait; of a shadow in all */

    struct wire_request wire;
    const struct chat_request *chat; /* NULL: no target had to be told in another format */
    const struct embed_request *embed; /* the same of embeddings */
    struct json_array array;
    const struct catalog_model *model;   /* that is to serve: asked for, or chosen by one of its rules */
    struct route_preference *preference; /* NULL: the request says nothing of its route */
    enum route_sort sort;                /* of the suffix of the model's name */
    struct route_plan plan;
    size_t next; /* of plan.candidates */
    unsigned tries;
    struct call_keep keep;
    struct call_cache *cache; /* NULL: its key keeps no answers, or none like this */
    struct call_guard *guard; /* NULL: no guardrails hold for its key */
    const struct catalog_shadow *to_shadow; /* its model's rule; NULL: there is none */
    struct call_shadow shadow; /* rule NULL: it is a client's call */
    struct call_money money;
    struct call_try try;
    struct leg leg; /* of the try */
    struct call_failure failure;
    bool unaffordable;                      /* a target was left out for lack of balance */
    const struct catalog_target *over_quota; /* the last one whose account has a limit that is used up */
    const struct catalog_target *unsayable; /* the last one whose format cannot say the request... */
    struct problem unsaid;                  /* ...and what it is */
    struct attempt_record *served; /* the try whose answer the client gets; NULL: none yet */

    struct http_header forwarded[4]; /* of the upstream's head, for the client */
    size_t n_forwarded;
    const char *content_type;
    uint32_t images; /* that came whole */
    uint32_t pages;  /* that were read */
    uint32_t searches; /* of the web, that were seen in the answer */
    struct visual_kind visual; /* as the provider says that it made it */
    struct llm_report last; /* has_usage: the newest figures */
    uint64_t output_bytes;  /* of text that came, for counting */
    struct str reply_id;

    struct call_record record; /* the last, as most of its attempts stay unused: see call_new() */
};

/* The one place where the phase changes; asserts on an edge that is not legal. */
void call_enter(struct call *c, enum call_phase phase);
/* Is nobody asking for it but the operator? See call_shadow.h. */
static inline bool call_is_shadow(const struct call *c)
{
    return c->shadow.rule != NULL;
}
/* Has its client left? A shadow has none to begin with. */
static inline bool call_is_left(const struct call *c)
{
    return !c->client_there && !call_is_shadow(c);
}
/* Makes a call for the request and looks for its key. Handlers call it. */
void call_begin(struct gateway *g, struct request *r, const struct endpoint *endpoint);
