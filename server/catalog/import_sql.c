/* import_sql.c: the catalogue as an import finds it, and the rows that it writes. */
#include <errno.h>
#include <inttypes.h>

#include "base/bounds.h"
#include "base/err.h"
#include "catalog/import_known.h"

int known_init(struct known *k, struct arena *a)
{
    *k = (struct known){.a = a, .models = map_new(0, NULL), .offers = map_new(0, NULL)};
    return k->models && k->offers ? 0 : err_origin(-ENOMEM);
}

void known_done(struct known *k)
{
    if (k->models)
        map_free(k->models);
    if (k->offers)
        map_free(k->offers);
    *k = (struct known){.a = NULL};
}

struct known_model *known_model_of(struct known *k, struct str name)
{
    return map_get(k->models, name);
}

int known_put_model(struct known *k, struct str name, struct known_model *m)
{
    return map_put(k->models, name, m);
}

static struct str offer_key(struct known *k, struct model_id model, const char *kind)
{
    return arena_strf(k->a, "%" PRId64 " %s", model.v, kind);
}

struct known_offer *known_offer_of(struct known *k, struct model_id model, const char *kind)
{
    struct str key = offer_key(k, model, kind);

    return key.p ? map_get(k->offers, key) : NULL;
}

int known_need_offer(struct known *k, struct model_id model, const char *kind,
                     struct known_offer **ret)
{
    struct str key = offer_key(k, model, kind);
    struct known_offer *offer = key.p ? map_get(k->offers, key) : NULL;

    if (!offer) {
        offer = arena_new0(k->a, struct known_offer);
        if (!key.p || !offer || map_put(k->offers, key, offer) != 0)
            return err_origin(-ENOMEM);
    }
    *ret = offer;
    return 0;
}

DB_QUERY(import_models, "SELECT m.id, m.name AS called, m.kind, m.vendor, m.description,"
                        "       coalesce(m.context_tokens, 0) AS context_tokens,"
                        "       coalesce(m.max_output_tokens, 0) AS max_output_tokens,"
                        "       array_to_string(m.capabilities, ',') AS capabilities"
                        "  FROM model m ORDER BY m.id")
DB_QUERY(import_aliases,
         "SELECT a.alias, m.name FROM model_alias a JOIN model m ON m.id = a.model_id")
DB_QUERY(import_offers, "SELECT model_id, kind, upstream_model FROM model_offer")
DB_QUERY(import_prices, "SELECT p.model_id, p.kind, p.source = 'operator' AS by_operator,"
                        "       u.service_tier, u.unit, u.above_input_tokens, u.image_kind,"
                        "       u.charge_per_million_nano AS charge, u.cost_per_million_nano AS cost"
                        "  FROM price_in_force p JOIN price_unit u ON u.price_id = p.id"
                        " WHERE p.kind IS NOT NULL")

struct loading {
    struct known *k;
    struct known_model model;
    struct model_id id;
    struct str name, alias, kind, capabilities, upstream_model, unit, service, image_kind;
    struct price_figure figure;
    bool by_operator;
};

static int load_model(void *ctx)
{
    struct loading *l = ctx;
    struct known_model *m = arena_new0(l->k->a, struct known_model);

    if (!m || model_kind_parse(l->kind, &l->model.is.kind) != WORD_OK)
        return err_origin(-ENOMEM);
    *m = l->model;
    m->before = true;
    m->is.abilities_known = l->capabilities.p != NULL;
    m->is.abilities = ability_bits(l->capabilities);
    return known_put_model(l->k, m->is.name, m);
}

static int load_alias(void *ctx)
{
    struct loading *l = ctx;
    struct known_model *m = known_model_of(l->k, l->name);

    return m && !known_model_of(l->k, l->alias) ? known_put_model(l->k, l->alias, m) : 0;
}

static int load_offer(void *ctx)
{
    struct loading *l = ctx;
    struct known_offer *offer;
    int r = known_need_offer(l->k, l->id, l->kind.p, &offer);

    if (r == 0)
        offer->upstream_model = l->upstream_model;
    return r;
}

static int load_price(void *ctx)
{
    struct loading *l = ctx;
    struct known_offer *offer;
    int r = known_need_offer(l->k, l->id, l->kind.p, &offer);

    if (r)
        return r;
    if (!offer->figures)
        offer->figures = arena_array(l->k->a, struct price_figure, PRICE_FIGURES);
    if (!offer->figures)
        return err_origin(-ENOMEM);
    offer->by_operator = l->by_operator;
    if (usage_unit_parse(l->unit, &l->figure.unit) == USAGE_OK &&
        service_tier_parse(l->service, &l->figure.service) == SERVICE_OK &&
        price_visual_kind_parse(l->image_kind, l->figure.visual_kind) &&
        offer->n_figures < PRICE_FIGURES)
        offer->figures[offer->n_figures++] = l->figure;
    return 0;
}

static int load_models(struct db *db, struct loading *l)
{
    struct model_draft *is = &l->model.is;

    return db_each(db, &import_models, l->k->a, DB_NO_ARGS,
                   DB_COLS(db_col_i64("id", &l->model.id.v), db_col_text("called", &is->name),
                           db_col_text("kind", &l->kind), db_col_text("vendor", &is->vendor),
                           db_col_text("description", &is->description),
                           db_col_i64("context_tokens", &is->context_tokens),
                           db_col_i64("max_output_tokens", &is->max_output_tokens),
                           db_col_text("capabilities", &l->capabilities)),
                   load_model, l);
}

int import_load(struct db *db, struct known *k)
{
    struct loading l = {.k = k};
    struct price_figure *f = &l.figure;
    int r = load_models(db, &l);

    if (r == 0)
        r = db_each(db, &import_aliases, k->a, DB_NO_ARGS,
                    DB_COLS(db_col_text("alias", &l.alias), db_col_text("name", &l.name)),
                    load_alias, &l);
    if (r == 0)
        r = db_each(db, &import_offers, k->a, DB_NO_ARGS,
                    DB_COLS(db_col_i64("model_id", &l.id.v), db_col_text("kind", &l.kind),
                            db_col_text("upstream_model", &l.upstream_model)),
                    load_offer, &l);
    if (r == 0)
        r = db_each(db, &import_prices, k->a, DB_NO_ARGS,
                    DB_COLS(db_col_i64("model_id", &l.id.v), db_col_text("kind", &l.kind),
                            db_col_bool("by_operator", &l.by_operator),
                            db_col_text("service_tier", &l.service),
                            db_col_text("unit", &l.unit),
                            db_col_i64("above_input_tokens", &f->above_input_tokens),
                            db_col_text("image_kind", &l.image_kind),
                            db_col_i64("charge", &f->charge), db_col_i64("cost", &f->cost)),
                    load_price, &l);
    return r;
}

DB_QUERY(import_update_model,
         "UPDATE model SET vendor = $2, description = $3, context_tokens = nullif($4::bigint, 0),"
         "                 max_output_tokens = nullif($5::bigint, 0), capabilities = $6,"
         "                 changed_at = now()"
         " WHERE id = $1")

int import_store_facts(struct db *db, const struct known_model *m)
{
    struct str words[ABILITIES];
    size_t n = ability_words(m->is.abilities, words);

    return db_exec(db, &import_update_model,
                   DB_ARGS(db_i64(m->id.v), db_text(m->is.vendor), db_text(m->is.description),
                           db_i64(m->is.context_tokens), db_i64(m->is.max_output_tokens),
                           db_texts(words, n)),
                   NULL);
}

DB_QUERY(import_insert_alias, "INSERT INTO model_alias (alias, model_id) VALUES ($1, $2)")

int import_store_alias(struct db *db, struct model_id model, struct str alias)
{
    return db_exec(db, &import_insert_alias, DB_ARGS(db_text(alias), db_i64(model.v)), NULL);
}

DB_QUERY(import_upsert_offer,
         "INSERT INTO model_offer (model_id, kind, upstream_model) VALUES ($1, $2, $3)"
         " ON CONFLICT (model_id, kind) DO UPDATE SET upstream_model = excluded.upstream_model")

int import_store_offer(struct db *db, struct model_id model, const char *kind,
                       struct str upstream_model)
{
    return db_exec(db, &import_upsert_offer,
                   DB_ARGS(db_i64(model.v), db_cstr(kind), db_text(upstream_model)), NULL);
}
