/* booking.h: money that an operator books by hand: adjustments by a signed amount, grants, and credit
 * notes.
 *
 * Each wish carries a reference under which the ledger books once, however often it is sent; it is
 * audited that once, too. Operator scope, inside the caller's transaction. */
#pragma once

#include "identity/audit.h"
#include "ledger/credit_note.h"
#include "ledger/grant.h"

/* What one booking may move: the ledger's own ceiling. */
#define BOOKING_MAX_NANO INT64_C(1000000000000000)

struct booking {
    struct money amount; /* signed */
    struct str reason, reference;
};
/* Fields: amount (zero, out of range), reason, reference (empty, too long, or used for another
 * amount). IDENTITY_E_NONE: no such team. *ret_transfer may be NULL, as below. */
int booking_adjust(struct db *db, struct arena *a, const struct actor *actor, struct team_id team,
                   const struct booking *wish, int64_t *ret_transfer,
                   struct identity_fault *fault) _must_use_;
/* Fields: amount, name, reason, priority, expires (not later than now), reference; "" when the team
 * has a hundred live grants. */
int booking_grant(struct db *db, struct arena *a, const struct actor *actor, struct team_id team,
                  const struct grant_wish *wish, int64_t *ret_transfer,
                  struct identity_fault *fault) _must_use_;
/* Ends a grant now. IDENTITY_E_NONE: no such grant, or nothing is left of it. */
int booking_end_grant(struct db *db, const struct actor *actor, struct team_id team,
                      int64_t grant) _must_use_;

/* Issues a credit note to an invoice (ledger/credit_note.h), on the long lane. Fields: amount (more
 * than is left of the invoice, too), reason, reference. IDENTITY_E_NONE: no such invoice. */
int booking_credit_note(struct db *db, struct arena *a, const struct actor *actor,
                        struct team_id team, int64_t invoice_id, const struct booking *wish,
                        int64_t *ret_id, struct identity_fault *fault) _must_use_;

/* The actor as the ledger writes it. */
struct posting_actor booking_actor(const struct actor *actor);
/* True when the ledger's refusal is this one ("TG002"). */
bool booking_refused_as(const struct db *db, const char *state);
/* The ledger's usual refusals as faults of the fields amount and reference. */
int booking_refusal(const struct db *db, struct identity_fault *fault);
/* "Only $4.20 of it ...": a sentence about what is left, in the arena. */
const char *booking_only(struct arena *a, struct money left, const char *rest);
/* A text for the record: `min` to 300 characters, on one line. */
int booking_check_reason(struct str *reason, size_t min, struct identity_fault *fault) _must_use_;
int booking_check_reference(struct str *reference, struct identity_fault *fault) _must_use_;
/* Audits an amount with its reason and reference; or what is in an object, which it takes over. */
int booking_audit(struct db *db, const struct actor *actor, struct audit_entry *entry,
                  const struct booking *what) _must_use_;
struct json_object;
int booking_audit_object(struct db *db, const struct actor *actor, struct audit_entry *entry,
                         struct json_object *after) _must_use_;
