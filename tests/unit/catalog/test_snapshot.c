/* The snapshot: what is loaded, which price counts, what cannot be used, and who holds it. */
#include "catalog_fixture.h"

#include <pthread.h>

#include "base/clock.h"
#include "catalog/holder.h"
#include "catalog/suggest.h"

static const struct catalog_options here = {.seal_key = seal_key, .demo_port = 4010};

/* A load has a transaction of its own: what a test made is committed first. Names tell the tests
 * apart. */
static struct catalog *loaded_with(const struct catalog_options *options)
{
    struct catalog *c = NULL;

    assert_int_equal(db_commit(db), 0);
    assert_int_equal(catalog_load(db, options, &c), CATALOG_OK);
    assert_int_equal(db_begin(db, DB_OPERATOR, false), 0);
    return c;
}

static struct catalog *loaded(void)
{
    return loaded_with(&here);
}

static const struct catalog_model *find(const struct catalog *c, const char *name)
{
    const struct catalog_model *m = catalog_find_model(c, str_c(name));

    assert_non_null(m);
    return m;
}

static void accounts_come_ready_to_be_asked(void **state)
{
    struct account_draft d = an_account("groq", "ready");
    const struct catalog_account *a;
    struct account_id id;
    struct catalog *c;

    d.extra_headers = STR("{\"x-b\": \"2\", \"x-a\": \"1\"}");
    d.rpm = 30;
    assert_int_equal(account_add(db, &the_operator, seal_key, &d, STR("gsk-secret"), &id, &fault),
                     CHANGE_OK);
    c = loaded();
    a = catalog_find_account(c, id);
    assert_non_null(a);
    assert_null(a->unusable);
    assert_str(a->name, "ready");
    assert_int_equal(a->n_ways, 5);
    assert_str(a->ways[0].url, "https://api.groq.com/openai/v1/chat/completions");
    assert_str(catalog_account_way(a, STR("m"), &format_openai_transcriptions)->url,
               "https://api.groq.com/openai/v1/audio/transcriptions");
    assert_str(a->models_url, "https://api.groq.com/openai/v1/models");
    assert_ptr_equal(catalog_account_way(a, STR("m"), &format_openai_chat), &a->ways[0]);
    assert_ptr_equal(catalog_account_way(a, STR("m"), &format_gemini), &a->ways[0]);
    assert_null(catalog_account_way(a, STR("m"), &format_openai_embeddings));
    assert_str(a->credential.bearer, "Bearer gsk-secret");
    assert_int_equal(a->n_headers, 2);
    assert_string_equal(a->headers[0].name, "x-a");
    assert_str(a->headers[1].value, "2");
    assert_int_equal(a->rpm, 30);
    assert_int_equal(a->tpm, 0);
    assert_false(a->private_network);
    catalog_unref(c);
}

static void what_cannot_be_used_says_why(void **state)
{
    const struct catalog_options elsewhere = {.seal_key = (const uint8_t[32]){9}, .demo_port = 0};
    struct account_id keyed = add_account("openai", "keyed", "sk-1");
    struct account_id demo = add_account("demo", "a demo", "");
    struct account_id off = add_account("mistral", "off", "k");
    struct catalog *c;

    assert_int_equal(account_enable(db, &the_operator, off, false), CHANGE_OK);
    c = loaded();
    assert_null(catalog_find_account(c, keyed)->unusable);
    assert_null(catalog_find_account(c, demo)->unusable);
    assert_str(catalog_find_account(c, demo)->ways[0].url,
               "http://127.0.0.1:4010/v1/chat/completions");
    assert_true(catalog_find_account(c, demo)->private_network);
    assert_non_null(catalog_find_account(c, off)->unusable);
    catalog_unref(c);
    c = loaded_with(&elsewhere); /* another secret, no demo upstream */
    assert_non_null(catalog_find_account(c, keyed)->unusable);
    assert_null(catalog_find_account(c, keyed)->credential.bearer.p);
    assert_non_null(catalog_find_account(c, demo)->unusable);
    catalog_unref(c);
}

static void models_are_found_by_name_and_alias(void **state)
{
    struct model_id id = add_model("find-me");
    struct catalog *c;

    assert_int_equal(model_add_alias(db, &the_operator, id, STR("acme/find-me"), &fault),
                     CHANGE_OK);
    (void)add_model("find-me-too");
    (void)add_model("FIND-ME");
    c = loaded();
    assert_int_equal(find(c, "find-me")->id.v, id.v);
    assert_int_equal(find(c, "acme/find-me")->id.v, id.v);
    assert_null(catalog_find_model(c, STR("find-m")));
    assert_null(catalog_find_model(c, STR("")));
    assert_null(catalog_find_model(c, STR("zzzz")));
    catalog_unref(c);
}

static void a_model_comes_with_its_route(void **state)
{
    struct account_id account = add_account("openai", "route", "sk-1");
    struct model_draft d = a_model("routed");
    const struct catalog_model *m;
    struct target_id one, two;
    struct model_id id;
    struct catalog *c;

    d.abilities_known = true;
    d.abilities = ABILITY_BIT(ABILITY_VISION);
    d.triggers = TRIGGER_BIT(TRIGGER_TIMEOUT);
    d.retries = 2;
    d.idle_timeout_ms = 700;
    assert_int_equal(model_add(db, &the_operator, &d, &id, &fault), CHANGE_OK);
    one = add_target(id, account, "up-1");
    two = add_target(id, account, "up-2");
    assert_int_equal(model_pin(db, &the_operator, id, two), CHANGE_OK);
    assert_int_equal(model_switch_off(db, &the_operator, id, STR("leak"), &fault), CHANGE_OK);
    c = loaded();
    m = find(c, "routed");
    assert_int_equal(m->n_targets, 2);
    assert_ptr_equal(catalog_find_target(c, one), &m->targets[0]);
    assert_ptr_equal(m->pinned, catalog_find_target(c, two));
    assert_ptr_equal(m->targets[0].model, m);
    assert_ptr_equal(m->targets[0].account, catalog_find_account(c, account));
    assert_str(m->targets[1].upstream_model, "up-2");
    assert_string_equal(m->targets[0].output_limit_field, "max_completion_tokens");
    assert_null(m->targets[0].price);
    assert_int_equal(m->abilities, ABILITY_BIT(ABILITY_VISION));
    assert_int_equal(m->triggers, TRIGGER_BIT(TRIGGER_TIMEOUT));
    assert_int_equal(m->retries, 2);
    assert_int_equal(m->idle_timeout_ms, 700);
    assert_int_equal(m->connect_timeout_ms, 0);
    assert_str(m->off_reason, "leak");
    assert_true(m->created_s > 1600000000);
    assert_false(catalog_model_served(m));
    catalog_unref(c);
}

static void publish(struct price_draft *d)
{
    struct price_id id;

    assert_int_equal(price_publish(db, &the_operator, d, &id, &fault), CHANGE_OK);
}

static int64_t input_of(const struct price *p)
{
    assert_non_null(p);
    return p->of[SERVICE_STANDARD].v[0].charge[USAGE_INPUT] / 1000000000;
}

/* Two targets of one model, at different kinds. */
static void the_most_exact_price_counts(void **state)
{
    struct model_id id = add_model("exact");
    struct target_id a = add_target(id, add_account("openai", "exact-a", "sk"), "up");
    struct target_id b = add_target(id, add_account("groq", "exact-b", "sk"), "up");
    struct price_figure figures[2];
    struct price_draft d = a_price(id, figures, 1, 1);
    struct catalog *c;

    publish(&d); /* of the whole model */
    c = loaded();
    assert_int_equal(input_of(catalog_find_target(c, a)->price), 1);
    assert_int_equal(input_of(catalog_find_target(c, b)->price), 1);
    assert_int_equal(input_of(find(c, "exact")->price), 1);
    assert_true(catalog_model_served(find(c, "exact")));
    catalog_unref(c);
    d = a_price(id, figures, 2, 2);
    d.kind = STR("groq");
    publish(&d);
    d = a_price(id, figures, 3, 3);
    d.target = a;
    publish(&d);
    c = loaded();
    assert_int_equal(input_of(catalog_find_target(c, a)->price), 3);
    assert_int_equal(input_of(catalog_find_target(c, b)->price), 2);
    catalog_unref(c);
}

static void an_operators_price_goes_before_an_imported_one(void **state)
{
    struct model_id id = add_model("mine");
    struct target_id t = add_target(id, add_account("openai", "mine-a", "sk"), "up");
    struct price_figure figures[2];
    struct price_draft d = a_price(id, figures, 5, 5);
    struct catalog *c;

    publish(&d); /* the operator's, of the whole model */
    d = a_price(id, figures, 2, 2);
    d.kind = STR("openai");
    d.source = PRICE_BY_IMPORT;
    publish(&d); /* newer and more exact, but a list price */
    c = loaded();
    assert_int_equal(input_of(catalog_find_target(c, t)->price), 5);
    catalog_unref(c);
}

static void a_scheduled_price_comes_into_force_at_its_time(void **state)
{
    struct model_id id = add_model("later");
    struct price_figure figures[2];
    struct price_draft d = a_price(id, figures, 1, 1);
    struct catalog *c;
    int64_t at, before, next;

    publish(&d);
    at = clock_wall_us() + 1000000;
    d = a_price(id, figures, 9, 9);
    d.effective_from_us = at;
    publish(&d);
    c = loaded();
    before = input_of(find(c, "later")->price);
    next = catalog_next_change_us(c);
    if (clock_wall_us() < at) { /* else it was too late to look */
        assert_int_equal(before, 1);
        assert_int_equal(next, at);
    }
    catalog_unref(c);
    while (clock_wall_us() <= at)
        usleep(20000);
    c = loaded();
    assert_int_equal(input_of(find(c, "later")->price), 9);
    assert_int_equal(catalog_next_change_us(c), 0);
    catalog_unref(c);
}

static void long_context_steps_are_loaded(void **state)
{
    struct model_id id = add_model("steps");
    struct price_figure figures[] = {
        {USAGE_INPUT, 0, 100, 90}, {USAGE_OUTPUT, 0, 200, 190}, {USAGE_INPUT, 200000, 300, 290}};
    struct price_draft d = {.model = id, .figures = figures, .n_figures = 3};
    const struct price *p;
    struct catalog *c;

    publish(&d);
    c = loaded();
    p = find(c, "steps")->price;
    assert_int_equal(p->of[SERVICE_STANDARD].n, 2);
    assert_int_equal(p->of[SERVICE_STANDARD].v[1].above_input_tokens, 200000);
    assert_int_equal(p->of[SERVICE_STANDARD].v[1].charge[USAGE_INPUT], 300);
    assert_int_equal(p->of[SERVICE_STANDARD].v[1].cost[USAGE_INPUT], 290);
    assert_int_equal(p->of[SERVICE_STANDARD].v[1].charge[USAGE_OUTPUT], 200);
    assert_int_equal(p->of[SERVICE_STANDARD].v[0].charge[USAGE_CACHED_INPUT], 100); /* not named: as input */
    catalog_unref(c);
}

static void the_price_list_is_what_is_charged(void **state)
{
    struct model_id id = add_model("listed");
    struct price_figure figures[] = {{USAGE_INPUT, 0, 1000, 1},
                                     {USAGE_CACHED_INPUT, 0, 100, 1},
                                     {USAGE_OUTPUT, 0, 2000, 1},
                                     {USAGE_INPUT, 200000, 3000, 1},
                                     {USAGE_CACHED_INPUT, 200000, 3000, 1},
                                     {USAGE_INPUT, 0, 4000, 1, SERVICE_PRIORITY},
                                     {USAGE_OUTPUT, 0, 5000, 1, SERVICE_PRIORITY}};
    struct price_draft d = {
        .model = id, .kind = STR("groq"), .figures = figures, .n_figures = ARRAY_LEN(figures)};
    struct price_row *rows;
    struct catalog *c;
    size_t n, mine = 0;

    (void)add_target(id, add_account("groq", "listed-a", "sk"), "up");
    (void)add_target(id, add_account("groq", "listed-b", "sk"), "up");
    publish(&d);
    c = loaded();
    assert_int_equal(price_list(c, arena, &rows, &n), 0);
    for (size_t i = 0; i < n; i++) {
        const struct price_row *r = &rows[i];

        if (!str_eq_c(r->model->name, "listed"))
            continue;
        assert_string_equal(r->provider, "groq");
        assert_string_equal(r->provider_label, "Groq");
        assert_true(r->effective_from_us > 0);
        for (size_t k = 0; k < ARRAY_LEN(figures); k++)
            if (figures[k].unit == r->unit && figures[k].service == r->service &&
                figures[k].above_input_tokens == r->above_input_tokens) {
                assert_int_equal(r->charge.nano, figures[k].charge);
                mine++;
            }
    }
    /* Both accounts share one price, which is listed once; nothing is listed that only repeats. */
    assert_int_equal(mine, ARRAY_LEN(figures));
    for (size_t i = 0; i < n; i++)
        if (str_eq_c(rows[i].model->name, "listed"))
            mine--;
    assert_int_equal(mine, 0);
    catalog_unref(c);
}

static void a_model_without_target_is_not_listed(void **state)
{
    struct price_figure figures[2];
    struct price_draft d = a_price(add_model("unlisted"), figures, 1, 1);
    struct price_row *rows;
    struct catalog *c;
    size_t n;

    publish(&d);
    c = loaded();
    assert_int_equal(price_list(c, arena, &rows, &n), 0);
    for (size_t i = 0; i < n; i++)
        assert_false(str_eq_c(rows[i].model->name, "unlisted"));
    catalog_unref(c);
}

static struct model_id add_served(const char *name, enum model_kind kind, bool demo,
                                  struct account_id account)
{
    struct model_draft d = a_model(name);
    struct model_id id = {0};

    d.kind = kind;
    d.demo = demo;
    assert_int_equal(model_add(db, &the_operator, &d, &id, &fault), CHANGE_OK);
    (void)add_target(id, account, name);
    return id;
}

static const char *suggested(enum model_kind kind)
{
    static char name[64];
    struct catalog *c = loaded();
    const struct catalog_model *m = catalog_suggest(c, kind);

    (void)snprintf(name, sizeof(name), "%.*s", m ? (int)m->name.n : 0, m ? m->name.p : "");
    catalog_unref(c);
    return name;
}

/* What other tests have committed is dearer. */
static void examples_name_the_cheapest_that_is_served(void **state)
{
    struct account_id groq = add_account("groq", "suggesting", "gsk-1");
    struct model_id dear, cheap, off;
    struct price_figure figures[2];
    struct price_draft d;

    dear = add_served("a-dear", MODEL_CHAT, false, groq);
    (void)add_price(dear, 100, 300);
    (void)add_served("b-unpriced", MODEL_CHAT, false, groq);
    off = add_served("c-switched-off", MODEL_CHAT, false, groq);
    (void)add_price(off, 0, 0);
    assert_int_equal(model_switch_off(db, &the_operator, off, STR("a test"), &fault), CHANGE_OK);
    cheap = add_served("z-cheap", MODEL_CHAT, false, groq);
    d = a_price(cheap, figures, 0, 0);
    figures[0].charge = figures[1].charge = 1;
    publish(&d);
    assert_string_equal(suggested(MODEL_CHAT), "z-cheap");
    assert_int_equal(model_enable(db, &the_operator, cheap, false), CHANGE_OK);
    assert_string_not_equal(suggested(MODEL_CHAT), "z-cheap");
    assert_string_equal(suggested(MODEL_RERANK), "");
}

static void where_demo_models_are_served_examples_name_one(void **state)
{
    struct account_id demo = add_account("demo", "suggested demo", "");
    struct account_id groq = add_account("groq", "beside the demo", "gsk-1");
    struct model_id real, dear, cheap;
    struct catalog_options no_demo = here;
    struct catalog *c;

    real = add_served("a-free", MODEL_CHAT, false, groq);
    (void)add_price(real, 0, 0);
    dear = add_served("demo-a-dear", MODEL_CHAT, true, demo);
    (void)add_price(dear, 7, 7);
    cheap = add_served("demo-z-cheap", MODEL_CHAT, true, demo);
    (void)add_price(cheap, 1, 1);
    assert_string_equal(suggested(MODEL_CHAT), "demo-z-cheap");
    no_demo.demo_port = 0;
    c = loaded_with(&no_demo);
    assert_str(catalog_suggest(c, MODEL_CHAT)->name, "a-free");
    catalog_unref(c);
}

static void an_account_of_a_newer_versions_kind_is_left_out_but_there(void **state)
{
    struct account_id stranger = add_account("groq", "of tomorrow", "gsk-secret");
    struct account_id known = add_account("groq", "of today", "gsk-secret");
    struct db *owner;
    struct catalog *c = loaded();

    assert_int_equal(db_open(pg.owner_conninfo, "test", &owner), 0);
    assert_int_equal(db_script(owner, "UPDATE provider_account SET kind = 'tomorrow' WHERE name = 'of tomorrow'"), 0);
    catalog_unref(c);
    c = loaded();
    assert_null(catalog_find_account(c, stranger));
    assert_true(catalog_has_account(c, stranger));
    assert_true(catalog_has_account(c, known));
    assert_int_equal(db_script(owner, "UPDATE provider_account SET deleted_at = now() WHERE name LIKE 'of to%'"), 0);
    catalog_unref(c);
    c = loaded();
    assert_false(catalog_has_account(c, stranger));
    assert_false(catalog_has_account(c, known));
    catalog_unref(c);
    db_close(owner);
}

/* Also what a database says that has lost changes since: fewer than it had counted. */
static void the_holder_has_what_was_put_last(void **state)
{
    struct catalog_holder *h;
    struct catalog *before, *lost, *got;

    before = loaded();
    (void)add_model("held");
    lost = loaded();
    assert_int_equal(catalog_holder_new(&h), 0);
    assert_null(catalog_holder_get(h));
    catalog_holder_put(h, lost);
    got = catalog_holder_get(h);
    catalog_holder_put(h, before);
    assert_non_null(catalog_find_model(got, STR("held"))); /* a reference outlives its being current */
    catalog_unref(got);
    got = catalog_holder_get(h);
    assert_ptr_equal(got, before);
    catalog_holder_free(h);
    assert_null(catalog_find_model(got, STR("held"))); /* and the holder */
    catalog_unref(got);
}

static void *reader(void *arg)
{
    for (int i = 0; i < 20000; i++) {
        struct catalog *c = catalog_holder_get(arg);

        if (catalog_loaded_us(c) == 0)
            abort();
        catalog_unref(c);
    }
    return NULL;
}

static void readers_and_a_swap_do_not_meet(void **state)
{
    struct catalog_holder *h;
    pthread_t threads[2];

    assert_int_equal(catalog_holder_new(&h), 0);
    catalog_holder_put(h, loaded());
    for (size_t i = 0; i < ARRAY_LEN(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, reader, h), 0);
    for (int i = 0; i < 20; i++)
        catalog_holder_put(h, loaded());
    for (size_t i = 0; i < ARRAY_LEN(threads); i++)
        pthread_join(threads[i], NULL);
    catalog_holder_free(h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, in_transaction, roll_back)
        TEST(accounts_come_ready_to_be_asked),
        TEST(what_cannot_be_used_says_why),
        TEST(models_are_found_by_name_and_alias),
        TEST(a_model_comes_with_its_route),
        TEST(the_most_exact_price_counts),
        TEST(an_operators_price_goes_before_an_imported_one),
        TEST(a_scheduled_price_comes_into_force_at_its_time),
        TEST(long_context_steps_are_loaded),
        TEST(the_price_list_is_what_is_charged),
        TEST(a_model_without_target_is_not_listed),
        TEST(examples_name_the_cheapest_that_is_served),
        TEST(where_demo_models_are_served_examples_name_one),
        TEST(an_account_of_a_newer_versions_kind_is_left_out_but_there),
        TEST(the_holder_has_what_was_put_last),
        TEST(readers_and_a_swap_do_not_meet),
#undef TEST
    };

    return cmocka_run_group_tests(tests, catalog_fixture_start, catalog_fixture_stop);
}
