/* limits_sql.c: see limits_sql.h. */
#include "limits/limits_sql.h"

#include "base/bounds.h"
#include "base/err.h"
#include "db/tx.h"

#include <errno.h>

DB_QUERY(limits_wallet,
         "SELECT id FROM purse WHERE team_id = $1 AND kind = 'wallet' AND scope = 'team'")
DB_QUERY(limits_purse, "SELECT purse_open($1, $2, 'key', $3, $4, $5) AS id")
DB_QUERY(limits_left,
         "SELECT CASE WHEN now() < window_end THEN capacity - used - leased ELSE capacity END"
         "       AS left_over"
         "  FROM purse WHERE team_id = $1 AND id = $2")

struct open {
    const struct key_limits *limits;
    struct purse_id *ids;
    int64_t *left;
    struct arena *arena;
};

static int purse(struct db *db, struct open *o, const char *kind, const char *turns,
                 int64_t capacity, enum limit limit)
{
    if (capacity <= 0)
        return 0;
    return db_one(db, &limits_purse, o->arena,
                  DB_ARGS(db_i64(o->limits->team.v), db_cstr(kind), db_i64(o->limits->key.v),
                          db_cstr(turns), db_i64(capacity)),
                  DB_COLS(db_col_i64("id", &o->ids[limit].v)));
}

static int read_left(struct db *db, struct open *o)
{
    int r = 0;

    for (unsigned i = 0; !r && i < LIMITS; i++)
        if (o->ids[i].v)
            r = db_one(db, &limits_left, o->arena,
                       DB_ARGS(db_i64(o->limits->team.v), db_i64(o->ids[i].v)),
                       DB_COLS(db_col_i64("left_over", &o->left[i])));
    return r;
}

static int open_all(struct db *db, void *ctx)
{
    struct open *o = ctx;
    const struct key_limits *l = o->limits;
    bool lifetime = l->budget_window && str_eq_c(str_c(l->budget_window), "lifetime");
    int r = db_one(db, &limits_wallet, o->arena, DB_ARGS(db_i64(l->team.v)),
                   DB_COLS(db_col_i64("id", &o->ids[LIMIT_WALLET].v)));

    if (!r && l->budget_window)
        r = purse(db, o, "budget", lifetime ? "never" : l->budget_window, l->budget.nano,
                  LIMIT_KEY_BUDGET);
    if (!r)
        r = purse(db, o, "requests", "minute", l->rpm, LIMIT_KEY_REQUESTS);
    if (!r)
        r = purse(db, o, "tokens", "minute", l->tpm, LIMIT_KEY_TOKENS);
    if (!r)
        r = purse(db, o, "permits", "never", l->concurrency, LIMIT_KEY_PERMITS);
    return r ? r : read_left(db, o);
}

int limits_sql_open(struct db *db, const struct key_limits *limits, struct purse_id ret[LIMITS],
                    int64_t ret_left[LIMITS])
{
    struct purse_id ids[LIMITS] = {{0}};
    int64_t left[LIMITS] = {0};
    struct open o = {.limits = limits, .ids = ids, .left = left, .arena = arena_new(KIB(64))};
    int r = o.arena ? db_tx(db, DB_TEAM(limits->team), "limits_open", open_all, &o)
                    : err_origin(-ENOMEM);

    arena_free(o.arena);
    if (r == DB_E_NONE)
        return LIMITS_E_NONE;
    if (r == DB_E_AWAY || r == -ECONNRESET)
        return LIMITS_E_AWAY;
    if (r)
        return db_fatal(r);
    memcpy(ret, ids, sizeof(ids));
    memcpy(ret_left, left, sizeof(left));
    return LIMITS_OK;
}
