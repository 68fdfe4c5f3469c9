/* accounts_list_sql.c: provider accounts as pages show them, what they are known to sell, and what
 * the last try told. */
#include <errno.h>
#include <inttypes.h>

#include "base/bounds.h"
#include "base/err.h"
#include "catalog/accounts.h"
#include "db/rows.h"

#define ACCOUNT_COLUMNS                                                                         \
    "SELECT a.id, coalesce(a.team_id, 0) AS team_id, a.kind, a.name, a.base_url,"               \
    "       a.region, a.project,"                                                               \
    "       CASE WHEN a.extra_headers = '{}' THEN '' ELSE a.extra_headers::text END"            \
    "         AS extra_headers,"                                                                \
    "       a.network = 'private' AS private, a.data_policy, a.own_only, a.enabled, a.priority,"  \
    "       a.weight,"                                                                          \
    "       coalesce(a.rpm, 0) AS rpm, coalesce(a.tpm, 0) AS tpm,"                              \
    "       a.key_sealed IS NOT NULL AS has_key, a.key_last4, a.last_ok_at, a.last_error_at,"   \
    "       a.last_error, a.created_at,"                                                        \
    "       (SELECT count(*) FROM target t WHERE t.account_id = a.id AND t.deleted_at IS NULL)" \
    "         AS targets"                                                                       \
    "  FROM provider_account a"                                                                 \
    " WHERE a.deleted_at IS NULL"

DB_QUERY(account_by_id, ACCOUNT_COLUMNS " AND a.id = $1")
DB_QUERY(account_all, ACCOUNT_COLUMNS " AND a.team_id IS NULL ORDER BY lower(a.name), a.id LIMIT $1")
DB_QUERY(account_own, ACCOUNT_COLUMNS " AND a.team_id = $2 ORDER BY lower(a.name), a.id LIMIT $1")

/* What comes as words. */
static void take_words(struct account_row *row, struct str policy)
{
    row->provider = provider_find(row->is.kind);
    if (data_policy_parse(policy, &row->is.data_policy) != WORD_OK)
        row->is.data_policy = DATA_UNKNOWN; /* of a newer version */
}

#define ACCOUNT_COLS(row, policy)                                                                 \
    DB_COLS(db_col_i64("id", &(row)->id.v), db_col_i64("team_id", &(row)->is.team.v),             \
            db_col_bool("own_only", &(row)->is.own_only),                                         \
            db_col_text("kind", &(row)->is.kind), db_col_text("name", &(row)->is.name),           \
            db_col_text("base_url", &(row)->is.base_url),                                         \
            db_col_text("region", &(row)->is.region), db_col_text("project", &(row)->is.project), \
            db_col_text("extra_headers", &(row)->is.extra_headers),                               \
            db_col_bool("private", &(row)->is.private_network),                                   \
            db_col_text("data_policy", policy),                                                   \
            db_col_bool("enabled", &(row)->is.enabled),                                           \
            db_col_i32("priority", &(row)->is.priority), db_col_i32("weight", &(row)->is.weight), \
            db_col_i64("rpm", &(row)->is.rpm), db_col_i64("tpm", &(row)->is.tpm),                 \
            db_col_bool("has_key", &(row)->has_key), db_col_text("key_last4", &(row)->key_last4), \
            db_col_time_us("last_ok_at", &(row)->last_ok_us),                                     \
            db_col_time_us("last_error_at", &(row)->last_error_us),                               \
            db_col_text("last_error", &(row)->last_error),                                        \
            db_col_time_us("created_at", &(row)->created_us),                                     \
            db_col_i64("targets", &(row)->targets))

int account_get(struct db *db, struct arena *a, struct account_id id, struct account_row *ret)
{
    struct account_row row;
    struct str policy;
    int r = db_one(db, &account_by_id, a, DB_ARGS(db_i64(id.v)), ACCOUNT_COLS(&row, &policy));

    if (r == DB_E_NONE)
        return CHANGE_E_NONE;
    if (r)
        return err_trace(db_fatal(r));
    take_words(&row, policy);
    *ret = row;
    return CHANGE_OK;
}

struct account_read {
    struct account_row row;
    struct str policy;
    struct db_rows rows;
};

static int account_push(void *ctx)
{
    struct account_read *t = ctx;

    take_words(&t->row, t->policy);
    return db_rows_push(&t->rows);
}

int account_list_own(struct db *db, struct arena *a, struct team_id team, struct account_row **ret,
                     size_t *ret_n)
{
    struct account_read t = {.rows = DB_ROWS(a, &t.row)};
    int r = db_each(db, &account_own, a, DB_ARGS(db_i64(BOUND_CATALOG_ROWS), db_i64(team.v)),
                    ACCOUNT_COLS(&t.row, &t.policy), account_push, &t);

    if (r)
        return err_trace(db_fatal(r));
    *ret = t.rows.v;
    *ret_n = t.rows.n;
    return CHANGE_OK;
}

int account_list(struct db *db, struct arena *a, struct account_row **ret, size_t *ret_n)
{
    struct account_read t = {.rows = DB_ROWS(a, &t.row)};
    int r = db_each(db, &account_all, a, DB_ARGS(db_i64(BOUND_CATALOG_ROWS)),
                    ACCOUNT_COLS(&t.row, &t.policy), account_push, &t);

    if (r)
        return err_trace(db_fatal(r));
    *ret = t.rows.v;
    *ret_n = t.rows.n;
    return CHANGE_OK;
}

/* A model that never had a target is enabled by its first; one that had is as an operator left it.
 */
DB_QUERY(account_adopt,
         "WITH made AS ("
         "    INSERT INTO target (model_id, account_id, upstream_model)"
         "    SELECT o.model_id, a.id, o.upstream_model"
         "      FROM provider_account a JOIN model_offer o ON o.kind = a.kind"
         "     WHERE a.id = $1 AND a.deleted_at IS NULL"
         "       AND EXISTS (SELECT FROM price p"
         "                    WHERE p.model_id = o.model_id AND p.target_id IS NULL"
         "                      AND (p.kind = a.kind OR p.kind IS NULL))"
         "     ORDER BY o.model_id"
         "    ON CONFLICT (model_id, account_id, upstream_model) WHERE deleted_at IS NULL"
         "    DO NOTHING"
         "    RETURNING model_id),"
         " lit AS ("
         "    UPDATE model m SET enabled = true, changed_at = now()"
         "      FROM made"
         "     WHERE m.id = made.model_id AND NOT m.enabled"
         "       AND NOT EXISTS (SELECT FROM target t WHERE t.model_id = m.id)"
         "    RETURNING m.id)"
         "SELECT (SELECT count(*) FROM made) AS targets, (SELECT count(*) FROM lit) AS models")

int account_adopt_offers(struct db *db, const struct actor *actor, struct account_id id,
                         int64_t *ret_targets)
{
    _cleanup_(arena_freep) struct arena *a = arena_new(KIB(64));
    struct change change = {.action = "account.adopt", .kind = "account", .object_id = id.v};
    int64_t targets, models;
    struct account_row row;
    int r;

    if (!a)
        return err_origin(-ENOMEM);
    r = account_get(db, a, id, &row);
    if (r)
        return r;
    r = db_one(db, &account_adopt, a, DB_ARGS(db_i64(id.v)),
               DB_COLS(db_col_i64("targets", &targets), db_col_i64("models", &models)));
    if (r)
        return err_trace(db_fatal(r));
    change.after =
        arena_strf(a, "{\"targets\":%" PRId64 ",\"models_enabled\":%" PRId64 "}", targets, models);
    if (!change.after.p)
        return err_origin(-ENOMEM);
    r = targets ? change_record(db, actor, &change) : CHANGE_OK;
    if (r == 0)
        *ret_targets = targets;
    return r;
}

DB_QUERY(account_note_ok, "UPDATE provider_account SET last_ok_at = now() WHERE id = $1")
DB_QUERY(account_note_error,
         "UPDATE provider_account SET last_error_at = now(), last_error = left($2, 300)"
         " WHERE id = $1")

int account_note(struct db *db, struct account_id id, struct str error)
{
    int r = error.p ? db_exec(db, &account_note_error, DB_ARGS(db_i64(id.v), db_text(error)), NULL)
                    : db_exec(db, &account_note_ok, DB_ARGS(db_i64(id.v)), NULL);

    return r ? err_trace(db_fatal(r)) : CHANGE_OK;
}
