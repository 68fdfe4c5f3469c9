/* webhook.h: alerts as JSON, posted to one URL of a team, and of the installation, which stands here as team 0.
 *
 * Signed: `x-tollgate-signature: t=1795917605,v1=HEX`, HEX the HMAC-SHA-256 of "1795917605.BODY" under the
 * secret that is shown when the URL is set. The id of an event is the same at each try. */
#pragma once

#include "fetch/fetch.h"
#include "notices/alarm.h"
#include "notices/alert.h"

/* Team scope, or operator's with team 0. The secret is shown once; a URL that is set anew has another. Field: url. */
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
/* The same of the installation. System scope. */
int webhook_tell_alarm(struct db *db, struct arena *a, const struct notices *n,
                       const struct alarm *v) _must_use_;

/* What is posted: the event of an alert, of an alarm, or, with neither, a test. Pure. */
#define WEBHOOK_EVENT_BYTES KIB(16)
struct webhook_event {
    struct team_id team;
    const char *tag; /* its id */
    const struct alert *alert;
    const struct alarm *alarm;
};
void webhook_event_put(const struct webhook_event *e, struct arena *a, struct buf *out);

/* Where to, and what it is signed with. Scope as webhook_set(). */
struct webhook_target {
    struct str url, secret;
};
/* E_FORGED: it was sealed under another secret; the URL is there. */
enum { WEBHOOK_OPEN_E_NONE = 1, WEBHOOK_OPEN_E_FORGED = 2 };
int webhook_open(struct db *db, struct arena *a, const struct notices *n, struct team_id team,
                 struct webhook_target *ret) _must_use_;

/* One try. What it points to is in the arena or is the body; it stays where it is. */
struct webhook_try {
    struct fetch_request request;
    struct fetch_header headers[2];
};
int webhook_request(struct arena *a, const struct notices *n, const struct webhook_target *target,
                    struct str body, struct webhook_try *ret) _must_use_;
/* The same of what was taken out of the outbox, if it is still to go there. Own transaction.
 *
 * WEBHOOK_E_LATER: worth another try; E_NEVER: not, as where the address is forbidden or the webhook was
 * changed. *ret_said: "HTTP 204", or what went wrong. */
enum { WEBHOOK_OK = 0, WEBHOOK_E_LATER = 1, WEBHOOK_E_NEVER = 2 };
#define WEBHOOK_FORGED "its secret was sealed under another secret; set it anew"
#define WEBHOOK_UNREACHABLE "a URL that may not be reached"
int webhook_prepare(struct db *db, struct arena *a, const struct notices *n,
                    const struct outbox_taken *t, struct webhook_try *ret,
                    struct str *ret_said) _must_use_;
/* Posts it and waits for the answer, 10 s at most. */
int webhook_post(struct arena *a, const struct notices *n, const struct webhook_target *target,
                 struct str body, struct str *ret_said) _must_use_;
/* What came of it; status 0: no answer came. Pure. */
int webhook_answered(struct arena *a, int status, enum fetch_fault fault,
                     struct str *ret_said) _must_use_;

/* "t=AT,v1=HEX"; pure. */
struct str webhook_signature(struct arena *a, struct str secret, int64_t at_s,
                             struct str body) _must_use_;
