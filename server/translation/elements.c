/* elements.c: see elements.h. */
#include "translation/elements.h"

static bool is_between(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == ',';
}

struct str elements_of(struct str raw)
{
    raw = str_trim(raw);
    return raw.n >= 2 && raw.p[0] == '[' ? str_n(raw.p + 1, raw.n - 2) : raw;
}

/* The offset behind the string that begins at i. */
static size_t string_end(struct str s, size_t i)
{
    for (i++; i < s.n && s.p[i] != '"'; i++)
        if (s.p[i] == '\\')
            i++;
    return i + 1;
}

/* The offset behind the value at the front. */
static size_t value_end(struct str s)
{
    size_t depth = 0, i = 0;

    while (i < s.n) {
        char c = s.p[i];

        if (!depth && is_between(c))
            return i;
        if (c == '"') {
            i = string_end(s, i);
            continue;
        }
        depth += c == '{' || c == '[';
        depth -= (c == '}' || c == ']') && depth;
        i++;
    }
    return MIN(i, s.n);
}

bool element_next(struct str *rest, struct str *ret)
{
    size_t n;

    while (rest->n && is_between(rest->p[0]))
        *rest = str_n(rest->p + 1, rest->n - 1);
    n = value_end(*rest);
    if (!n)
        return false;
    *ret = str_n(rest->p, n);
    *rest = str_n(rest->p + n, rest->n - n);
    return true;
}
