/* invoice_pdf.c: what an invoice looks like.
 *
 * Every amount is exact: a column has as many decimals as its longest figure needs, so that the
 * reader can add it up. */
#include "ledger/invoice_pdf.h"

#include <errno.h>
#include <stdio.h>

#include "base/bounds.h"
#include "base/err.h"
#include "ledger/invoice_sheet.h"

#define HALF (SHEET_INNER / 2)
#define ARENA_MAX MIB(16)

struct drawing {
    struct sheet *s;
    struct arena *a;
    const struct invoice *inv;
    int decimals; /* of every amount on it */
    bool failed;  /* memory */
};

/* Decimals that m needs to be exact, at least 2. */
static int decimals_of(struct money m)
{
    int n = 9;

    for (int64_t v = m.nano; n > 2 && v % 10 == 0; v /= 10)
        n--;
    return n;
}

static int decimals_needed(const struct invoice *inv)
{
    const struct money totals[] = {inv->opening,     inv->topups, inv->grants,
                                   inv->adjustments, inv->usage,  inv->closing};
    int n = 2;

    for (size_t i = 0; i < ARRAY_LEN(totals); i++)
        n = MAX(n, decimals_of(totals[i]));
    for (size_t i = 0; i < inv->n_lines; i++)
        n = MAX(n, decimals_of(inv->lines[i].amount));
    return n;
}

static struct str keep(struct drawing *d, struct buf *b)
{
    struct str text = buf_finish(b) == 0 ? arena_str(d->a, buf_str(b)) : STR_NONE;

    d->failed = d->failed || !text.p;
    buf_done(b);
    return text;
}

static struct str amount(struct drawing *d, struct money m)
{
    struct buf b;

    buf_init(&b, 64);
    money_put_fixed(&b, m, d->decimals);
    return keep(d, &b);
}

static struct str count(struct drawing *d, int64_t n)
{
    struct buf b;
    char digits[24];
    size_t length = (size_t)snprintf(digits, sizeof(digits), "%lld", (long long)n);

    buf_init(&b, 64);
    for (size_t i = 0; i < length; i++) {
        if (i > 0 && (length - i) % 3 == 0)
            buf_putc(&b, ',');
        buf_putc(&b, digits[i]);
    }
    return keep(d, &b);
}

static struct str joined(struct drawing *d, struct str first, const char *between,
                         struct str second)
{
    struct buf b;

    buf_init(&b, KIB(8));
    buf_put_str(&b, first);
    if (first.n > 0 && second.n > 0)
        buf_puts(&b, between);
    buf_put_str(&b, second);
    return keep(d, &b);
}

/* "November 2026" from "2026-11". */
static struct str month_name(struct drawing *d)
{
    static const char *const names[] = {"January",   "February", "March",    "April",
                                        "May",       "June",     "July",     "August",
                                        "September", "October",  "November", "December"};
    struct str m = d->inv->month;
    uint64_t number;

    if (m.n != 7 || str_u64(str_n(m.p + 5, 2), &number) != 0 || number < 1 || number > 12)
        return m;
    return joined(d, str_c(names[number - 1]), " ", str_n(m.p, 4));
}

static void fact(struct drawing *d, const char *label, struct str value)
{
    int height;

    height = sheet_text(d->s, SHEET_MARGIN, 1000, SHEET_FAINT, false, str_c(label));
    height = MAX(height, sheet_text(d->s, SHEET_MARGIN + 1040, HALF, SHEET_BODY, false, value));
    sheet_skip(d->s, height + 20);
}

static void draw_head(struct drawing *d)
{
    const struct invoice *inv = d->inv;
    int y = sheet_y(d->s);
    int right = sheet_text(d->s, SHEET_MARGIN + HALF, HALF, SHEET_LEAD, true, inv->seller.name);

    sheet_skip(d->s, sheet_text(d->s, SHEET_MARGIN, HALF, SHEET_TITLE, false,
                                inv->number.p ? STR("Invoice") : STR("Preview")));
    sheet_move_to(d->s, MAX(sheet_y(d->s), y + right) + 120);
    fact(d, "Invoice number", inv->number.p ? inv->number : STR("not issued yet"));
    fact(d, "Date of issue", inv->number.p ? inv->issue_date : STR("after the month's end"));
    fact(d, "Period", joined(d, month_name(d), ", ", inv->time_zone));
    fact(d, "Currency", STR("US dollar (USD)"));
    sheet_skip(d->s, 160);
}

/* Each line by itself, so that their distance is the same whatever fonts they need. */
static void party_lines(struct drawing *d, int x, enum sheet_style style, struct str text)
{
    struct str line;

    while (str_split(&text, '\n', &line))
        if (str_trim(line).n > 0)
            sheet_skip(d->s, sheet_text(d->s, x, HALF - 200, style, false, str_trim(line)));
}

static int draw_party(struct drawing *d, int x, const char *title, const struct invoice_party *p)
{
    int start = sheet_y(d->s), end;

    party_lines(d, x, SHEET_STRONG, str_c(title));
    party_lines(d, x, SHEET_BODY, p->name);
    party_lines(d, x, SHEET_BODY, p->address);
    party_lines(d, x, SHEET_BODY, p->country);
    party_lines(d, x, SHEET_BODY, p->email);
    if (p->tax_id.n > 0)
        party_lines(d, x, SHEET_BODY, joined(d, STR("Tax ID"), " ", p->tax_id));
    end = sheet_y(d->s);
    sheet_move_to(d->s, start);
    return end;
}

static void draw_parties(struct drawing *d)
{
    int left = draw_party(d, SHEET_MARGIN, "From", &d->inv->seller);
    int right = draw_party(d, SHEET_MARGIN + HALF, "Bill to", &d->inv->buyer);

    sheet_move_to(d->s, MAX(left, right) + 220);
    sheet_line(
        d->s, SHEET_LEAD,
        joined(d, joined(d, STR("$"), "", amount(d, d->inv->usage)), " used in ", month_name(d)));
    sheet_line(d->s, SHEET_BODY, STR("Paid from the prepaid balance; nothing is due."));
    sheet_skip(d->s, 160);
}

static void sum(struct drawing *d, const char *label, struct money m, bool strong)
{
    sheet_row(d->s, (struct str[]){str_c(label), amount(d, m)}, strong);
}

static void draw_balance(struct drawing *d)
{
    static const struct sheet_column columns[] = {{"Balance", SHEET_INNER - 1300, false},
                                                  {"Amount (USD)", 1300, true}};
    const struct invoice *inv = d->inv;

    sheet_table(d->s, columns, ARRAY_LEN(columns));
    sum(d, "Opening balance", inv->opening, false);
    sum(d, "Top-ups", inv->topups, false);
    sum(d, "Grants", inv->grants, false);
    sum(d, "Adjustments", inv->adjustments, false);
    sum(d, "Usage", (struct money){-inv->usage.nano}, false);
    sum(d, "Closing balance", inv->closing, true);
    sheet_table_end(d->s);
    sheet_skip(d->s, 220);
}

static void draw_movements(struct drawing *d)
{
    static const struct sheet_column columns[] = {
        {"Date", 700, false},
        {"Top-ups, grants and adjustments", SHEET_INNER - 2000, false},
        {"Amount (USD)", 1300, true}};
    bool any = false;

    for (size_t i = 0; i < d->inv->n_lines; i++) {
        const struct invoice_line *l = &d->inv->lines[i];
        if (l->kind == INVOICE_USAGE)
            continue;
        if (!any)
            sheet_table(d->s, columns, ARRAY_LEN(columns));
        any = true;
        sheet_row(d->s, (struct str[]){l->date, l->text, amount(d, l->amount)}, false);
    }
    sheet_table_end(d->s);
    sheet_skip(d->s, any ? 220 : 0);
}

static void draw_usage(struct drawing *d)
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
    const struct invoice *inv = d->inv;

    if (inv->calls == 0)
        return;
    sheet_table(d->s, columns, ARRAY_LEN(columns));
    for (size_t i = 0; i < inv->n_lines; i++) {
        const struct invoice_line *l = &inv->lines[i];
        if (l->kind == INVOICE_USAGE)
            sheet_row(d->s,
                      (struct str[]){l->model, l->provider, l->key, count(d, l->calls),
                                     count(d, l->input_tokens), count(d, l->output_tokens),
                                     amount(d, (struct money){-l->amount.nano})},
                      false);
    }
    sheet_row(d->s,
              (struct str[]){STR("Total"), STR(""), STR(""), count(d, inv->calls), STR(""), STR(""),
                             amount(d, inv->usage)},
              true);
    sheet_table_end(d->s);
}

static int draw_all(struct drawing *d, struct buf *out)
{
    sheet_start(d->s, out);
    draw_head(d);
    draw_parties(d);
    draw_balance(d);
    draw_movements(d);
    draw_usage(d);
    if (d->inv->seller_note.n > 0) {
        sheet_skip(d->s, 220);
        sheet_line(d->s, SHEET_FAINT, d->inv->seller_note);
    }
    int r = sheet_finish(d->s);

    if (r == 0 && d->failed)
        r = err_origin(-ENOMEM);
    return r;
}

int invoice_pdf(const struct invoice *invoice, struct buf *out)
{
    _cleanup_(arena_freep) struct arena *a = arena_new(ARENA_MAX);
    struct drawing d = {.a = a, .inv = invoice, .decimals = decimals_needed(invoice)};

    if (!a)
        return err_origin(-ENOMEM);
    struct str name = invoice->number.p ? invoice->number : STR("Preview");
    struct sheet_config config = {
        .title = joined(&d, STR("Invoice"), " ", name),
        .author = invoice->seller.name,
        .made_at_us = invoice->issued_at_us,
        .foot = joined(&d, name, " · ", invoice->seller.name),
    };
    _cleanup_(sheet_freep) struct sheet *s = sheet_new(&config);

    if (!s || d.failed)
        return err_origin(-ENOMEM);
    d.s = s;
    int r = draw_all(&d, NULL);

    if (r == 0)
        r = draw_all(&d, out);
    return r < 0 ? err_trace(r) : 0;
}
