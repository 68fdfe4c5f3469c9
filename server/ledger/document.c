/* document.c: see document.h. */
#include "ledger/document.h"

#include <errno.h>
#include <stdio.h>

#include "base/bounds.h"
#include "base/err.h"

int document_decimals(struct money m)
{
    int n = 9;

    for (int64_t v = m.nano; n > 2 && v % 10 == 0; v /= 10)
        n--;
    return n;
}

static struct str keep(struct document *d, struct buf *b)
{
    struct str text = buf_finish(b) == 0 ? arena_str(d->a, buf_str(b)) : STR_NONE;

    d->failed = d->failed || !text.p;
    buf_done(b);
    return text;
}

struct str document_amount(struct document *d, struct money m)
{
    struct buf b;

    buf_init(&b, 64);
    money_put_fixed(&b, m, d->decimals);
    return keep(d, &b);
}

struct str document_count(struct document *d, int64_t n)
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

struct str document_joined(struct document *d, struct str first, const char *between,
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

struct str document_month(struct document *d, struct str m)
{
    static const char *const names[] = {"January",   "February", "March",    "April",
                                        "May",       "June",     "July",     "August",
                                        "September", "October",  "November", "December"};
    uint64_t number;

    if (m.n != 7 || str_u64(str_n(m.p + 5, 2), &number) != 0 || number < 1 || number > 12)
        return m;
    return document_joined(d, str_c(names[number - 1]), " ", str_n(m.p, 4));
}

void document_title(struct document *d, struct str title, const struct invoice_party *seller)
{
    int y = sheet_y(d->s);
    int right = sheet_text(d->s, SHEET_MARGIN + DOCUMENT_HALF, DOCUMENT_HALF, SHEET_LEAD, true,
                           seller->name);

    sheet_skip(d->s, sheet_text(d->s, SHEET_MARGIN, DOCUMENT_HALF, SHEET_TITLE, false, title));
    sheet_move_to(d->s, MAX(sheet_y(d->s), y + right) + 120);
}

void document_fact(struct document *d, const char *label, struct str value)
{
    int height;

    height = sheet_text(d->s, SHEET_MARGIN, 1000, SHEET_FAINT, false, str_c(label));
    height = MAX(height,
                 sheet_text(d->s, SHEET_MARGIN + 1040, DOCUMENT_HALF, SHEET_BODY, false, value));
    sheet_skip(d->s, height + 20);
}

/* Each line by itself, so that their distance is the same whatever fonts they need. */
static void party_lines(struct document *d, int x, enum sheet_style style, struct str text)
{
    struct str line;

    while (str_split(&text, '\n', &line))
        if (str_trim(line).n > 0)
            sheet_skip(d->s, sheet_text(d->s, x, DOCUMENT_HALF - 200, style, false,
                                        str_trim(line)));
}

static int draw_party(struct document *d, int x, const char *title, const struct invoice_party *p)
{
    int start = sheet_y(d->s), end;

    party_lines(d, x, SHEET_STRONG, str_c(title));
    party_lines(d, x, SHEET_BODY, p->name);
    party_lines(d, x, SHEET_BODY, p->address);
    party_lines(d, x, SHEET_BODY, p->country);
    party_lines(d, x, SHEET_BODY, p->email);
    if (p->tax_id.n > 0)
        party_lines(d, x, SHEET_BODY, document_joined(d, STR("Tax ID"), " ", p->tax_id));
    end = sheet_y(d->s);
    sheet_move_to(d->s, start);
    return end;
}

void document_parties(struct document *d, const struct invoice_party *from,
                      const struct invoice_party *to)
{
    int left = draw_party(d, SHEET_MARGIN, "From", from);
    int right = draw_party(d, SHEET_MARGIN + DOCUMENT_HALF, "Bill to", to);

    sheet_move_to(d->s, MAX(left, right) + 220);
}

int document_draw(struct document *d, const struct sheet_config *config, struct buf *out,
                  void (*draw)(struct document *d, const void *ctx), const void *ctx)
{
    _cleanup_(sheet_freep) struct sheet *s = sheet_new(config);
    struct buf *const turns[] = {NULL, out};
    int r = 0;

    if (!s || d->failed)
        return err_origin(-ENOMEM);
    d->s = s;
    for (size_t i = 0; r == 0 && i < ARRAY_LEN(turns); i++) {
        sheet_start(s, turns[i]);
        draw(d, ctx);
        r = sheet_finish(s);
        if (r == 0 && d->failed)
            r = err_origin(-ENOMEM);
    }
    return r < 0 ? err_trace(r) : r;
}
