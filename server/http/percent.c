/* percent.c: see percent.h. */
#include "http/percent.h"

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

struct str percent_decode(struct arena *a, struct str s, bool plus_is_space)
{
    char *out = arena_alloc(a, s.n + 1);
    struct str ret = {out, 0};

    if (!out)
        return STR_NONE;
    for (size_t i = 0; i < s.n; i++) {
        int high, low;

        if (s.p[i] != '%') {
            out[ret.n++] = plus_is_space && s.p[i] == '+' ? ' ' : s.p[i];
            continue;
        }
        high = s.n - i > 2 ? hex_value(s.p[i + 1]) : -1;
        low = s.n - i > 2 ? hex_value(s.p[i + 2]) : -1;
        if (high < 0 || low < 0)
            return STR_NONE;
        out[ret.n++] = (char)(high * 16 + low);
        i += 2;
    }
    return str_utf8(ret) && str_find(ret, '\0') < 0 ? ret : STR_NONE;
}

static bool is_unreserved(unsigned char c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
           c == '-' || c == '.' || c == '_' || c == '~';
}

struct str percent_encode(struct arena *a, struct str s)
{
    static const char hex[] = "0123456789ABCDEF";
    char *out = s.n <= SIZE_MAX / 4 ? arena_alloc(a, 3 * s.n + 1) : NULL;
    size_t n = 0;

    for (size_t i = 0; out && i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];

        if (is_unreserved(c)) {
            out[n++] = (char)c;
            continue;
        }
        out[n++] = '%';
        out[n++] = hex[c >> 4];
        out[n++] = hex[c & 15];
    }
    return str_n(out, n);
}
