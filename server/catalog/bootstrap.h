/* bootstrap.h: what stands in the catalogue of a new installation. Both are idempotent. */
#pragma once

#include "catalog/import.h"

/* Adds the models of our data file that are not there yet; touches no other, so what an operator
 * has set stays. IMPORT_* outcomes. */
int catalog_bootstrap(struct db *db, const char *path, size_t *ret_added) _must_use_;
/* The demo models, labelled as such, with prices, on an account of kind demo. Call where the demo
 * upstream is on; where it is off, snapshots do not serve them. */
int catalog_bootstrap_demo(struct db *db) _must_use_;
