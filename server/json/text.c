/* text.c: see text.h. */
#include "json/text.h"

/* U+0080 to U+FFFF, nearly all that is not ASCII, is judged as one word; 0 means only: not so. */
static size_t short_length(const char *p, const char *end)
{
    uint32_t v, lead;

    if (end - p < 4)
        return 0;
    memcpy(&v, p, sizeof(v));
    if ((v & 0xc0e0) == 0x80c0)
        return v & 0x1e ? 2 : 0; /* not overlong */
    lead = v & 0x200f;
    if ((v & 0xc0c0f0) == 0x8080e0 && lead != 0 && lead != 0x200d) /* overlong; a surrogate */
        return 3;
    return 0;
}

const char *text_wide_end(const char *p, const char *end)
{
    while (p < end && (*p & 0x80)) {
        size_t length = short_length(p, end);

        if (!length)
            length = str_utf8_length(p, (size_t)(end - p));
        if (!length)
            break;
        p += length;
    }
    return p;
}

/* The four hex digits at p, or -1. */
static int32_t hex4(const char *p, const char *end)
{
    int32_t v = 0;

    if (end - p < 4)
        return -1;
    for (int i = 0; i < 4; i++) {
        char c = p[i];

        if (c >= '0' && c <= '9')
            v = v << 4 | (c - '0');
        else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
            v = v << 4 | ((c | 0x20) - 'a' + 10);
        else
            return -1;
    }
    return v;
}

static void encode(struct text_escape *e, uint32_t cp)
{
    if (cp < 0x80) {
        e->out[e->n_out++] = (char)cp;
        return;
    }
    if (cp < 0x800) {
        e->out[e->n_out++] = (char)(0xc0 | cp >> 6);
    } else {
        if (cp < 0x10000) {
            e->out[e->n_out++] = (char)(0xe0 | cp >> 12);
        } else {
            e->out[e->n_out++] = (char)(0xf0 | cp >> 18);
            e->out[e->n_out++] = (char)(0x80 | (cp >> 12 & 0x3f));
        }
        e->out[e->n_out++] = (char)(0x80 | (cp >> 6 & 0x3f));
    }
    e->out[e->n_out++] = (char)(0x80 | (cp & 0x3f));
}

/* "\uXXXX", with the second half of a surrogate pair where one follows. */
static struct text_escape unescape_unicode(const char *p, const char *end)
{
    struct text_escape e = {0};
    int32_t first = hex4(p + 2, end), second;

    if (first < 0)
        return e;
    e.n_in = 6;
    if (first < 0xd800 || first > 0xdfff) {
        encode(&e, (uint32_t)first);
        return e;
    }
    second = first < 0xdc00 && end - p >= 12 && p[6] == '\\' && p[7] == 'u' ? hex4(p + 8, end) : -1;
    if (second >= 0xdc00 && second <= 0xdfff) {
        e.n_in = 12;
        encode(&e, 0x10000 + (((uint32_t)first & 0x3ff) << 10 | ((uint32_t)second & 0x3ff)));
        return e;
    }
    e.lone = true;
    encode(&e, 0xfffd);
    return e;
}

struct text_escape text_unescape(const char *p, const char *end)
{
    struct text_escape e = {.n_in = 2, .n_out = 1};

    if (end - p < 2)
        return (struct text_escape){0};
    if (p[1] == 'u')
        return unescape_unicode(p, end);
    e.out[0] = text_letter(p[1]);
    return e.out[0] ? e : (struct text_escape){0};
}

bool text_decode(struct str s, char *scratch, size_t bytes, struct str *ret)
{
    const char *p = s.p, *end = str_end(s);
    char *to = scratch;

    if (str_find(s, '\\') < 0) {
        *ret = s;
        return true;
    }
    while (p < end) {
        struct text_escape e = {.n_in = 1, .n_out = 1, .out = {*p}};

        if (*p == '\\')
            e = text_unescape(p, end);
        if (e.n_out > bytes - (size_t)(to - scratch))
            return false;
        memcpy(to, e.out, e.n_out);
        to += e.n_out;
        p += e.n_in;
    }
    *ret = str_n(scratch, (size_t)(to - scratch));
    return true;
}
