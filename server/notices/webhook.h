/* webhook.h: alerts as JSON, posted to one URL of a team.
 *
 * Signed: `x-tollgate-signature: t=1795917605,v1=HEX`, HEX the HMAC-SHA-256 of "1795917605.BODY" under the
 * secret that is shown when the URL is set. The id of an event is the same at each try. */
#pragma once

#include "fetch/fetch.h"
#include "notices/alert.h"

/* Team scope. The secret is shown once; a URL that is set anew has another. Field: url. */
int webhook_set(struct db *db, struct arena *a, const struct notices *n, const struct actor *actor,
                struct team_id team, struct str url, struct str *ret_secret,
                struct identity_fault *fault) _must_use_;
/* IDENTITY_E_NONE: there is none; also of the next two. */
int webhook_drop(struct db *db, struct arena *a, const struct actor *actor,
                 struct team_id team) _must_use_;
int webhook_read(struct db *db, struct arena *a, struct team_id team, struct str *ret_url) _must_use_;
/* Writes a test event into the outbox. */
int webhook_test(struct db *db, struct arena *a, const struct notices *n,
                 struct team_id team) _must_use_;
/* Writes an event of an alert into the outbox, where the team has a webhook. Team or system scope. */
int webhook_tell(struct db *db, struct arena *a, const struct notices *n,
                 const struct alert *v) _must_use_;

/* One try of what was taken out of the outbox. What it points to is in the arena or the message's; it stays
 * where it is. */
struct webhook_try {
    struct fetch_request request;
    struct fetch_header headers[2];
};
/* WEBHOOK_E_LATER: worth another try; E_NEVER: not, as where the address is forbidden or the webhook was
 * changed. *ret_said: "HTTP 204", or what went wrong. Own transaction. */
enum { WEBHOOK_OK = 0, WEBHOOK_E_LATER = 1, WEBHOOK_E_NEVER = 2 };
int webhook_prepare(struct db *db, struct arena *a, const struct notices *n,
                    const struct outbox_taken *t, struct webhook_try *ret,
                    struct str *ret_said) _must_use_;
/* What came of it; status 0: no answer came. Pure. */
int webhook_answered(struct arena *a, int status, enum fetch_fault fault,
                     struct str *ret_said) _must_use_;

/* "t=AT,v1=HEX"; pure. */
struct str webhook_signature(struct arena *a, struct str secret, int64_t at_s,
                             struct str body) _must_use_;
