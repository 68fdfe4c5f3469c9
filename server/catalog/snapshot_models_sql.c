/* snapshot_models_sql.c: the models of a snapshot, their aliases, their targets and their shadows. */
#include <errno.h>

#include "base/bounds.h"
#include "base/err.h"
#include "catalog/shadow.h"
#include "catalog/snapshot_parts.h"
#include "db/db.h"

/* One row at a time; its strings are in the snapshot's arena already. */
struct models_load {
    struct db *db;
    struct catalog *c;
    struct account_id only;
    size_t at; /* the model that the last target was of: both come by model name */
    int64_t model_id, account_id, price_id;
    bool price_none, pinned;
    struct str model_kind, strategy, triggers, capabilities, alias, limit_field, lacks;
    int32_t max_attempts, retries, connect_ms, first_byte_ms, idle_ms, total_ms;
    struct catalog_model model;
    struct catalog_target target;
    int32_t priority, weight;
};

DB_QUERY(catalog_models_all,
         "SELECT m.id, m.name, m.kind, m.vendor, m.family, m.description,"
         "       coalesce(m.context_tokens, 0) AS context_tokens,"
         "       coalesce(m.max_output_tokens, 0) AS max_output_tokens, m.media_tokens,"
         "       array_to_string(m.capabilities, ',') AS capabilities, m.demo, m.enabled,"
         "       m.strategy, array_to_string(m.triggers, ',') AS triggers, m.max_attempts,"
         "       m.retries, m.drop_unsupported,"
         "       coalesce(m.connect_timeout_ms, 0) AS connect_timeout_ms,"
         "       coalesce(m.first_byte_timeout_ms, 0) AS first_byte_timeout_ms,"
         "       coalesce(m.idle_timeout_ms, 0) AS idle_timeout_ms,"
         "       coalesce(m.total_timeout_ms, 0) AS total_timeout_ms,"
         "       m.route_off_reason,"
         "       extract(epoch FROM m.created_at)::bigint AS created_s, p.id AS price_id"
         "  FROM model m LEFT JOIN price_in_force p"
         "    ON p.model_id = m.id AND p.kind IS NULL AND p.target_id IS NULL"
         " ORDER BY m.name COLLATE \"C\"")

static int model_row(void *ctx)
{
    struct models_load *l = ctx;
    struct catalog *c = l->c;
    struct catalog_model *m = &c->models[c->n_models];
    enum model_kind kind;

    if (model_kind_parse(l->model_kind, &kind) != WORD_OK)
        return 0;
    *m = l->model;
    m->kind = kind;
    m->abilities_known = l->capabilities.p != NULL;
    m->abilities = m->abilities_known ? ability_bits(l->capabilities) : UINT32_MAX;
    if (route_strategy_parse(l->strategy, &m->strategy) != WORD_OK)
        m->strategy = STRATEGY_PRIORITY; /* of a newer version */
    m->triggers = trigger_bits(l->triggers);
    m->max_attempts = (unsigned)l->max_attempts;
    m->retries = (unsigned)l->retries;
    m->connect_timeout_ms = l->connect_ms;
    m->first_byte_timeout_ms = l->first_byte_ms;
    m->idle_timeout_ms = l->idle_ms;
    m->total_timeout_ms = l->total_ms;
    m->price = l->price_none ? NULL : catalog_price(c, l->price_id);
    c->names[c->n_names++] = (struct catalog_name){.name = m->name, .model = m};
    c->n_models++;
    return 0;
}

static int each_model(struct models_load *l)
{
    struct catalog_model *m = &l->model;

    return db_each(
        l->db, &catalog_models_all, l->c->arena, DB_NO_ARGS,
        DB_COLS(
            db_col_i64("id", &m->id.v), db_col_text("name", &m->name),
            db_col_text("kind", &l->model_kind), db_col_text("vendor", &m->vendor),
            db_col_text("family", &m->family), db_col_text("description", &m->description),
            db_col_i64("context_tokens", &m->context_tokens),
            db_col_i64("max_output_tokens", &m->max_output_tokens),
            db_col_i64("media_tokens", &m->media_tokens),
            db_col_text("capabilities", &l->capabilities), db_col_bool("demo", &m->demo),
            db_col_bool("enabled", &m->enabled), db_col_text("strategy", &l->strategy),
            db_col_text("triggers", &l->triggers), db_col_i32("max_attempts", &l->max_attempts),
            db_col_i32("retries", &l->retries),
            db_col_bool("drop_unsupported", &m->drop_unsupported), db_col_i32("connect_timeout_ms", &l->connect_ms),
            db_col_i32("first_byte_timeout_ms", &l->first_byte_ms),
            db_col_i32("idle_timeout_ms", &l->idle_ms),
            db_col_i32("total_timeout_ms", &l->total_ms),
            db_col_text("route_off_reason", &m->off_reason), db_col_i64("created_s", &m->created_s),
            db_col_i64_null("price_id", &l->price_id, &l->price_none)),
        model_row, l);
}

DB_QUERY(catalog_aliases, "SELECT alias, model_id FROM model_alias ORDER BY alias COLLATE \"C\"")

static int alias_row(void *ctx)
{
    struct models_load *l = ctx;
    struct catalog *c = l->c;

    for (size_t i = 0; i < c->n_models; i++)
        if (c->models[i].id.v == l->model_id) {
            c->names[c->n_names++] = (struct catalog_name){l->alias, &c->models[i], true};
            break;
        }
    return 0;
}

static int each_alias(struct models_load *l)
{
    return db_each(l->db, &catalog_aliases, l->c->arena, DB_NO_ARGS,
                   DB_COLS(db_col_text("alias", &l->alias), db_col_i64("model_id", &l->model_id)),
                   alias_row, l);
}

/* What an operator published goes before list prices that were imported; then the most exact price
 * counts: the target's own, else that of its provider kind, else the model's. Of teams' own accounts,
 * which are many and have no prices of their own, it is looked up once for each kind and model. */
DB_QUERY(catalog_targets,
         "WITH own AS MATERIALIZED ("
         "       SELECT w.model_id, w.kind, price.id AS price_id"
         "         FROM (SELECT DISTINCT t.model_id, a.kind"
         "                 FROM target t JOIN provider_account a ON a.id = t.account_id"
         "                WHERE a.team_id IS NOT NULL AND t.deleted_at IS NULL"
         "                  AND a.deleted_at IS NULL AND $1::bigint IN (0, a.id)) w"
         "         LEFT JOIN LATERAL ("
         "              SELECT p.id FROM price_in_force p"
         "               WHERE p.model_id = w.model_id AND p.target_id IS NULL"
         "                 AND (p.kind = w.kind OR p.kind IS NULL)"
         "               ORDER BY p.source <> 'operator', p.kind IS NULL"
         "               LIMIT 1) price ON true)"
         "SELECT t.id, t.model_id, t.account_id, t.upstream_model, t.output_limit_field,"
         "       t.priority, t.weight, t.enabled, array_to_string(t.lacks, ',') AS lacks,"
         "       coalesce(t.context_tokens, 0) AS context_tokens,"
         "       coalesce(t.max_output_tokens, 0) AS max_output_tokens,"
         "       coalesce(t.id = m.pinned_target_id, false) AS pinned,"
         "       coalesce(price.id, own.price_id) AS price_id"
         "  FROM target t"
         "  JOIN model m ON m.id = t.model_id"
         "  JOIN provider_account a ON a.id = t.account_id"
         "  LEFT JOIN LATERAL ("
         "       SELECT p.id FROM price_in_force p"
         "        WHERE a.team_id IS NULL AND p.model_id = t.model_id"
         "          AND (p.target_id = t.id OR p.kind = a.kind"
         "               OR (p.target_id IS NULL AND p.kind IS NULL))"
         "        ORDER BY p.source <> 'operator', p.target_id IS NULL, p.kind IS NULL"
         "        LIMIT 1) price ON true"
         "  LEFT JOIN own ON a.team_id IS NOT NULL AND own.model_id = t.model_id"
         "               AND own.kind = a.kind"
         " WHERE t.deleted_at IS NULL AND a.deleted_at IS NULL"
         "   AND (a.team_id IS NULL OR $1::bigint IN (0, a.id))"
         " ORDER BY m.name COLLATE \"C\", coalesce(a.team_id, 0), t.id")

static struct catalog_model *model_of_target(struct models_load *l)
{
    for (size_t i = l->at; i < l->c->n_models; i++)
        if (l->c->models[i].id.v == l->model_id) {
            l->at = i;
            return &l->c->models[i];
        }
    return NULL;
}

static const char *limit_field(struct str stored, const struct provider *p)
{
    if (str_eq_c(stored, "max_completion_tokens"))
        return "max_completion_tokens";
    return stored.p ? "max_tokens" : p->output_limit_field;
}

static int target_row(void *ctx)
{
    struct models_load *l = ctx;
    struct catalog *c = l->c;
    struct catalog_model *m = model_of_target(l);
    const struct catalog_account *a = catalog_find_account(c, (struct account_id){l->account_id});
    struct catalog_target *t = &c->targets[c->n_targets];

    if (!m || !a)
        return 0;
    *t = l->target;
    t->model = m;
    t->account = a;
    t->priority = l->priority;
    t->weight = l->weight;
    t->output_limit_field = limit_field(l->limit_field, a->provider);
    t->lacks = ability_bits(l->lacks);
    t->price = l->price_none ? NULL : catalog_price(c, l->price_id);
    if (a->team.v) {
        if (m->n_own++ == 0)
            m->own = t;
    } else if (m->n_targets++ == 0) {
        m->targets = t;
    }
    if (l->pinned)
        m->pinned = t;
    c->n_targets++;
    return 0;
}

static int each_target(struct models_load *l)
{
    struct catalog_target *t = &l->target;

    return db_each(l->db, &catalog_targets, l->c->arena, DB_ARGS(db_i64(l->only.v)),
                   DB_COLS(db_col_i64("id", &t->id.v), db_col_i64("model_id", &l->model_id),
                           db_col_i64("account_id", &l->account_id),
                           db_col_text("upstream_model", &t->upstream_model),
                           db_col_text("output_limit_field", &l->limit_field),
                           db_col_i32("priority", &l->priority), db_col_i32("weight", &l->weight),
                           db_col_bool("enabled", &t->enabled), db_col_text("lacks", &l->lacks),
                           db_col_i64("context_tokens", &t->context_tokens),
                           db_col_i64("max_output_tokens", &t->max_output_tokens),
                           db_col_bool("pinned", &l->pinned),
                           db_col_i64_null("price_id", &l->price_id, &l->price_none)),
                   target_row, l);
}

DB_QUERY(catalog_shadows,
         "SELECT model_id, to_model_id, permille, coalesce(day_nano, 0) AS day_nano FROM model_shadow")

struct shadows_load {
    struct catalog *c;
    int64_t model_id, to_model_id;
    struct catalog_shadow shadow;
};

static struct catalog_model *model_of_id(const struct catalog *c, int64_t id)
{
    for (size_t i = 0; i < c->n_models; i++)
        if (c->models[i].id.v == id)
            return &c->models[i];
    return NULL;
}

static int shadow_row(void *ctx)
{
    struct shadows_load *l = ctx;
    struct catalog_model *m = model_of_id(l->c, l->model_id);
    struct catalog_shadow *shadow = arena_new0(l->c->arena, struct catalog_shadow);

    if (!shadow)
        return err_origin(-ENOMEM);
    *shadow = l->shadow;
    shadow->of = m;
    shadow->to = model_of_id(l->c, l->to_model_id);
    if (m && shadow->to) /* one of them may be of a newer version's kind */
        m->shadow = shadow;
    return 0;
}

static int each_shadow(struct db *db, struct catalog *c)
{
    struct shadows_load l = {.c = c};

    return db_each(db, &catalog_shadows, NULL, DB_NO_ARGS,
                   DB_COLS(db_col_i64("model_id", &l.model_id), db_col_i64("to_model_id", &l.to_model_id),
                           db_col_i32("permille", &l.shadow.permille),
                           db_col_money("day_nano", &l.shadow.day)),
                   shadow_row, &l);
}

int snapshot_load_models(struct db *db, const struct catalog_options *options, struct catalog *c)
{
    struct models_load l = {.db = db, .c = c, .only = options->only};
    int r = each_model(&l);

    if (r == 0)
        r = each_alias(&l);
    if (r == 0)
        r = each_target(&l);
    return r ? r : each_shadow(db, c);
}
