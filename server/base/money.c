/* money.c: see money.h. */
#include "base/money.h"

enum {
    NANO_DECIMALS = 9,
    EXPONENT_CEILING = 100000, /* beyond it no int64 is meant; keeps the sums small */
};

static const int64_t powers[19] = {
    1,
    10,
    100,
    1000,
    10000,
    100000,
    1000000,
    10000000,
    100000000,
    1000000000,
    10000000000,
    100000000000,
    1000000000000,
    10000000000000,
    100000000000000,
    1000000000000000,
    10000000000000000,
    100000000000000000,
    1000000000000000000,
};

int money_add(struct money a, struct money b, struct money *ret)
{
    int64_t sum;

    if (__builtin_add_overflow(a.nano, b.nano, &sum))
        return MONEY_E_OVERFLOW;
    ret->nano = sum;
    return MONEY_OK;
}

int money_sub(struct money a, struct money b, struct money *ret)
{
    int64_t difference;

    if (__builtin_sub_overflow(a.nano, b.nano, &difference))
        return MONEY_E_OVERFLOW;
    ret->nano = difference;
    return MONEY_OK;
}

int money_cost(const int64_t *quantity, const int64_t *price_per_million, size_t n,
               struct money *ret)
{
    const int64_t million = 1000000;
    __int128 sum = 0;

    for (size_t i = 0; i < n; i++)
        if (__builtin_add_overflow(sum, (__int128)quantity[i] * price_per_million[i], &sum))
            return MONEY_E_OVERFLOW;
    sum = sum / million + (sum % million > 0); /* division cuts towards zero: this is upwards */
    if (sum > INT64_MAX || sum < INT64_MIN)
        return MONEY_E_OVERFLOW;
    ret->nano = (int64_t)sum;
    return MONEY_OK;
}

/* A decimal number as it was written: value = (-1)^negative * mantissa * 10^exponent. Trailing
 * zeros of the digits are in the exponent, so the mantissa is 0 or ends in another digit. */
struct decimal {
    bool negative, wide; /* wide: the mantissa has more digits than a uint64 holds */
    uint64_t mantissa;
    int64_t exponent;
    size_t decimals; /* digits behind the point, as written */
};

static void decimal_digit(struct decimal *d, unsigned digit)
{
    if (digit == 0) {
        d->exponent++;
        return;
    }
    for (; d->exponent > 0 && d->mantissa && !d->wide; d->exponent--)
        d->wide = __builtin_mul_overflow(d->mantissa, 10u, &d->mantissa);
    d->exponent = 0;
    d->wide = d->wide || __builtin_mul_overflow(d->mantissa, 10u, &d->mantissa) ||
              __builtin_add_overflow(d->mantissa, (uint64_t)digit, &d->mantissa);
}

/* Takes at least one digit off *s. */
static bool decimal_digits(struct str *s, struct decimal *d, size_t *ret_count)
{
    size_t n = 0;

    for (; n < s->n && s->p[n] >= '0' && s->p[n] <= '9'; n++)
        decimal_digit(d, (unsigned)(s->p[n] - '0'));
    *s = str_n(s->p + n, s->n - n);
    *ret_count = n;
    return n > 0;
}

static bool decimal_exponent(struct str *s, int64_t *ret)
{
    bool negative;
    int64_t v = 0;
    size_t i = 1;

    negative = i < s->n && s->p[i] == '-';
    if (i < s->n && (s->p[i] == '-' || s->p[i] == '+'))
        i++;
    if (i == s->n)
        return false;
    for (; i < s->n && s->p[i] >= '0' && s->p[i] <= '9'; i++)
        v = MIN(v * 10 + (s->p[i] - '0'), (int64_t)EXPONENT_CEILING);
    *s = str_n(s->p + i, s->n - i);
    *ret = negative ? -v : v;
    return true;
}

static bool decimal_read(struct str s, bool exponents, struct decimal *ret)
{
    struct decimal d = {.negative = s.n && s.p[0] == '-'};
    int64_t written = 0;
    size_t whole;

    if (d.negative)
        s = str_n(s.p + 1, s.n - 1);
    if (!decimal_digits(&s, &d, &whole))
        return false;
    if (s.n && s.p[0] == '.') {
        s = str_n(s.p + 1, s.n - 1);
        if (!decimal_digits(&s, &d, &d.decimals))
            return false;
    }
    if (exponents && s.n && (s.p[0] == 'e' || s.p[0] == 'E') && !decimal_exponent(&s, &written))
        return false;
    d.exponent += written - (int64_t)d.decimals;
    *ret = d;
    return s.n == 0;
}

/* mantissa * 10^(exponent + scale), if that is an int64. */
static int decimal_scaled(const struct decimal *d, int scale, int64_t *ret)
{
    int64_t exponent = d->exponent + scale;
    unsigned __int128 v;

    if (d->mantissa == 0 && !d->wide) {
        *ret = 0;
        return MONEY_OK;
    }
    if (exponent < 0)
        return MONEY_E_DIGITS; /* the last digit is not 0 and would be cut */
    if (d->wide || exponent >= (int64_t)ARRAY_LEN(powers))
        return MONEY_E_OVERFLOW;
    v = (unsigned __int128)d->mantissa * (uint64_t)powers[exponent];
    if (v > (uint64_t)INT64_MAX + d->negative)
        return MONEY_E_OVERFLOW;
    *ret = d->negative ? (int64_t)(0 - (uint64_t)v) : (int64_t)v;
    return MONEY_OK;
}

int money_parse(struct str s, struct money *ret)
{
    struct decimal d;

    if (!decimal_read(s, false, &d))
        return MONEY_E_SYNTAX;
    if (d.decimals > NANO_DECIMALS)
        return MONEY_E_DIGITS;
    return decimal_scaled(&d, NANO_DECIMALS, &ret->nano);
}

int money_parse_scaled(struct str s, int scale, int64_t *ret)
{
    struct decimal d;

    if (!decimal_read(s, true, &d))
        return MONEY_E_SYNTAX;
    return decimal_scaled(&d, scale, ret);
}

static uint64_t magnitude(struct money m)
{
    return m.nano < 0 ? 0 - (uint64_t)m.nano : (uint64_t)m.nano;
}

/* ".xxx": the digits of fraction, which has `decimals` of them. */
static void put_fraction(struct buf *b, uint64_t fraction, int decimals)
{
    char text[1 + NANO_DECIMALS] = {'.'};

    for (int i = decimals; i > 0; i--) {
        text[i] = (char)('0' + fraction % 10);
        fraction /= 10;
    }
    buf_put(b, text, (size_t)decimals + 1);
}

void money_put(struct buf *b, struct money m, int min_decimals)
{
    uint64_t v = magnitude(m);
    uint64_t fraction = v % (uint64_t)powers[NANO_DECIMALS];
    int decimals = NANO_DECIMALS;

    assert(min_decimals >= 0 && min_decimals <= NANO_DECIMALS);
    for (; decimals > min_decimals && fraction % 10 == 0; decimals--)
        fraction /= 10;
    if (m.nano < 0)
        buf_putc(b, '-');
    buf_put_u64(b, v / (uint64_t)powers[NANO_DECIMALS]);
    if (decimals)
        put_fraction(b, fraction, decimals);
}

static void put_grouped(struct buf *b, uint64_t v)
{
    if (v < 1000) {
        buf_put_u64(b, v);
        return;
    }
    put_grouped(b, v / 1000); /* at most six levels */
    buf_printf(b, ",%03u", (unsigned)(v % 1000));
}

void money_put_fixed(struct buf *b, struct money m, int decimals)
{
    uint64_t unit, v;

    assert(decimals >= 0 && decimals <= NANO_DECIMALS);
    unit = (uint64_t)powers[NANO_DECIMALS - decimals];
    v = (magnitude(m) + unit / 2) / unit;
    if (m.nano < 0 && v)
        buf_putc(b, '-');
    put_grouped(b, v / (uint64_t)powers[decimals]);
    if (decimals)
        put_fraction(b, v % (uint64_t)powers[decimals], decimals);
}
