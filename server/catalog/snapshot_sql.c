/* snapshot_sql.c: a snapshot, read whole.
 *
 * Everything is counted first, in the same REPEATABLE READ transaction, so each array is made once
 * and pointers into it may be kept while the rest is read. */
#include <errno.h>

#include "base/bounds.h"
#include "base/clock.h"
#include "base/err.h"
#include "catalog/snapshot_parts.h"
#include "db/tx.h"

struct prices_load {
    struct catalog *c;
    int64_t id, effective_us;
    struct price_figure figure;
    struct str unit, service, image_kind;
};

DB_QUERY(catalog_head,
         "SELECT (SELECT count(*) FROM provider_account a WHERE deleted_at IS NULL"
         "           AND (team_id IS NULL OR $1::bigint IN (0, id))) AS accounts,"
         "       (SELECT count(*) FROM model) AS models,"
         "       (SELECT count(*) FROM model_alias) AS aliases,"
         "       (SELECT count(*) FROM target t JOIN provider_account a ON a.id = t.account_id"
         "         WHERE t.deleted_at IS NULL AND a.deleted_at IS NULL"
         "           AND (a.team_id IS NULL OR $1::bigint IN (0, a.id))) AS targets,"
         "       (SELECT count(*) FROM price_in_force) AS prices,"
         "       (SELECT epoch FROM change_epoch) AS epoch,"
         "       (SELECT min(effective_from) FROM price WHERE effective_from > now())"
         "         AS next_change,"
         "       (SELECT similarity_model FROM installation) AS similarity_model")

static int load_head(struct db *db, const struct catalog_options *options, struct catalog *c)
{
    int64_t accounts, models, aliases, targets, prices;
    int r = db_one(db, &catalog_head, c->arena, DB_ARGS(db_i64(options->only.v)),
                   DB_COLS(db_col_i64("accounts", &accounts), db_col_i64("models", &models),
                           db_col_i64("aliases", &aliases), db_col_i64("targets", &targets),
                           db_col_i64("prices", &prices), db_col_i64("epoch", &c->epoch),
                           db_col_time_us("next_change", &c->next_change_us),
                           db_col_text("similarity_model", &c->similarity_model)));

    if (r)
        return r;
    c->loaded_us = clock_wall_us();
    c->accounts = arena_array(c->arena, struct catalog_account, (size_t)accounts + 1);
    c->strangers = arena_array(c->arena, struct account_id, (size_t)accounts + 1);
    c->models = arena_array(c->arena, struct catalog_model, (size_t)models + 1);
    c->targets = arena_array(c->arena, struct catalog_target, (size_t)targets + 1);
    c->targets_by_id = arena_array(c->arena, const struct catalog_target *, (size_t)targets + 1);
    c->prices = arena_array(c->arena, struct price, (size_t)prices + 1);
    c->names = arena_array(c->arena, struct catalog_name, (size_t)(models + aliases) + 1);
    if (!c->accounts || !c->strangers || !c->models || !c->targets || !c->targets_by_id || !c->prices || !c->names)
        return err_origin(-ENOMEM);
    return 0;
}

DB_QUERY(catalog_prices,
         "SELECT p.id, p.effective_from, u.service_tier, u.unit, u.above_input_tokens,"
         "       u.image_kind, u.charge_per_million_nano AS charge, u.cost_per_million_nano AS cost"
         "  FROM price_in_force p JOIN price_unit u ON u.price_id = p.id"
         " ORDER BY p.id, u.service_tier, u.above_input_tokens, u.unit, u.image_kind")

static int price_row(void *ctx)
{
    struct prices_load *l = ctx;
    struct catalog *c = l->c;
    struct price *p;

    if (c->n_prices == 0 || c->prices[c->n_prices - 1].id.v != l->id) {
        p = &c->prices[c->n_prices++];
        price_init(p, (struct price_id){l->id});
        p->effective_from_us = l->effective_us;
    }
    p = &c->prices[c->n_prices - 1];
    if (usage_unit_parse(l->unit, &l->figure.unit) != USAGE_OK ||
        service_tier_parse(l->service, &l->figure.service) != SERVICE_OK ||
        !price_visual_kind_parse(l->image_kind, l->figure.visual_kind))
        return 0; /* of a newer version of this program, during an upgrade */
    if (price_set(p, &l->figure) != PRICE_SET_OK)
        return err_origin(-ERANGE);
    return 0;
}

static int load_prices(struct db *db, struct catalog *c)
{
    struct prices_load l = {.c = c};
    struct price_figure *f = &l.figure;
    int r =
        db_each(db, &catalog_prices, c->arena, DB_NO_ARGS,
                DB_COLS(db_col_i64("id", &l.id), db_col_time_us("effective_from", &l.effective_us),
                        db_col_text("service_tier", &l.service), db_col_text("unit", &l.unit),
                        db_col_i64("above_input_tokens", &f->above_input_tokens),
                        db_col_text("image_kind", &l.image_kind),
                        db_col_i64("charge", &f->charge), db_col_i64("cost", &f->cost)),
                price_row, &l);

    for (size_t i = 0; r == 0 && i < c->n_prices; i++)
        price_complete(&c->prices[i]);
    return r;
}

const struct price *catalog_price(const struct catalog *c, int64_t id)
{
    for (size_t low = 0, high = c->n_prices; low < high;) {
        size_t middle = low + (high - low) / 2;

        if (c->prices[middle].id.v == id)
            return &c->prices[middle];
        if (c->prices[middle].id.v < id)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

struct catalog_load {
    const struct catalog_options *options;
    struct catalog *c;
};

/* May run again after a failure, from nothing. */
static int load_all(struct db *db, void *ctx)
{
    struct catalog_load *l = ctx;
    int r;

    catalog_unref(steal(&l->c));
    r = catalog_new(&l->c);
    if (r == 0)
        r = load_head(db, l->options, l->c);
    if (r == 0)
        r = snapshot_load_accounts(db, l->options, l->c);
    if (r == 0)
        r = load_prices(db, l->c);
    if (r == 0)
        r = snapshot_load_models(db, l->options, l->c);
    if (r == 0)
        r = snapshot_load_rules(db, l->c);
    if (r == 0)
        catalog_index(l->c);
    return r;
}

int catalog_load(struct db *db, const struct catalog_options *options, struct catalog **ret)
{
    struct catalog_load l = {.options = options};
    int r = db_read(db, DB_SYSTEM, "catalog_load", load_all, &l);

    if (r != 0) {
        catalog_unref(l.c);
        return r == DB_E_AWAY ? CATALOG_E_AWAY : err_trace(r < 0 ? r : -EPROTO);
    }
    *ret = l.c;
    return CATALOG_OK;
}
