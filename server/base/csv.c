/* csv.c: see csv.h. Every field writes its own comma; csv_end turns the last one into CR LF. */
#include "base/csv.h"

#include "base/clock.h"

/* The full-width forms of = + - @ are U+FF1D U+FF0B U+FF0D U+FF20. */
static bool starts_formula(struct str s)
{
    static const struct str wide[] = {STR("\xef\xbc\x9d"), STR("\xef\xbc\x8b"), STR("\xef\xbc\x8d"),
                                      STR("\xef\xbc\xa0")};

    /* NUL is left out of what is written. */
    while (s.n && (s.p[0] == ' ' || s.p[0] == '"' || s.p[0] == '\'' || !s.p[0]))
        s = str_n(s.p + 1, s.n - 1);
    if (!s.n)
        return false;
    if (memchr("=+-@\t\r", s.p[0], 6))
        return true;
    for (size_t i = 0; i < ARRAY_LEN(wide); i++)
        if (str_starts(s, wide[i]))
            return true;
    return false;
}

static bool needs_quotes(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] == ',' || s.p[i] == '"' || s.p[i] == '\n' || s.p[i] == '\r')
            return true;
    return s.n && (s.p[0] == ' ' || s.p[s.n - 1] == ' ');
}

void csv_text(struct buf *out, struct str s)
{
    bool formula = starts_formula(s), quotes = needs_quotes(s);

    if (quotes)
        buf_putc(out, '"');
    if (formula)
        buf_putc(out, '\'');
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == '"')
            buf_putc(out, '"');
        if (s.p[i])
            buf_putc(out, s.p[i]);
    }
    if (quotes)
        buf_putc(out, '"');
    buf_putc(out, ',');
}

void csv_i64(struct buf *out, int64_t v)
{
    buf_put_i64(out, v);
    buf_putc(out, ',');
}

void csv_money(struct buf *out, struct money m)
{
    money_put(out, m, 2);
    buf_putc(out, ',');
}

void csv_time(struct buf *out, int64_t unix_us)
{
    char text[CLOCK_RFC3339_SIZE];

    if (unix_us) {
        clock_rfc3339(unix_us, text);
        buf_puts(out, text);
    }
    buf_putc(out, ',');
}

void csv_end(struct buf *out)
{
    if (out->n && out->p[out->n - 1] == ',')
        out->n--;
    buf_puts(out, "\r\n");
}
