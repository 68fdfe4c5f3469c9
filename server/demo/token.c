/* token.c: see token.h. */
#include "demo/token.h"

enum { LETTERS_MAX = 6 };

static bool is_letter(unsigned char c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c >= 0x80;
}

static bool continues(unsigned char c) /* a byte within a UTF-8 character */
{
    return (c & 0xc0) == 0x80;
}

size_t token_length(struct str s)
{
    size_t at = s.n > 1 && s.p[0] == ' ' && s.p[1] != ' ' ? 1 : 0;
    size_t letters = 0;

    if (at == s.n)
        return at;
    if (!is_letter((unsigned char)s.p[at]))
        return at + 1;
    while (at < s.n && is_letter((unsigned char)s.p[at])) {
        if (!continues((unsigned char)s.p[at]) && letters++ == LETTERS_MAX)
            break;
        at++;
    }
    return at;
}

size_t token_count(struct str s)
{
    size_t n = 0;

    while (s.n) {
        size_t length = token_length(s);

        s = str_n(s.p + length, s.n - length);
        n++;
    }
    return n;
}

struct str token_head(struct str s, size_t max)
{
    size_t at = 0;

    while (max-- && at < s.n)
        at += token_length(str_n(s.p + at, s.n - at));
    return str_n(s.p, at);
}
