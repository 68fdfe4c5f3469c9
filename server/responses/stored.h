/* stored.h: answers of the Responses API that are kept for their clients.
 *
 * A row belongs to a team; it is there until it is over, its team keeps nothing any more, or a client
 * deletes it. Each function runs its own transaction in the scope of the team; worker threads. */
#pragma once

#include "db/db.h"

enum { STORED_OK = 0, STORED_E_NONE = 1, STORED_E_AWAY = DB_E_AWAY };

struct stored_response {
    struct team_id team;
    struct key_id key;
    struct call_id call;
    struct str id;       /* as the client got it */
    struct str model;    /* public name */
    struct str response; /* the object, as the client got it */
    struct str input;    /* a JSON array: the conversation before the answer */
};

/* Keeps it for as long as the team says now; where the team keeps nothing (any more), STORED_E_NONE.
 * An id that is there already is a provider's that gives the same one twice: the newer one counts.
 * STORED_E_AWAY: it cannot be written now. */
int stored_put(struct db *db, const struct stored_response *response) _must_use_;

/* What is read of a row: the text of both is in the arena; input is only read where it is wanted.
 * STORED_E_NONE: there is none, it is over, or it is another team's. */
int stored_get(struct db *db, struct arena *a, struct team_id team, struct str id, bool wants_input,
               struct stored_response *ret) _must_use_;

int stored_delete(struct db *db, struct team_id team, struct str id) _must_use_;

/* Removes rows that are over, of all teams, in batches; *ret is how many. System scope. */
int stored_expire(struct db *db, int64_t *ret) _must_use_;
