/* Prices by cases that people can reckon, and the bounds of what a call may cost; tests/oracle has
 * the random ones. */
#include "unit.h"

#include <stdio.h>

#include "ledger/price.h"

static void set(struct price *p, enum usage_unit unit, int64_t above, int64_t charge, int64_t cost)
{
    const struct price_figure f = {unit, above, charge, cost, SERVICE_STANDARD};

    assert_int_equal(price_set(p, &f), PRICE_SET_OK);
}

static void set_at(struct price *p, enum service_tier service, enum usage_unit unit, int64_t charge)
{
    const struct price_figure f = {unit, 0, charge, charge, service};

    assert_int_equal(price_set(p, &f), PRICE_SET_OK);
}

static struct price plain(int64_t input, int64_t output)
{
    struct price p;

    price_init(&p, (struct price_id){1});
    set(&p, USAGE_INPUT, 0, input, input / 2);
    set(&p, USAGE_OUTPUT, 0, output, output / 2);
    price_complete(&p);
    return p;
}

static void usual_calls_cost_what_people_expect(void **state)
{
    struct price p = plain(2500000000, 10000000000); /* $2.50 and $10 a million */
    struct usage u = {.n = {[USAGE_INPUT] = 1000, [USAGE_OUTPUT] = 500}};
    struct money charge, cost;

    assert_int_equal(price_charge(&p, SERVICE_STANDARD, NULL, &u, &charge, &cost), PRICE_OK);
    assert_int_equal(charge.nano, 2500000 + 5000000); /* $0.0075 */
    assert_int_equal(cost.nano, 3750000);
}

static void a_part_of_a_nano_is_rounded_up_once(void **state)
{
    struct price p = plain(1, 1);
    struct usage u = {.n = {[USAGE_INPUT] = 1, [USAGE_OUTPUT] = 1}};
    struct money charge, cost;

    assert_int_equal(price_charge(&p, SERVICE_STANDARD, NULL, &u, &charge, &cost), PRICE_OK);
    assert_int_equal(charge.nano, 1); /* not one for each class */
    assert_int_equal(cost.nano, 0);
    u = (struct usage){0};
    assert_int_equal(price_charge(&p, SERVICE_STANDARD, NULL, &u, &charge, &cost), PRICE_OK);
    assert_int_equal(charge.nano, 0);
}

static void a_class_without_price_takes_its_fallback(void **state)
{
    struct price p = plain(1000000, 3000000);
    struct usage u = {.n = {[USAGE_CACHED_INPUT] = 1000000, [USAGE_REASONING] = 1000000}};
    struct money charge, cost;

    assert_int_equal(price_charge(&p, SERVICE_STANDARD, NULL, &u, &charge, &cost), PRICE_OK);
    assert_int_equal(charge.nano, 4000000);
    u.n[USAGE_IMAGE] = 1;
    assert_int_equal(price_charge(&p, SERVICE_STANDARD, NULL, &u, &charge, &cost), PRICE_E_UNNAMED);
}

static void a_long_prompt_moves_the_whole_call_to_its_tier(void **state)
{
    struct price p;
    struct usage u = {.n = {[USAGE_INPUT] = 200000, [USAGE_REASONING] = 1000000}};
    struct money charge, cost;

    price_init(&p, (struct price_id){1});
    set(&p, USAGE_INPUT, 0, 1000000, 0);
    set(&p, USAGE_OUTPUT, 0, 2000000, 0);
    set(&p, USAGE_INPUT, 200000, 3000000, 0);
    set(&p, USAGE_OUTPUT, 200000, 5000000, 0);
    price_complete(&p);
    assert_int_equal(price_charge(&p, SERVICE_STANDARD, NULL, &u, &charge, &cost), PRICE_OK);
    assert_int_equal(charge.nano, 200000 + 2000000);
    u.n[USAGE_CACHED_INPUT] = 1; /* one token above, of any class of the prompt */
    assert_int_equal(price_charge(&p, SERVICE_STANDARD, NULL, &u, &charge, &cost), PRICE_OK);
    assert_int_equal(charge.nano, 600000 + 3 + 5000000);
}

static void what_no_call_may_cost_is_refused(void **state)
{
    struct price p = plain(BOUND_PRICE_PER_MILLION_NANO, 0);
    struct usage u = {.n = {[USAGE_INPUT] = 1000000}};
    struct money charge, cost;

    assert_int_equal(price_charge(&p, SERVICE_STANDARD, NULL, &u, &charge, &cost), PRICE_OK);
    assert_int_equal(charge.nano, BOUND_CALL_COST_NANO);
    u.n[USAGE_INPUT]++;
    assert_int_equal(price_charge(&p, SERVICE_STANDARD, NULL, &u, &charge, &cost), PRICE_E_LIMIT);
    for (size_t i = 0; i < USAGE_UNITS; i++)
        u.n[i] = BOUND_USAGE_QUANTITY;
    u.n[USAGE_IMAGE] = u.n[USAGE_SECOND] = u.n[USAGE_CHARACTER] = u.n[USAGE_PAGE] = 0;
    u.n[USAGE_SEARCH] = 0;
    assert_int_equal(price_charge(&p, SERVICE_STANDARD, NULL, &u, &charge, &cost), PRICE_E_LIMIT);
}

static void a_service_tier_has_figures_of_its_own(void **state)
{
    struct price p;
    struct usage u = {.n = {[USAGE_INPUT] = 10, [USAGE_CACHED_INPUT] = 10, [USAGE_PAGE] = 1}};
    struct money charge, cost;

    price_init(&p, (struct price_id){1});
    set(&p, USAGE_INPUT, 0, 1000000, 0);
    set(&p, USAGE_CACHED_INPUT, 0, 500000, 0);
    set(&p, USAGE_PAGE, 0, 7000000, 0);
    set_at(&p, SERVICE_PRIORITY, USAGE_INPUT, 2000000);
    price_complete(&p);
    assert_true(price_sells(&p, SERVICE_STANDARD));
    assert_true(price_sells(&p, SERVICE_PRIORITY));
    assert_false(price_sells(&p, SERVICE_FLEX));
    assert_int_equal(price_charge(&p, SERVICE_STANDARD, NULL, &u, &charge, &cost), PRICE_OK);
    assert_int_equal(charge.nano, 10 + 5 + 7);
    /* Tokens that it does not name cost what its own input does; things what standard's do. */
    assert_int_equal(price_charge(&p, SERVICE_PRIORITY, NULL, &u, &charge, &cost), PRICE_OK);
    assert_int_equal(charge.nano, 20 + 20 + 7);
    assert_int_equal(price_charge(&p, SERVICE_FLEX, NULL, &u, &charge, &cost), PRICE_OK);
    assert_int_equal(charge.nano, 10 + 5 + 7);
}

static void things_are_charged_apiece(void **state)
{
    struct price p = plain(0, 0);
    struct usage u = {.n = {[USAGE_IMAGE] = 3, [USAGE_SECOND] = 5, [USAGE_CHARACTER] = 7,
                            [USAGE_PAGE] = 11, [USAGE_REQUEST] = 1}};
    struct money charge, cost;

    set(&p, USAGE_IMAGE, 0, 1000000, 500000);
    set(&p, USAGE_SECOND, 0, 10000000, 500000);
    set(&p, USAGE_CHARACTER, 0, 100000000, 0);
    set(&p, USAGE_PAGE, 0, 1000000000, 0);
    set(&p, USAGE_REQUEST, 0, 10000000000, 1);
    assert_int_equal(price_charge(&p, SERVICE_STANDARD, NULL, &u, &charge, &cost), PRICE_OK);
    assert_int_equal(charge.nano, 3 + 50 + 700 + 11000 + 10000);
    assert_int_equal(cost.nano, 5); /* 4.000001 */
}

static int64_t hold_of(const struct price *p, const struct price_estimate *e)
{
    struct money hold = {-1};

    assert_int_equal(price_hold(p, e, &hold), PRICE_OK);
    return hold.nano;
}

static void a_hold_is_of_the_dearest_that_can_be_reached(void **state)
{
    struct price p;
    struct price_estimate e = {.input_tokens = 200000, .output_tokens = 1000};

    price_init(&p, (struct price_id){1});
    set(&p, USAGE_INPUT, 0, 1000000, 0);
    set(&p, USAGE_CACHE_WRITE_1H, 0, 2000000, 0);
    set(&p, USAGE_OUTPUT, 0, 3000000, 0);
    set(&p, USAGE_REASONING, 0, 4000000, 0);
    set(&p, USAGE_AUDIO_INPUT, 0, 10000000, 0);
    set(&p, USAGE_AUDIO_OUTPUT, 0, 20000000, 0);
    set(&p, USAGE_OUTPUT, 200000, 50000000, 0);
    set_at(&p, SERVICE_PRIORITY, USAGE_INPUT, 6000000);
    set_at(&p, SERVICE_PRIORITY, USAGE_OUTPUT, 7000000);
    price_complete(&p);
    assert_int_equal(hold_of(&p, &e), 2 * 200000 + 4 * 1000);
    e.audio_output = true;
    assert_int_equal(hold_of(&p, &e), 2 * 200000 + 20 * 1000);
    e.audio_output = false;
    e.things.n[USAGE_REQUEST] = e.things.n[USAGE_IMAGE] = 1; /* neither has a price */
    assert_int_equal(hold_of(&p, &e), 2 * 200000 + 4 * 1000);
    e.service = SERVICE_FLEX; /* not sold */
    assert_int_equal(hold_of(&p, &e), 2 * 200000 + 4 * 1000);
    e.service = SERVICE_PRIORITY;
    assert_int_equal(hold_of(&p, &e), 6 * 200000 + 7 * 1000);
    e.service = SERVICE_STANDARD;
    e.audio_input_tokens = 1; /* and one token above the step */
    assert_int_equal(hold_of(&p, &e), 2 * 200000 + 10 + 50 * 1000);
}

static void a_hold_beyond_what_a_call_may_cost_is_refused(void **state)
{
    struct price p = plain(BOUND_PRICE_PER_MILLION_NANO, 1);
    struct price_estimate e = {.input_tokens = 1000000};
    struct money hold;

    assert_int_equal(hold_of(&p, &e), BOUND_CALL_COST_NANO);
    e.output_tokens = 1;
    assert_int_equal(price_hold(&p, &e, &hold), PRICE_E_LIMIT);
    e.input_tokens = e.output_tokens = BOUND_USAGE_QUANTITY;
    assert_int_equal(price_hold(&p, &e, &hold), PRICE_E_LIMIT);
    assert_int_equal(price_affords_output(&p, &e, (struct money){INT64_MAX}), 0);
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

static void set_visual(struct price *p, const char *kind, int64_t charge)
{
    struct price_figure f = {.unit = USAGE_IMAGE, .charge = charge, .cost = charge / 2};

    assert_true(price_visual_kind_parse(str_c(kind), f.visual_kind));
    assert_int_equal(price_set(p, &f), PRICE_SET_OK);
}

static struct price of_images(void)
{
    struct price p;

    price_init(&p, (struct price_id){1});
    set_visual(&p, "hd/1024x1024", 80000000);
    set_visual(&p, "1024x1024", 40000000);
    set_visual(&p, "1792x1024", 60000000);
    set_visual(&p, "hd", 120000000);
    return p;
}

static const char *kind_of(const struct price *p, const char *quality, const char *size)
{
    return price_visual_of(p, &(struct visual_kind){str_c(quality), str_c(size)});
}

static void an_image_costs_what_its_quality_and_size_say(void **state)
{
    struct price p = of_images();
    struct usage u = {.n = {[USAGE_IMAGE] = 3}};
    struct money charge, cost;

    price_complete(&p);
    assert_true(price_usable(&p));
    assert_string_equal(kind_of(&p, "hd", "1024x1024"), "hd/1024x1024");
    assert_string_equal(kind_of(&p, "standard", "1024x1024"), "1024x1024");
    assert_string_equal(kind_of(&p, "hd", "1792x1024"), "1792x1024"); /* a size says more */
    assert_string_equal(kind_of(&p, "hd", "512x512"), "hd");
    assert_string_equal(kind_of(&p, NULL, "1792x1024"), "1792x1024");
    assert_string_equal(kind_of(&p, "auto", "auto"), "hd"); /* it may be the dearest */
    assert_string_equal(kind_of(&p, "low", "512x512"), "");
    assert_int_equal(price_charge(&p, SERVICE_STANDARD, "hd/1024x1024", &u, &charge, &cost), PRICE_OK);
    assert_int_equal(charge.nano, 240);
    assert_int_equal(cost.nano, 120);
    assert_int_equal(price_charge(&p, SERVICE_STANDARD, "", &u, &charge, &cost), PRICE_E_UNNAMED);
}

static void the_plain_figure_is_for_all_other_images(void **state)
{
    struct price p = of_images();
    struct price_estimate e = {.things = {.n = {[USAGE_IMAGE] = 2}}};

    set(&p, USAGE_IMAGE, 0, 10000000, 0);
    price_complete(&p);
    assert_string_equal(kind_of(&p, "low", "512x512"), "");
    assert_string_equal(kind_of(&p, NULL, NULL), "");
    e.visual = (struct visual_kind){STR("low"), STR("512x512")};
    assert_int_equal(hold_of(&p, &e), 20);
    e.visual = (struct visual_kind){STR_NONE, STR("1024x1024")}; /* it may turn out as hd */
    assert_int_equal(hold_of(&p, &e), 240);
    e.visual.quality = STR("standard");
    assert_int_equal(hold_of(&p, &e), 80);
}

static void kinds_of_images_are_a_quality_a_size_or_both(void **state)
{
    static const char *const good[] = {"", "hd", "very_high", "1024x1536", "low/1024x1024"};
    static const char *const bad[] = {"1024",  "x1024",  "1024x",     "HD", "hd/", "/1x1",
                                      "hd/hd", "1x1/hd", "1024-x-1024", "_a", "a/b/1x1",
                                      "quality/1024x10000000000"};
    struct price_figure f = {.unit = USAGE_IMAGE, .visual_kind = "hd"};
    char kind[PRICE_VISUAL_KIND];
    enum usage_unit unit;
    struct price p;

    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        assert_true(price_visual_kind_parse(str_c(good[i]), kind));
        assert_string_equal(kind, good[i]);
    }
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_false(price_visual_kind_parse(str_c(bad[i]), kind));
    assert_true(price_unit_parse(STR("image:hd/1024x1024"), &unit, kind));
    assert_int_equal(unit, USAGE_IMAGE);
    assert_string_equal(kind, "hd/1024x1024");
    assert_true(price_unit_parse(STR("search"), &unit, kind));
    assert_string_equal(kind, "");
    assert_false(price_unit_parse(STR("second:hd"), &unit, kind));
    assert_false(price_unit_parse(STR("second:hd/1024x1792"), &unit, kind));
    assert_false(price_unit_parse(STR("page:1024x1792"), &unit, kind));
    assert_true(price_unit_parse(STR("second:1024x1792"), &unit, kind));
    assert_int_equal(unit, USAGE_SECOND);
    assert_false(price_unit_parse(STR("image:"), &unit, kind));
    price_init(&p, (struct price_id){1});
    f.above_input_tokens = 5;
    assert_int_equal(price_set(&p, &f), PRICE_SET_E_RANGE);
    f.above_input_tokens = 0;
    f.service = SERVICE_FLEX;
    assert_int_equal(price_set(&p, &f), PRICE_SET_E_RANGE);
    f.service = SERVICE_STANDARD;
    for (int i = 0; i < BOUND_PRICE_VISUALS; i++) {
        (void)snprintf(f.visual_kind, sizeof(f.visual_kind), "%dx1", i);
        assert_int_equal(price_set(&p, &f), PRICE_SET_OK);
    }
    (void)snprintf(f.visual_kind, sizeof(f.visual_kind), "1x2");
    assert_int_equal(price_set(&p, &f), PRICE_SET_E_STEPS);
}

static void set_second(struct price *p, const char *size, int64_t charge)
{
    struct price_figure f = {.unit = USAGE_SECOND, .charge = charge, .cost = charge / 2};

    assert_true(price_visual_kind_parse(str_c(size), f.visual_kind));
    assert_int_equal(price_set(p, &f), PRICE_SET_OK);
}

static void a_second_of_video_costs_what_its_size_says(void **state)
{
    struct price_figure image = {.unit = USAGE_IMAGE, .visual_kind = "1x1"};
    struct price_figure quality = {.unit = USAGE_SECOND, .visual_kind = "hd"};
    struct price_estimate e = {.things = {.n = {[USAGE_SECOND] = 8, [USAGE_IMAGE] = 1}}};
    struct usage u = {.n = {[USAGE_SECOND] = 8}};
    struct money charge, cost;
    struct price p;

    price_init(&p, (struct price_id){1});
    set_second(&p, "1024x1792", 500000);
    set_second(&p, "1920x1080", 700000);
    assert_int_equal(price_set(&p, &image), PRICE_SET_E_RANGE); /* one unit has kinds */
    assert_int_equal(price_set(&p, &quality), PRICE_SET_E_RANGE);
    e.visual.size = STR("64x64");
    e.things.n[USAGE_IMAGE] = 0;
    assert_int_equal(price_hold(&p, &e, &charge), PRICE_E_UNNAMED);
    set(&p, USAGE_SECOND, 0, 300000, 150000);
    price_complete(&p);
    assert_int_equal(hold_of(&p, &e), 3); /* 2.4 rounded up */
    e.visual.size = STR("1024x1792");
    assert_int_equal(hold_of(&p, &e), 4);
    e.visual.size = STR_NONE; /* it may turn out as the dearest */
    assert_int_equal(hold_of(&p, &e), 6);
    assert_string_equal(kind_of(&p, NULL, "1024x1792"), "1024x1792");
    assert_string_equal(kind_of(&p, NULL, "720x1280"), "");
    assert_int_equal(price_charge(&p, SERVICE_STANDARD, "1024x1792", &u, &charge, &cost), PRICE_OK);
    assert_int_equal(charge.nano, 4);
    assert_int_equal(cost.nano, 2);
    u.n[USAGE_SECOND] = 10;
    assert_int_equal(price_charge(&p, SERVICE_STANDARD, "", &u, &charge, &cost), PRICE_OK);
    assert_int_equal(charge.nano, 3);
}

static int64_t fee(int64_t list, int32_t bp)
{
    return price_fee((struct money){list}, bp).nano;
}

static void a_fee_is_part_of_the_list_charge_rounded_up(void **state)
{
    assert_int_equal(fee(1000, 500), 50);
    assert_int_equal(fee(1001, 500), 51); /* 50.05 */
    assert_int_equal(fee(1, 1), 1);
    assert_int_equal(fee(0, 10000), 0);
    assert_int_equal(fee(123456789, 0), 0);
    assert_int_equal(fee(123456789, 10000), 123456789);
    assert_int_equal(fee(BOUND_CALL_COST_NANO, 9999), BOUND_CALL_COST_NANO / 10000 * 9999);
}

static void the_hold_of_an_own_key_covers_its_fee(void **state)
{
    struct price p = plain(1000000007, 2000000011);
    struct price_estimate e = {.input_tokens = 333, .output_tokens = 777};
    struct money list, held;

    assert_int_equal(price_hold(&p, &e, &list), PRICE_OK);
    e.own_key = true;
    assert_int_equal(price_hold(&p, &e, &held), PRICE_OK);
    assert_int_equal(held.nano, 0);
    assert_int_equal(price_affords_output(&p, &e, MONEY_ZERO) > 1000000, true);
    for (e.own_fee_bp = 1; e.own_fee_bp <= PRICE_FEE_WHOLE; e.own_fee_bp += 7) {
        e.output_tokens = 777;
        assert_int_equal(price_hold(&p, &e, &held), PRICE_OK);
        assert_int_equal(held.nano, fee(list.nano, e.own_fee_bp));
        /* What that affords is what it was held for, and one more would not be covered. */
        e.output_tokens = price_affords_output(&p, &e, held) + 1;
        assert_true(e.output_tokens > 777);
        assert_int_equal(price_hold(&p, &e, &list), PRICE_OK);
        assert_true(list.nano > held.nano);
        e.output_tokens--;
        assert_int_equal(price_hold(&p, &e, &list), PRICE_OK);
        assert_true(list.nano <= held.nano);
        e.output_tokens = 777;
        e.own_key = false;
        assert_int_equal(price_hold(&p, &e, &list), PRICE_OK);
        e.own_key = true;
    }
}

static void a_hold_of_the_cost_is_at_what_the_operator_pays(void **state)
{
    const struct price_figure figures[] = {
        {USAGE_INPUT, 0, 3000000, 1000000, SERVICE_STANDARD, ""},
        {USAGE_OUTPUT, 0, 9000000, 2000000, SERVICE_STANDARD, ""},
        {USAGE_OUTPUT, 200000, 1000000, 5000000, SERVICE_STANDARD, ""},
        {USAGE_IMAGE, 0, 90000000, 40000000, SERVICE_STANDARD, "high"},
    };
    struct price_estimate e = {.input_tokens = 1000, .output_tokens = 100};
    struct money hold;
    struct price p;

    price_init(&p, (struct price_id){1});
    for (size_t i = 0; i < ARRAY_LEN(figures); i++)
        assert_int_equal(price_set(&p, &figures[i]), PRICE_SET_OK);
    price_complete(&p);
    assert_int_equal(price_hold_cost(&p, &e, &hold), PRICE_OK);
    assert_int_equal(hold.nano, 1000 + 2 * 100);
    e.input_tokens = 300000;
    assert_int_equal(price_hold_cost(&p, &e, &hold), PRICE_OK);
    assert_int_equal(hold.nano, 300000 + 5 * 100);
    e = (struct price_estimate){.things = {.n = {[USAGE_IMAGE] = 2}}};
    assert_int_equal(price_hold_cost(&p, &e, &hold), PRICE_OK);
    assert_int_equal(hold.nano, 2 * 40);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(usual_calls_cost_what_people_expect),
        cmocka_unit_test(a_part_of_a_nano_is_rounded_up_once),
        cmocka_unit_test(a_class_without_price_takes_its_fallback),
        cmocka_unit_test(an_image_costs_what_its_quality_and_size_say),
        cmocka_unit_test(the_plain_figure_is_for_all_other_images),
        cmocka_unit_test(a_second_of_video_costs_what_its_size_says),
        cmocka_unit_test(kinds_of_images_are_a_quality_a_size_or_both),
        cmocka_unit_test(a_long_prompt_moves_the_whole_call_to_its_tier),
        cmocka_unit_test(what_no_call_may_cost_is_refused),
        cmocka_unit_test(a_service_tier_has_figures_of_its_own),
        cmocka_unit_test(things_are_charged_apiece),
        cmocka_unit_test(a_hold_is_of_the_dearest_that_can_be_reached),
        cmocka_unit_test(a_hold_beyond_what_a_call_may_cost_is_refused),
        cmocka_unit_test(the_output_that_is_affordable_is_the_most),
        cmocka_unit_test(a_fee_is_part_of_the_list_charge_rounded_up),
        cmocka_unit_test(the_hold_of_an_own_key_covers_its_fee),
        cmocka_unit_test(a_hold_of_the_cost_is_at_what_the_operator_pays),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
