/* base64.c: see base64.h. */
#include "base/base64.h"

enum { GROUP_BYTES = 3, GROUP_DIGITS = 4, NO_DIGIT = 64 };

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static void put_group(char *to, const uint8_t *p, size_t n)
{
    uint32_t three = (uint32_t)p[0] << 16;

    three |= n > 1 ? (uint32_t)p[1] << 8 : 0;
    three |= n > 2 ? p[2] : 0u;
    to[0] = digits[three >> 18];
    to[1] = digits[three >> 12 & 63];
    to[2] = n > 1 ? digits[three >> 6 & 63] : '=';
    to[3] = n > 2 ? digits[three & 63] : '=';
}

void base64_put(struct buf *out, const void *p, size_t n)
{
    const uint8_t *bytes = p;
    size_t groups = n / GROUP_BYTES + (n % GROUP_BYTES != 0);
    char *to = groups ? buf_reserve(out, groups * GROUP_DIGITS) : NULL;

    if (!to)
        return;
    for (size_t i = 0; i < n; i += GROUP_BYTES, to += GROUP_DIGITS)
        put_group(to, bytes + i, MIN(n - i, (size_t)GROUP_BYTES));
    out->n += groups * GROUP_DIGITS;
}

static unsigned value_of(char c)
{
    if (c >= 'A' && c <= 'Z')
        return (unsigned)(c - 'A');
    if (c >= 'a' && c <= 'z')
        return (unsigned)(c - 'a') + 26;
    if (c >= '0' && c <= '9')
        return (unsigned)(c - '0') + 52;
    return c == '+' ? 62 : c == '/' ? 63 : NO_DIGIT;
}

/* Bytes in a group; 0: it is none. Padding is taken at the end of the text only. */
static size_t read_group(const char *p, bool last, uint8_t to[GROUP_BYTES])
{
    size_t padding = last && p[3] == '=' ? 1 + (p[2] == '=') : 0;
    uint32_t three = 0;

    for (size_t i = 0; i < GROUP_DIGITS; i++) {
        unsigned v = i < GROUP_DIGITS - padding ? value_of(p[i]) : 0;

        if (v == NO_DIGIT)
            return 0;
        three = three << 6 | v;
    }
    to[0] = (uint8_t)(three >> 16);
    to[1] = (uint8_t)(three >> 8);
    to[2] = (uint8_t)three;
    return GROUP_BYTES - padding;
}

bool base64_read(struct str text, struct buf *out)
{
    size_t at = out->n;
    char *to = text.n ? buf_reserve(out, text.n / GROUP_DIGITS * GROUP_BYTES + GROUP_BYTES) : NULL;

    if (text.n % GROUP_DIGITS)
        return false;
    if (!to)
        return !text.n;
    for (size_t i = 0; i < text.n; i += GROUP_DIGITS) {
        uint8_t group[GROUP_BYTES];
        size_t n = read_group(text.p + i, i + GROUP_DIGITS == text.n, group);

        if (!n)
            return false;
        memcpy(to + (out->n - at), group, n);
        out->n += n;
    }
    return true;
}

void base64url_put(struct buf *out, const void *p, size_t n)
{
    size_t at = out->n;

    base64_put(out, p, n);
    while (out->n > at && out->p[out->n - 1] == '=')
        out->n--;
    for (size_t i = at; i < out->n; i++)
        out->p[i] = (char)(out->p[i] == '+' ? '-' : out->p[i] == '/' ? '_' : out->p[i]);
}

bool base64url_read(struct str text, struct buf *out)
{
    size_t whole = text.n / GROUP_DIGITS * GROUP_DIGITS;
    char group[GROUP_DIGITS];

    for (size_t i = 0; i < text.n; i += GROUP_DIGITS) {
        size_t n = i < whole ? GROUP_DIGITS : text.n - whole;

        for (size_t k = 0; k < GROUP_DIGITS; k++) {
            char c = k < n ? text.p[i + k] : '=';

            if (k < n && (c == '+' || c == '/' || c == '='))
                return false;
            group[k] = (char)(c == '-' ? '+' : c == '_' ? '/' : c);
        }
        if (!base64_read(str_n(group, GROUP_DIGITS), out))
            return false;
    }
    return true;
}
