/* invoice_pdf.c: what an invoice looks like. */
#include "ledger/invoice_pdf.h"

#include <errno.h>

#include "base/bounds.h"
#include "base/err.h"
#include "ledger/document.h"

#define ARENA_MAX MIB(16)

static int decimals_needed(const struct invoice *inv)
{
    const struct money totals[] = {inv->opening,     inv->topups, inv->grants,
                                   inv->adjustments, inv->usage,  inv->closing};
    int n = 2;

    for (size_t i = 0; i < ARRAY_LEN(totals); i++)
        n = MAX(n, document_decimals(totals[i]));
    for (size_t i = 0; i < inv->n_lines; i++)
        n = MAX(n, document_decimals(inv->lines[i].amount));
    return n;
}

static void draw_head(struct document *d, const struct invoice *inv)
{
    document_title(d, inv->number.p ? STR("Invoice") : STR("Preview"), &inv->seller);
    document_fact(d, "Invoice number", inv->number.p ? inv->number : STR("not issued yet"));
    document_fact(d, "Date of issue", inv->number.p ? inv->issue_date : STR("after the month's end"));
    document_fact(d, "Period",
                  document_joined(d, document_month(d, inv->month), ", ", inv->time_zone));
    document_fact(d, "Currency", STR("US dollar (USD)"));
    sheet_skip(d->s, 160);
}

static void draw_lead(struct document *d, const struct invoice *inv)
{
    document_parties(d, &inv->seller, &inv->buyer);
    sheet_line(d->s, SHEET_LEAD,
               document_joined(
                   d, document_joined(d, STR("$"), "", document_amount(d, inv->usage)), " used in ",
                   document_month(d, inv->month)));
    sheet_line(d->s, SHEET_BODY, STR("Paid from the prepaid balance; nothing is due."));
    sheet_skip(d->s, 160);
}

static void sum(struct document *d, const char *label, struct money m, bool strong)
{
    sheet_row(d->s, (struct str[]){str_c(label), document_amount(d, m)}, strong);
}

static void draw_balance(struct document *d, const struct invoice *inv)
{
    static const struct sheet_column columns[] = {{"Balance", SHEET_INNER - 1300, false},
                                                  {"Amount (USD)", 1300, true}};

    sheet_table(d->s, columns, ARRAY_LEN(columns));
    sum(d, "Opening balance", inv->opening, false);
    sum(d, "Top-ups", inv->topups, false);
    sum(d, "Grants", inv->grants, false);
    sum(d, "Refunds, credit notes and adjustments", inv->adjustments, false);
    sum(d, "Usage", (struct money){-inv->usage.nano}, false);
    sum(d, "Closing balance", inv->closing, true);
    sheet_table_end(d->s);
    sheet_skip(d->s, 220);
}

static void draw_movements(struct document *d, const struct invoice *inv)
{
    static const struct sheet_column columns[] = {
        {"Date", 700, false},
        {"Top-ups, grants, refunds, credit notes and adjustments", SHEET_INNER - 2000, false},
        {"Amount (USD)", 1300, true}};
    bool any = false;

    for (size_t i = 0; i < inv->n_lines; i++) {
        const struct invoice_line *l = &inv->lines[i];
        if (l->kind == INVOICE_USAGE)
            continue;
        if (!any)
            sheet_table(d->s, columns, ARRAY_LEN(columns));
        any = true;
        sheet_row(d->s, (struct str[]){l->date, l->text, document_amount(d, l->amount)}, false);
    }
    sheet_table_end(d->s);
    sheet_skip(d->s, any ? 220 : 0);
}

static void draw_usage(struct document *d, const struct invoice *inv)
{
    static const struct sheet_column columns[] = {
        {"Model", 1240, false},
        {"Provider", 600, false},
        {"Key", 840, false},
        {"Requests", 460, true},
        {"Input tokens", 540, true},
        {"Output tokens", 540, true},
        {"Amount (USD)", SHEET_INNER - 4220, true},
    };

    if (inv->calls == 0)
        return;
    sheet_table(d->s, columns, ARRAY_LEN(columns));
    for (size_t i = 0; i < inv->n_lines; i++) {
        const struct invoice_line *l = &inv->lines[i];
        struct str what = l->text.n ? document_joined(d, l->model, ", ", l->text) : l->model;
        if (l->kind == INVOICE_USAGE)
            sheet_row(d->s,
                      (struct str[]){what, l->provider, l->key, document_count(d, l->calls),
                                     document_count(d, l->input_tokens),
                                     document_count(d, l->output_tokens),
                                     document_amount(d, (struct money){-l->amount.nano})},
                      false);
    }
    sheet_row(d->s,
              (struct str[]){STR("Total"), STR(""), STR(""), document_count(d, inv->calls), STR(""),
                             STR(""), document_amount(d, inv->usage)},
              true);
    sheet_table_end(d->s);
}

static void draw_all(struct document *d, const void *ctx)
{
    const struct invoice *inv = ctx;

    draw_head(d, inv);
    draw_lead(d, inv);
    draw_balance(d, inv);
    draw_movements(d, inv);
    draw_usage(d, inv);
    if (inv->seller_note.n > 0) {
        sheet_skip(d->s, 220);
        sheet_line(d->s, SHEET_FAINT, inv->seller_note);
    }
}

int invoice_pdf(const struct invoice *invoice, struct buf *out)
{
    _cleanup_(arena_freep) struct arena *a = arena_new(ARENA_MAX);
    struct document d = {.a = a, .decimals = decimals_needed(invoice)};

    if (!a)
        return err_origin(-ENOMEM);
    struct str name = invoice->number.p ? invoice->number : STR("Preview");
    struct sheet_config config = {
        .title = document_joined(&d, STR("Invoice"), " ", name),
        .author = invoice->seller.name,
        .made_at_us = invoice->issued_at_us,
        .foot = document_joined(&d, name, " · ", invoice->seller.name),
    };
    int r = document_draw(&d, &config, out, draw_all, invoice);

    return r < 0 ? err_trace(r) : r;
}
