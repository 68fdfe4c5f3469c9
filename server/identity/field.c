/* field.c: the rules that fields share. Lengths are counted in characters, because that is what
 * people count; the columns' own checks count likewise. */
#include "identity/field.h"

#include <errno.h>

#include "base/err.h"

/* Characters, or -1 when one is not allowed. */
static ssize_t count_characters(struct str s, bool line_ends)
{
    ssize_t n = 0;

    for (size_t i = 0; i < s.n; n++) {
        size_t length = str_utf8_length(s.p + i, s.n - i);
        unsigned char c = (unsigned char)s.p[i];

        if (length == 0 || c == 0x7f)
            return -1;
        if (c < 0x20 && !(line_ends && (c == '\n' || c == '\r' || c == '\t')))
            return -1;
        i += length;
    }
    return n;
}

static int check_text(struct str *text, bool line_ends, const char *field, size_t min, size_t max,
                      struct identity_fault *fault)
{
    *text = str_trim(*text);
    if (!text->p)
        *text = STR("");
    ssize_t n = count_characters(*text, line_ends);

    if (n < 0)
        return identity_fault_set(fault, field, "This has characters that cannot be used here.");
    if (n == 0 && min > 0)
        return identity_fault_set(fault, field, "This is needed.");
    if ((size_t)n < min)
        return identity_fault_set(fault, field, "This is too short.");
    if ((size_t)n > max)
        return identity_fault_set(fault, field, "This is too long.");
    return 0;
}

int field_line(struct str *text, const char *field, size_t min, size_t max,
               struct identity_fault *fault)
{
    return check_text(text, false, field, min, max, fault);
}

int field_lines(struct str *text, const char *field, size_t min, size_t max,
                struct identity_fault *fault)
{
    return check_text(text, true, field, min, max, fault);
}

struct str field_cut(struct str text, size_t max)
{
    size_t n = 0;

    for (size_t i = 0; i < max && n < text.n; i++) {
        size_t length = str_utf8_length(text.p + n, text.n - n);

        if (!length)
            break;
        n += length;
    }
    return str_n(text.p, n);
}

/* Something, one at sign, something; no spaces. Whether it can be reached only a mail could tell.
 */
static bool email_formed(struct str s)
{
    ssize_t at = str_find(s, '@');

    if (at <= 0 || (size_t)at + 1 == s.n)
        return false;
    for (size_t i = 0; i < s.n; i++) {
        if (strchr(" ,;:<>()[]\\\"", s.p[i]) || (s.p[i] == '@' && i != (size_t)at))
            return false;
    }
    return s.p[at + 1] != '.' && s.p[s.n - 1] != '.';
}

/* ASCII letters only: a mail server may tell others apart. */
static int copy_cased(struct arena *a, struct str s, char first, int shift, struct str *ret)
{
    struct str copy = arena_str(a, s);

    if (!copy.p)
        return err_origin(-ENOMEM);
    char *p = (char *)copy.p;

    for (size_t i = 0; i < copy.n; i++)
        if (p[i] >= first && p[i] <= first + 25)
            p[i] = (char)(p[i] + shift);
    *ret = copy;
    return 0;
}

int field_email(struct arena *a, struct str text, const char *field, struct str *ret,
                struct identity_fault *fault)
{
    int r = field_line(&text, field, 1, EMAIL_MAX, fault);

    if (r != 0)
        return r;
    if (text.n > EMAIL_MAX || !email_formed(text))
        return identity_fault_set(fault, field, "This is not an e-mail address.");
    return copy_cased(a, text, 'A', 'a' - 'A', ret);
}

int field_country(struct arena *a, struct str text, const char *field, struct str *ret,
                  struct identity_fault *fault)
{
    struct str upper;
    int r = copy_cased(a, str_trim(text), 'a', 'A' - 'a', &upper);

    if (r < 0)
        return r;
    for (size_t i = 0; i < upper.n; i++) {
        if (upper.n != 2 || upper.p[i] < 'A' || upper.p[i] > 'Z')
            return identity_fault_set(fault, field,
                                      "Give the two letters of the country, such as DE or US.");
    }
    *ret = upper;
    return 0;
}
