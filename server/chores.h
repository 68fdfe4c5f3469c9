/* chores.h: what has to be done from time to time, by any node: five threads with a connection each.
 *
 * Payment expiry, month-end invoices, partitions made ahead, ended sessions, scheduled prices, mail, the
 * checks of the books. Each job is safe to run on several nodes at once; the database sees to it that it is done once. */
#pragma once

#include "gateway/services.h"

struct chores;

struct chores_config {
    const char *conninfo;
    const struct services *services;
    int poll_ms; /* between two looks for what is due */
    /* Loads the catalogue anew and tells the loops; called when a scheduled price comes due. */
    void (*reload_catalog)(struct db *db, void *ctx);
    void *ctx;
};

int chores_start(const struct chores_config *config, struct chores **ret) _must_use_;
/* Lets the running jobs end, but for a check of the books, which is called off. NULL is fine. */
void chores_stop(struct chores *c);
