/* order_row.h: the rows of orders as the files of this room change them. Inside this room only. */
#pragma once

#include "payments/order.h"

/* Locks the order. ORDER_E_NONE: no such one. */
enum { ORDER_OK = 0, ORDER_E_NONE = 1 };
int order_lock(struct db *db, struct arena *a, int64_t id, struct order *ret) _must_use_;
int order_lock_reference(struct db *db, struct arena *a, struct str reference,
                         struct order *ret) _must_use_;
/* Moves a locked order on, by an edge of the table; note may be empty. transfer_id goes with
 * ORDER_PAID. Changes *order too. */
int order_become(struct db *db, struct order *order, enum order_state state, struct str note,
                 int64_t transfer_id) _must_use_;
/* Another payment of a paid order was credited: its state is reckoned anew. Changes *order too. */
int order_reckon(struct db *db, struct arena *a, struct order *order) _must_use_;
/* The audit row of a change to it. */
int order_audit(struct db *db, const struct actor *actor, const char *action,
                const struct order *order) _must_use_;
