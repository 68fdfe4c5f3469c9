/* tx.h: the transaction runner: BEGIN, who is asking, COMMIT or ROLLBACK, retry.
 *
 * The scope becomes SET LOCAL app.team / app.scope, which the row-level security policies read. */
#pragma once

#include "db/db.h"

enum db_scope_kind {
    DB_AS_TEAM,     /* rows of one team only */
    DB_AS_OPERATOR, /* operator pages: every team */
    DB_AS_SYSTEM,   /* sign-in, key look-up, jobs: before a team is known */
    DB_AS_USER,     /* own memberships and sessions; app.user */
};
struct db_scope {
    enum db_scope_kind kind;
    struct team_id team;
    struct user_id user;
};
#define DB_TEAM(t) ((struct db_scope){.kind = DB_AS_TEAM, .team = (t)})
#define DB_OPERATOR ((struct db_scope){.kind = DB_AS_OPERATOR})
#define DB_SYSTEM ((struct db_scope){.kind = DB_AS_SYSTEM})
#define DB_USER(u) ((struct db_scope){.kind = DB_AS_USER, .user = (u)})

/* fn: 0 commits; any other value rolls back and is returned as it is. Serialization failures and
 * deadlocks run fn again (5 times at most, with jitter): fn must be repeatable. DB_E_AWAY when the
 * database is out of reach; a COMMIT of unknown outcome returns -ECONNRESET. */
int db_tx(struct db *db, struct db_scope scope, const char *name, int (*fn)(struct db *, void *),
          void *ctx) _must_use_;
/* READ ONLY, REPEATABLE READ: pages that show several figures of one moment. */
int db_read(struct db *db, struct db_scope scope, const char *name, int (*fn)(struct db *, void *),
            void *ctx) _must_use_;

/* Straight-line form for pages: begin; then statements; then end(commit?). Used by web and admin,
 * which run one transaction per request. */
int db_begin(struct db *db, struct db_scope scope, bool read_only) _must_use_;
int db_rescope(struct db *db, struct db_scope scope) _must_use_; /* inside a transaction */
int db_commit(struct db *db) _must_use_;
void db_rollback(struct db *db); /* no-op without a transaction */
