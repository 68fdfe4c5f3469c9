/* webhook_rows.h: the webhook of a team, or of the installation (team 0), as the database keeps it; for
 * webhook.c. */
#pragma once

#include "db/tx.h"

/* DB_E_NONE: there is none. */
int webhook_find(struct db *db, struct arena *a, struct team_id team, struct str *ret_url,
                 struct str *ret_sealed) _must_use_;
int webhook_write(struct db *db, struct team_id team, struct str url,
                  struct str sealed) _must_use_;
int webhook_remove(struct db *db, struct team_id team, int64_t *ret_rows) _must_use_;
