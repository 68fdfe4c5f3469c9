/* bootstrap_row.h: what the first start asks of the database. Inside this room only; system scope,
 * within a transaction. */
#pragma once

#include "identity/fault.h"

/* Held until the transaction ends. */
int bootstrap_lock(struct db *db) _must_use_;
/* The oldest who can sign in; 0: none. */
int bootstrap_find_operator(struct db *db, struct user_id *ret) _must_use_;
/* 0: none. */
int bootstrap_find_demo(struct db *db, struct team_id *ret) _must_use_;
int bootstrap_mark_demo(struct db *db, struct team_id team) _must_use_;
/* Once for ever. */
int bootstrap_grant(struct db *db, struct team_id team, struct money amount) _must_use_;
/* 0: none. */
int bootstrap_find_key(struct db *db, struct team_id team, struct str name,
                       struct key_id *ret) _must_use_;
