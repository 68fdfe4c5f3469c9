/* targets_sql.c: the targets of models (models.h). */
#include <errno.h>

#include "base/bounds.h"
#include "base/err.h"
#include "catalog/models.h"
#include "db/rows.h"

DB_QUERY(target_json, "SELECT to_jsonb(t)::text AS json, t.model_id"
                      "  FROM target t WHERE t.id = $1 AND t.deleted_at IS NULL FOR UPDATE")

static int target_see(struct db *db, struct arena *a, struct target_id id, struct str *ret)
{
    int64_t model;
    int r = db_one(db, &target_json, a, DB_ARGS(db_i64(id.v)),
                   DB_COLS(db_col_text("json", ret), db_col_i64("model_id", &model)));

    if (r == DB_E_NONE)
        return CHANGE_E_NONE;
    return r ? err_trace(db_fatal(r)) : CHANGE_OK;
}

static int target_changed(struct db *db, const struct actor *actor, struct arena *a,
                          struct target_id id, struct change *change)
{
    int r = target_see(db, a, id, &change->after);

    if (r)
        return r;
    change->kind = "target";
    change->object_id = id.v;
    return change_record(db, actor, change);
}

static int target_twice(struct identity_fault *fault)
{
    return identity_fault_set(fault, "upstream_model",
                              "The account serves the model under this name already.");
}

DB_QUERY(target_insert,
         "INSERT INTO target (model_id, account_id, upstream_model, output_limit_field, priority,"
         "                    weight, enabled, lacks, context_tokens, max_output_tokens)"
         "SELECT m.id, a.id, $3, nullif($4, ''), $5, $6, $7, $8, nullif($9::bigint, 0),"
         "       nullif($10::bigint, 0)"
         "  FROM model m, provider_account a"
         " WHERE m.id = $1 AND a.id = $2 AND a.deleted_at IS NULL AND a.team_id IS NULL "
         "RETURNING id")

static int target_insert_row(struct db *db, struct arena *a, struct model_id model,
                             struct account_id account, const struct target_draft *d,
                             struct target_id *ret)
{
    struct str words[ABILITIES];
    size_t n = ability_words(d->lacks, words);

    return db_one(db, &target_insert, a,
                  DB_ARGS(db_i64(model.v), db_i64(account.v), db_text(str_trim(d->upstream_model)),
                          db_text(d->output_limit_field), db_i32(d->priority), db_i32(d->weight),
                          db_bool(d->enabled), db_texts(words, n), db_i64(d->context_tokens),
                          db_i64(d->max_output_tokens)),
                  DB_COLS(db_col_i64("id", &ret->v)));
}

int target_add(struct db *db, const struct actor *actor, struct model_id model,
               struct account_id account, const struct target_draft *draft, struct target_id *ret,
               struct identity_fault *fault)
{
    _cleanup_(arena_freep) struct arena *a = arena_new(KIB(256));
    struct change change = {.action = "target.add"};
    struct target_id id;
    int r;

    if (!a)
        return err_origin(-ENOMEM);
    r = target_draft_check(draft, fault);
    if (r)
        return r;
    r = target_insert_row(db, a, model, account, draft, &id);
    if (r == DB_E_CONFLICT)
        return target_twice(fault);
    if (r == DB_E_NONE)
        return CHANGE_E_NONE;
    if (r)
        return err_trace(db_fatal(r));
    r = target_changed(db, actor, a, id, &change);
    if (r == 0)
        *ret = id;
    return r;
}

DB_QUERY(target_update,
         "UPDATE target SET upstream_model = $2, output_limit_field = nullif($3, ''),"
         "                  priority = $4, weight = $5, enabled = $6, lacks = $7,"
         "                  context_tokens = nullif($8::bigint, 0),"
         "                  max_output_tokens = nullif($9::bigint, 0)"
         " WHERE id = $1 AND deleted_at IS NULL")

static int target_update_row(struct db *db, struct target_id id, const struct target_draft *d)
{
    struct str words[ABILITIES];
    size_t n = ability_words(d->lacks, words);

    return db_exec(db, &target_update,
                   DB_ARGS(db_i64(id.v), db_text(str_trim(d->upstream_model)),
                           db_text(d->output_limit_field), db_i32(d->priority), db_i32(d->weight),
                           db_bool(d->enabled), db_texts(words, n), db_i64(d->context_tokens),
                           db_i64(d->max_output_tokens)),
                   NULL);
}

int target_edit(struct db *db, const struct actor *actor, struct target_id id,
                const struct target_draft *d, struct identity_fault *fault)
{
    _cleanup_(arena_freep) struct arena *a = arena_new(KIB(256));
    struct change change = {.action = "target.edit"};
    int r;

    if (!a)
        return err_origin(-ENOMEM);
    r = target_draft_check(d, fault);
    if (r == 0)
        r = target_see(db, a, id, &change.before);
    if (r)
        return r;
    r = target_update_row(db, id, d);
    if (r == DB_E_CONFLICT)
        return target_twice(fault);
    return r ? err_trace(db_fatal(r)) : target_changed(db, actor, a, id, &change);
}

DB_QUERY(target_unpin, "UPDATE model SET pinned_target_id = NULL, changed_at = now()"
                       " WHERE pinned_target_id = $1")
DB_QUERY(target_drop, "UPDATE target SET deleted_at = now() WHERE id = $1 AND deleted_at IS NULL")

int target_delete(struct db *db, const struct actor *actor, struct target_id id)
{
    _cleanup_(arena_freep) struct arena *a = arena_new(KIB(256));
    struct change change = {.action = "target.delete", .kind = "target", .object_id = id.v};
    int r;

    if (!a)
        return err_origin(-ENOMEM);
    r = target_see(db, a, id, &change.before);
    if (r)
        return r;
    r = db_exec(db, &target_unpin, DB_ARGS(db_i64(id.v)), NULL);
    if (r == 0)
        r = db_exec(db, &target_drop, DB_ARGS(db_i64(id.v)), NULL);
    return r ? err_trace(db_fatal(r)) : change_record(db, actor, &change);
}

DB_QUERY(target_model_id, "SELECT model_id FROM target WHERE id = $1 AND deleted_at IS NULL")

int target_model(struct db *db, struct target_id id, struct model_id *ret)
{
    struct model_id model;
    int r = db_one(db, &target_model_id, NULL, DB_ARGS(db_i64(id.v)),
                   DB_COLS(db_col_i64("model_id", &model.v)));

    if (r == DB_E_NONE)
        return CHANGE_E_NONE;
    if (r)
        return err_trace(db_fatal(r));
    *ret = model;
    return CHANGE_OK;
}

DB_QUERY(target_all,
         "SELECT t.id, t.model_id, t.account_id, a.name AS account_name, a.kind AS account_kind,"
         "       a.enabled AS account_enabled, t.upstream_model,"
         "       coalesce(t.output_limit_field, '') AS output_limit_field, t.priority, t.weight,"
         "       t.enabled, array_to_string(t.lacks, ',') AS lacks,"
         "       coalesce(t.context_tokens, 0) AS context_tokens,"
         "       coalesce(t.max_output_tokens, 0) AS max_output_tokens"
         "  FROM target t JOIN provider_account a ON a.id = t.account_id"
         " WHERE t.model_id = $1 AND t.deleted_at IS NULL AND a.team_id IS NULL"
         " ORDER BY t.priority, a.priority, t.id LIMIT $2")

struct targets_read {
    struct target_row row;
    struct str lacks;
    struct db_rows rows;
};

static int target_row_read(void *ctx)
{
    struct targets_read *t = ctx;

    t->row.is.lacks = ability_bits(t->lacks);
    return db_rows_push(&t->rows);
}

int target_list(struct db *db, struct arena *a, struct model_id model, struct target_row **ret,
                size_t *ret_n)
{
    struct targets_read t = {.row = {.is = {.enabled = false}}};
    struct target_row *row = &t.row;
    int r;

    t.rows = DB_ROWS(a, row);
    r = db_each(db, &target_all, a, DB_ARGS(db_i64(model.v), db_i64(BOUND_CATALOG_ROWS)),
                DB_COLS(db_col_i64("id", &row->id.v), db_col_i64("model_id", &row->model.v),
                        db_col_i64("account_id", &row->account.v),
                        db_col_text("account_name", &row->account_name),
                        db_col_text("account_kind", &row->account_kind),
                        db_col_bool("account_enabled", &row->account_enabled),
                        db_col_text("upstream_model", &row->is.upstream_model),
                        db_col_text("output_limit_field", &row->is.output_limit_field),
                        db_col_i32("priority", &row->is.priority),
                        db_col_i32("weight", &row->is.weight),
                        db_col_bool("enabled", &row->is.enabled), db_col_text("lacks", &t.lacks),
                        db_col_i64("context_tokens", &row->is.context_tokens),
                        db_col_i64("max_output_tokens", &row->is.max_output_tokens)),
                target_row_read, &t);
    if (r)
        return err_trace(db_fatal(r));
    *ret = t.rows.v;
    *ret_n = t.rows.n;
    return CHANGE_OK;
}
