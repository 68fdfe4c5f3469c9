/* money.h: amounts in nano-dollars (1e-9 USD) and prices in nano-dollars per million units.
 *
 * int64 everywhere, checked; never a double. Sources: DESIGN 3. Any thread. */
#pragma once

#include "base/buf.h"

struct money {
    int64_t nano; /* 1e-9 USD */
};

#define MONEY_ZERO ((struct money){0})
#define MONEY_MAX_BALANCE ((struct money){1000000000000000000}) /* $1e9 */
#define MONEY_USD(n) ((struct money){(int64_t)(n) * 1000000000})

enum { MONEY_OK = 0, MONEY_E_OVERFLOW = 1, MONEY_E_SYNTAX = 2, MONEY_E_DIGITS = 3 };

/* *ret = a + b, or MONEY_E_OVERFLOW and *ret untouched. */
int money_add(struct money a, struct money b, struct money *ret) _must_use_;
int money_sub(struct money a, struct money b, struct money *ret) _must_use_;
/* Sum of quantity[i] * price[i] (nano per million), in 128 bits, divided once by 1,000,000 and
 * rounded up. MONEY_E_OVERFLOW beyond int64. */
int money_cost(const int64_t *quantity, const int64_t *price_per_million, size_t n,
               struct money *ret) _must_use_;

/* Decimal text such as "-12.5" or "0.000000001": at most 9 decimals (MONEY_E_DIGITS), no exponent,
 * no '+', no leading or trailing point. */
int money_parse(struct str s, struct money *ret) _must_use_;
/* Like money_parse, but accepts exponents and any number of decimals if the value is exact in the
 * unit 10^-scale; used for imported prices ("1.75e-07"). ret is value * 10^scale. */
int money_parse_scaled(struct str s, int scale, int64_t *ret) _must_use_;

/* "12.345678901": all nine decimals cut of trailing zeros, at least min_decimals. */
void money_put(struct buf *b, struct money m, int min_decimals);
/* Fixed decimals, rounded half away from zero; for display only. Groups thousands with ','. */
void money_put_fixed(struct buf *b, struct money m, int decimals);
