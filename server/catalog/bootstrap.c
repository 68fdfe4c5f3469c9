/* bootstrap.c: see bootstrap.h. The demo models are made with the functions that an operator's page
 * uses, each only if it is not there. */
#include "catalog/bootstrap.h"

#include <errno.h>

#include "base/bounds.h"
#include "base/err.h"
#include "catalog/accounts.h"
#include "catalog/models.h"
#include "catalog/prices.h"
#include "db/tx.h"

/* ACTOR_THE_SYSTEM, as a constant. */
static const struct actor system_actor = {.kind = ACTOR_SYSTEM, .name = {"system", 6}};

int catalog_bootstrap(struct db *db, const char *path, size_t *ret_added)
{
    _cleanup_(arena_freep) struct arena *a = arena_new(MIB(64));
    const struct import_options options = {.only_new = true};
    struct import_result result;
    struct str fault = STR("");
    int r;

    if (!a)
        return err_origin(-ENOMEM);
    r = catalog_import_file(db, a, &system_actor, path, &options, &result, &fault);
    if (r < 0)
        return err_trace(r);
    if (r == IMPORT_OK)
        *ret_added = result.count[IMPORT_ADDED];
    return r;
}

/* Prices are such that a charge shows after a few calls. */
static const struct demo_model {
    const char *name, *description;
    enum model_kind kind;
    int64_t context_tokens, max_output_tokens;
    struct price_figure figures[3]; /* n_figures of them */
    size_t n_figures;
} demo_models[] = {
    {"demo-small",
     "Demo: plausible text made up on this machine, no language model. For trying things out.",
     MODEL_CHAT,
     32768,
     4096,
     {{USAGE_INPUT, 0, 150000000, 150000000},
      {USAGE_CACHED_INPUT, 0, 75000000, 75000000},
      {USAGE_OUTPUT, 0, 600000000, 600000000}},
     3},
    {"demo-large",
     "Demo: as demo-small, at the price of a large model, so that balances and budgets move.",
     MODEL_CHAT,
     131072,
     8192,
     {{USAGE_INPUT, 0, 3000000000, 3000000000},
      {USAGE_CACHED_INPUT, 0, 300000000, 300000000},
      {USAGE_OUTPUT, 0, 15000000000, 15000000000}},
     3},
    {"demo-embedding",
     "Demo: vectors made up on this machine from the words of the input.",
     MODEL_EMBEDDING,
     8192,
     0,
     {{USAGE_INPUT, 0, 20000000, 20000000}},
     1},
    {"demo-video",
     "Demo: a few coloured pictures made up on this machine; a prompt with the word fail fails.",
     MODEL_VIDEO,
     0,
     0,
     {{USAGE_SECOND, 0, 10000000000000, 10000000000000}},
     1},
};

static int demo_account(struct db *db, struct arena *a, struct account_id *ret)
{
    const uint8_t no_key[32] = {0}; /* the demo account has no credential to seal */
    const struct account_draft draft = {
        .kind = STR("demo"), .name = STR("Demo"), .enabled = true, .weight = 100};
    struct account_row *rows;
    struct identity_fault fault;
    size_t n;
    int r = account_list(db, a, &rows, &n);

    if (r)
        return r;
    for (size_t i = 0; i < n; i++)
        if (str_eq_c(rows[i].is.kind, "demo") && rows[i].is.team.v == 0) {
            *ret = rows[i].id;
            return CHANGE_OK;
        }
    r = account_add(db, &system_actor, no_key, &draft, STR(""), ret, &fault);
    return r > 0 ? err_origin(-EEXIST) : r;
}

static int demo_price(struct db *db, const struct demo_model *d, struct model_id id)
{
    const struct price_draft draft = {.model = id,
                                      .source = PRICE_BY_DEMO,
                                      .note = STR("Price of the demo"),
                                      .figures = d->figures,
                                      .n_figures = d->n_figures};
    struct identity_fault fault;
    struct price_id price;
    int r = price_publish(db, &system_actor, &draft, &price, &fault);

    return r > 0 ? err_origin(-EINVAL) : r;
}

static int demo_model(struct db *db, const struct demo_model *d, struct account_id account)
{
    const struct target_draft target = {
        .upstream_model = str_c(d->name), .weight = 100, .enabled = true};
    struct model_draft draft;
    struct identity_fault fault;
    struct target_id target_id;
    struct model_id id;
    int r;

    model_draft_init(&draft);
    draft.name = str_c(d->name);
    draft.vendor = STR("Demo");
    draft.description = str_c(d->description);
    draft.kind = d->kind;
    draft.demo = draft.enabled = true;
    draft.context_tokens = d->context_tokens;
    draft.max_output_tokens = d->max_output_tokens;
    r = model_add(db, &system_actor, &draft, &id, &fault);
    if (r == CHANGE_OK)
        r = demo_price(db, d, id);
    if (r == CHANGE_OK)
        r = target_add(db, &system_actor, id, account, &target, &target_id, &fault);
    return r > 0 ? err_origin(-EINVAL) : r;
}

static int demo_run(struct db *db, void *ctx)
{
    struct arena *a = ctx;
    struct account_id account = {0};
    int r = catalog_lock(db);

    for (size_t i = 0; r == 0 && i < ARRAY_LEN(demo_models); i++) {
        struct model_row row;

        r = model_by_name(db, a, str_c(demo_models[i].name), &row);
        if (r == CHANGE_OK)
            continue;
        if (r == CHANGE_E_NONE)
            r = account.v ? CHANGE_OK : demo_account(db, a, &account);
        if (r == CHANGE_OK)
            r = demo_model(db, &demo_models[i], account);
    }
    return r;
}

int catalog_bootstrap_demo(struct db *db)
{
    _cleanup_(arena_freep) struct arena *a = arena_new(MIB(16));
    int r;

    if (!a)
        return err_origin(-ENOMEM);
    r = db_tx(db, DB_SYSTEM, "catalog_bootstrap_demo", demo_run, a);
    return r ? err_trace(db_fatal(r)) : CHANGE_OK;
}
