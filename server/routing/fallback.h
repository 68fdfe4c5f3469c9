/* fallback.h: which outcome of a try lets the next candidate have its turn.
 *
 * Pure. What is of the client's making goes back to the client; what is the upstream's or the
 * credential's own moves on, if the model's triggers say so and a try is left. */
#pragma once

#include "catalog/snapshot.h"
#include "providers/health.h"

enum try_outcome {
    TRY_OK,
    TRY_CONNECT,      /* refused, unreachable, name, TLS, or blocked by the guard */
    TRY_TIMEOUT,      /* of connecting, or of the first byte */
    TRY_RATE_LIMITED, /* 429 */
    TRY_SERVER_ERROR, /* 5xx, 408, or the connection died */
    TRY_BAD_REPLY,    /* malformed, cut or too large */
    TRY_CREDENTIAL,   /* 401, 402, 403: our account there */
    TRY_NO_MODEL,     /* 404: our name for the model is wrong there */
    TRY_CLIENT_ERROR, /* any other 4xx, but for... */
    TRY_CONTEXT_LENGTH, /* ...a prompt that is too long for it */
    TRY_CONTENT_POLICY, /* ...and content that its rules refuse */
    TRY_OUTCOMES
};
const char *try_outcome_name(enum try_outcome o); /* "rate_limited" */
enum try_outcome try_outcome_of_status(int status);
/* Of the request's making? Then it goes back to the client if nobody else takes it. */
bool try_outcome_is_clients(enum try_outcome o);
/* After that outcome at one target: is there no use in asking this one? The prompt may fit into a longer
 * context, and other rules may let the content pass; the same target says the same again. */
bool fallback_in_vain(enum try_outcome outcome, const struct catalog_target *failed,
                      const struct catalog_target *next);

/* False: this outcome is what the client gets. tries: made so far, over all candidates. */
bool fallback_may_move_on(const struct catalog_model *policy, enum try_outcome outcome,
                          unsigned tries);
/* Tells the account's health what the outcome says about it. */
void fallback_tell_health(struct health *h, int64_t now_ms, enum try_outcome outcome,
                          int64_t retry_after_ms, int64_t first_byte_us, int64_t latency_us);
/* Retry-After (RFC 9110 10.2.3): seconds, or a date, against this Unix time; -1 if neither. */
int64_t retry_after_ms(struct str value, int64_t now_wall_us);
