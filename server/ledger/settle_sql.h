/* settle_sql.h: sending a batch of finished calls to the database. Flusher thread. */
#pragma once

#include "db/db.h"

/* The three are JSON arrays. SETTLE_E_AWAY: the outcome is not known, send the same again;
 * SETTLE_E_REFUSED: the database will never take it (see db_last_error()). *ret_fenced: the session is
 * not live any more; the calls were booked all the same. */
enum { SETTLE_OK = 0, SETTLE_E_AWAY = 1, SETTLE_E_REFUSED = 2 };
int settle_sql(struct db *db, int64_t session, struct str calls, struct str attempts,
               struct str draws, bool *ret_fenced) _must_use_;
