/* login_ticket.h: what the two steps of signing in share. Inside this room only. */
#pragma once

#include "identity/login.h"
#include "identity/user_row.h"

/* Says that this person's password, as it is now, was right at the try of that number. LOGIN_E_CODE; < 0. */
int login_ticket_make(struct arena *a, const uint8_t session_pepper[32], const struct user_row *row,
                      int64_t attempt, struct str *ret) _must_use_;
/* Begins a session and says so in the audit log, in the caller's transaction. */
int login_start(struct db *db, struct arena *a, const uint8_t session_pepper[32],
                const struct user_row *row, const struct session_from *from,
                struct session_made *ret) _must_use_;

static inline struct actor login_actor(const struct user_row *row, const struct session_from *from)
{
    return (struct actor){row->is_operator ? ACTOR_OPERATOR : ACTOR_USER, row->id.v, row->email,
                          from->address};
}
