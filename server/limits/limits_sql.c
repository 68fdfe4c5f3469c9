/* limits_sql.c: see limits_sql.h. */
#include "limits/limits_sql.h"

#include "base/bounds.h"
#include "base/err.h"
#include "db/rows.h"
#include "db/tx.h"

#include <errno.h>

DB_QUERY(limits_wallet,
         "SELECT id FROM purse WHERE team_id = $1 AND kind = 'wallet' AND scope = 'team'")
DB_QUERY(limits_purse, "SELECT purse_open($1, $2, $3, $4, $5, $6) AS id")
DB_QUERY(limits_budgets,
         "SELECT scope, scope_id, budget_window, amount_nano FROM budget"
         " WHERE team_id = $1 AND (scope = 'team' OR (scope = 'project' AND scope_id = $2)"
         "                         OR (scope = 'user' AND scope_id = $3))")
DB_QUERY(limits_left,
         "SELECT CASE WHEN now() < window_end THEN capacity - used - leased ELSE capacity END"
         "       AS left_over"
         "  FROM purse WHERE team_id = $1 AND id = $2")

struct open {
    const struct key_limits *limits;
    struct limits_opened *to;
    struct arena *arena;
};

/* Of which scope each limit is, and of what kind its purse. */
static const struct {
    const char *scope, *kind;
} purses[LIMITS] = {
    [LIMIT_WALLET] = {"team", "wallet"},          [LIMIT_KEY_BUDGET] = {"key", "budget"},
    [LIMIT_USER_BUDGET] = {"user", "budget"},     [LIMIT_PROJECT_BUDGET] = {"project", "budget"},
    [LIMIT_TEAM_BUDGET] = {"team", "budget"},     [LIMIT_KEY_REQUESTS] = {"key", "requests"},
    [LIMIT_KEY_TOKENS] = {"key", "tokens"},       [LIMIT_KEY_PERMITS] = {"key", "permits"},
};

static int purse(struct db *db, struct open *o, enum limit limit, int64_t scope_id, struct str turns,
                 int64_t capacity)
{
    if (capacity <= 0)
        return 0;
    o->to->capacity[limit] = capacity;
    return db_one(db, &limits_purse, o->arena,
                  DB_ARGS(db_i64(o->limits->team.v), db_cstr(purses[limit].kind),
                          db_cstr(purses[limit].scope), db_i64(scope_id), db_text(turns),
                          db_i64(capacity)),
                  DB_COLS(db_col_i64("id", &o->to->id[limit].v)));
}

static struct str turns_of(struct str window)
{
    return str_eq_c(window, "lifetime") ? STR("never") : window;
}

struct budget_row {
    struct str scope, window;
    int64_t scope_id, amount;
};

/* Of the team, the key's project and its owner. */
static int shared_budgets(struct db *db, struct open *o)
{
    const struct key_limits *l = o->limits;
    struct budget_row row;
    struct db_rows rows = DB_ROWS(o->arena, &row);
    int r = db_each(db, &limits_budgets, o->arena,
                    DB_ARGS(db_i64(l->team.v), db_i64(l->project.v), db_i64(l->owner.v)),
                    DB_COLS(db_col_text("scope", &row.scope), db_col_i64("scope_id", &row.scope_id),
                            db_col_text("budget_window", &row.window),
                            db_col_i64("amount_nano", &row.amount)),
                    db_rows_push, &rows);

    for (size_t i = 0; !r && i < rows.n; i++) {
        const struct budget_row *b = (const struct budget_row *)rows.v + i;

        for (enum limit limit = LIMIT_USER_BUDGET; !r && limit <= LIMIT_TEAM_BUDGET; limit++)
            if (str_eq_c(b->scope, purses[limit].scope))
                r = purse(db, o, limit, b->scope_id, turns_of(b->window), b->amount);
    }
    return r;
}

static int read_left(struct db *db, struct open *o)
{
    int r = 0;

    for (unsigned i = 0; !r && i < LIMITS; i++)
        if (o->to->id[i].v)
            r = db_one(db, &limits_left, o->arena,
                       DB_ARGS(db_i64(o->limits->team.v), db_i64(o->to->id[i].v)),
                       DB_COLS(db_col_i64("left_over", &o->to->left[i])));
    return r;
}

static int open_all(struct db *db, void *ctx)
{
    struct open *o = ctx;
    const struct key_limits *l = o->limits;
    int r = db_one(db, &limits_wallet, o->arena, DB_ARGS(db_i64(l->team.v)),
                   DB_COLS(db_col_i64("id", &o->to->id[LIMIT_WALLET].v)));

    if (!r && l->budget_window)
        r = purse(db, o, LIMIT_KEY_BUDGET, l->key.v, turns_of(str_c(l->budget_window)), l->budget.nano);
    if (!r)
        r = purse(db, o, LIMIT_KEY_REQUESTS, l->key.v, STR("minute"), l->rpm);
    if (!r)
        r = purse(db, o, LIMIT_KEY_TOKENS, l->key.v, STR("minute"), l->tpm);
    if (!r)
        r = purse(db, o, LIMIT_KEY_PERMITS, l->key.v, STR("never"), l->concurrency);
    if (!r)
        r = shared_budgets(db, o);
    return r ? r : read_left(db, o);
}

int limits_sql_open(struct db *db, const struct key_limits *limits, struct limits_opened *ret)
{
    struct limits_opened opened = {0};
    struct open o = {.limits = limits, .to = &opened, .arena = arena_new(KIB(64))};
    int r = o.arena ? db_tx(db, DB_TEAM(limits->team), "limits_open", open_all, &o)
                    : err_origin(-ENOMEM);

    arena_free(o.arena);
    if (r == DB_E_NONE)
        return LIMITS_E_NONE;
    if (r == DB_E_AWAY || r == -ECONNRESET)
        return LIMITS_E_AWAY;
    if (r)
        return db_fatal(r);
    *ret = opened;
    return LIMITS_OK;
}
