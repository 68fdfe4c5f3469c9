/* catalog_fixture.h: a migrated database, an arena and an operator for the tests of this room. */
#pragma once

#include "unit.h"

#include "base/bounds.h"
#include "catalog/accounts.h"
#include "catalog/models.h"
#include "catalog/prices.h"
#include "db/tx.h"
#include "pg_fixture.h"

static struct pg_fixture pg;
static struct db *db;
static struct arena *arena;
static struct identity_fault fault;

static const uint8_t seal_key[32] = {7, 1, 2};
static const struct actor the_operator = {
    .kind = ACTOR_OPERATOR, .id = 5, .name = {"op@example.org", 14}, .address = {"127.0.0.1", 9}};

static inline int catalog_fixture_start(void **state)
{
    pg_fixture_start(&pg);
    arena = arena_new(MIB(256));
    return arena ? db_open(pg.app_conninfo, "test", &db) : -1;
}

static inline int catalog_fixture_stop(void **state)
{
    db_close(db);
    arena_free(arena);
    pg_fixture_stop(&pg);
    return 0;
}

/* Each test in a transaction of its own that is rolled back, so that they do not meet. */
static inline int in_transaction(void **state)
{
    fault = (struct identity_fault){"", ""};
    return db_begin(db, DB_OPERATOR, false);
}

static inline int roll_back(void **state)
{
    db_rollback(db);
    return 0;
}

static inline struct account_draft an_account(const char *kind, const char *name)
{
    return (struct account_draft){
        .kind = str_c(kind), .name = str_c(name), .enabled = true, .weight = 100};
}

static inline struct account_id add_account(const char *kind, const char *name, const char *key)
{
    struct account_draft d = an_account(kind, name);
    struct account_id id = {0};

    assert_int_equal(account_add(db, &the_operator, seal_key, &d, str_c(key), &id, &fault),
                     CHANGE_OK);
    return id;
}

static inline struct model_draft a_model(const char *name)
{
    struct model_draft d;

    model_draft_init(&d);
    d.name = str_c(name);
    d.vendor = STR("Acme");
    d.enabled = true;
    return d;
}

static inline struct model_id add_model(const char *name)
{
    struct model_draft d = a_model(name);
    struct model_id id = {0};

    assert_int_equal(model_add(db, &the_operator, &d, &id, &fault), CHANGE_OK);
    return id;
}

static inline struct target_id add_target(struct model_id model, struct account_id account,
                                          const char *upstream_model)
{
    const struct target_draft d = {
        .upstream_model = str_c(upstream_model), .weight = 100, .enabled = true};
    struct target_id id = {0};

    assert_int_equal(target_add(db, &the_operator, model, account, &d, &id, &fault), CHANGE_OK);
    return id;
}

/* Dollars per million, for the whole model, from then on. */
static inline struct price_draft a_price(struct model_id model, struct price_figure figures[2],
                                         int64_t input_usd, int64_t output_usd)
{
    int64_t input = MONEY_USD(input_usd).nano, output = MONEY_USD(output_usd).nano;

    figures[0] = (struct price_figure){USAGE_INPUT, 0, input, input};
    figures[1] = (struct price_figure){USAGE_OUTPUT, 0, output, output};
    return (struct price_draft){.model = model, .figures = figures, .n_figures = 2};
}

static inline struct price_id add_price(struct model_id model, int64_t input_usd,
                                        int64_t output_usd)
{
    struct price_figure figures[2];
    struct price_draft d = a_price(model, figures, input_usd, output_usd);
    struct price_id id = {0};

    assert_int_equal(price_publish(db, &the_operator, &d, &id, &fault), CHANGE_OK);
    return id;
}
