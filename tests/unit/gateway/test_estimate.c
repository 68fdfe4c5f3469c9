/* What a call can use at most, before it is sent: text, media, output, service tier. */
#include "unit.h"

#include "base/bounds.h"
#include "gateway/estimate.h"

static struct catalog_model model;
static struct price price;
static struct catalog_target target;
static const struct catalog_account account = {.id = {1}};

static int setup(void **state)
{
    const struct price_figure input = {USAGE_INPUT, 0, 1000000, 0, SERVICE_STANDARD};
    const struct price_figure output = {USAGE_OUTPUT, 0, 1000000, 0, SERVICE_STANDARD};

    model = (struct catalog_model){.kind = MODEL_CHAT, .media_tokens = 1000,
                                   .max_output_tokens = 500};
    price_init(&price, (struct price_id){1});
    assert_int_equal(price_set(&price, &input), PRICE_SET_OK);
    assert_int_equal(price_set(&price, &output), PRICE_SET_OK);
    price_complete(&price); /* a nano-dollar a token */
    target = (struct catalog_target){.model = &model, .account = &account, .price = &price};
    return 0;
}

static struct estimate estimate(struct llm_request llm, int64_t available)
{
    struct estimate e;

    llm.choices = MAX(llm.choices, 1u);
    estimate_make(&llm, &target, (struct money){available}, &e);
    return e;
}

static void text_is_half_a_token_a_byte(void **state)
{
    struct estimate e = estimate((struct llm_request){.text_bytes = 1001}, -1);

    assert_int_equal(e.most.input_tokens, 501);
    assert_int_equal(e.most.audio_input_tokens, 0);
    assert_int_equal(e.most.things.n[USAGE_REQUEST], 1);
    assert_false(e.most.audio_output);
}

static void media_count_as_their_bound_or_their_bytes(void **state)
{
    assert_int_equal(estimate((struct llm_request){.image_parts = 3}, -1).most.input_tokens, 3001);
    assert_int_equal(estimate((struct llm_request){.image_parts = 3}, -1).most.things.n[USAGE_IMAGE], 3);
    assert_int_equal(
        estimate((struct llm_request){.file_parts = 1, .file_bytes = 400}, -1).most.input_tokens, 1001);
    assert_int_equal(
        estimate((struct llm_request){.file_parts = 1, .file_bytes = 40000}, -1).most.input_tokens,
        30001);
    assert_int_equal(
        estimate((struct llm_request){.audio_parts = 2, .audio_bytes = 8}, -1).most.audio_input_tokens,
        2000);
    assert_int_equal(estimate((struct llm_request){.audio_parts = 1, .audio_bytes = 1280000}, -1)
                         .most.audio_input_tokens,
                     10000);
}

/* Searches that the provider may make are held for at their price, beside everything else. */
static void searches_are_things_apiece(void **state)
{
    const struct price_figure search = {USAGE_SEARCH, 0, 7000000, 0, SERVICE_STANDARD};
    struct llm_request llm = {.text_bytes = 1, .searches = 3, .has_output_limit = true,
                              .output_limit = 10};
    struct estimate e = estimate(llm, -1);
    struct money without, with;

    assert_int_equal(e.most.things.n[USAGE_SEARCH], 3);
    assert_int_equal(price_hold(&price, &e.most, &without), PRICE_OK);
    assert_int_equal(price_set(&price, &search), PRICE_SET_OK);
    price_complete(&price);
    assert_int_equal(price_hold(&price, &e.most, &with), PRICE_OK);
    assert_int_equal(with.nano - without.nano, 3 * 7);
    llm.searches = UINT64_MAX;
    assert_int_equal(estimate(llm, -1).most.things.n[USAGE_SEARCH], BOUND_USAGE_QUANTITY);
}

static void media_never_need_more_than_the_context(void **state)
{
    model.context_tokens = 8000;
    assert_int_equal(
        estimate((struct llm_request){.file_parts = 1, .file_bytes = 40000}, -1).most.input_tokens, 8001);
    assert_int_equal(estimate((struct llm_request){.audio_parts = 1, .audio_bytes = 1280000}, -1)
                         .most.audio_input_tokens,
                     8000);
    /* A file that is not here can be as large as that. */
    assert_int_equal(estimate((struct llm_request){.files_elsewhere = 1}, -1).most.input_tokens, 8001);
    model.context_tokens = 0;
    assert_int_equal(estimate((struct llm_request){.files_elsewhere = 1}, -1).most.input_tokens, 1001);
}

static void output_is_what_is_allowed_times_n(void **state)
{
    struct estimate e = estimate(
        (struct llm_request){.has_output_limit = true, .output_limit = 100, .choices = 3}, -1);

    assert_int_equal(e.most.output_tokens, 300);
    assert_false(e.send_limit);
    e = estimate((struct llm_request){.has_output_limit = true, .output_limit = 9999}, -1);
    assert_int_equal(e.most.output_tokens, 500); /* the model's own maximum */
    e = estimate((struct llm_request){.has_output_limit = true, .output_limit = INT32_MAX,
                                      .choices = 128}, -1);
    assert_int_equal(e.most.output_tokens, 500 * 128);
    model.max_output_tokens = 0;
    e = estimate((struct llm_request){.has_output_limit = true, .output_limit = INT32_MAX,
                                      .choices = 128}, -1);
    assert_int_equal(e.most.output_tokens, BOUND_USAGE_QUANTITY);
    model.max_output_tokens = 500;
}

static void without_a_limit_a_tenth_of_the_balance_goes_but_never_below_1024_tokens(void **state)
{
    struct estimate e = estimate((struct llm_request){.text_bytes = 0}, 5010);

    assert_int_equal(e.most.output_tokens, 500); /* (5010 / 10 - 1 token of input) buys it */
    assert_false(e.send_limit);
    model.max_output_tokens = 4000;
    e = estimate((struct llm_request){.text_bytes = 0}, 20010);
    assert_int_equal(e.most.output_tokens, 2000);
    assert_true(e.send_limit);
    e = estimate((struct llm_request){.text_bytes = 0}, 10);
    assert_int_equal(e.most.output_tokens, 1024);
    e = estimate((struct llm_request){.text_bytes = 0, .choices = 2}, 40010);
    assert_int_equal(e.output_each, 2000);
    assert_int_equal(e.most.output_tokens, 4000);
    model.max_output_tokens = 500;
}

static void sound_and_service_tier_are_told(void **state)
{
    struct estimate e =
        estimate((struct llm_request){.wants_audio = true, .service = SERVICE_PRIORITY}, -1);

    assert_true(e.most.audio_output);
    assert_int_equal(e.most.service, SERVICE_PRIORITY);
}

static void another_target_has_bounds_of_its_own(void **state)
{
    struct catalog_model large = {.kind = MODEL_CHAT, .media_tokens = 5000,
                                  .max_output_tokens = 900};
    struct catalog_target other = {.model = &large, .account = &account, .price = &price};
    struct llm_request llm = {.image_parts = 1, .has_output_limit = true, .output_limit = 9999,
                              .choices = 2};
    struct estimate first = estimate(llm, -1);
    struct price_estimate most;

    assert_int_equal(first.most.output_tokens, 1000);
    estimate_other(&llm, &other, &first, &most);
    assert_int_equal(most.input_tokens, 5001);
    assert_int_equal(most.output_tokens, 1800);
    llm.has_output_limit = false; /* it is sent what the first was allowed */
    first = estimate(llm, -1);
    estimate_other(&llm, &other, &first, &most);
    assert_int_equal(most.output_tokens, 1000);
}

static void what_is_counted_without_figures_is_four_bytes_a_token(void **state)
{
    const struct llm_request llm = {.prompt_bytes = 401, .image_parts = 1, .audio_parts = 2};
    struct usage u;

    estimate_prompt(&llm, &model, &u);
    assert_int_equal(u.n[USAGE_INPUT], 101 + 1000);
    assert_int_equal(u.n[USAGE_AUDIO_INPUT], 2000);
    assert_int_equal(estimate_tokens(UINT64_MAX), BOUND_USAGE_QUANTITY);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup(name, setup)
        TEST(text_is_half_a_token_a_byte),
        TEST(media_count_as_their_bound_or_their_bytes),
        TEST(searches_are_things_apiece),
        TEST(media_never_need_more_than_the_context),
        TEST(output_is_what_is_allowed_times_n),
        TEST(without_a_limit_a_tenth_of_the_balance_goes_but_never_below_1024_tokens),
        TEST(sound_and_service_tier_are_told),
        TEST(another_target_has_bounds_of_its_own),
        TEST(what_is_counted_without_figures_is_four_bytes_a_token),
#undef TEST
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
