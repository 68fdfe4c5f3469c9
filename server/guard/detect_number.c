/* detect_number.c: numbers that are told by their checksums and lengths: payment cards, bank accounts,
 * and US social security numbers; see detect.h.
 *
 * Sources: ISO/IEC 7812 and the ranges that the card networks publish; ISO 13616 and the registry of
 * IBAN formats; the Social Security Administration on numbers that are never given out. */
#include "guard/detect.h"

/* --- cards --- */

enum { CARD_MIN = 12, CARD_MAX = 19, CARD_HEAD = 4 };

/* By the first four digits. */
static const struct {
    unsigned low, high;
    size_t min, max; /* digits */
} networks[] = {
    {2221, 2720, 16, 16}, /* Mastercard */
    {3000, 3059, 14, 19}, /* Diners Club */
    {3400, 3499, 15, 15}, /* American Express */
    {3528, 3589, 16, 19}, /* JCB */
    {3600, 3699, 14, 19}, /* Diners Club */
    {3700, 3799, 15, 15}, /* American Express */
    {3800, 3999, 16, 19}, /* Diners Club */
    {4000, 4999, 13, 19}, /* Visa */
    {5000, 5099, 12, 19}, /* Maestro */
    {5100, 5599, 16, 16}, /* Mastercard */
    {5600, 5899, 12, 19}, /* Maestro */
    {6000, 6999, 12, 19}, /* Discover, UnionPay, Maestro */
};

static bool luhn(const char *digits, size_t n)
{
    unsigned sum = 0;

    for (size_t i = 0; i < n; i++) {
        unsigned v = (unsigned)(digits[n - 1 - i] - '0');

        if (i % 2)
            v = v * 2 > 9 ? v * 2 - 9 : v * 2;
        sum += v;
    }
    return sum % 10 == 0;
}

static bool is_card(const char *digits, size_t n)
{
    unsigned head = 0;
    bool zeros = true; /* behind the head: an example of a format, or a round number */

    for (size_t i = 0; i < CARD_HEAD; i++)
        head = head * 10 + (unsigned)(digits[i] - '0');
    for (size_t i = CARD_HEAD; i + 1 < n; i++)
        zeros = zeros && digits[i] == '0';
    for (size_t i = 0; !zeros && i < ARRAY_LEN(networks); i++)
        if (head >= networks[i].low && head <= networks[i].high && n >= networks[i].min &&
            n <= networks[i].max)
            return luhn(digits, n);
    return false;
}

/* Behind the longest card number that begins here; at itself: none does. Between digits stands one space
 * or dash at most, and a number ends where no digit follows. */
static size_t card_end(struct str text, size_t at)
{
    char digits[CARD_MAX];
    size_t n = 0, end = at;

    for (size_t i = at; i < text.n && n < CARD_MAX; i++) {
        bool last = i + 1 >= text.n || !detect_is_word(text.p[i + 1]);

        if (!detect_is_digit(text.p[i])) {
            bool between = (text.p[i] == ' ' || text.p[i] == '-') && i + 1 < text.n &&
                           detect_is_digit(text.p[i + 1]);

            if (!between)
                break;
            continue;
        }
        digits[n++] = text.p[i];
        if (last && n >= CARD_MIN && is_card(digits, n))
            end = i + 1;
    }
    return end;
}

bool detect_card(struct str text, size_t from, struct detect_span *ret)
{
    for (size_t i = from; i < text.n; i++) {
        char before = i > 0 ? text.p[i - 1] : ' ';
        size_t end;

        if (text.p[i] < '2' || text.p[i] > '6' || detect_is_word(before) || before == '.')
            continue;
        end = card_end(text, i);
        if (end > i) {
            *ret = (struct detect_span){i, end};
            return true;
        }
    }
    return false;
}

/* --- IBAN --- */

enum { IBAN_MAX = 34 };

/* Country and length, four characters each. */
static const char iban_lengths[] =
    "AD24AE23AL28AT20AZ28BA20BE16BG22BH22BI27BR29BY28CH21CR22CY28CZ24DE22DJ27DK18DO28EE20EG29ES24FI18"
    "FK18FO18FR27GB22GE22GI23GL18GR27GT28HN28HR21HU28IE22IL23IQ23IS26IT27JO30KW30KZ20LB28LC32LI21LT20"
    "LU20LV21LY25MC27MD24ME22MK19MN20MR27MT31MU30NI28NL18NO15OM23PK24PL28PS29PT25QA29RO24RS22RU33SA24"
    "SC31SD18SE24SI19SK24SM27SO23ST25SV28TL23TN24TR26UA29VA22VG24XK20YE30";

static char upper(char c)
{
    return c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
}

static size_t iban_length(char first, char second)
{
    for (const char *p = iban_lengths; *p; p += 4)
        if (p[0] == upper(first) && p[1] == upper(second))
            return (size_t)(p[2] - '0') * 10 + (size_t)(p[3] - '0');
    return 0;
}

/* ISO 7064, MOD 97-10, over the number with its first four characters behind the others. */
static bool iban_checks(const char *v, size_t n)
{
    unsigned rest = 0;

    for (size_t i = 0; i < n; i++) {
        char c = v[(i + 4) % n];

        rest = detect_is_digit(c) ? (rest * 10 + (unsigned)(c - '0')) % 97
                                  : (rest * 100 + (unsigned)(c - 'A') + 10) % 97;
    }
    return rest == 1;
}

/* Of a number that may begin here: letters, letters, digits, digits; 0: none does. */
static size_t iban_begins(struct str text, size_t at)
{
    if (text.n - at < 4 || !detect_is_letter(text.p[at + 1]) || !detect_is_digit(text.p[at + 2]))
        return 0;
    return iban_length(text.p[at], text.p[at + 1]);
}

static size_t iban_end(struct str text, size_t at)
{
    size_t wanted = iban_begins(text, at), n = 0, i = at;
    char v[IBAN_MAX];

    for (; i < text.n && n < wanted; i++) {
        if (detect_is_word(text.p[i]))
            v[n++] = upper(text.p[i]);
        else if (text.p[i] != ' ' || i + 1 >= text.n || !detect_is_word(text.p[i + 1]))
            break;
    }
    if (!wanted || n < wanted || (i < text.n && detect_is_word(text.p[i])))
        return at;
    return detect_is_digit(v[3]) && iban_checks(v, n) ? i : at;
}

bool detect_iban(struct str text, size_t from, struct detect_span *ret)
{
    for (size_t i = from; i + 1 < text.n; i++) {
        size_t end;

        if (!detect_is_letter(text.p[i]) || (i > 0 && detect_is_word(text.p[i - 1])))
            continue;
        end = iban_end(text, i);
        if (end > i) {
            *ret = (struct detect_span){i, end};
            return true;
        }
    }
    return false;
}

/* --- SSN --- */

enum { SSN_LENGTH = 11 }; /* ddd-dd-dddd */

static bool is_ssn(const char *p)
{
    char sep = p[3];
    unsigned area;

    if ((sep != '-' && sep != ' ') || p[6] != sep)
        return false;
    for (size_t i = 0; i < SSN_LENGTH; i++)
        if (i != 3 && i != 6 && !detect_is_digit(p[i]))
            return false;
    area = (unsigned)(p[0] - '0') * 100 + (unsigned)(p[1] - '0') * 10 + (unsigned)(p[2] - '0');
    return area != 0 && area != 666 && area < 900 && memcmp(p + 4, "00", 2) != 0 &&
           memcmp(p + 7, "0000", 4) != 0;
}

static bool is_edge(struct str text, size_t i)
{
    return i >= text.n || (!detect_is_word(text.p[i]) && text.p[i] != '-');
}

bool detect_ssn(struct str text, size_t from, struct detect_span *ret)
{
    for (size_t i = from; i + SSN_LENGTH <= text.n; i++) {
        if (!detect_is_digit(text.p[i]) || !is_ssn(text.p + i) ||
            !(i == 0 || is_edge(text, i - 1)) || !is_edge(text, i + SSN_LENGTH))
            continue;
        *ret = (struct detect_span){i, i + SSN_LENGTH};
        return true;
    }
    return false;
}
