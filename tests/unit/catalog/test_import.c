/* Catalogue files: our own, LiteLLM's public table, and what an import leaves alone. */
#include "catalog_fixture.h"

#include "base/clock.h"
#include "catalog/bootstrap.h"
#include "catalog/import.h"

#define OUR_FILE "server/catalog/data/models.json"
#define LITELLM_FILE "../shared/prices/litellm_model_prices_and_context_window.json"

static const struct catalog_options here = {.seal_key = seal_key};
static struct catalog *loaded;
static struct import_result result;
/* The lines of the last import that are about one model. */
static struct import_line lines[8];
static size_t n_lines;
static const char *wanted;

/* Imports commit by themselves, so the owner empties the catalogue in front of each test: nobody
 * else can, and even the owner has to take the guard off first. */
static const char empty_again[] =
    "ALTER TABLE price DISABLE TRIGGER USER; ALTER TABLE price_unit DISABLE TRIGGER USER;"
    "TRUNCATE price_unit, price, target, model_offer, model_alias, model, provider_account CASCADE;"
    "ALTER TABLE price ENABLE TRIGGER USER; ALTER TABLE price_unit ENABLE TRIGGER USER";

static int setup(void **state)
{
    struct db *owner = NULL;
    int r = db_open(pg.owner_conninfo, "test", &owner);

    if (r == 0)
        r = db_script(owner, empty_again);
    db_close(owner);
    result = (struct import_result){{0}};
    wanted = NULL;
    return r;
}

static int teardown(void **state)
{
    catalog_unref(steal(&loaded));
    return 0;
}

static void keep_line(void *ctx, const struct import_line *line)
{
    if (wanted && str_eq_c(line->model, wanted) && n_lines < ARRAY_LEN(lines))
        lines[n_lines++] = *line;
}

static int import_text(const char *text, struct import_options options)
{
    struct str why = STR("");
    int r;

    n_lines = 0;
    options.line = keep_line;
    r = catalog_import(db, arena, &the_operator, str_c(text), &options, &result, &why);
    if (r == IMPORT_E_FORMAT)
        assert_true(why.n > 10);
    return r;
}

static void assert_counts(size_t added, size_t changed, size_t unchanged, size_t refused,
                          size_t skipped)
{
    const size_t expected[] = {added, changed, unchanged, refused, skipped};

    for (size_t i = 0; i < IMPORT_VERDICTS; i++)
        if (result.count[i] != expected[i])
            fail_msg("%s: %zu, not %zu", import_verdict_name(i), result.count[i], expected[i]);
}

static void assert_line(enum import_verdict verdict, const char *detail)
{
    assert_int_equal(n_lines, 1);
    assert_int_equal(lines[0].verdict, verdict);
    assert_str(lines[0].detail, detail);
}

static int64_t figure(const char *model, const char *kind, enum usage_unit unit, int64_t above)
{
    struct model_row row;
    struct price_version *v;
    size_t n;

    assert_int_equal(db_begin(db, DB_OPERATOR, true), 0);
    assert_int_equal(model_by_name(db, arena, str_c(model), &row), CHANGE_OK);
    assert_int_equal(price_history(db, arena, row.id, &v, &n), CHANGE_OK);
    db_rollback(db);
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0;
             str_eq_c(v[i].kind, kind) && v[i].state == PRICE_CURRENT && k < v[i].n_figures; k++)
            if (v[i].figures[k].unit == unit && v[i].figures[k].above_input_tokens == above)
                return v[i].figures[k].charge;
    return -1;
}

static size_t versions_of(const char *model)
{
    struct model_row row;
    struct price_version *v;
    size_t n;

    assert_int_equal(db_begin(db, DB_OPERATOR, true), 0);
    assert_int_equal(model_by_name(db, arena, str_c(model), &row), CHANGE_OK);
    assert_int_equal(price_history(db, arena, row.id, &v, &n), CHANGE_OK);
    db_rollback(db);
    return n;
}

static struct model_row facts(const char *model)
{
    struct model_row row;

    assert_int_equal(db_begin(db, DB_OPERATOR, true), 0);
    assert_int_equal(model_by_name(db, arena, str_c(model), &row), CHANGE_OK);
    db_rollback(db);
    return row;
}

#define OURS(models) \
    "{\"format\":\"tollgate-catalogue/1\",\"as_of\":\"2026-08-01\",\"models\":[" models "]}"
#define ONE_MODEL(price)                                                                         \
    "{\"name\":\"one\",\"vendor\":\"Acme\",\"kind\":\"chat\",\"aliases\":[\"acme/one\"],"        \
    "\"context_tokens\":1000,\"capabilities\":[\"tools\"],\"offers\":[{\"provider\":\"openai\"," \
    "\"upstream_model\":\"one-1\",\"source\":\"x\",\"usd_per_million\":" price "}]}"

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
        {LITELLM("m7", "openai", PRICED ",\"tiered_pricing\":[]"), "m7", IMPORT_REFUSED},
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

static int import_file(const char *path, struct import_options options)
{
    struct str why = STR("");
    int r = catalog_import_file(db, arena, &the_operator, path, &options, &result, &why);

    if (r == IMPORT_E_FORMAT)
        print_error("%.*s\n", STR_FMT(why));
    return r;
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
    assert_str(facts("llama-3.1-8b-instant").is.vendor, "Meta");
    assert_int_equal(facts("grok-4-1-fast").is.context_tokens, 2000000); /* 2000000.0 there */
    assert_int_equal(facts("text-embedding-3-small").is.kind, MODEL_EMBEDDING);

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
    assert_int_equal(m->targets[0].price->tiers[0].charge[USAGE_INPUT], 590000000);
    assert_false(catalog_model_served(catalog_find_model(loaded, STR("qwen3-32b"))));
    assert_false(catalog_model_served(catalog_find_model(loaded, STR("gpt-5"))));
}

static void the_demo_is_made_once_and_served_where_it_runs(void **state)
{
    const struct catalog_options with_demo = {.seal_key = seal_key, .demo_port = 4010};
    static const char *const names[] = {"demo-small", "demo-large", "demo-embedding"};

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
        TEST(our_format_is_read),
        TEST(a_second_import_adds_nothing),
        TEST(another_price_is_a_new_version),
        TEST(a_dry_run_only_tells),
        TEST(a_mark_up_is_rounded_up),
        TEST(what_an_operator_priced_is_left_alone),
        TEST(a_wrong_file_is_refused_whole),
        TEST(absurd_and_unfinished_prices_are_refused),
        TEST(litellms_entries_are_judged),
        TEST(a_file_may_not_contradict_itself),
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
