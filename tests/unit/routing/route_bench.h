/* route_bench.h: two models with their targets and accounts, and a request, for the tests of routing. */
#pragma once

#include "unit.h"

#include "base/random.h"
#include "catalog/snapshot_parts.h"
#include "routing/route.h"

/* One model `m` with four targets, and `other` with one, all priced and healthy. */
struct bench {
    struct catalog c;
    struct health_board *health;
    struct price price, dear;
    struct catalog_account accounts[5];
    struct catalog_target targets[5];
    struct catalog_model models[2];
    struct catalog_name names[2];
    struct route_request q;
};

static const char *const kinds[] = {"openai", "groq", "groq", "mistral", "together"};
static const char *const names[] = {"main", "groq-eu", "groq-us", "paris", "backup"};

static inline void bench_price(struct price *p, int64_t id, int64_t input, int64_t output)
{
    price_init(p, (struct price_id){id});
    assert_int_equal(price_set(p, &(struct price_figure){USAGE_INPUT, 0, input, input}), PRICE_SET_OK);
    assert_int_equal(price_set(p, &(struct price_figure){USAGE_OUTPUT, 0, output, output}), PRICE_SET_OK);
    price_complete(p);
}

static inline void bench_model(struct catalog_model *m, int64_t id, const char *name,
                        struct catalog_target *targets, size_t n)
{
    *m = (struct catalog_model){
        .id = {id},
        .name = str_c(name),
        .kind = MODEL_CHAT,
        .context_tokens = 1000,
        .abilities = ABILITY_BIT(ABILITY_TOOLS),
        .abilities_known = true,
        .enabled = true,
        .triggers = UINT32_MAX,
        .max_attempts = 4,
        .targets = targets,
        .n_targets = n,
    };
    for (size_t i = 0; i < n; i++)
        targets[i].model = m;
}

static const struct provider_way the_way = {&format_openai_chat, "/chat", NULL};
static const struct catalog_way chat_way = {
    &the_way, STR("https://x.test/chat"), STR("https://x.test/chat")};

static inline int setup(void **state)
{
    struct bench *b = calloc(1, sizeof(*b));

    random_drive(3);
    assert_int_equal(health_board_new(&b->health), 0);
    bench_price(&b->price, 1, 100, 200);
    bench_price(&b->dear, 2, 1000, 2000);
    for (size_t i = 0; i < 5; i++) {
        b->accounts[i] = (struct catalog_account){.id = {(int64_t)i + 1},
                                                  .name = str_c(names[i]),
                                                  .provider = provider_find(str_c(kinds[i])),
                                                  .ways = &chat_way,
                                                  .n_ways = 1,
                                                  .weight = 100};
        b->targets[i] = (struct catalog_target){.id = {(int64_t)i + 1},
                                                .account = &b->accounts[i],
                                                .weight = 100,
                                                .enabled = true,
                                                .price = &b->price};
    }
    bench_model(&b->models[0], 1, "m", b->targets, 4);
    bench_model(&b->models[1], 2, "other", &b->targets[4], 1);
    b->c.names = b->names;
    b->c.n_names = 2;
    b->names[0] = (struct catalog_name){STR("m"), &b->models[0], false};
    b->names[1] = (struct catalog_name){STR("other"), &b->models[1], false};
    b->q = (struct route_request){.catalog = &b->c,
                                  .health = b->health,
                                  .now_ms = 1000,
                                  .model = &b->models[0],
                                  .kind = MODEL_CHAT,
                                  .format = &format_openai_chat};
    *state = b;
    return 0;
}

static inline int teardown(void **state)
{
    struct bench *b = *state;

    health_board_free(b->health);
    free(b);
    random_undrive();
    return 0;
}

static inline struct route_plan picked(struct bench *b)
{
    struct route_plan plan = {.n = 0};

    assert_int_equal(route_pick(&b->q, &plan), ROUTE_OK);
    return plan;
}

static inline void assert_refused(struct bench *b, int outcome)
{
    _cleanup_(arena_freep) struct arena *a = arena_new(KIB(4));
    struct route_plan plan = {.n = 77};
    struct str sentence;

    assert_int_equal(route_pick(&b->q, &plan), outcome);
    assert_int_equal(plan.n, 77);
    sentence = route_sentence(a, &b->models[0], outcome);
    assert_true(sentence.n > 10);
    assert_int_equal(str_ends(sentence, STR("incident")), outcome == ROUTE_E_OFF);
}
