/* logs_sql.c: one call with its attempts, and what the filters may choose from. */
#include "logs/columns.h"

#include "base/err.h"
#include "db/rows.h"

DB_QUERY(log_call_of_team,
         "SELECT " CALL_COLUMNS CALL_FROM " WHERE c.call_id = $2 AND c.team_id = $1")
DB_QUERY(log_call_of_any,
         "SELECT " CALL_COLUMNS CALL_FROM " WHERE c.call_id = $2 AND $1::bigint IS NULL")
DB_QUERY(log_call_attempts, "SELECT " RECORD_ATTEMPT(SELECT_ATTEMPT) "a.call_id AS call_id"
                            " FROM attempt a WHERE a.team_id = $1 AND a.call_id = $2"
                            " ORDER BY a.ordinal LIMIT 16")
DB_QUERY(log_models, "SELECT DISTINCT model AS value FROM usage_day"
                     " WHERE team_id = $1 AND day > current_date - 31 AND model IS NOT NULL"
                     " ORDER BY 1 LIMIT 100")
DB_QUERY(log_providers, "SELECT DISTINCT provider AS value FROM usage_day"
                        " WHERE team_id = $1 AND day > current_date - 31 AND provider IS NOT NULL"
                        " ORDER BY 1 LIMIT 40")

DB_QUERY(log_keys, "SELECT id, name, deleted_at IS NOT NULL AS deleted FROM api_key"
                   " WHERE team_id = $1 ORDER BY lower(name), id LIMIT 1000")
DB_QUERY(log_team_has, "SELECT EXISTS (SELECT FROM usage_day WHERE team_id = $1) AS any")

size_t log_columns(struct log_row *row, struct db_col out[LOG_COLS])
{
    const struct db_col cols[] = {RECORD_CALL(COL_CALL)
                                      db_col_time_us("posted_at", &row->posted_at_us),
                                  db_col_i64("transfer_id", &row->transfer_id),
                                  db_col_text("team_name", &row->team_name),
                                  db_col_text("key_name", &row->key_name),
                                  db_col_text("project_name", &row->project_name)};

    _Static_assert(ARRAY_LEN(cols) <= LOG_COLS, "raise LOG_COLS");
    memcpy(out, cols, sizeof(cols));
    return ARRAY_LEN(cols);
}

struct attempts {
    struct call_record *call;
    struct attempt_record row;
    int32_t n;
};

static int attempt_row(void *ctx)
{
    struct attempts *t = ctx;

    if (t->n < BOUND_ATTEMPTS)
        t->call->attempt[t->n++] = t->row;
    return 0;
}

int log_get(struct db *db, struct arena *a, struct team_id team, struct call_id id,
            struct log_row *ret)
{
    struct log_row found = {0};
    struct attempts t = {.call = &found.call};
    struct attempt_record *attempt = &t.row;
    struct call_id ignored;
    struct db_col cols[LOG_COLS];
    int r;

    r = db_one(db, team.v ? &log_call_of_team : &log_call_of_any, a,
               DB_ARGS(team.v ? db_i64(team.v) : db_null(DB_I64), db_uuid(id)), cols,
               log_columns(&found, cols));
    if (r == DB_E_NONE)
        return LOG_E_NONE;
    if (r)
        return db_fatal(r);
    r = db_each(db, &log_call_attempts, a,
                DB_ARGS(db_i64(found.call.team_id), db_uuid(id)),
                DB_COLS(RECORD_ATTEMPT(COL_ATTEMPT) db_col_uuid("call_id", &ignored)), attempt_row,
                &t);
    if (r)
        return db_fatal(r);
    found.call.attempts = t.n;
    *ret = found;
    return LOG_OK;
}

struct choice {
    struct str value, *list;
    size_t n, max;
};

static int choice_row(void *ctx)
{
    struct choice *c = ctx;

    if (c->n < c->max)
        c->list[c->n++] = c->value;
    return 0;
}

static int choices(struct db *db, struct arena *a, struct db_query *q, struct team_id team,
                   struct str *list, size_t max, size_t *ret_n)
{
    struct choice c = {.list = list, .max = max};
    int r = db_each(db, q, a, DB_ARGS(db_i64(team.v)), DB_COLS(db_col_text("value", &c.value)),
                    choice_row, &c);

    if (r)
        return db_fatal(r);
    *ret_n = c.n;
    return 0;
}

static int read_keys(struct db *db, struct arena *a, struct team_id team, struct log_choices *ret)
{
    struct log_key row = {0};
    struct db_rows rows = DB_ROWS(a, &row);
    int r = db_each(db, &log_keys, a, DB_ARGS(db_i64(team.v)),
                    DB_COLS(db_col_i64("id", &row.id.v), db_col_text("name", &row.name),
                            db_col_bool("deleted", &row.deleted)),
                    db_rows_push, &rows);

    ret->keys = rows.v;
    ret->n_keys = rows.n;
    return r ? err_trace(db_fatal(r)) : 0;
}

int log_choices(struct db *db, struct arena *a, struct team_id team, struct log_choices *ret)
{
    int r = read_keys(db, a, team, ret);

    if (r == 0)
        r = choices(db, a, &log_models, team, ret->models, ARRAY_LEN(ret->models), &ret->n_models);
    if (r < 0)
        return err_trace(r);
    return choices(db, a, &log_providers, team, ret->providers, ARRAY_LEN(ret->providers),
                   &ret->n_providers);
}

int log_has_any(struct db *db, struct team_id team, bool *ret)
{
    int r = db_one(db, &log_team_has, NULL, DB_ARGS(db_i64(team.v)), DB_COLS(db_col_bool("any", ret)));

    return r ? err_trace(db_fatal(r)) : 0;
}
