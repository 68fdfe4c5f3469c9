/* invoice_row.h: what the invoice's files ask of the database. Used by invoice.c only; within a
 * transaction. */
#pragma once

#include "ledger/invoice.h"

/* Makes the mark of teams that have none. */
int invoice_mark_teams(struct db *db) _must_use_;
/* At most 100 teams with a month to cut, by id, beyond this one. */
struct invoice_due {
    struct team_id *team;
    size_t n;
};
int invoice_list_due(struct db *db, struct arena *a, struct team_id beyond,
                     struct invoice_due *ret) _must_use_;
/* Waits until everything with a posted_at before this moment can be seen. */
int invoice_wait(struct db *db, struct team_id team) _must_use_;

/* Fills what is known before the figures: period, zone, dates, parties. INVOICE_E_NONE: nothing is
 * due, or another node is at it. The team's mark stays locked. */
int invoice_claim(struct db *db, struct arena *a, struct team_id team,
                  struct invoice *ret) _must_use_;
/* The same of the running month; until_us is its end. */
int invoice_running(struct db *db, struct arena *a, struct team_id team,
                    struct invoice *ret) _must_use_;
/* Totals and lines of the invoice's period. */
int invoice_read_figures(struct db *db, struct arena *a, struct invoice *inv) _must_use_;

/* The next number of the year; its row stays locked until the transaction ends. */
int invoice_take_number(struct db *db, struct arena *a, struct invoice *inv,
                        int64_t *ret_serial) _must_use_;
/* Sets inv->id. */
int invoice_store(struct db *db, struct invoice *inv, int64_t serial) _must_use_;
int invoice_store_pdf(struct db *db, const struct invoice *inv, struct str pdf) _must_use_;
/* The month is done. */
int invoice_advance(struct db *db, const struct invoice *inv) _must_use_;
