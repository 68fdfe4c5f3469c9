/* logs_sql.c: one call with its attempts, the one that was made for it, and what the filters may choose from. */
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
/* Its id is of about the same time, which leaves out the partitions of others. */
DB_QUERY(log_made_for,
         "SELECT c.call_id, c.outcome, c.charge_nano, c.cost_nano FROM call c"
         " WHERE c.for_call_id = $2 AND c.team_id = $1"
         "   AND c.call_id >= call_id_floor($3::timestamptz - interval '1 day')"
         "   AND c.call_id < call_id_floor($3::timestamptz + interval '1 day')"
         " LIMIT 1")
/* From one pair to the next along usage_day_menu: a team's days are many, what it uses is little. */
DB_QUERY(log_menus,
         "WITH RECURSIVE pair AS ("
         "    (SELECT u.model, u.provider, 1 AS n FROM usage_day u WHERE u.team_id = $1"
         "      ORDER BY u.model, u.provider LIMIT 1)"
         "    UNION ALL"
         "    SELECT x.model, x.provider, p.n + 1 FROM pair p"
         "     CROSS JOIN LATERAL (SELECT u.model, u.provider FROM usage_day u"
         "                          WHERE u.team_id = $1 AND (u.model, u.provider) > (p.model, p.provider)"
         "                          ORDER BY u.model, u.provider LIMIT 1) x"
         "     WHERE p.n < 1000),"
         " g AS MATERIALIZED ("
         "    SELECT p.model, p.provider FROM pair p"
         "     WHERE EXISTS (SELECT FROM usage_day u WHERE u.team_id = $1 AND u.model = p.model"
         "                      AND u.provider = p.provider AND u.day > current_date - 31))"
         " (SELECT DISTINCT false AS of_provider, g.model AS value FROM g ORDER BY 2 LIMIT 100)"
         " UNION ALL"
         " (SELECT DISTINCT true, g.provider FROM g ORDER BY 2 LIMIT 40)")
DB_QUERY(log_key_names, "SELECT id, name, deleted_at IS NOT NULL AS deleted FROM api_key"
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

int log_embedding_of(struct db *db, struct arena *a, struct team_id team, struct call_id of,
                     struct log_embedding *ret)
{
    struct log_embedding found;
    int r = db_one(db, &log_made_for, a,
                   DB_ARGS(db_i64(team.v), db_uuid(of), db_time_us(call_id_ms(of) * 1000)),
                   DB_COLS(db_col_uuid("call_id", &found.id), db_col_text("outcome", &found.outcome),
                           db_col_money("charge_nano", &found.charge),
                           db_col_money("cost_nano", &found.cost)));

    if (r == DB_E_NONE)
        return LOG_E_NONE;
    if (r)
        return db_fatal(r);
    *ret = found;
    return LOG_OK;
}

struct choice {
    struct log_choices *out;
    bool of_provider;
    struct str value;
};

static int choice_row(void *ctx)
{
    struct choice *c = ctx;
    struct log_choices *out = c->out;

    if (!c->of_provider && out->n_models < ARRAY_LEN(out->models))
        out->models[out->n_models++] = c->value;
    if (c->of_provider && out->n_providers < ARRAY_LEN(out->providers))
        out->providers[out->n_providers++] = c->value;
    return 0;
}

int log_keys(struct db *db, struct arena *a, struct team_id team, struct log_keys *ret)
{
    struct log_key row = {0};
    struct db_rows rows = DB_ROWS(a, &row);
    int r = db_each(db, &log_key_names, a, DB_ARGS(db_i64(team.v)),
                    DB_COLS(db_col_i64("id", &row.id.v), db_col_text("name", &row.name),
                            db_col_bool("deleted", &row.deleted)),
                    db_rows_push, &rows);

    *ret = (struct log_keys){.v = rows.v, .n = rows.n};
    return r ? err_trace(db_fatal(r)) : 0;
}

int log_choices(struct db *db, struct arena *a, struct team_id team, struct log_choices *ret)
{
    struct choice c = {.out = ret};
    int r = log_keys(db, a, team, &ret->keys);

    if (r)
        return r;
    ret->n_models = ret->n_providers = 0;
    r = db_each(db, &log_menus, a, DB_ARGS(db_i64(team.v)),
                DB_COLS(db_col_bool("of_provider", &c.of_provider), db_col_text("value", &c.value)),
                choice_row, &c);
    return r ? err_trace(db_fatal(r)) : 0;
}

int log_has_any(struct db *db, struct team_id team, bool *ret)
{
    int r = db_one(db, &log_team_has, NULL, DB_ARGS(db_i64(team.v)), DB_COLS(db_col_bool("any", ret)));

    return r ? err_trace(db_fatal(r)) : 0;
}
