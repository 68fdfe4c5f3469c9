/* first_start.h: what a node does with the database before it serves, and what it prints then.
 *
 * Checks that schema and secret are this installation's; makes the operator account, the catalogue
 * and, on a trial installation, the demo team and its key, unless they are there. */
#pragma once

#include "db/db.h"
#include "gateway/services.h"

struct config;
struct master;

/* The demo key's secret lives in DATA_DIR/demo-key (0600), so that every start can print it. */
struct first_start {
    struct str operator_email, operator_password; /* p NULL: made earlier */
    struct str demo_key;                          /* p NULL: no demo team here */
};

/* 0, or 1 after having said on standard error what is wrong; other outcomes do not exist. */
int first_start(const struct config *config, const struct master *master,
                const struct services *services, struct db *db, struct arena *a,
                struct first_start *ret) _must_use_;
/* The address, the password once, and a first request that works as printed. */
void first_start_print(const struct config *config, const struct services *services,
                       const struct first_start *f);
