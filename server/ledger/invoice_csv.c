/* invoice_csv.c: one flat table, so that a spreadsheet can sum and group it: the amounts of all
 * rows but the last add up to the last one. */
#include "ledger/invoice_csv.h"

#include "base/csv.h"

static const char *const titles[] = {
    "invoice", "month", "time_zone", "kind",         "date",          "text",      "provider",
    "model",   "key",   "requests",  "input_tokens", "output_tokens", "amount_usd"};

static void put_start(struct buf *out, const struct invoice *inv, const char *kind)
{
    csv_text(out, inv->number);
    csv_text(out, inv->month);
    csv_text(out, inv->time_zone);
    csv_text(out, str_c(kind));
}

/* The two rows that say where the balance stood. */
static void put_balance(struct buf *out, const struct invoice *inv, const char *kind,
                        struct money amount)
{
    put_start(out, inv, kind);
    for (size_t i = 4; i < ARRAY_LEN(titles) - 1; i++)
        csv_text(out, STR_NONE);
    csv_money(out, amount);
    csv_end(out);
}

static void put_line(struct buf *out, const struct invoice *inv, const struct invoice_line *line)
{
    put_start(out, inv, invoice_line_kind_name(line->kind));
    csv_text(out, line->date);
    csv_text(out, line->text);
    csv_text(out, line->provider);
    csv_text(out, line->model);
    csv_text(out, line->key);
    csv_i64(out, line->calls);
    csv_i64(out, line->input_tokens);
    csv_i64(out, line->output_tokens);
    csv_money(out, line->amount);
    csv_end(out);
}

void invoice_csv(const struct invoice *invoice, struct buf *out)
{
    for (size_t i = 0; i < ARRAY_LEN(titles); i++)
        csv_text(out, str_c(titles[i]));
    csv_end(out);
    put_balance(out, invoice, "opening", invoice->opening);
    for (size_t i = 0; i < invoice->n_lines; i++)
        put_line(out, invoice, &invoice->lines[i]);
    put_balance(out, invoice, "closing", invoice->closing);
}
