/* limits_sql.c: see limits_sql.h. */
#include "limits/limits_sql.h"

#include "base/bounds.h"
#include "base/err.h"
#include "db/tx.h"

#include <errno.h>

DB_QUERY(limits_wallet,
         "SELECT id FROM purse WHERE team_id = $1 AND kind = 'wallet' AND scope = 'team'")
DB_QUERY(limits_purse, "SELECT purse_open($1, $2, 'key', $3, $4, $5) AS id")

struct open {
    const struct key_limits *limits;
    struct purse_id *ids;
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
    return r;
}

int limits_sql_open(struct db *db, const struct key_limits *limits, struct purse_id ret[LIMITS])
{
    struct purse_id ids[LIMITS] = {{0}};
    struct open o = {.limits = limits, .ids = ids, .arena = arena_new(KIB(64))};
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
    return LIMITS_OK;
}
