/* Money at its edges, and the cost of many random calls against arithmetic done long-hand. */
#include "unit.h"

#include "base/money.h"
#include "base/random.h"

static struct str put(struct buf *b, int64_t nano, int min_decimals)
{
    buf_reset(b);
    money_put(b, (struct money){nano}, min_decimals);
    return buf_str(b);
}

static struct str put_fixed(struct buf *b, int64_t nano, int decimals)
{
    buf_reset(b);
    money_put_fixed(b, (struct money){nano}, decimals);
    return buf_str(b);
}

static void sums_stop_at_the_ends_of_int64(void **state)
{
    struct money m = {7};

    assert_int_equal(money_add((struct money){INT64_MAX}, (struct money){1}, &m), MONEY_E_OVERFLOW);
    assert_int_equal(money_sub((struct money){INT64_MIN}, (struct money){1}, &m), MONEY_E_OVERFLOW);
    assert_int_equal(m.nano, 7);
    assert_int_equal(money_add((struct money){INT64_MAX - 1}, (struct money){1}, &m), MONEY_OK);
    assert_true(m.nano == INT64_MAX);
    assert_int_equal(money_sub((struct money){INT64_MIN + 1}, (struct money){1}, &m), MONEY_OK);
    assert_true(m.nano == INT64_MIN);
}

static int64_t cost1(int64_t quantity, int64_t price)
{
    struct money m = {-1};

    assert_int_equal(money_cost(&quantity, &price, 1, &m), MONEY_OK);
    return m.nano;
}

static void cost_rounds_up_once(void **state)
{
    int64_t quantity[] = {1, 1}, price[] = {1, 1};
    struct money m;

    assert_int_equal(cost1(0, 5), 0);
    assert_int_equal(cost1(1, 1), 1);
    assert_int_equal(cost1(1000000, 1), 1);
    assert_int_equal(cost1(1000001, 1), 2);
    assert_int_equal(cost1(1000, 2500000000), 2500000); /* 1,000 tokens at $2.50 per million */
    assert_int_equal(cost1(-1, 1), 0);
    assert_int_equal(cost1(-1000001, 1), -1);
    assert_int_equal(money_cost(quantity, price, 2, &m), MONEY_OK);
    assert_int_equal(m.nano, 1); /* not 2: the parts are not rounded */
    assert_int_equal(money_cost(NULL, NULL, 0, &m), MONEY_OK);
    assert_int_equal(m.nano, 0);
}

static void cost_overflow_is_an_outcome(void **state)
{
    int64_t quantity[] = {INT64_MAX, INT64_MAX, INT64_MAX}, price[] = {1000000, 1, INT64_MAX};
    int64_t lowest[] = {INT64_MIN, INT64_MIN, INT64_MIN};
    struct money m = {7};

    assert_int_equal(money_cost(quantity, price, 1, &m), MONEY_OK);
    assert_true(m.nano == INT64_MAX);
    m.nano = 7;
    assert_int_equal(money_cost(quantity, price, 2, &m), MONEY_E_OVERFLOW);
    assert_int_equal(money_cost(quantity, quantity, 3, &m), MONEY_E_OVERFLOW);
    assert_int_equal(money_cost(lowest, lowest, 3, &m), MONEY_E_OVERFLOW); /* beyond 128 bits */
    assert_int_equal(m.nano, 7);
}

/* The product of two magnitudes below 2^63 as four 32-bit limbs, added to acc; then the whole
 * divided by a million limb by limb: school arithmetic, shares nothing with money.c. */
static void limbs_add_product(uint64_t acc[5], uint64_t a, uint64_t b)
{
    uint64_t al = a & 0xffffffff, ah = a >> 32, bl = b & 0xffffffff, bh = b >> 32;
    uint64_t part[4] = {al * bl, al * bh, ah * bl, ah * bh};
    const int at[4] = {0, 1, 1, 2};

    for (int i = 0; i < 4; i++) {
        acc[at[i]] += part[i] & 0xffffffff;
        acc[at[i] + 1] += part[i] >> 32;
        for (int k = 0; k < 4; k++) {
            acc[k + 1] += acc[k] >> 32;
            acc[k] &= 0xffffffff;
        }
    }
}

static bool long_hand(const int64_t *quantity, const int64_t *price, size_t n, int64_t *ret)
{
    uint64_t acc[5] = {0}, rest = 0, out[5];

    for (size_t i = 0; i < n; i++)
        limbs_add_product(acc, (uint64_t)quantity[i], (uint64_t)price[i]);
    for (int k = 4; k >= 0; k--) {
        uint64_t v = rest << 32 | acc[k];

        out[k] = v / 1000000;
        rest = v % 1000000;
    }
    for (int k = 0; rest && k < 5; k++) {
        out[k] = (out[k] + 1) & 0xffffffff;
        if (out[k])
            break;
    }
    if (out[4] || out[3] || out[2] || out[1] >> 31)
        return false;
    *ret = (int64_t)(out[1] << 32 | out[0]);
    return true;
}

static void cost_equals_long_hand_for_random_calls(void **state)
{
    int overflows = 0;

    random_drive(20260101);
    for (int round = 0; round < 200000; round++) {
        int64_t quantity[8], price[8], expected = 0;
        size_t n = random_below(9);
        struct money m = {-1};
        int r;

        for (size_t i = 0; i < n; i++) {
            quantity[i] = (int64_t)(random_u64() >> (1 + random_below(62)));
            price[i] = (int64_t)(random_u64() >> (1 + random_below(62)));
        }
        r = money_cost(quantity, price, n, &m);
        if (!long_hand(quantity, price, n, &expected)) {
            assert_int_equal(r, MONEY_E_OVERFLOW);
            overflows++;
            continue;
        }
        assert_int_equal(r, MONEY_OK);
        assert_true(m.nano == expected);
    }
    random_undrive();
    assert_true(overflows > 1000); /* both sides were met */
    assert_true(overflows < 150000);
}

static void parse_reads_what_is_written(void **state)
{
    static const struct {
        const char *text;
        int outcome;
        int64_t nano;
    } cases[] = {
        {"0", 0, 0},
        {"-0", 0, 0},
        {"12.5", 0, 12500000000},
        {"-12.5", 0, -12500000000},
        {"0.000000001", 0, 1},
        {"007.10", 0, 7100000000},
        {"9223372036.854775807", 0, INT64_MAX},
        {"-9223372036.854775808", 0, INT64_MIN},
        {"9223372036.854775808", MONEY_E_OVERFLOW, 0},
        {"-9223372036.854775809", MONEY_E_OVERFLOW, 0},
        {"99999999999999999999999999", MONEY_E_OVERFLOW, 0},
        {"100000000000000000000000000", MONEY_E_OVERFLOW, 0},
        {"0.0000000001", MONEY_E_DIGITS, 0},
        {"0.0000000000", MONEY_E_DIGITS, 0},
        {"", MONEY_E_SYNTAX, 0},
        {"-", MONEY_E_SYNTAX, 0},
        {"+1", MONEY_E_SYNTAX, 0},
        {".5", MONEY_E_SYNTAX, 0},
        {"5.", MONEY_E_SYNTAX, 0},
        {"1e3", MONEY_E_SYNTAX, 0},
        {" 1", MONEY_E_SYNTAX, 0},
        {"1 ", MONEY_E_SYNTAX, 0},
        {"1,000", MONEY_E_SYNTAX, 0},
        {"1.2.3", MONEY_E_SYNTAX, 0},
        {"--1", MONEY_E_SYNTAX, 0},
        {"0x10", MONEY_E_SYNTAX, 0},
        {"NaN", MONEY_E_SYNTAX, 0},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct money m = {42};
        int r = money_parse(str_c(cases[i].text), &m);

        if (r != cases[i].outcome)
            fail_msg("%s: outcome %d", cases[i].text, r);
        if (m.nano != (r ? 42 : cases[i].nano))
            fail_msg("%s: %lld", cases[i].text, (long long)m.nano);
    }
    assert_int_equal(money_parse(STR("1\0"), &(struct money){0}), MONEY_E_SYNTAX);
}

static void parse_scaled_is_exact_or_refuses(void **state)
{
    static const struct {
        const char *text;
        int scale, outcome;
        int64_t value;
    } cases[] = {
        {"1.75e-07", 15, 0, 175000000},
        {"1.75E-7", 15, 0, 175000000},
        {"1.75e-07", 9, 0, 175},
        {"1.75e-07", 8, MONEY_E_DIGITS, 0},
        {"0.00000017500000000000000000000000", 9, 0, 175},
        {"2.5e+1", 0, 0, 25},
        {"25000000000000000000000e-21", 0, 0, 25},
        {"0e999999999999999999", 9, 0, 0},
        {"0.000", 0, 0, 0},
        {"-3e0", 2, 0, -300},
        {"1e18", 0, 0, 1000000000000000000},
        {"1e19", 0, MONEY_E_OVERFLOW, 0},
        {"9223372036854775807", 0, 0, INT64_MAX},
        {"9223372036854775808", 0, MONEY_E_OVERFLOW, 0},
        {"-9223372036854775808", 0, 0, INT64_MIN},
        {"1e-99999999999999999999", 9, MONEY_E_DIGITS, 0},
        {"123456789012345678901234567", 0, MONEY_E_OVERFLOW, 0},
        {"1.23456789012345678901234567", 9, MONEY_E_DIGITS, 0},
        {"1e", 9, MONEY_E_SYNTAX, 0},
        {"1e+", 9, MONEY_E_SYNTAX, 0},
        {"e5", 9, MONEY_E_SYNTAX, 0},
        {"1e5x", 9, MONEY_E_SYNTAX, 0},
        {"", 9, MONEY_E_SYNTAX, 0},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        int64_t v = 42;
        int r = money_parse_scaled(str_c(cases[i].text), cases[i].scale, &v);

        if (r != cases[i].outcome)
            fail_msg("%s: outcome %d", cases[i].text, r);
        if (v != (r ? 42 : cases[i].value))
            fail_msg("%s: %lld", cases[i].text, (long long)v);
    }
}

static void put_keeps_every_nano_and_cuts_zeros(void **state)
{
    struct buf b;

    buf_init(&b, 100);
    assert_str(put(&b, 0, 0), "0");
    assert_str(put(&b, 0, 2), "0.00");
    assert_str(put(&b, 12345678901, 0), "12.345678901");
    assert_str(put(&b, 12500000000, 0), "12.5");
    assert_str(put(&b, 12500000000, 2), "12.50");
    assert_str(put(&b, 1, 2), "0.000000001");
    assert_str(put(&b, -1, 0), "-0.000000001");
    assert_str(put(&b, INT64_MAX, 0), "9223372036.854775807");
    assert_str(put(&b, INT64_MIN, 0), "-9223372036.854775808");
    buf_done(&b);
}

static void put_then_parse_gives_the_same(void **state)
{
    struct buf b;

    buf_init(&b, 100);
    random_drive(7);
    for (int i = 0; i < 20000; i++) {
        int64_t nano = (int64_t)random_u64() >> random_below(63);
        struct money back = {0};

        assert_int_equal(money_parse(put(&b, nano, (int)random_below(10)), &back), MONEY_OK);
        assert_true(back.nano == nano);
    }
    random_undrive();
    buf_done(&b);
}

static void put_fixed_rounds_half_away_and_groups(void **state)
{
    struct buf b;

    buf_init(&b, 100);
    assert_str(put_fixed(&b, 1234567890000000, 2), "1,234,567.89");
    assert_str(put_fixed(&b, 999999999999, 2), "1,000.00");
    assert_str(put_fixed(&b, 5000000, 2), "0.01");
    assert_str(put_fixed(&b, 4999999, 2), "0.00");
    assert_str(put_fixed(&b, -5000000, 2), "-0.01");
    assert_str(put_fixed(&b, -4999999, 2), "0.00");
    assert_str(put_fixed(&b, 1500000000, 0), "2");
    assert_str(put_fixed(&b, INT64_MIN, 9), "-9,223,372,036.854775808");
    assert_str(put_fixed(&b, INT64_MAX, 0), "9,223,372,037");
    buf_done(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sums_stop_at_the_ends_of_int64),
        cmocka_unit_test(cost_rounds_up_once),
        cmocka_unit_test(cost_overflow_is_an_outcome),
        cmocka_unit_test(cost_equals_long_hand_for_random_calls),
        cmocka_unit_test(parse_reads_what_is_written),
        cmocka_unit_test(parse_scaled_is_exact_or_refuses),
        cmocka_unit_test(put_keeps_every_nano_and_cuts_zeros),
        cmocka_unit_test(put_then_parse_gives_the_same),
        cmocka_unit_test(put_fixed_rounds_half_away_and_groups),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
