/* shadow_sql.c: see shadow.h. */
#include "ledger/shadow.h"

#include "base/err.h"
#include "db/tx.h"

DB_QUERY(shadow_take_part, "SELECT shadow_take($1, $2, $3) AS taken")
DB_QUERY(shadow_give_part_back, "SELECT shadow_give_back($1, $2, $3)")

struct taking {
    const struct shadow_part *part;
    bool taken;
};

static int take_tx(struct db *db, void *ctx)
{
    struct taking *t = ctx;
    const struct shadow_part *p = t->part;

    return db_one(db, &shadow_take_part, NULL,
                  DB_ARGS(db_i64(p->model.v), db_time_us(p->at_us), db_money(p->most)),
                  DB_COLS(db_col_bool("taken", &t->taken)));
}

int shadow_take(struct db *db, const struct shadow_part *part)
{
    struct taking t = {.part = part};
    int r = db_tx(db, DB_SYSTEM, "shadow_take", take_tx, &t);

    if (r != 0)
        return db_fatal(r);
    return t.taken ? SHADOW_OK : SHADOW_E_CEILING;
}

static int give_back_tx(struct db *db, void *ctx)
{
    const struct shadow_part *p = ctx;

    return db_exec(db, &shadow_give_part_back,
                   DB_ARGS(db_i64(p->model.v), db_time_us(p->at_us), db_money(p->most)), NULL);
}

int shadow_give_back(struct db *db, const struct shadow_part *part)
{
    struct shadow_part copy = *part;

    return db_fatal(db_tx(db, DB_SYSTEM, "shadow_give_back", give_back_tx, &copy));
}
