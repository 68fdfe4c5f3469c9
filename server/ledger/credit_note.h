/* credit_note.h: a document that corrects an issued invoice: gives back part of the usage that it says.
 *
 * Numbers are PREFIX-CN-YEAR-NNNNNN, one gapless series per installation and year of the issue date,
 * beside that of the invoices. It is issued once per reference, together with its one transfer out of
 * the revenue into the wallet, and then fixed. Worker. */
#pragma once

#include "ledger/invoice.h"
#include "ledger/statement.h"

struct credit_note {
    int64_t id;
    struct team_id team;
    struct str number;
    int64_t invoice_id;
    struct str invoice_number, invoice_month, invoice_date; /* "2026-11", "2026-12-01" */
    struct money amount, invoiced; /* invoiced: the usage that the invoice says */
    struct str reason;
    struct str issue_date; /* in the installation's zone */
    int64_t issued_at_us;
    struct invoice_party seller, buyer; /* those of the invoice */
    struct str seller_note;
    int64_t transfer_id;
    struct str by;
};
struct credit_note_page {
    struct credit_note *v;
    size_t n;
};

struct credit_note_wish {
    int64_t invoice_id;
    struct money amount; /* at most what was invoiced and not credited yet */
    struct str reason, reference;
};
/* Operator scope, within the caller's transaction, which draws and stores the PDF: long lane.
 * CREDIT_NOTE_E_REFUSED: db_last_error() begins with TG001 (amount), TG002 (another amount under the
 * reference), TG003 or TG023 (no such team or invoice) or TG021 (more than is left). *ret_new: it was
 * not issued before; the caller audits then. */
enum { CREDIT_NOTE_OK = 0, CREDIT_NOTE_E_NONE = 1, CREDIT_NOTE_E_REFUSED = 2 };
int credit_note_issue(struct db *db, struct arena *a, struct team_id team,
                      const struct credit_note_wish *wish, const struct posting_actor *actor,
                      int64_t *ret_id, bool *ret_new) _must_use_;

/* Newest first, at most 240; invoice_id 0: of all invoices. Scope of the team, or operator. */
int credit_note_list(struct db *db, struct arena *a, struct team_id team, int64_t invoice_id,
                     struct credit_note_page *ret) _must_use_;
int credit_note_get(struct db *db, struct arena *a, struct team_id team, int64_t id,
                    struct credit_note *ret) _must_use_;
/* The PDF as it was stored when it was issued. */
int credit_note_get_pdf(struct db *db, struct arena *a, struct team_id team, int64_t id,
                        struct str *ret_pdf) _must_use_;
/* What of an invoice's usage is not credited yet; zero when there is no such invoice. */
int credit_note_left(struct db *db, struct team_id team, int64_t invoice_id,
                     struct money *ret) _must_use_;

/* One row under its titles. */
void credit_note_csv(const struct credit_note *note, struct buf *out);
