/* A row of CSV: read back by the rules of RFC 4180 it has the same fields, and none that a
 * spreadsheet would run. */
#include "fuzz.h"

#include "base/csv.h"

/* Reads one field; the text without its quotes goes to out. */
static struct str field(struct str row, struct buf *out)
{
    bool quoted = row.n && row.p[0] == '"';
    size_t i = quoted;

    buf_reset(out);
    for (; i < row.n; i++) {
        char c = row.p[i];

        if (quoted && c == '"' && i + 1 < row.n && row.p[i + 1] == '"')
            i++;
        else if (quoted ? c == '"' : c == ',' || c == '\r')
            break;
        buf_putc(out, c);
    }
    i += quoted;
    HOLDS(i < row.n && (row.p[i] == ',' || row.p[i] == '\r'));
    return str_n(row.p + i + 1, row.n - i - 1);
}

/* Characters of no text (NUL) are left out. */
static void same(struct str got, struct str given)
{
    char *copy = malloc(given.n + 1);
    struct str wanted = {copy, 0};

    HOLDS(copy);
    for (size_t i = 0; i < given.n; i++)
        if (given.p[i])
            copy[wanted.n++] = given.p[i];
    if (got.n && got.p[0] == '\'' && !str_eq(got, wanted))
        got = str_n(got.p + 1, got.n - 1);
    else
        HOLDS(!got.n || !strchr("=+-@\t\r", got.p[0]));
    HOLDS(str_eq(got, wanted));
    free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str in = {(const char *)data, size}, first, rest;
    struct buf row, text;

    first = fuzz_take(&in, fuzz_byte(&in));
    buf_init(&row, size * 4 + 64);
    buf_init(&text, size * 4 + 64);
    csv_text(&row, first);
    csv_text(&row, in);
    csv_i64(&row, -7);
    csv_end(&row);
    HOLDS(buf_finish(&row) == 0);
    rest = field(buf_str(&row), &text);
    same(buf_str(&text), first);
    rest = field(rest, &text);
    same(buf_str(&text), in);
    rest = field(rest, &text);
    HOLDS(str_eq_c(buf_str(&text), "-7") && str_eq_c(rest, "\n"));
    buf_done(&row);
    buf_done(&text);
    return 0;
}
