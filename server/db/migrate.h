/* migrate.h: forward-only migrations (migrations/NNNN_noun.sql) under an advisory lock.
 *
 * Each file runs in one transaction and is recorded with the digest of its bytes; a changed file
 * that was already applied refuses to start. */
#pragma once

#include "db/db.h"

enum { MIGRATE_OK = 0, MIGRATE_E_CHANGED = 1, MIGRATE_E_NEWER = 2, MIGRATE_E_GAP = 3, MIGRATE_E_AWAY = 4 };
/* owner_conninfo: a role that owns the schema. directory: where the files are. */
int migrate_run(const char *owner_conninfo, const char *directory, unsigned *ret_applied) _must_use_;
/* Does the database stand exactly where the files do? For serve, as the application role. */
int migrate_check(struct db *db, const char *directory) _must_use_;
