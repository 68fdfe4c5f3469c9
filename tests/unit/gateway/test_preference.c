/* OpenRouter's `models` and `provider`, read into a route preference. */
#include "unit.h"

#include "base/bounds.h"
#include "gateway/preference.h"

static struct arena *arena;

static int set_up(void **state)
{
    arena = arena_new(MIB(4));
    return arena ? 0 : -1;
}

static int tear_down(void **state)
{
    arena_free(arena);
    return 0;
}

static struct route_preference read_both(const char *models, const char *provider)
{
    struct llm_request llm = {.models_json = str_c(models), .provider_json = str_c(provider)};
    struct route_preference p = {0};
    struct json_fault fault;

    assert_int_equal(preference_read(arena, &llm, &p, &fault), PREFERENCE_OK);
    return p;
}

static void faults(const char *models, const char *provider, const char *path)
{
    struct llm_request llm = {.models_json = str_c(models), .provider_json = str_c(provider)};
    struct route_preference p;
    struct json_fault fault = {.at = 0};

    assert_int_equal(preference_read(arena, &llm, &p, &fault), PREFERENCE_E_FIELD);
    assert_string_equal(fault.path, path);
}

static void nothing_said_is_no_preference(void **state)
{
    struct route_preference p = read_both(NULL, NULL);

    assert_int_equal(p.n_models, 0);
    assert_int_equal(p.only.n, 0);
    assert_false(p.no_fallbacks);
    assert_int_equal(p.max_input_price, -1);
    assert_int_equal(p.max_request_price, -1);
}

static void all_words_are_read(void **state)
{
    struct route_preference p =
        read_both("[\"b\",\"c\"]", "{\"order\":[\"OpenAI\"],\"only\":[\"x\",\"y\"],\"ignore\":null,"
                                   "\"allow_fallbacks\":false,\"sort\":\"price\",\"max_price\":"
                                   "{\"prompt\":1.5,\"completion\":\"2\",\"request\":0.01}}");

    assert_int_equal(p.n_models, 2);
    assert_str(p.models[1], "c");
    assert_int_equal(p.order.n, 1);
    assert_str(p.order.v[0], "OpenAI");
    assert_int_equal(p.only.n, 2);
    assert_int_equal(p.ignore.n, 0);
    assert_true(p.no_fallbacks);
    assert_int_equal(p.sort, SORT_PRICE);
    assert_int_equal(p.data_policy, DATA_UNKNOWN);
    assert_false(p.whole);
    assert_int_equal(p.max_input_price, 1500000000);
    assert_int_equal(p.max_output_price, 2000000000);
    assert_int_equal(p.max_request_price, 10000000000000);
}

static void what_may_become_of_the_data_is_read(void **state)
{
    struct route_preference p = read_both(NULL, "{\"data_collection\":\"deny\",\"require_parameters\":true,"
                                                "\"sort\":{\"by\":\"throughput\",\"partition\":\"none\"}}");

    assert_int_equal(p.data_policy, DATA_NO_TRAINING);
    assert_int_equal(p.sort, SORT_THROUGHPUT);
    assert_true(p.whole);
    p = read_both(NULL, "{\"data_collection\":\"allow\",\"zdr\":true,\"sort\":\"latency\"}");
    assert_int_equal(p.data_policy, DATA_NO_RETENTION);
    assert_int_equal(p.sort, SORT_LATENCY);
    p = read_both(NULL, "{\"data_collection\":null,\"zdr\":false,\"sort\":null}");
    assert_int_equal(p.data_policy, DATA_UNKNOWN);
    assert_int_equal(p.sort, SORT_NONE);
}

static void wrong_values_are_named(void **state)
{
    faults(NULL, "{\"sort\":\"beauty\"}", "provider.sort");
    faults(NULL, "{\"sort\":{\"by\":7}}", "provider.sort");
    faults(NULL, "{\"data_collection\":true}", "provider.data_collection");
    faults(NULL, "{\"zdr\":\"yes\"}", "provider.zdr");
    faults(NULL, "{\"require_parameters\":1}", "provider.require_parameters");
    faults("[1]", NULL, "models");
    faults("[\"1\",\"2\",\"3\",\"4\",\"5\",\"6\",\"7\",\"8\",\"9\"]", NULL, "models");
    faults(NULL, "{\"only\":\"x\"}", "provider.only");
    faults(NULL, "{\"allow_fallbacks\":1}", "provider.allow_fallbacks");
    faults(NULL, "{\"max_price\":[]}", "provider.max_price");
    faults(NULL, "{\"max_price\":{\"prompt\":-1}}", "provider.max_price.prompt");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_said_is_no_preference),
        cmocka_unit_test(all_words_are_read),
        cmocka_unit_test(what_may_become_of_the_data_is_read),
        cmocka_unit_test(wrong_values_are_named),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
