/* str.c: see str.h. */
#include "base/str.h"

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

bool str_is_folded(const char *a, const char *b, size_t n)
{
    if ((a[0] ^ b[0]) & ~0x20) /* as most of one length differ */
        return false;
    for (size_t i = 0; i < n; i++)
        if (lower(a[i]) != lower(b[i]))
            return false;
    return true;
}

bool str_is_token(struct str s)
{
    static const bool is_token[256] = {
        ['0' ... '9'] = true, ['A' ... 'Z'] = true, ['a' ... 'z'] = true, ['!'] = true,
        ['#'] = true,         ['$'] = true,         ['%'] = true,         ['&'] = true,
        ['\''] = true,        ['*'] = true,         ['+'] = true,         ['-'] = true,
        ['.'] = true,         ['^'] = true,         ['_'] = true,         ['`'] = true,
        ['|'] = true,         ['~'] = true,
    };

    for (size_t i = 0; i < s.n; i++)
        if (!is_token[(unsigned char)s.p[i]])
            return false;
    return s.n > 0;
}

bool str_is_field(struct str s)
{
    typedef unsigned char lanes __attribute__((vector_size(16)));
    typedef uint64_t words __attribute__((vector_size(16)));
    size_t i = 0;

    for (; s.n - i >= sizeof(lanes); i += sizeof(lanes)) {
        lanes v;
        words bad;

        memcpy(&v, s.p + i, sizeof(v));
        bad = (words)(((v < ' ') & (v != '\t')) | (v == 0x7f));
        if (bad[0] | bad[1])
            return false;
    }
    for (; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];

        if ((c < ' ' && c != '\t') || c == 0x7f)
            return false;
    }
    return true;
}

bool str_is_ascii(struct str s)
{
    uint64_t all = 0, eight;
    size_t i = 0;

    for (; s.n - i >= sizeof(eight); i += sizeof(eight)) {
        memcpy(&eight, s.p + i, sizeof(eight));
        all |= eight;
    }
    for (; i < s.n; i++)
        all |= (unsigned char)s.p[i];
    return !(all & 0x8080808080808080);
}

/* The lowest byte of a word is the first one in memory. */
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "byte positions are read from words");

size_t str_line_end(struct str s, size_t from)
{
    typedef char lanes __attribute__((vector_size(16)));
    typedef uint64_t words __attribute__((vector_size(16)));
    size_t i = from;

    for (; i + sizeof(lanes) <= s.n; i += sizeof(lanes)) {
        lanes v;
        words ends;

        memcpy(&v, s.p + i, sizeof(v));
        ends = (words)((v == '\n') | (v == '\r'));
        if (ends[0])
            return i + (size_t)__builtin_ctzll(ends[0]) / 8;
        if (ends[1])
            return i + 8 + (size_t)__builtin_ctzll(ends[1]) / 8;
    }
    while (i < s.n && s.p[i] != '\n' && s.p[i] != '\r')
        i++;
    return i;
}

bool str_starts(struct str s, struct str prefix)
{
    return s.n >= prefix.n && str_eq(str_n(s.p, prefix.n), prefix);
}

bool str_ends(struct str s, struct str suffix)
{
    return s.n >= suffix.n &&
           (suffix.n == 0 || memcmp(s.p + s.n - suffix.n, suffix.p, suffix.n) == 0);
}

int str_cmp(struct str a, struct str b)
{
    size_t n = MIN(a.n, b.n);
    int r = n ? memcmp(a.p, b.p, n) : 0;

    return r ? r : (a.n > b.n) - (a.n < b.n);
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct str str_trim(struct str s)
{
    while (s.n && is_space(s.p[0])) {
        s.p++;
        s.n--;
    }
    while (s.n && is_space(s.p[s.n - 1]))
        s.n--;
    return s;
}

bool str_ihas(struct str s, struct str part)
{
    for (size_t i = 0; i + part.n <= s.n; i++)
        if (str_ieq(str_n(s.p + i, part.n), part))
            return true;
    return false;
}

ssize_t str_find(struct str s, char c)
{
    const char *hit = s.n ? memchr(s.p, c, s.n) : NULL;

    return hit ? hit - s.p : -1;
}

bool str_split(struct str *rest, char sep, struct str *ret_part)
{
    ssize_t at;

    if (!rest->p)
        return false;
    at = str_find(*rest, sep);
    if (at < 0) {
        *ret_part = *rest;
        *rest = STR_NONE;
        return true;
    }
    *ret_part = str_n(rest->p, (size_t)at);
    *rest = str_n(rest->p + at + 1, rest->n - (size_t)at - 1);
    return true;
}

size_t str_utf8_length(const char *p, size_t n)
{
    const uint8_t *u = (const uint8_t *)p;
    uint8_t low = 0x80, high = 0xbf; /* bounds of the second byte (Unicode 15, table 3-7) */
    size_t length;

    if (u[0] < 0x80)
        return 1;
    if (u[0] < 0xc2 || u[0] > 0xf4)
        return 0;
    length = u[0] < 0xe0 ? 2 : u[0] < 0xf0 ? 3 : 4;
    if (u[0] == 0xe0)
        low = 0xa0; /* no overlong form */
    else if (u[0] == 0xed)
        high = 0x9f; /* no surrogate */
    else if (u[0] == 0xf0)
        low = 0x90;
    else if (u[0] == 0xf4)
        high = 0x8f; /* nothing above U+10FFFF */
    if (n < length || u[1] < low || u[1] > high)
        return 0;
    for (size_t i = 2; i < length; i++)
        if ((u[i] & 0xc0) != 0x80)
            return 0;
    return length;
}

bool str_utf8(struct str s)
{
    size_t i = 0;

    while (i < s.n) {
        uint64_t word;
        size_t length;

        if (s.n - i >= sizeof(word)) {
            memcpy(&word, s.p + i, sizeof(word));
            if (!(word & 0x8080808080808080u)) {
                i += sizeof(word);
                continue;
            }
        }
        length = str_utf8_length(s.p + i, s.n - i);
        if (!length)
            return false;
        i += length;
    }
    return true;
}

int str_u64(struct str s, uint64_t *ret)
{
    uint64_t v = 0;
    bool wide = false;

    if (s.n == 0)
        return STR_E_SYNTAX;
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] < '0' || s.p[i] > '9')
            return STR_E_SYNTAX;
        if (__builtin_mul_overflow(v, 10u, &v) ||
            __builtin_add_overflow(v, (uint64_t)(s.p[i] - '0'), &v))
            wide = true;
    }
    if (wide)
        return STR_E_RANGE;
    *ret = v;
    return STR_OK;
}

int str_i64(struct str s, int64_t *ret)
{
    bool negative = s.n && s.p[0] == '-';
    uint64_t v;
    int r = str_u64(negative ? str_n(s.p + 1, s.n - 1) : s, &v);

    if (r)
        return r;
    if (v > (uint64_t)INT64_MAX + negative)
        return STR_E_RANGE;
    *ret = negative ? (int64_t)(0 - v) : (int64_t)v;
    return STR_OK;
}

int str_u32(struct str s, uint32_t *ret)
{
    uint64_t v;
    int r = str_u64(s, &v);

    if (r)
        return r;
    if (v > UINT32_MAX)
        return STR_E_RANGE;
    *ret = (uint32_t)v;
    return STR_OK;
}
