/* models_list_sql.c: models as pages and the management API show them. */
#include "base/bounds.h"
#include "base/err.h"
#include "catalog/models.h"
#include "db/rows.h"

#define MODEL_COLUMNS                                                                            \
    "SELECT m.id, m.name, m.kind, m.vendor, m.family, m.description,"                            \
    "       coalesce(m.context_tokens, 0) AS context_tokens,"                                    \
    "       coalesce(m.max_output_tokens, 0) AS max_output_tokens, m.media_tokens,"              \
    "       array_to_string(m.capabilities, ',') AS capabilities, m.demo, m.enabled,"            \
    "       m.strategy, array_to_string(m.triggers, ',') AS triggers,"                          \
    "       m.max_attempts, m.retries, m.drop_unsupported,"                                     \
    "       coalesce(m.connect_timeout_ms, 0) AS connect_timeout_ms," \
    "       coalesce(m.first_byte_timeout_ms, 0) AS first_byte_timeout_ms,"                      \
    "       coalesce(m.idle_timeout_ms, 0) AS idle_timeout_ms,"                                  \
    "       coalesce(m.total_timeout_ms, 0) AS total_timeout_ms,"                                \
    "       coalesce(m.pinned_target_id, 0) AS pinned, m.route_off_reason, m.created_at,"        \
    "       (SELECT count(*) FROM target t JOIN provider_account a ON a.id = t.account_id"       \
    "         WHERE t.model_id = m.id AND t.deleted_at IS NULL AND t.enabled AND a.enabled"      \
    "           AND a.team_id IS NULL) AS targets,"                                              \
    "       EXISTS (SELECT FROM price p WHERE p.model_id = m.id AND p.effective_from <= now())"  \
    "         AS priced,"                                                                        \
    "       EXISTS (SELECT FROM route_rule r WHERE r.model_id = m.id AND r.enabled) AS ruled"    \
    "  FROM model m"

DB_QUERY(model_by_id, MODEL_COLUMNS " WHERE m.id = $1")
DB_QUERY(model_called, MODEL_COLUMNS
         " WHERE m.id = coalesce((SELECT id FROM model WHERE name = $1),"
         "                       (SELECT model_id FROM model_alias WHERE alias = $1))")
DB_QUERY(model_all, MODEL_COLUMNS " WHERE $1::text = '' OR strpos(lower(m.name), lower($1)) > 0"
                                  "    OR strpos(lower(m.vendor), lower($1)) > 0"
                                  " ORDER BY m.demo, lower(m.name), m.id LIMIT $2")

/* Sets and the kind come as words. */
struct model_words {
    struct model_row row;
    struct str kind, capabilities, strategy, triggers;
};

#define MODEL_COLS(w)                                                                             \
    DB_COLS(db_col_i64("id", &(w)->row.id.v), db_col_text("name", &(w)->row.is.name),             \
            db_col_text("kind", &(w)->kind), db_col_text("vendor", &(w)->row.is.vendor),          \
            db_col_text("family", &(w)->row.family),                                              \
            db_col_text("description", &(w)->row.is.description),                                 \
            db_col_i64("context_tokens", &(w)->row.is.context_tokens),                            \
            db_col_i64("max_output_tokens", &(w)->row.is.max_output_tokens),                      \
            db_col_i64("media_tokens", &(w)->row.is.media_tokens),                                \
            db_col_text("capabilities", &(w)->capabilities),                                      \
            db_col_bool("demo", &(w)->row.is.demo), db_col_bool("enabled", &(w)->row.is.enabled), \
            db_col_text("strategy", &(w)->strategy),                                              \
            db_col_text("triggers", &(w)->triggers),                                              \
            db_col_i32("max_attempts", &(w)->row.is.max_attempts),                                \
            db_col_i32("retries", &(w)->row.is.retries),                                          \
            db_col_bool("drop_unsupported", &(w)->row.is.drop_unsupported),                       \
            db_col_i32("connect_timeout_ms", &(w)->row.is.connect_timeout_ms),                    \
            db_col_i32("first_byte_timeout_ms", &(w)->row.is.first_byte_timeout_ms),              \
            db_col_i32("idle_timeout_ms", &(w)->row.is.idle_timeout_ms),                          \
            db_col_i32("total_timeout_ms", &(w)->row.is.total_timeout_ms),                        \
            db_col_i64("pinned", &(w)->row.pinned.v),                                             \
            db_col_text("route_off_reason", &(w)->row.off_reason),                                \
            db_col_time_us("created_at", &(w)->row.created_us),                                   \
            db_col_i64("targets", &(w)->row.targets), db_col_bool("priced", &(w)->row.priced),            \
            db_col_bool("ruled", &(w)->row.ruled))

static struct model_row model_of_words(const struct model_words *w)
{
    struct model_row row = w->row;

    if (model_kind_parse(w->kind, &row.is.kind) != WORD_OK)
        row.is.kind = MODEL_CHAT; /* the table's CHECK has no third */
    row.is.abilities_known = w->capabilities.p != NULL;
    row.is.abilities = ability_bits(w->capabilities);
    row.is.triggers = trigger_bits(w->triggers);
    if (route_strategy_parse(w->strategy, &row.is.strategy) != WORD_OK)
        row.is.strategy = STRATEGY_PRIORITY;
    return row;
}

static int model_found(int r, const struct model_words *w, struct model_row *ret)
{
    if (r == DB_E_NONE)
        return CHANGE_E_NONE;
    if (r)
        return err_trace(db_fatal(r));
    *ret = model_of_words(w);
    return CHANGE_OK;
}

int model_get(struct db *db, struct arena *a, struct model_id id, struct model_row *ret)
{
    struct model_words w = {.kind = STR_NONE};
    int r = db_one(db, &model_by_id, a, DB_ARGS(db_i64(id.v)), MODEL_COLS(&w));

    return model_found(r, &w, ret);
}

int model_by_name(struct db *db, struct arena *a, struct str name, struct model_row *ret)
{
    struct model_words w = {.kind = STR_NONE};
    int r = db_one(db, &model_called, a, DB_ARGS(db_text(name)), MODEL_COLS(&w));

    return model_found(r, &w, ret);
}

struct model_list {
    struct model_words words;
    struct model_row row;
    struct db_rows rows;
};

static int model_list_row(void *ctx)
{
    struct model_list *l = ctx;

    l->row = model_of_words(&l->words);
    return db_rows_push(&l->rows);
}

int model_list(struct db *db, struct arena *a, struct str part, struct model_row **ret,
               size_t *ret_n)
{
    struct model_list l = {.words = {.kind = STR_NONE}};
    int r;

    l.rows = DB_ROWS(a, &l.row);
    r = db_each(db, &model_all, a,
                DB_ARGS(db_text(part.p ? part : STR("")), db_i64(BOUND_CATALOG_ROWS)),
                MODEL_COLS(&l.words), model_list_row, &l);
    if (r)
        return err_trace(db_fatal(r));
    *ret = l.rows.v;
    *ret_n = l.rows.n;
    return CHANGE_OK;
}

DB_QUERY(model_alias_all,
         "SELECT alias FROM model_alias WHERE model_id = $1 ORDER BY alias LIMIT $2")

int model_aliases(struct db *db, struct arena *a, struct model_id id, struct str **ret,
                  size_t *ret_n)
{
    struct str alias = STR_NONE;
    struct db_rows rows = DB_ROWS(a, &alias);
    int r = db_each(db, &model_alias_all, a, DB_ARGS(db_i64(id.v), db_i64(BOUND_CATALOG_ROWS)),
                    DB_COLS(db_col_text("alias", &alias)), db_rows_push, &rows);

    if (r)
        return err_trace(db_fatal(r));
    *ret = rows.v;
    *ret_n = rows.n;
    return CHANGE_OK;
}
