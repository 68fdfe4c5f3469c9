/* call_guard.h: what a call has to do with guardrails (guard/check.h), where any hold for its key.
 *
 * What the client sends is looked through before anything else is read of it: what stops it is refused and
 * nothing was charged; what is redacted no provider, cache or store gets to see. A plain answer is looked
 * through before it is settled. Of a stream, whose texts come in parts, all events are kept back until the
 * last has come, where a rule may block or redact: then it is looked through whole, and goes out as it is,
 * redacted, or not at all; meanwhile the client gets a comment now and then. Rules that only log let it
 * pass and look at a copy. An answer that is stopped was made and is paid for, so it is charged.
 *
 * Not looked at: sounds and images, embeddings, errors of providers, what is beyond
 * CALL_GUARD_STREAM_BYTES of a stream that only log rules look at; a longer one that may be stopped is
 * stopped. On the call's loop. */
#pragma once

#include "base/bounds.h"
#include "base/buf.h"
#include "guard/check.h"
#include "http/problem.h"

/* The events of an answer of some 100,000 tokens. */
#define CALL_GUARD_STREAM_BYTES MIB(32)

struct call;

struct call_guard {
    uint32_t asked[GUARD_RULES_MAX], answered[GUARD_RULES_MAX]; /* findings, by rule of the key's set */
    bool collects; /* a stream whose events are copied */
    bool holds;    /* which are kept back, too */
    struct buf held;
    int64_t told_ms; /* when the client was last sent anything */
};

enum {
    CALL_GUARD_OK = 0,
    CALL_GUARD_CHANGED = 1, /* the bytes are others now */
    CALL_GUARD_STOPS = 2,   /* *ret_problem: a rule stops it, or it cannot be told */
};

/* Of a call whose key has rules. The body of its request: */
int call_guard_request(struct call *c, struct problem *ret_problem) _must_use_;
/* Is the answer one whose texts are looked at? */
bool call_guard_looks(const struct call *c);
/* A plain answer as it came, in c->try.got. */
int call_guard_whole(struct call *c, struct problem *ret_problem) _must_use_;

/* A stream goes to the client from now on. */
void call_guard_begin(struct call *c);
/* Events on their way. True: they are kept back, out is empty. */
bool call_guard_hold(struct call *c, struct buf *out) _must_use_;
/* The last events, those that end it behind *from. OK: out has what goes out, *from is moved with it. */
int call_guard_end(struct call *c, struct buf *out, size_t *from, struct problem *ret_problem) _must_use_;
/* The stream breaks off: what was kept back goes out in front of that, unless a rule stops it. */
void call_guard_break(struct call *c, struct buf *out);

/* At settlement: the findings are counted. */
void call_guard_count(struct call *c);
void call_guard_leave(struct call *c);
