/* What an import makes of small files: added, changed, left alone, refused. */
#include "import_fixture.h"

#define OURS(models) \
    "{\"format\":\"tollgate-catalogue/1\",\"as_of\":\"2026-08-01\",\"models\":[" models "]}"
#define ONE_MODEL(price) ONE_OFFER(price, "")
#define ONE_OFFER(price, rest)                                                                   \
    "{\"name\":\"one\",\"vendor\":\"Acme\",\"kind\":\"chat\",\"aliases\":[\"acme/one\"],"        \
    "\"context_tokens\":1000,\"capabilities\":[\"tools\"],\"offers\":[{\"provider\":\"openai\"," \
    "\"upstream_model\":\"one-1\",\"source\":\"x\",\"usd_per_million\":" price rest "}]}"

static void our_format_is_read(void **state)
{
    wanted = "one";
    assert_int_equal(import_text(OURS(ONE_MODEL("{\"input\":\"1.25\",\"output\":\"10\"}")),
                                 (struct import_options){0}),
                     IMPORT_OK);
    assert_counts(1, 0, 0, 0, 0);
    assert_line(IMPORT_ADDED, "");
    assert_int_equal(figure("one", "openai", USAGE_INPUT, 0), INT64_C(1250000000));
    assert_int_equal(figure("acme/one", "openai", USAGE_OUTPUT, 0), INT64_C(10000000000));
    assert_false(facts("one").is.enabled); /* until an account serves it */
    assert_int_equal(facts("one").is.abilities, ABILITY_BIT(ABILITY_TOOLS));
}

static void a_second_import_adds_nothing(void **state)
{
    const char *text = OURS(ONE_MODEL("{\"input\":\"1.25\",\"output\":\"10\"}"));

    assert_int_equal(import_text(text, (struct import_options){0}), IMPORT_OK);
    assert_int_equal(import_text(text, (struct import_options){0}), IMPORT_OK);
    assert_counts(0, 0, 1, 0, 0);
    assert_int_equal(versions_of("one"), 1);
}

static void another_price_is_a_new_version(void **state)
{
    wanted = "one";
    assert_int_equal(import_text(OURS(ONE_MODEL("{\"input\":\"1.25\",\"output\":\"10\"}")),
                                 (struct import_options){0}),
                     IMPORT_OK);
    assert_int_equal(
        import_text(OURS(ONE_MODEL("{\"input\":\"1.25\",\"output\":\"8\",\"request\":\"7\"}")),
                    (struct import_options){0}),
        IMPORT_OK);
    assert_counts(0, 1, 0, 0, 0);
    assert_line(IMPORT_CHANGED, "output 10.00 -> 8.00, request none -> 7.00 USD per million");
    assert_int_equal(versions_of("one"), 2);
    assert_int_equal(figure("one", "openai", USAGE_OUTPUT, 0), INT64_C(8000000000));
}

static void a_dry_run_only_tells(void **state)
{
    struct model_row row;

    assert_int_equal(import_text(OURS(ONE_MODEL("{\"input\":\"1\",\"output\":\"1\"}")),
                                 (struct import_options){.dry_run = true}),
                     IMPORT_OK);
    assert_counts(1, 0, 0, 0, 0);
    assert_int_equal(db_begin(db, DB_OPERATOR, true), 0);
    assert_int_equal(model_by_name(db, arena, STR("one"), &row), CHANGE_E_NONE);
    db_rollback(db);
}

static void a_mark_up_is_rounded_up(void **state)
{
    assert_int_equal(import_text(OURS(ONE_MODEL("{\"input\":\"0.000000001\",\"output\":\"2\"}")),
                                 (struct import_options){.markup_bp = 550}),
                     IMPORT_OK);
    assert_int_equal(figure("one", "openai", USAGE_INPUT, 0), 2);
    assert_int_equal(figure("one", "openai", USAGE_OUTPUT, 0), INT64_C(2110000000));
}

static void what_an_operator_priced_is_left_alone(void **state)
{
    struct price_figure figures[2];
    struct price_draft d;
    struct price_id id;

    wanted = "one";
    assert_int_equal(import_text(OURS(ONE_MODEL("{\"input\":\"1\",\"output\":\"1\"}")),
                                 (struct import_options){0}),
                     IMPORT_OK);
    d = a_price(facts("one").id, figures, 3, 3);
    d.kind = STR("openai");
    assert_int_equal(db_begin(db, DB_OPERATOR, false), 0);
    assert_int_equal(price_publish(db, &the_operator, &d, &id, &fault), CHANGE_OK);
    assert_int_equal(db_commit(db), 0);
    assert_int_equal(import_text(OURS(ONE_MODEL("{\"input\":\"2\",\"output\":\"2\"}")),
                                 (struct import_options){0}),
                     IMPORT_OK);
    assert_line(IMPORT_SKIPPED, "an operator has set its price");
    assert_int_equal(figure("one", "openai", USAGE_INPUT, 0), INT64_C(3000000000));
}

static void a_wrong_file_is_refused_whole(void **state)
{
    static const char *const wrong[] = {
        "",
        "[]",
        "{\"format\":\"tollgate-catalogue/2\",\"as_of\":\"2026-08-01\",\"models\":[]}",
        "{\"format\":\"tollgate-catalogue/1\",\"as_of\":\"2026-08-01\"}",
        OURS("{\"name\":\"one\"}"),
        OURS(ONE_MODEL("{\"input\":1.25,\"output\":\"1\"}")),
        OURS(ONE_MODEL("{\"inptu\":\"1\",\"output\":\"1\"}")),
        OURS(ONE_MODEL("{\"input\":\"1.0000000001\",\"output\":\"1\"}")),
        OURS(ONE_MODEL("[]")),
    };

    for (size_t i = 0; i < ARRAY_LEN(wrong); i++)
        assert_int_equal(import_text(wrong[i], (struct import_options){0}), IMPORT_E_FORMAT);
}

static void absurd_and_unfinished_prices_are_refused(void **state)
{
    assert_int_equal(import_text(OURS(ONE_MODEL("{\"input\":\"10000.1\",\"output\":\"1\"}")),
                                 (struct import_options){0}),
                     IMPORT_OK);
    assert_counts(0, 0, 0, 1, 0);
    assert_int_equal(import_text(OURS(ONE_MODEL("{\"input\":\"1\"}")), (struct import_options){0}),
                     IMPORT_OK);
    assert_counts(0, 0, 0, 1, 0);
}

#define LITELLM(name, provider, rest) \
    "\"" name "\":{\"litellm_provider\":\"" provider "\",\"mode\":\"chat\"," rest "}"
#define PRICED "\"input_cost_per_token\":1e-06,\"output_cost_per_token\":2e-06"

static void litellms_entries_are_judged(void **state)
{
    static const struct {
        const char *text, *name;
        enum import_verdict verdict;
    } cases[] = {
        {LITELLM("groq/llama-9", "groq", PRICED), "llama-9", IMPORT_ADDED},
        {LITELLM("m1", "bedrock", PRICED), "m1", IMPORT_SKIPPED},
        {LITELLM("m2", "openai", "\"input_cost_per_token\":0.54,\"output_cost_per_token\":1e-6"),
         "m2", IMPORT_REFUSED},
        {LITELLM("m3", "wandb", "\"input_cost_per_token\":0.54"), "m3", IMPORT_REFUSED},
        {LITELLM("m4", "openai", "\"input_cost_per_token\":0,\"output_cost_per_token\":0.0"), "m4",
         IMPORT_REFUSED},
        {LITELLM("m5", "openai", "\"input_cost_per_token\":1e-6"), "m5", IMPORT_REFUSED},
        {LITELLM("m6", "openai", "\"output_cost_per_token\":1e-6"), "m6", IMPORT_REFUSED},
        {LITELLM("m7", "openai", PRICED ",\"tiered_pricing\":[{\"input_cost_per_token\":1e-6}]"), "m7",
         IMPORT_REFUSED},
        {LITELLM("m12", "openai", PRICED ",\"input_cost_per_second\":1e-05"), "m12", IMPORT_REFUSED},
        {LITELLM("m13", "openai", PRICED ",\"input_cost_per_character\":0"), "m13", IMPORT_ADDED},
        {LITELLM("m14", "openai", PRICED ",\"output_cost_per_image\":0.04"), "m14", IMPORT_REFUSED},
        {LITELLM("m15", "openai",
                 PRICED ",\"output_cost_per_image\":0.04,\"output_cost_per_image_token\":3e-05"),
         "m15", IMPORT_ADDED},
        {LITELLM("m8", "openai",
                 "\"input_cost_per_token\":1.00000000000000001e-06,"
                 "\"output_cost_per_token\":1e-6"),
         "m8", IMPORT_REFUSED},
        {LITELLM("ft:m9", "openai", PRICED), "ft:m9", IMPORT_SKIPPED},
        {LITELLM("m10", "openai", PRICED ",\"deprecation_date\":\"2024-01-31\""), "m10",
         IMPORT_SKIPPED},
        {LITELLM("m11", "openai", PRICED ",\"deprecation_date\":\"2999-01-31\""), "m11",
         IMPORT_ADDED},
        {LITELLM("two words", "openai", PRICED), "two words", IMPORT_REFUSED},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct str text = arena_strf(arena, "{%s}", cases[i].text);

        wanted = cases[i].name;
        assert_int_equal(import_text(text.p, (struct import_options){0}), IMPORT_OK);
        assert_int_equal(n_lines, 1);
        if (lines[0].verdict != cases[i].verdict)
            fail_msg("%s: %s, %.*s", cases[i].name, import_verdict_name(lines[0].verdict),
                     STR_FMT(lines[0].detail));
    }
}

/* Every price field of an entry is a figure, or is told not to be one. */
static void litellms_prices_are_taken_or_told(void **state)
{
    wanted = "m";
    assert_int_equal(
        import_text("{" LITELLM(
                        "m", "openai",
                        PRICED ",\"cache_creation_input_token_cost_above_1hr\":6e-06,"
                               "\"cache_creation_input_token_cost_above_1hr_above_200k_tokens\":12e-06,"
                               "\"output_cost_per_reasoning_token\":5e-06,"
                               "\"input_cost_per_audio_token\":7e-06,"
                               "\"output_cost_per_token_above_272k_tokens\":8e-06,"
                               "\"input_cost_per_request\":0.005,"
                               "\"input_cost_per_token_cache_hit\":1e-07,"
                               "\"cache_read_input_token_cost\":1e-07,"
                               "\"input_cost_per_token_priority\":12e-06,"
                               "\"output_cost_per_token_priority\":9e-06,"
                               "\"output_cost_per_token_above_272k_tokens_priority\":10e-06,"
                               "\"output_cost_per_token_flex\":1e-06,"
                               "\"input_cost_per_token_batches\":5e-07,"
                               "\"input_cost_per_image\":0.0048,"
                               "\"search_context_cost_per_query\":{\"low\":0.01}") "}",
                    (struct import_options){0}),
        IMPORT_OK);
    assert_line(IMPORT_ADDED, "not taken: input_cost_per_token_batches, input_cost_per_image, "
                              "search_context_cost_per_query, flex");
    assert_int_equal(figure("m", "openai", USAGE_CACHE_WRITE_1H, 0), INT64_C(6000000000));
    assert_int_equal(figure("m", "openai", USAGE_CACHE_WRITE_1H, 200000), INT64_C(12000000000));
    assert_int_equal(figure("m", "openai", USAGE_REASONING, 0), INT64_C(5000000000));
    assert_int_equal(figure("m", "openai", USAGE_AUDIO_INPUT, 0), INT64_C(7000000000));
    assert_int_equal(figure("m", "openai", USAGE_OUTPUT, 272000), INT64_C(8000000000));
    assert_int_equal(figure("m", "openai", USAGE_REQUEST, 0), INT64_C(5000000000000));
    assert_int_equal(figure("m", "openai", USAGE_CACHED_INPUT, 0), INT64_C(100000000));
    assert_int_equal(figure_at("m", "openai", SERVICE_PRIORITY, USAGE_INPUT, 0),
                     INT64_C(12000000000));
    assert_int_equal(figure_at("m", "openai", SERVICE_PRIORITY, USAGE_OUTPUT, 0),
                     INT64_C(9000000000));
    assert_int_equal(figure_at("m", "openai", SERVICE_PRIORITY, USAGE_OUTPUT, 272000),
                     INT64_C(10000000000));
    assert_int_equal(figure_at("m", "openai", SERVICE_FLEX, USAGE_OUTPUT, 0), -1);
}

#define SEARCHES(low, medium, high)                                                     \
    ",\"search_context_cost_per_query\":{\"search_context_size_low\":" low               \
    ",\"search_context_size_medium\":" medium ",\"search_context_size_high\":" high "}"

/* A thousand searches for ten dollars are a cent each; a model that sells them can search. Of sizes
 * the middle one counts, and the others are told. Models that always search cost it with each
 * request, and theirs asked for by name nothing beside it. */
static void litellms_searches_have_a_price(void **state)
{
    wanted = "m";
    assert_int_equal(import_text("{" LITELLM("m", "anthropic", PRICED SEARCHES("0.01", "0.01", "0.01")) "}",
                                 (struct import_options){0}),
                     IMPORT_OK);
    assert_line(IMPORT_ADDED, "");
    assert_int_equal(figure("m", "anthropic", USAGE_SEARCH, 0), INT64_C(10000000000000));
    assert_true(facts("m").is.abilities & ABILITY_BIT(ABILITY_WEB_SEARCH));
    wanted = "n";
    assert_int_equal(import_text("{" LITELLM("n", "openai", PRICED SEARCHES("0.025", "0.0275", "0.03")) "}",
                                 (struct import_options){0}),
                     IMPORT_OK);
    assert_line(IMPORT_ADDED, "not taken: search_context_cost_per_query other than medium");
    assert_int_equal(figure("n", "openai", USAGE_SEARCH, 0), INT64_C(27500000000000));
    assert_int_equal(figure("n", "openai", USAGE_REQUEST, 0), -1);
    wanted = "sonar-9";
    assert_int_equal(import_text("{" LITELLM("perplexity/sonar-9", "perplexity",
                                             PRICED SEARCHES("0.005", "0.008", "0.012")) "}",
                                 (struct import_options){0}),
                     IMPORT_OK);
    assert_line(IMPORT_ADDED, "not taken: search_context_cost_per_query other than medium");
    assert_int_equal(figure("sonar-9", "perplexity", USAGE_REQUEST, 0), INT64_C(8000000000000));
    assert_int_equal(figure("sonar-9", "perplexity", USAGE_SEARCH, 0), 0);
    wanted = "free";
    assert_int_equal(import_text("{" LITELLM("free", "openai", PRICED SEARCHES("0.0", "0.0", "0.0")) "}",
                                 (struct import_options){0}),
                     IMPORT_OK);
    assert_int_equal(figure("free", "openai", USAGE_SEARCH, 0), -1);
    wanted = "dear";
    assert_int_equal(import_text("{" LITELLM("dear", "openai", PRICED SEARCHES("540", "540", "540")) "}",
                                 (struct import_options){0}),
                     IMPORT_OK);
    assert_line(IMPORT_REFUSED, "search_context_cost_per_query is 540: absurd");
}

static void our_format_has_service_tiers(void **state)
{
    wanted = "one";
    assert_int_equal(import_text(OURS(ONE_OFFER("{\"input\":\"1\",\"output\":\"2\"}",
                                                ",\"service_tiers\":[{\"service_tier\":\"flex\","
                                                "\"usd_per_million\":{\"input\":\"0.5\",\"output\":\"1\"}}]")),
                                 (struct import_options){0}),
                     IMPORT_OK);
    assert_int_equal(figure_at("one", "openai", SERVICE_FLEX, USAGE_OUTPUT, 0), INT64_C(1000000000));
    assert_int_equal(import_text(OURS(ONE_OFFER("{\"input\":\"1\",\"output\":\"2\"}",
                                                ",\"service_tiers\":[{\"service_tier\":\"slow\","
                                                "\"usd_per_million\":{\"input\":\"0.5\",\"output\":\"1\"}}]")),
                                 (struct import_options){0}),
                     IMPORT_E_FORMAT);
    assert_int_equal(import_text(OURS(ONE_OFFER("{\"input\":\"1\",\"output\":\"2\"}",
                                                ",\"service_tiers\":[{\"service_tier\":\"flex\","
                                                "\"usd_per_million\":{\"input\":\"0.5\"}}]")),
                                 (struct import_options){0}),
                     IMPORT_OK);
    assert_counts(0, 0, 0, 1, 0); /* its output has no price */
}

static void a_file_may_not_contradict_itself(void **state)
{
    wanted = "m";
    assert_int_equal(
        import_text("{" LITELLM("m", "deepseek", PRICED) "," LITELLM(
                        "deepseek/m", "deepseek",
                        "\"input_cost_per_token\":5e-06,\"output_cost_per_token\":2e-06") "}",
                    (struct import_options){0}),
        IMPORT_OK);
    assert_int_equal(n_lines, 2);
    assert_int_equal(lines[0].verdict, IMPORT_ADDED);
    assert_int_equal(lines[1].verdict, IMPORT_REFUSED);
    assert_int_equal(figure("m", "deepseek", USAGE_INPUT, 0), 1000000000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        TEST(our_format_is_read),
        TEST(a_second_import_adds_nothing),
        TEST(another_price_is_a_new_version),
        TEST(a_dry_run_only_tells),
        TEST(a_mark_up_is_rounded_up),
        TEST(what_an_operator_priced_is_left_alone),
        TEST(a_wrong_file_is_refused_whole),
        TEST(absurd_and_unfinished_prices_are_refused),
        TEST(litellms_entries_are_judged),
        TEST(litellms_prices_are_taken_or_told),
        TEST(litellms_searches_have_a_price),
        TEST(our_format_has_service_tiers),
        TEST(a_file_may_not_contradict_itself),
#undef TEST
    };

    return cmocka_run_group_tests(tests, catalog_fixture_start, catalog_fixture_stop);
}
