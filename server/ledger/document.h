/* document.h: what invoices and credit notes have in common on paper: amounts, facts, parties. Used by
 * *_pdf.c only.
 *
 * Every amount is exact: all of a document have as many decimals as the longest needs, so that the
 * reader can add them up. */
#pragma once

#include "ledger/invoice.h"
#include "ledger/invoice_sheet.h"

#define DOCUMENT_HALF (SHEET_INNER / 2)

struct document {
    struct sheet *s;
    struct arena *a;
    int decimals; /* of every amount on it */
    bool failed;  /* memory */
};

/* Decimals that m needs to be exact, at least 2. */
int document_decimals(struct money m);
struct str document_amount(struct document *d, struct money m);
struct str document_count(struct document *d, int64_t n);
struct str document_joined(struct document *d, struct str first, const char *between,
                           struct str second);
/* "November 2026" from "2026-11". */
struct str document_month(struct document *d, struct str month);

/* The title at the left, the seller's name at the right; below both. */
void document_title(struct document *d, struct str title, const struct invoice_party *seller);
void document_fact(struct document *d, const char *label, struct str value);
/* From and to, side by side; below both. */
void document_parties(struct document *d, const struct invoice_party *from,
                      const struct invoice_party *to);

/* Draws everything twice, as sheets want it (invoice_sheet.h): draw is called with ctx between start
 * and finish. */
int document_draw(struct document *d, const struct sheet_config *config, struct buf *out,
                  void (*draw)(struct document *d, const void *ctx), const void *ctx) _must_use_;
