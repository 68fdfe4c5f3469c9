/* payback_row.h: what payback.c asks of the database. Inside this room only; within a transaction. */
#pragma once

#include "payments/payback.h"

struct payback_booked {
    int64_t id;
    bool is_new; /* false: the reference was booked before */
};
/* PAYBACK_E_REFUSED: db_last_error() begins with TG001, TG002, TG007, TG008, TG020 or TG021, as
 * migrations/0005_billing.sql says. */
enum { PAYBACK_OK = 0, PAYBACK_E_REFUSED = 1 };
int payback_row_post(struct db *db, const struct actor *actor, enum payback_kind kind,
                     int64_t payment_id, const struct booking *wish,
                     struct payback_booked *ret) _must_use_;
/* TG002, TG020 or TG022. */
int payback_row_reverse(struct db *db, const struct actor *actor, enum payback_kind kind,
                        int64_t payback_id, const struct booking *wish, struct payback_booked *ret) _must_use_;
/* What a refund may take. */
int payback_row_free(struct db *db, struct team_id team, struct money *ret) _must_use_;
