/* detect.c: see detect.h: the kinds as a table, and those that are told by how they are written: mail
 * addresses (RFC 5321 4.1.2 as people write them) and network addresses. */
#include "guard/detect.h"

#include <arpa/inet.h>

const struct detect_kind_info detect_kinds[DETECT_KINDS] = {
    [DETECT_EMAIL] = {"email", "E-mail addresses", STR("[EMAIL]")},
    [DETECT_CARD] = {"card", "Payment card numbers", STR("[CARD]")},
    [DETECT_IBAN] = {"iban", "Bank accounts (IBAN)", STR("[IBAN]")},
    [DETECT_SSN] = {"ssn", "US social security numbers", STR("[SSN]")},
    [DETECT_IP] = {"ip", "IP addresses", STR("[IP]")},
    [DETECT_SECRET] = {"secret", "Private keys and API keys", STR("[SECRET]")},
};

bool detect_kind_parse(struct str name, enum detect_kind *ret)
{
    for (unsigned i = 0; i < DETECT_KINDS; i++)
        if (str_eq_c(name, detect_kinds[i].name)) {
            *ret = (enum detect_kind)i;
            return true;
        }
    return false;
}

bool detect_find(enum detect_kind kind, struct str text, size_t from, struct detect_span *ret)
{
    static bool (*const find[DETECT_KINDS])(struct str, size_t, struct detect_span *) = {
        [DETECT_EMAIL] = detect_email, [DETECT_CARD] = detect_card, [DETECT_IBAN] = detect_iban,
        [DETECT_SSN] = detect_ssn,     [DETECT_IP] = detect_ip,     [DETECT_SECRET] = detect_secret,
    };

    return from < text.n && find[kind](text, from, ret);
}

/* --- mail --- */

/* Longer ones are no addresses (64 and 255), and each @ is looked at for no longer. */
enum { LOCAL_MAX = 64, DOMAIN_MAX = 255, TOP_MIN = 2 };

static bool is_local(char c)
{
    return detect_is_word(c) || (c && strchr(".!#$%&'*+/=?^_`{|}~-", c));
}

/* Where the part before the @ begins; at itself: there is none. Quotes and slashes in front of it are of
 * the text around, so it begins with a letter, a digit or an underscore. */
static size_t local_start(struct str text, size_t from, size_t at)
{
    size_t start = at;

    while (start > from && at - start < LOCAL_MAX && is_local(text.p[start - 1]))
        start--;
    while (start < at && !detect_is_word(text.p[start]) && text.p[start] != '_')
        start++;
    return start;
}

/* Behind the domain's last label of letters; at itself: it is none. */
static size_t domain_end(struct str text, size_t at)
{
    size_t label = at, end = at, most = MIN(text.n, at + DOMAIN_MAX);
    bool letters = true;

    for (size_t i = at; i <= most; i++) {
        char c = i < most ? text.p[i] : ' ';

        if (detect_is_word(c) || (c == '-' && i > label)) {
            letters = letters && detect_is_letter(c);
            continue;
        }
        if (label > at && letters && i - label >= TOP_MIN)
            end = i;
        if (c != '.' || i == label)
            break;
        label = i + 1;
        letters = true;
    }
    return end;
}

bool detect_email(struct str text, size_t from, struct detect_span *ret)
{
    for (size_t next = from; next < text.n;) {
        const char *at = memchr(text.p + next, '@', text.n - next);
        size_t i = at ? (size_t)(at - text.p) : text.n;
        size_t start, end;

        if (!at)
            return false;
        next = i + 1;
        start = local_start(text, from, i);
        end = domain_end(text, i + 1);
        if (start < i && end > i + 1) {
            *ret = (struct detect_span){start, end};
            return true;
        }
    }
    return false;
}

/* --- addresses --- */

/* Of IPv6, with an address of IPv4 at its end. */
enum { ADDRESS_MAX = 45, ADDRESS6_MIN = 6 };

static bool is_hex(char c)
{
    return detect_is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/* Behind a number up to 255; at itself: there is none. */
static size_t byte_end(struct str text, size_t at)
{
    unsigned value = 0;
    size_t i = at;

    for (; i < text.n && detect_is_digit(text.p[i]) && i - at < 4; i++)
        value = value * 10 + (unsigned)(text.p[i] - '0');
    return i - at > 3 || value > 255 ? at : i;
}

/* Behind four of them with dots between; at itself: it is none. */
static size_t address4_end(struct str text, size_t at)
{
    size_t i = at;

    for (int part = 0; part < 4; part++) {
        size_t end;

        if (part && (i >= text.n || text.p[i++] != '.'))
            return at;
        end = byte_end(text, i);
        if (end == i)
            return at;
        i = end;
    }
    if (i < text.n && detect_is_word(text.p[i]))
        return at;
    return i + 1 < text.n && text.p[i] == '.' && detect_is_digit(text.p[i + 1]) ? at : i;
}

static bool is_address6(char c)
{
    return is_hex(c) || c == ':' || c == '.';
}

/* How long what may be one is, without the stops of the sentence around it. */
static size_t address6_length(struct str text, size_t at)
{
    size_t n = 0;

    while (at + n < text.n && n <= ADDRESS_MAX && is_address6(text.p[at + n]))
        n++;
    if (n > ADDRESS_MAX || (at + n < text.n && detect_is_word(text.p[at + n])))
        return 0;
    while (n > 1 && (text.p[at + n - 1] == '.' || (text.p[at + n - 1] == ':' && text.p[at + n - 2] != ':')))
        n--;
    return n;
}

/* The same of the other family. Short ones (::1, a::b) are told from names in programs by nobody. */
static size_t address6_end(struct str text, size_t at)
{
    size_t n = address6_length(text, at), colons = 0;
    char z[ADDRESS_MAX + 1];
    unsigned char address[16];
    bool digit = false;

    for (size_t i = 0; i < n; i++) {
        colons += text.p[at + i] == ':';
        digit = digit || detect_is_digit(text.p[at + i]);
    }
    if (n < ADDRESS6_MIN || colons < 2 || !digit)
        return at;
    memcpy(z, text.p + at, n);
    z[n] = '\0';
    return inet_pton(AF_INET6, z, address) == 1 ? at + n : at;
}

bool detect_ip(struct str text, size_t from, struct detect_span *ret)
{
    for (size_t i = from; i < text.n; i++) {
        char before = i > 0 ? text.p[i - 1] : ' ';
        size_t end;

        if ((!is_hex(text.p[i]) && text.p[i] != ':') || detect_is_word(before) || before == '.' ||
            before == ':')
            continue;
        end = address6_end(text, i);
        if (end == i && detect_is_digit(text.p[i]))
            end = address4_end(text, i);
        if (end > i) {
            *ret = (struct detect_span){i, end};
            return true;
        }
    }
    return false;
}
