/* migrate.h: forward-only migrations (migrations/NNNN_noun.sql) under an advisory lock.
 *
 * Each file runs in one transaction and is recorded with the digest of its bytes; a changed file
 * that was already applied refuses to start. What exactly is wrong is logged. */
#pragma once

#include "db/db.h"

enum {
    MIGRATE_OK = 0,
    MIGRATE_E_CHANGED = 1, /* an applied file has other bytes now */
    MIGRATE_E_NEWER = 2,   /* the database has migrations that the directory does not */
    MIGRATE_E_GAP = 3,     /* file names do not count 0001, 0002, ... */
    MIGRATE_E_AWAY = 4,
    MIGRATE_E_BEHIND = 5, /* migrate_check: run `tollgate migrate` first */
    MIGRATE_E_ROLE = 6,   /* migrate_check: this role could pass by row-level security */
    MIGRATE_E_FAILED = 7, /* a file's SQL was refused; the database stands as it was before it */
};
/* A sentence for people. */
const char *migrate_outcome_text(int outcome);

/* owner_conninfo: a role that owns the schema. directory: where the files are. */
int migrate_run(const char *owner_conninfo, const char *directory, unsigned *ret_applied)
    _must_use_;
/* Does the database stand exactly where the files do? For serve, as the application role. */
int migrate_check(struct db *db, const char *directory) _must_use_;
/* Makes app_conninfo work, if it names tollgate_app and a password and does not work yet, by
 * setting that password. For `tollgate migrate` against a database somebody else runs. */
int migrate_app_login(const char *owner_conninfo, const char *app_conninfo) _must_use_;
