/* own_accounts_sql.c: see own_accounts.h. */
#include "catalog/own_accounts.h"

#include <errno.h>
#include <inttypes.h>

#include "base/bounds.h"
#include "base/err.h"
#include "db/rows.h"
#include "identity/installation.h"

DB_QUERY(own_admit, "SELECT own_account_admit($1) AS retry_after_s")

int own_may_change(struct db *db, struct team_id team, int32_t *ret_retry_after_s)
{
    int32_t retry_after_s = 0;
    int r = db_one(db, &own_admit, NULL, DB_ARGS(db_i64(team.v)),
                   DB_COLS(db_col_i32("retry_after_s", &retry_after_s)));

    if (r)
        return err_trace(db_fatal(r));
    if (!retry_after_s)
        return CHANGE_OK;
    *ret_retry_after_s = retry_after_s;
    return IDENTITY_E_LIMITED;
}

struct admit {
    struct team_id team;
    int32_t retry_after_s;
};

static int admit_tx(struct db *db, void *ctx)
{
    struct admit *t = ctx;

    return own_may_change(db, t->team, &t->retry_after_s);
}

int own_may_test(struct db *db, struct team_id team, int32_t *ret_retry_after_s)
{
    struct admit t = {.team = team};
    int r = identity_tx(db, DB_SYSTEM, "own_admit", admit_tx, &t);

    *ret_retry_after_s = t.retry_after_s;
    return r < 0 ? err_trace(r) : r;
}

int own_account_get(struct db *db, struct arena *a, struct team_id team, struct account_id id,
                    struct account_row *ret)
{
    struct account_row row;
    int r = account_get(db, a, id, &row);

    if (r)
        return r;
    if (!team.v || row.is.team.v != team.v)
        return CHANGE_E_NONE;
    *ret = row;
    return CHANGE_OK;
}

DB_QUERY(own_models_all,
         "SELECT n.name, bool_or(n.offered) AS offered, bool_or(NOT n.offered) AS served"
         "  FROM (SELECT o.model AS name, true AS offered FROM own_offer($1) o"
         "        UNION ALL"
         "        SELECT m.name, false FROM target t JOIN model m ON m.id = t.model_id"
         "         WHERE t.account_id = $2 AND t.deleted_at IS NULL) n"
         " GROUP BY n.name ORDER BY n.name COLLATE \"C\" LIMIT $3")

struct own_read {
    struct own_model row;
    struct db_rows rows;
};

static int own_push(void *ctx)
{
    return db_rows_push(&((struct own_read *)ctx)->rows);
}

int own_models(struct db *db, struct arena *a, struct str kind, struct account_id id,
               struct own_model **ret, size_t *ret_n)
{
    struct own_read t = {.rows = DB_ROWS(a, &t.row)};
    int r = db_each(db, &own_models_all, a,
                    DB_ARGS(db_text(kind), db_i64(id.v), db_i64(BOUND_CATALOG_ROWS)),
                    DB_COLS(db_col_text("name", &t.row.name), db_col_bool("offered", &t.row.offered),
                            db_col_bool("served", &t.row.served)),
                    own_push, &t);

    if (r)
        return err_trace(db_fatal(r));
    *ret = t.rows.v;
    *ret_n = t.rows.n;
    return CHANGE_OK;
}

DB_QUERY(own_unknown,
         "SELECT w.name FROM unnest($2::text[]) w(name)"
         " WHERE NOT EXISTS (SELECT FROM own_offer($1) o WHERE o.model = w.name)"
         "   AND NOT EXISTS (SELECT FROM target t JOIN model m ON m.id = t.model_id"
         "                    WHERE t.account_id = $3 AND t.deleted_at IS NULL AND m.name = w.name)"
         " ORDER BY w.name LIMIT 1")
DB_QUERY(own_targets_drop,
         "UPDATE target SET deleted_at = now()"
         " WHERE account_id = $1 AND deleted_at IS NULL AND cardinality($2::text[]) > 0"
         "   AND model_id NOT IN (SELECT id FROM model WHERE name = ANY ($2::text[]))")
DB_QUERY(own_targets_add,
         "INSERT INTO target (model_id, account_id, upstream_model, output_limit_field, lacks,"
         "                    context_tokens, max_output_tokens)"
         "SELECT o.model_id, $1, o.upstream_model, o.output_limit_field, o.lacks, o.context_tokens,"
         "       o.max_output_tokens"
         "  FROM own_offer($3) o"
         " WHERE cardinality($2::text[]) = 0 OR o.model = ANY ($2::text[])"
         " ORDER BY o.model, o.upstream_model"
         " ON CONFLICT (model_id, account_id, upstream_model) WHERE deleted_at IS NULL DO NOTHING")

static int check_known(struct db *db, struct arena *a, const struct account_row *row,
                       const struct str *models, size_t n, struct identity_fault *fault)
{
    struct str name;
    int r = db_one(db, &own_unknown, a,
                   DB_ARGS(db_text(row->is.kind), db_texts(models, n), db_i64(row->id.v)),
                   DB_COLS(db_col_text("name", &name)));

    if (r == DB_E_NONE)
        return CHANGE_OK;
    if (r)
        return err_trace(db_fatal(r));
    return identity_fault_set(fault, "models",
                              "The installation routes one of these models to no provider of this kind.");
}

int own_serve(struct db *db, struct arena *a, const struct actor *actor, const struct account_row *row,
              const struct str *models, size_t n, struct identity_fault *fault)
{
    struct change change = {.action = "account.serve", .kind = "account", .object_id = row->id.v,
                            .team = row->is.team};
    int64_t dropped = 0, added = 0;
    int r = check_known(db, a, row, models, n, fault);

    if (r)
        return r;
    r = db_exec(db, &own_targets_drop, DB_ARGS(db_i64(row->id.v), db_texts(models, n)), &dropped);
    if (r == 0)
        r = db_exec(db, &own_targets_add,
                    DB_ARGS(db_i64(row->id.v), db_texts(models, n), db_text(row->is.kind)), &added);
    if (r)
        return err_trace(db_fatal(r));
    change.after = arena_strf(a, "{\"dropped\":%" PRId64 ",\"added\":%" PRId64 "}", dropped, added);
    if (!change.after.p)
        return err_origin(-ENOMEM);
    return dropped || added ? change_record(db, actor, &change) : CHANGE_OK;
}

DB_QUERY(own_count,
         "SELECT count(*) AS n FROM provider_account WHERE team_id = $1 AND deleted_at IS NULL")

static int check_room(struct db *db, struct team_id team, struct identity_fault *fault)
{
    int64_t n;
    int r = db_one(db, &own_count, NULL, DB_ARGS(db_i64(team.v)), DB_COLS(db_col_i64("n", &n)));

    if (r)
        return err_trace(db_fatal(r));
    if (n >= OWN_ACCOUNTS_PER_TEAM)
        return identity_fault_set(fault, "name", "A team has at most 20 keys at providers. Delete some.");
    return CHANGE_OK;
}

static int check_url(struct db *db, struct arena *a, struct str base_url, struct identity_fault *fault)
{
    struct installation is;
    int r = str_trim(base_url).n ? installation_get(db, a, &is) : 0;

    if (r)
        return err_trace(r);
    if (!str_trim(base_url).n || is.own_base_urls)
        return CHANGE_OK;
    return identity_fault_set(fault, "base_url",
                              "This installation takes keys for their provider's usual address only.");
}

int own_edit(struct db *db, struct arena *a, const struct actor *actor, const struct account_row *row,
             const struct account_draft *draft, struct identity_fault *fault)
{
    bool same = str_eq(str_trim(draft->base_url), row->is.base_url);
    int r = same ? CHANGE_OK : check_url(db, a, draft->base_url, fault);

    return r ? r : account_edit(db, actor, row->id, draft, fault);
}

int own_add(struct db *db, struct arena *a, const struct actor *actor, const uint8_t seal_key[32],
            const struct account_draft *draft, struct str secret, const struct str *models, size_t n,
            struct account_id *ret, struct identity_fault *fault)
{
    struct account_row row;
    struct account_id id;
    int r = check_room(db, draft->team, fault);

    if (r == CHANGE_OK)
        r = check_url(db, a, draft->base_url, fault);
    if (r == CHANGE_OK)
        r = account_add(db, actor, seal_key, draft, secret, &id, fault);
    if (r == CHANGE_OK)
        r = own_account_get(db, a, draft->team, id, &row);
    if (r == CHANGE_OK)
        r = own_serve(db, a, actor, &row, models, n, fault);
    if (r == CHANGE_OK)
        *ret = id;
    return r;
}
