/* stored_sql.c: see stored.h. */
#include "responses/stored.h"

#include "base/err.h"
#include "db/tx.h"

/* Rows are up to some megabytes: a batch stays within a second or two. */
#define EXPIRE_ROWS 200
#define EXPIRE_BATCHES 100

DB_QUERY(stored_response_put,
         "INSERT INTO stored_response"
         "            (team_id, id, key_id, call_id, model, expires_at, response, input)"
         " SELECT $1, $2, $3, $4, $5, now() + t.response_days * interval '24 hours', $6, $7"
         "   FROM team t WHERE t.id = $1 AND t.response_days > 0"
         " ON CONFLICT (team_id, id) DO UPDATE"
         "    SET key_id = excluded.key_id, call_id = excluded.call_id, model = excluded.model,"
         "        created_at = excluded.created_at, expires_at = excluded.expires_at,"
         "        response = excluded.response, input = excluded.input")

static int put_tx(struct db *db, void *ctx)
{
    const struct stored_response *s = ctx;
    int64_t rows = 0;
    int r = db_exec(db, &stored_response_put,
                    DB_ARGS(db_i64(s->team.v), db_text(s->id), db_i64(s->key.v), db_uuid(s->call),
                            db_text(s->model), db_bytes(s->response), db_bytes(s->input)),
                    &rows);

    return r == 0 && !rows ? STORED_E_NONE : r;
}

static int outcome(int r)
{
    if (r == 0 || r == DB_E_NONE || r == DB_E_AWAY)
        return r;
    return err_trace(db_fatal(r));
}

int stored_put(struct db *db, const struct stored_response *response)
{
    struct stored_response s = *response;

    return outcome(db_tx(db, DB_TEAM(s.team), "stored_put", put_tx, &s));
}

DB_QUERY(stored_response_get,
         "SELECT key_id, call_id, model, response,"
         "       CASE WHEN $3::boolean THEN input END AS input"
         "  FROM stored_response WHERE team_id = $1 AND id = $2 AND expires_at > now()")

struct getting {
    struct arena *a;
    struct team_id team;
    struct str id;
    bool wants_input;
    struct stored_response row;
};

static int get_tx(struct db *db, void *ctx)
{
    struct getting *g = ctx;
    struct stored_response *s = &g->row;

    return db_one(db, &stored_response_get, g->a,
                  DB_ARGS(db_i64(g->team.v), db_text(g->id), db_bool(g->wants_input)),
                  DB_COLS(db_col_i64("key_id", &s->key.v), db_col_uuid("call_id", &s->call),
                          db_col_text("model", &s->model), db_col_bytes("response", &s->response),
                          db_col_bytes("input", &s->input)));
}

int stored_get(struct db *db, struct arena *a, struct team_id team, struct str id, bool wants_input,
               struct stored_response *ret)
{
    struct getting g = {.a = a, .team = team, .id = id, .wants_input = wants_input,
                        .row = {.team = team, .id = id}};
    int r = outcome(db_read(db, DB_TEAM(team), "stored_get", get_tx, &g));

    if (r == STORED_OK)
        *ret = g.row;
    return r;
}

/* One that is over is gone for its clients, though its row may be there. */
DB_QUERY(stored_response_delete,
         "DELETE FROM stored_response WHERE team_id = $1 AND id = $2 AND expires_at > now()")

static int delete_tx(struct db *db, void *ctx)
{
    const struct getting *g = ctx;
    int64_t rows = 0;
    int r = db_exec(db, &stored_response_delete, DB_ARGS(db_i64(g->team.v), db_text(g->id)), &rows);

    return r == 0 && !rows ? STORED_E_NONE : r;
}

int stored_delete(struct db *db, struct team_id team, struct str id)
{
    struct getting g = {.team = team, .id = id};

    return outcome(db_tx(db, DB_TEAM(team), "stored_delete", delete_tx, &g));
}

/* Rows that another node is just removing are its own. */
DB_QUERY(stored_response_expire,
         "DELETE FROM stored_response s"
         " USING (SELECT team_id, id FROM stored_response WHERE expires_at <= now()"
         "         ORDER BY expires_at LIMIT $1 FOR UPDATE SKIP LOCKED) o"
         " WHERE s.team_id = o.team_id AND s.id = o.id")

static int expire_tx(struct db *db, void *ctx)
{
    return db_exec(db, &stored_response_expire, DB_ARGS(db_i32(EXPIRE_ROWS)), ctx);
}

int stored_expire(struct db *db, int64_t *ret)
{
    int64_t sum = 0, rows = EXPIRE_ROWS;
    int r = 0;

    for (int i = 0; r == 0 && rows == EXPIRE_ROWS && i < EXPIRE_BATCHES; i++) {
        rows = 0;
        r = db_tx(db, DB_SYSTEM, "stored_expire", expire_tx, &rows);
        sum += rows;
    }
    *ret = sum;
    return r;
}
