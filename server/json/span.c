/* span.c: reading what a scan has found, and changing it in place; declared in scan.h. */
#include "json/scan.h"

#include "base/err.h"
#include "json/text.h"

/* Between the quotes. */
static struct str inside(struct str doc, struct json_span s)
{
    assert(s.n >= 2);
    return str_n(doc.p + s.at + 1, s.n - 2);
}

int json_span_text(struct str doc, struct json_span s, struct buf *out)
{
    const char *p, *end;
    int r;

    if (s.n == 0 || s.kind != JSON_STRING)
        return JSON_E_FAULT;
    p = inside(doc, s).p;
    end = p + s.n - 2;
    while (p < end) {
        const char *stop = memchr(p, '\\', (size_t)(end - p));
        struct text_escape e;

        buf_put(out, p, (size_t)((stop ? stop : end) - p));
        if (!stop)
            break;
        e = text_unescape(stop, end);
        assert(e.n_in); /* scan accepted it */
        buf_put(out, e.out, e.n_out);
        p = stop + e.n_in;
    }
    r = buf_finish(out);
    return r < 0 ? err_origin(r) : JSON_OK;
}

/* The escape at p, or the byte itself where it begins none. */
static struct text_escape escape_or_byte(const char *p, const char *end)
{
    struct text_escape e = text_unescape(p, end);

    return e.n_in ? e : (struct text_escape){.n_in = 1, .n_out = 1, .out = {*p}};
}

void json_inside_text(struct str inside, struct buf *out)
{
    const char *p = inside.p, *end = str_end(inside);

    while (p < end) {
        const char *stop = memchr(p, '\\', (size_t)(end - p));
        struct text_escape e;

        buf_put(out, p, (size_t)((stop ? stop : end) - p));
        if (!stop)
            return;
        e = escape_or_byte(stop, end);
        buf_put(out, e.out, e.n_out);
        p = stop + e.n_in;
    }
}

size_t json_inside_length(struct str inside, size_t bytes)
{
    const char *p = inside.p, *end = str_end(inside);

    while (p < end && bytes) {
        const char *stop = memchr(p, '\\', MIN((size_t)(end - p), bytes));
        size_t plain = stop ? (size_t)(stop - p) : MIN((size_t)(end - p), bytes);
        struct text_escape e;

        p += plain;
        bytes -= plain;
        if (!stop || !bytes)
            continue;
        e = escape_or_byte(p, end);
        p += e.n_in;
        bytes -= MIN(bytes, (size_t)e.n_out);
    }
    return (size_t)(p - inside.p);
}

bool json_span_is(struct str doc, struct json_span s, const char *z)
{
    char scratch[256];
    struct str text, wanted = str_c(z);

    if (s.n == 0 || s.kind != JSON_STRING)
        return false;
    assert(wanted.n <= sizeof(scratch));
    return text_decode(inside(doc, s), scratch, sizeof(scratch), &text) && str_eq(text, wanted);
}

bool json_span_u64(struct str doc, struct json_span s, uint64_t *ret)
{
    enum { FITS = 19 }; /* digits that are within uint64, whatever they are */
    const char *p = doc.p + s.at;
    uint64_t v = 0;

    if (s.n == 0 || s.kind != JSON_INT || *p == '-')
        return false;
    if (s.n > FITS)
        return str_u64(json_span_str(doc, s), ret) == STR_OK;
    for (uint32_t i = 0; i < s.n; i++)
        v = v * 10 + (uint64_t)(p[i] - '0');
    *ret = v;
    return true;
}

void json_splice_apply(struct str doc, const struct json_splice *splices, size_t n, struct buf *out)
{
    size_t done = 0;

    for (size_t i = 0; i < n; i++) {
        const struct json_splice *s = &splices[i];

        assert(s->at >= done);
        assert((size_t)s->at + s->n <= doc.n);
        buf_lend(out, str_n(doc.p + done, s->at - done));
        buf_put_str(out, s->text);
        done = (size_t)s->at + s->n;
    }
    buf_lend(out, str_n(doc.p + done, doc.n - done));
}
