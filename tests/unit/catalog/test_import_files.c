/* Whole catalogue files: LiteLLM's public table, our own, and what a new installation starts with.
 */
#include "import_fixture.h"

#include "base/clock.h"
#include "catalog/bootstrap.h"

#define OUR_FILE "server/catalog/data/models.json"
#define LITELLM_FILE "../shared/prices/litellm_model_prices_and_context_window.json"

static int import_file(const char *path, struct import_options options)
{
    struct str why = STR("");
    int r = catalog_import_file(db, arena, &the_operator, path, &options, &result, &why);

    if (r == IMPORT_E_FORMAT)
        print_error("%.*s\n", STR_FMT(why));
    return r;
}

static int64_t visual_figure(const char *model, const char *kind)
{
    struct price price;
    struct model_row row;
    struct price_version *v;
    size_t n = 0;

    assert_int_equal(db_begin(db, DB_OPERATOR, true), 0);
    assert_int_equal(model_by_name(db, arena, str_c(model), &row), CHANGE_OK);
    assert_int_equal(price_history(db, arena, row.id, &v, &n), CHANGE_OK);
    assert_true(n > 0);
    assert_int_equal(price_read(db, arena, v[0].id, &price), PRICE_READ_OK);
    db_rollback(db);
    if (!*kind)
        return price.of[SERVICE_STANDARD].v[0].charge[USAGE_IMAGE];
    return price_visual_at(&price, kind) ? price_visual_at(&price, kind)->charge : -1;
}

/* A day of the table's own time, so that what was retired since does not change the counts. */
static int64_t august_2026(void *ctx)
{
    return INT64_C(1785542400) * 1000000;
}

static int64_t any_time(void *ctx)
{
    return 1;
}

/* What is no chat, each in its own unit. */
static void things_of_litellms_table(void)
{
    const int64_t apiece = 1000000; /* nano-dollars a piece to those per million */

    assert_int_equal(facts("whisper-1").is.kind, MODEL_TRANSCRIPTION);
    assert_int_equal(figure("whisper-1", "openai", USAGE_SECOND, 0), 100000 * apiece);
    assert_int_equal(figure("gpt-4o-transcribe", "openai", USAGE_SECOND, 0), -1);
    assert_int_equal(figure("gpt-4o-transcribe", "openai", USAGE_OUTPUT, 0), INT64_C(10000000000));
    assert_int_equal(facts("tts-1").is.kind, MODEL_SPEECH);
    assert_int_equal(figure("tts-1", "openai", USAGE_CHARACTER, 0), 15000 * apiece);
    assert_int_equal(figure("gpt-4o-mini-tts", "openai", USAGE_AUDIO_OUTPUT, 0),
                     INT64_C(12000000000));
    assert_int_equal(figure("gpt-4o-mini-tts", "openai", USAGE_SECOND, 0), -1);
    assert_int_equal(facts("rerank-v3.5").is.kind, MODEL_RERANK);
    assert_int_equal(figure("rerank-v3.5", "cohere", USAGE_SEARCH, 0), 2000000 * apiece);
    assert_int_equal(figure("rerank-2.5", "voyage", USAGE_INPUT, 0), 50000000);
    assert_int_equal(facts("gpt-3.5-turbo-instruct").is.kind, MODEL_COMPLETION);
    assert_int_equal(figure("gpt-image-1", "openai", USAGE_IMAGE_OUTPUT, 0), INT64_C(40000000000));
    assert_int_equal(figure("gpt-image-1", "openai", USAGE_IMAGE, 0), -1);
    assert_int_equal(facts("dall-e-3").is.kind, MODEL_IMAGE);
    assert_int_equal(visual_figure("dall-e-3", ""), 40000000 * apiece);
    assert_int_equal(visual_figure("dall-e-3", "hd/1024x1024"), 80000000 * apiece);
    assert_int_equal(visual_figure("dall-e-3", "hd/1792x1024"), 120000000 * apiece);
    assert_int_equal(visual_figure("dall-e-2", "256x256"), 16000000 * apiece);
    assert_int_equal(visual_figure("dall-e-2", "512x512"), 18000000 * apiece);
    assert_int_equal(visual_figure("dall-e-2", "1024x1024"), 20000000 * apiece);
    assert_int_equal(facts("sora-2-pro").is.kind, MODEL_VIDEO);
    assert_int_equal(figure("sora-2", "openai", USAGE_SECOND, 0), 100000000 * apiece);
    assert_int_equal(visual_figure("sora-2", "1024x1792"), -1);
    assert_int_equal(figure("sora-2-pro", "openai", USAGE_SECOND, 0), 300000000 * apiece);
    assert_int_equal(visual_figure("sora-2-pro", "1024x1792"), 500000000 * apiece);
    assert_int_equal(visual_figure("sora-2-pro", "1792x1024"), 500000000 * apiece);
    assert_int_equal(visual_figure("sora-2-pro", "1280x720"), -1);
    assert_int_equal(figure("veo-3.1-generate-preview", "google", USAGE_SECOND, 0), 400000000 * apiece);
    assert_int_equal(figure("veo-3.1-lite-generate-preview", "google", USAGE_SECOND, 0), 50000000 * apiece);
    assert_int_equal(visual_figure("veo-3.1-lite-generate-preview", "1920x1080"), 80000000 * apiece);
    assert_int_equal(visual_figure("veo-3.1-lite-generate-preview", "1080x1920"), 80000000 * apiece);
}

static void litellms_table_is_read(void **state)
{
    const struct clock_source then = {.mono_ns = any_time, .wall_us = august_2026};
    struct model_row row;

    if (access(LITELLM_FILE, R_OK) != 0) {
        print_message("no LiteLLM price table here: %s\n", LITELLM_FILE);
        skip();
    }
    clock_drive(&then);
    assert_int_equal(import_file(LITELLM_FILE, (struct import_options){0}), IMPORT_OK);
    clock_drive(NULL);
    /* 2,986 keys, of which one is the specification. */
    assert_int_equal(result.count[IMPORT_ADDED] + result.count[IMPORT_UNCHANGED] +
                         result.count[IMPORT_REFUSED] + result.count[IMPORT_SKIPPED],
                     2985);
    assert_int_equal(result.count[IMPORT_CHANGED], 0);
    assert_true(result.count[IMPORT_ADDED] > 500);
    print_message("added %zu, unchanged %zu, refused %zu, skipped %zu\n",
                  result.count[IMPORT_ADDED], result.count[IMPORT_UNCHANGED],
                  result.count[IMPORT_REFUSED], result.count[IMPORT_SKIPPED]);

    assert_int_equal(figure("gpt-4o", "openai", USAGE_INPUT, 0), INT64_C(2500000000));
    assert_int_equal(figure("gpt-4o", "openai", USAGE_CACHED_INPUT, 0), INT64_C(1250000000));
    assert_int_equal(figure("gpt-4o", "openai", USAGE_OUTPUT, 0), INT64_C(10000000000));
    assert_int_equal(figure("claude-sonnet-4-5", "anthropic", USAGE_CACHE_WRITE_5M, 0),
                     INT64_C(3750000000));
    assert_int_equal(figure("gemini-2.5-pro", "google", USAGE_INPUT, 0), INT64_C(1250000000));
    assert_int_equal(figure("gemini-2.5-pro", "google", USAGE_INPUT, 200000), INT64_C(2500000000));
    assert_int_equal(figure("gemini-2.5-pro", "google", USAGE_OUTPUT, 200000),
                     INT64_C(15000000000));
    assert_int_equal(figure("deepseek-v4-pro", "deepseek", USAGE_CACHED_INPUT, 0), 3625000);
    assert_int_equal(figure("text-embedding-3-small", "openai", USAGE_INPUT, 0), 20000000);
    assert_int_equal(figure("llama-3.1-8b-instant", "groq", USAGE_OUTPUT, 0), 80000000);
    row = facts("gpt-4o");
    assert_str(row.is.vendor, "OpenAI");
    assert_int_equal(row.is.context_tokens, 128000);
    assert_int_equal(row.is.max_output_tokens, 16384);
    assert_true(row.is.abilities & ABILITY_BIT(ABILITY_VISION));
    assert_true(row.is.abilities & ABILITY_BIT(ABILITY_TOOLS));
    /* "supports_sampling_params": false there is what a model cannot do. */
    row = facts("claude-opus-4-8");
    assert_true(row.is.abilities & ABILITY_BIT(ABILITY_ADAPTIVE));
    assert_true(row.is.abilities & ABILITY_BIT(ABILITY_NO_SAMPLING));
    row = facts("claude-sonnet-4-5");
    assert_false(row.is.abilities & ABILITY_BIT(ABILITY_ADAPTIVE));
    assert_false(row.is.abilities & ABILITY_BIT(ABILITY_NO_SAMPLING));
    assert_str(facts("llama-3.1-8b-instant").is.vendor, "Meta");
    assert_int_equal(facts("grok-4-1-fast").is.context_tokens, 2000000); /* 2000000.0 there */
    assert_int_equal(facts("text-embedding-3-small").is.kind, MODEL_EMBEDDING);
    things_of_litellms_table();

    clock_drive(&then);
    assert_int_equal(import_file(LITELLM_FILE, (struct import_options){0}), IMPORT_OK);
    clock_drive(NULL);
    assert_int_equal(result.count[IMPORT_ADDED], 0);
    assert_int_equal(result.count[IMPORT_CHANGED], 0);
}

static void our_own_file_is_whole(void **state)
{
    const struct catalog_model *models;
    size_t added = 0, n;

    assert_int_equal(catalog_bootstrap(db, OUR_FILE, &added), IMPORT_OK);
    assert_true(added >= 100);
    assert_int_equal(import_file(OUR_FILE, (struct import_options){0}), IMPORT_OK);
    assert_int_equal(result.count[IMPORT_UNCHANGED], added);
    assert_counts(0, 0, added, 0, 0);
    assert_int_equal(catalog_load(db, &here, &loaded), CATALOG_OK);
    models = catalog_models(loaded, &n);
    assert_true(n >= 80);
    for (size_t i = 0; i < n; i++) {
        assert_false(models[i].enabled);
        assert_true(models[i].context_tokens > 0);
        if (models[i].kind == MODEL_CHAT)
            assert_true(models[i].max_output_tokens > 0);
    }
    assert_int_equal(figure("gpt-5", "openai", USAGE_INPUT, 0), INT64_C(1250000000));
    assert_int_equal(figure("openai/gpt-5", "openai", USAGE_OUTPUT, 0), INT64_C(10000000000));
    assert_int_equal(figure("llama-3.3-70b-instruct", "groq", USAGE_INPUT, 0), 590000000);
    assert_int_equal(figure("llama-3.3-70b-instruct", "together", USAGE_INPUT, 0), 880000000);
}

static void a_bootstrap_touches_nothing_that_is_there(void **state)
{
    struct model_draft d = a_model("gpt-5");
    struct price_figure figures[2];
    struct price_draft price;
    struct model_id id;
    struct price_id price_id;
    size_t added = 0;

    assert_int_equal(db_begin(db, DB_OPERATOR, false), 0);
    assert_int_equal(model_add(db, &the_operator, &d, &id, &fault), CHANGE_OK);
    price = a_price(id, figures, 77, 77);
    price.kind = STR("openai");
    assert_int_equal(price_publish(db, &the_operator, &price, &price_id, &fault), CHANGE_OK);
    assert_int_equal(db_commit(db), 0);
    assert_int_equal(catalog_bootstrap(db, OUR_FILE, &added), IMPORT_OK);
    assert_str(facts("gpt-5").is.vendor, "Acme");
    assert_int_equal(figure("gpt-5", "openai", USAGE_INPUT, 0), INT64_C(77000000000));
    assert_int_equal(catalog_bootstrap(db, OUR_FILE, &added), IMPORT_OK);
    assert_int_equal(added, 0);
}

static void an_account_adopts_what_its_kind_sells(void **state)
{
    const struct catalog_model *m;
    struct account_id id;
    struct model_id qwen;
    int64_t targets = 0;
    size_t added;

    assert_int_equal(catalog_bootstrap(db, OUR_FILE, &added), IMPORT_OK);
    qwen = facts("qwen3-32b").id;
    assert_int_equal(db_begin(db, DB_OPERATOR, false), 0);
    id = add_account("groq", "g", "gsk-1");
    assert_int_equal(account_adopt_offers(db, &the_operator, id, &targets), CHANGE_OK);
    assert_true(targets >= 5);
    assert_int_equal(model_enable(db, &the_operator, qwen, false), CHANGE_OK);
    assert_int_equal(account_adopt_offers(db, &the_operator, id, &targets), CHANGE_OK);
    assert_int_equal(targets, 0);
    assert_int_equal(db_commit(db), 0);
    assert_int_equal(catalog_load(db, &here, &loaded), CATALOG_OK);
    m = catalog_find_model(loaded, STR("meta-llama/llama-3.3-70b-instruct"));
    assert_non_null(m);
    assert_true(catalog_model_served(m));
    assert_int_equal(m->n_targets, 1);
    assert_str(m->targets[0].upstream_model, "llama-3.3-70b-versatile");
    assert_int_equal(m->targets[0].price->of[SERVICE_STANDARD].v[0].charge[USAGE_INPUT], 590000000);
    assert_false(catalog_model_served(catalog_find_model(loaded, STR("qwen3-32b"))));
    assert_false(catalog_model_served(catalog_find_model(loaded, STR("gpt-5"))));
}

static void the_demo_is_made_once_and_served_where_it_runs(void **state)
{
    const struct catalog_options with_demo = {.seal_key = seal_key, .demo_port = 4010};
    static const char *const names[] = {"demo-small", "demo-large", "demo-embedding", "demo-video"};

    assert_int_equal(catalog_bootstrap_demo(db), CHANGE_OK);
    assert_int_equal(catalog_bootstrap_demo(db), CHANGE_OK);
    assert_int_equal(catalog_load(db, &with_demo, &loaded), CATALOG_OK);
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        const struct catalog_model *m = catalog_find_model(loaded, str_c(names[i]));

        assert_non_null(m);
        assert_true(m->demo);
        assert_true(catalog_model_served(m));
        assert_int_equal(m->n_targets, 1);
    }
    catalog_unref(steal(&loaded));
    assert_int_equal(catalog_load(db, &here, &loaded), CATALOG_OK);
    assert_false(catalog_model_served(catalog_find_model(loaded, STR("demo-small"))));
}

static void a_file_that_is_not_there_is_an_outcome(void **state)
{
    size_t added = 7;

    assert_int_equal(catalog_bootstrap(db, "no/such/file.json", &added), IMPORT_E_READ);
    assert_int_equal(added, 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        TEST(litellms_table_is_read),
        TEST(our_own_file_is_whole),
        TEST(a_bootstrap_touches_nothing_that_is_there),
        TEST(an_account_adopts_what_its_kind_sells),
        TEST(the_demo_is_made_once_and_served_where_it_runs),
        TEST(a_file_that_is_not_there_is_an_outcome),
#undef TEST
    };

    return cmocka_run_group_tests(tests, catalog_fixture_start, catalog_fixture_stop);
}
