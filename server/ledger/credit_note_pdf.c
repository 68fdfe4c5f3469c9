/* credit_note_pdf.c: what a credit note looks like. */
#include "ledger/credit_note_pdf.h"

#include <errno.h>

#include "base/bounds.h"
#include "base/err.h"
#include "ledger/document.h"

#define ARENA_MAX MIB(1)

static void draw_all(struct document *d, const void *ctx)
{
    static const struct sheet_column columns[] = {
        {"For", SHEET_INNER - 1300, false},
        {"Amount (USD)", 1300, true},
    };
    const struct credit_note *note = ctx;
    struct str what = document_joined(d, STR("Usage in "), "",
                                      document_month(d, note->invoice_month));

    document_title(d, STR("Credit note"), &note->seller);
    document_fact(d, "Credit note number", note->number);
    document_fact(d, "Date of issue", note->issue_date);
    document_fact(d, "Corrects invoice",
                  document_joined(d, note->invoice_number, " of ", note->invoice_date));
    document_fact(d, "Currency", STR("US dollar (USD)"));
    sheet_skip(d->s, 160);
    document_parties(d, &note->seller, &note->buyer);
    sheet_line(d->s, SHEET_LEAD,
               document_joined(d, STR("$"), "",
                               document_joined(d, document_amount(d, note->amount), " credited for ",
                                               note->invoice_number)));
    sheet_line(d->s, SHEET_BODY, STR("Credited to the prepaid balance."));
    sheet_skip(d->s, 160);
    sheet_table(d->s, columns, ARRAY_LEN(columns));
    sheet_row(d->s,
              (struct str[]){document_joined(d, what, ": ", note->reason),
                             document_amount(d, note->amount)},
              false);
    sheet_row(d->s, (struct str[]){STR("Total credited"), document_amount(d, note->amount)}, true);
    sheet_table_end(d->s);
    if (note->seller_note.n > 0) {
        sheet_skip(d->s, 220);
        sheet_line(d->s, SHEET_FAINT, note->seller_note);
    }
}

int credit_note_pdf(const struct credit_note *note, struct buf *out)
{
    _cleanup_(arena_freep) struct arena *a = arena_new(ARENA_MAX);
    struct document d = {.a = a, .decimals = document_decimals(note->amount)};

    if (!a)
        return err_origin(-ENOMEM);
    struct sheet_config config = {
        .title = document_joined(&d, STR("Credit note"), " ", note->number),
        .author = note->seller.name,
        .made_at_us = note->issued_at_us,
        .foot = document_joined(&d, note->number, " · ", note->seller.name),
    };
    int r = document_draw(&d, &config, out, draw_all, note);

    return r < 0 ? err_trace(r) : r;
}
