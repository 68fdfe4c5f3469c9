/* text.c: see text.h. GCC's vector types stand in for SSE2, so the same text compiles anywhere; the
 * position within a vector is read from its two words, which takes little-endian order. */
#include "json/text.h"

typedef signed char lanes __attribute__((vector_size(16)));
typedef uint64_t words __attribute__((vector_size(16)));

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "byte positions are read from words");

static bool plain(char c)
{
    return (signed char)c >= 0x20 && c != '"' && c != '\\';
}

const char *text_plain_end(const char *p, const char *end)
{
    for (; end - p >= (ptrdiff_t)sizeof(lanes); p += sizeof(lanes)) {
        lanes v;
        words stop;

        memcpy(&v, p, sizeof(v));
        /* As signed bytes, what is not ASCII is below 0x20 like the control characters. */
        stop = (words)((v < 0x20) | (v == '"') | (v == '\\'));
        if (stop[0])
            return p + __builtin_ctzll(stop[0]) / 8;
        if (stop[1])
            return p + 8 + __builtin_ctzll(stop[1]) / 8;
    }
    while (p < end && plain(*p))
        p++;
    return p;
}

/* U+0800 to U+FFFF, most of what is not Latin, is judged as one word. */
static bool three_bytes(const char *p, const char *end)
{
    uint32_t v, lead;

    if (end - p < 4)
        return false;
    memcpy(&v, p, sizeof(v));
    if ((v & 0xc0c0f0) != 0x8080e0)
        return false;
    lead = v & 0x200f;
    return lead != 0 && lead != 0x200d; /* neither overlong nor a surrogate */
}

const char *text_wide_end(const char *p, const char *end)
{
    while (p < end && (*p & 0x80)) {
        size_t length = three_bytes(p, end) ? 3 : str_utf8_length(p, (size_t)(end - p));

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
    static const char letters[] = "\"\\/bfnrt", meanings[] = "\"\\/\b\f\n\r\t";
    const char *letter;

    if (end - p < 2)
        return (struct text_escape){0};
    if (p[1] == 'u')
        return unescape_unicode(p, end);
    letter = memchr(letters, p[1], sizeof(letters) - 1);
    if (!letter)
        return (struct text_escape){0};
    return (struct text_escape){.n_in = 2, .n_out = 1, .out = {meanings[letter - letters]}};
}

bool text_decode(struct str s, char *scratch, size_t bytes, struct str *ret)
{
    const char *p = s.p, *end = s.p + s.n;
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
