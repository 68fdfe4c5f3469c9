/* holder.h: which snapshot is the current one.
 *
 * The one lock is for workers and for the moment of a swap. A loop keeps a reference of its own and
 * takes the new one when it is told to (a message after catalog_holder_put), so the path of a call
 * takes no lock. */
#pragma once

#include "catalog/snapshot.h"

struct catalog_holder;

int catalog_holder_new(struct catalog_holder **ret) _must_use_;
void catalog_holder_free(struct catalog_holder *h); /* NULL is fine */
/* A new reference to the current snapshot; NULL before the first put. Any thread. */
struct catalog *catalog_holder_get(struct catalog_holder *h);
/* Takes c over and makes it the current one, whatever that was: what the database says now holds, also where
 * it has lost changes since (a failover, a restore). Whoever loads does so one at a time (catalog_reload.h). Any thread. */
void catalog_holder_put(struct catalog_holder *h, struct catalog *c);
/* Has changed(ctx) called after each put, on the thread that puts and with the holder locked: it must not
 * wait and must not ask the holder. One at a time; NULL: nobody any more, and none is under way. */
void catalog_holder_watch(struct catalog_holder *h, void (*changed)(void *ctx), void *ctx);
/* Loads and puts; nobody else may meanwhile. Worker. CATALOG_E_AWAY: the old one stays. */
int catalog_holder_reload(struct catalog_holder *h, struct db *db,
                          const struct catalog_options *options) _must_use_;
