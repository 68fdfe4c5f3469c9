/* token.c: the texts of keys and one-time links, declared in secret.h. The sum at the end tells a
 * mistyped or cut token from an unknown one without asking the database, and lets secret scanners
 * be sure of what they found. */
#include "base/secret.h"

#include "base/random.h"

enum { RANDOM_DIGITS = 43, SUM_DIGITS = 6 };

static const char base62[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/* Divides the big-endian number by 62 in place and returns the remainder. */
static unsigned divide62(uint8_t *number, size_t bytes)
{
    unsigned rest = 0;

    for (size_t i = 0; i < bytes; i++) {
        unsigned v = rest << 8 | number[i];

        number[i] = (uint8_t)(v / 62);
        rest = v % 62;
    }
    return rest;
}

static void put_base62(uint8_t *number, size_t bytes, char *to, size_t digits)
{
    while (digits)
        to[--digits] = base62[divide62(number, bytes)];
}

static void put_sum(struct str body, char to[SUM_DIGITS])
{
    uint32_t crc = digest_crc32c(0, body.p, body.n);

    for (size_t left = SUM_DIGITS; left; crc /= 62)
        to[--left] = base62[crc % 62];
}

static bool is_base62(struct str s)
{
    static const bool is_digit[256] = {
        ['0' ... '9'] = true, ['A' ... 'Z'] = true, ['a' ... 'z'] = true};

    for (size_t i = 0; i < s.n; i++)
        if (!is_digit[(unsigned char)s.p[i]])
            return false;
    return true;
}

struct str secret_token(struct arena *a, const char *prefix)
{
    size_t head = strlen(prefix);
    size_t n = head + RANDOM_DIGITS + SUM_DIGITS;
    char *text = arena_alloc(a, n + 1);
    uint8_t number[32];

    if (!text)
        return STR_NONE;
    memcpy(text, prefix, head);
    random_bytes(number, sizeof(number));
    put_base62(number, sizeof(number), text + head, RANDOM_DIGITS); /* leaves zeros behind */
    put_sum(str_n(text, head + RANDOM_DIGITS), text + head + RANDOM_DIGITS);
    return str_n(text, n);
}

bool secret_token_wellformed(struct str token, const char *prefix)
{
    size_t head = strlen(prefix);
    char sum[SUM_DIGITS];

    if (token.n != head + RANDOM_DIGITS + SUM_DIGITS || !str_starts(token, str_c(prefix)))
        return false;
    if (!is_base62(str_n(token.p + head, token.n - head)))
        return false;
    put_sum(str_n(token.p, token.n - SUM_DIGITS), sum);
    return memcmp(sum, token.p + token.n - SUM_DIGITS, SUM_DIGITS) == 0;
}
