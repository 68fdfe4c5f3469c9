/* Prices against long-hand arithmetic in 128 bits, and the bounds of what a call may cost. */
#include "unit.h"

#include "base/random.h"
#include "ledger/price.h"

static struct price plain(int64_t input, int64_t output)
{
    struct price p;

    price_init(&p, (struct price_id){1});
    assert_int_equal(price_set(&p, USAGE_INPUT, 0, input, input / 2), PRICE_SET_OK);
    assert_int_equal(price_set(&p, USAGE_OUTPUT, 0, output, output / 2), PRICE_SET_OK);
    price_complete(&p);
    return p;
}

static void usual_calls_cost_what_people_expect(void **state)
{
    struct price p = plain(2500000000, 10000000000); /* $2.50 and $10 a million */
    struct usage u = {.n = {[USAGE_INPUT] = 1000, [USAGE_OUTPUT] = 500}};
    struct money charge, cost;

    assert_int_equal(price_charge(&p, &u, &charge, &cost), PRICE_OK);
    assert_int_equal(charge.nano, 2500000 + 5000000); /* $0.0075 */
    assert_int_equal(cost.nano, 3750000);
}

static void a_part_of_a_nano_is_rounded_up_once(void **state)
{
    struct price p = plain(1, 1);
    struct usage u = {.n = {[USAGE_INPUT] = 1, [USAGE_OUTPUT] = 1}};
    struct money charge, cost;

    assert_int_equal(price_charge(&p, &u, &charge, &cost), PRICE_OK);
    assert_int_equal(charge.nano, 1); /* not one for each class */
    assert_int_equal(cost.nano, 0);
    u = (struct usage){0};
    assert_int_equal(price_charge(&p, &u, &charge, &cost), PRICE_OK);
    assert_int_equal(charge.nano, 0);
}

static void a_class_without_price_takes_its_fallback(void **state)
{
    struct price p = plain(1000000, 3000000);
    struct usage u = {.n = {[USAGE_CACHED_INPUT] = 1000000, [USAGE_REASONING] = 1000000}};
    struct money charge, cost;

    assert_int_equal(price_charge(&p, &u, &charge, &cost), PRICE_OK);
    assert_int_equal(charge.nano, 4000000);
    u.n[USAGE_IMAGE] = 1;
    assert_int_equal(price_charge(&p, &u, &charge, &cost), PRICE_E_UNNAMED);
}

static void a_long_prompt_moves_the_whole_call_to_its_tier(void **state)
{
    struct price p;
    struct usage u = {.n = {[USAGE_INPUT] = 200000, [USAGE_REASONING] = 1000000}};
    struct money charge, cost;

    price_init(&p, (struct price_id){1});
    assert_int_equal(price_set(&p, USAGE_INPUT, 0, 1000000, 0), PRICE_SET_OK);
    assert_int_equal(price_set(&p, USAGE_OUTPUT, 0, 2000000, 0), PRICE_SET_OK);
    assert_int_equal(price_set(&p, USAGE_INPUT, 200000, 3000000, 0), PRICE_SET_OK);
    assert_int_equal(price_set(&p, USAGE_OUTPUT, 200000, 5000000, 0), PRICE_SET_OK);
    price_complete(&p);
    assert_int_equal(price_charge(&p, &u, &charge, &cost), PRICE_OK);
    assert_int_equal(charge.nano, 200000 + 2000000);
    u.n[USAGE_CACHED_INPUT] = 1; /* one token above, of any class of the prompt */
    assert_int_equal(price_charge(&p, &u, &charge, &cost), PRICE_OK);
    assert_int_equal(charge.nano, 600000 + 3 + 5000000);
}

static void what_no_call_may_cost_is_refused(void **state)
{
    struct price p = plain(BOUND_PRICE_PER_MILLION_NANO, 0);
    struct usage u = {.n = {[USAGE_INPUT] = 1000000}};
    struct money charge, cost;

    assert_int_equal(price_charge(&p, &u, &charge, &cost), PRICE_OK);
    assert_int_equal(charge.nano, BOUND_CALL_COST_NANO);
    u.n[USAGE_INPUT]++;
    assert_int_equal(price_charge(&p, &u, &charge, &cost), PRICE_E_LIMIT);
    for (size_t i = 0; i < USAGE_UNITS; i++)
        u.n[i] = BOUND_USAGE_QUANTITY;
    u.n[USAGE_IMAGE] = u.n[USAGE_SECOND] = u.n[USAGE_CHARACTER] = u.n[USAGE_PAGE] = 0;
    assert_int_equal(price_charge(&p, &u, &charge, &cost), PRICE_E_LIMIT);
}

static int64_t amount(void)
{
    static const int64_t tops[] = {2, 100, 100000, 2000000};

    return random_below((uint32_t)tops[random_below(ARRAY_LEN(tops))]);
}

static int64_t figure(void)
{
    return (int64_t)(random_u64() % (uint64_t)(random_below(2) ? 100000000000 : 1000));
}

static struct price random_price(void)
{
    struct price p;

    price_init(&p, (struct price_id){1});
    for (unsigned tier = 0; tier < 1 + random_below(BOUND_PRICE_TIERS); tier++)
        for (unsigned u = 0; u < USAGE_UNITS; u++)
            if (tier == 0 || random_below(2))
                assert_int_equal(price_set(&p, (enum usage_unit)u, tier * (int64_t)50000, figure(),
                                           figure()), PRICE_SET_OK);
    price_complete(&p);
    return p;
}

/* By hand: which tier, which sum, one division. */
static __int128 by_hand(const struct price *p, const struct usage *u, bool charge)
{
    int64_t prompt = u->n[USAGE_INPUT] + u->n[USAGE_CACHED_INPUT] + u->n[USAGE_CACHE_WRITE_5M] +
                     u->n[USAGE_CACHE_WRITE_1H] + u->n[USAGE_AUDIO_INPUT];
    const struct price_tier *tier = &p->tiers[0];
    __int128 sum = 0;

    for (unsigned i = 1; i < p->n_tiers; i++)
        if (prompt > p->tiers[i].above_input_tokens)
            tier = &p->tiers[i];
    for (unsigned i = 0; i < USAGE_UNITS; i++)
        sum += (__int128)u->n[i] * (charge ? tier->charge[i] : tier->cost[i]);
    return sum / 1000000 + (sum % 1000000 != 0);
}

static void random_calls_cost_what_long_hand_says(void **state)
{
    random_drive(4711);
    for (int i = 0; i < 200000; i++) {
        struct price p = random_price();
        struct usage u;
        struct money charge = {-1}, cost = {-1};
        __int128 hand;
        int r;

        for (unsigned k = 0; k < USAGE_UNITS; k++)
            u.n[k] = amount();
        hand = by_hand(&p, &u, true);
        r = price_charge(&p, &u, &charge, &cost);
        if (hand > BOUND_CALL_COST_NANO || by_hand(&p, &u, false) > BOUND_CALL_COST_NANO) {
            assert_int_equal(r, PRICE_E_LIMIT);
            continue;
        }
        assert_int_equal(r, PRICE_OK);
        assert_true(charge.nano == (int64_t)hand);
        assert_true(cost.nano == (int64_t)by_hand(&p, &u, false));
    }
    random_undrive();
}

/* Whatever stays within the estimate is never dearer than the hold. */
static void no_call_within_its_estimate_is_dearer_than_its_hold(void **state)
{
    random_drive(815);
    for (int i = 0; i < 100000; i++) {
        struct price p = random_price();
        struct price_estimate e = {.input_tokens = amount(), .output_tokens = amount(),
                                   .images = random_below(4), .requests = 1};
        struct usage u = {.n = {[USAGE_REQUEST] = 1}};
        struct money hold, charge, cost;
        int64_t input = random_below((uint32_t)e.input_tokens + 1);
        int64_t output = random_below((uint32_t)e.output_tokens + 1);

        u.n[USAGE_CACHED_INPUT] = random_below((uint32_t)input + 1);
        u.n[USAGE_CACHE_WRITE_1H] =
            random_below((uint32_t)(input - u.n[USAGE_CACHED_INPUT]) + 1);
        u.n[USAGE_INPUT] = input - u.n[USAGE_CACHED_INPUT] - u.n[USAGE_CACHE_WRITE_1H];
        u.n[USAGE_REASONING] = random_below((uint32_t)output + 1);
        u.n[USAGE_OUTPUT] = output - u.n[USAGE_REASONING];
        u.n[USAGE_IMAGE] = e.images;
        if (price_hold(&p, &e, &hold) != PRICE_OK)
            continue;
        if (price_charge(&p, &u, &charge, &cost) == PRICE_OK)
            assert_true(charge.nano <= hold.nano);
    }
    random_undrive();
}

static void the_output_that_is_affordable_is_the_most(void **state)
{
    struct price p = plain(1000000, 2000000); /* 1 and 2 nano a token */
    struct price_estimate e = {.input_tokens = 100};

    assert_int_equal(price_affords_output(&p, &e, (struct money){100}), 0);
    assert_int_equal(price_affords_output(&p, &e, (struct money){99}), 0);
    assert_int_equal(price_affords_output(&p, &e, (struct money){102}), 1);
    assert_int_equal(price_affords_output(&p, &e, (struct money){1101}), 500);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(usual_calls_cost_what_people_expect),
        cmocka_unit_test(a_part_of_a_nano_is_rounded_up_once),
        cmocka_unit_test(a_class_without_price_takes_its_fallback),
        cmocka_unit_test(a_long_prompt_moves_the_whole_call_to_its_tier),
        cmocka_unit_test(what_no_call_may_cost_is_refused),
        cmocka_unit_test(random_calls_cost_what_long_hand_says),
        cmocka_unit_test(no_call_within_its_estimate_is_dearer_than_its_hold),
        cmocka_unit_test(the_output_that_is_affordable_is_the_most),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
