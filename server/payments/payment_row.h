/* payment_row.h: the rows of events and payments. Inside this room only; within a transaction. */
#pragma once

#include "payments/payment.h"

/* False: it was there before. */
int payment_event_add(struct db *db, const struct payment_notice *notice, const struct order *order,
                      bool *ret_new) _must_use_;
/* Is the payment id known? */
int payment_known(struct db *db, const struct payment_notice *notice, bool *ret) _must_use_;
/* transfer_id 0: it goes to review, with the note. */
int payment_add(struct db *db, const struct payment_notice *notice, const struct order *order,
                struct str note, int64_t transfer_id) _must_use_;
/* PAYMENT_OK, or PAYMENT_E_NO_ORDER when there is none in review. */
int payment_lock_review(struct db *db, struct arena *a, int64_t id, struct payment *ret) _must_use_;
int payment_close(struct db *db, int64_t id, struct str note, int64_t transfer_id) _must_use_;
/* The order is waited for until then at least. */
int payment_await(struct db *db, const struct order *order, int32_t seconds) _must_use_;
/* Credits the team's wallet; *ret_transfer is the TOPUP. ref makes it happen once. */
struct payment_credit {
    struct team_id team;
    struct money amount;
    struct str ref;    /* "sandbox/sbx_TO-4K7QZ2M9" */
    struct str reason; /* "Top-up TO-4K7QZ2M9" */
};
int payment_post(struct db *db, const struct actor *actor, const struct payment_credit *credit,
                 int64_t *ret_transfer) _must_use_;

/* Orders whose time is over; those whose late sandbox confirmation is due, by reference. */
int payment_expire_due(struct db *db) _must_use_;
struct payment_due {
    struct str *reference;
    size_t n;
};
int payment_confirm_due(struct db *db, struct arena *a, struct payment_due *ret) _must_use_;
/* The confirmation of a pending order is to be played so many seconds from now. */
int payment_confirm_later(struct db *db, const struct order *order, int32_t seconds) _must_use_;
