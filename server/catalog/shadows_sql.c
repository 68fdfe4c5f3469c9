/* shadows_sql.c: see shadows.h. */
#include "catalog/shadows.h"

#include <errno.h>

#include "base/bounds.h"
#include "base/err.h"
#include "db/db.h"

DB_QUERY(shadow_rule_row,
         "SELECT s.to_model_id, m.name AS to_name, s.permille, coalesce(s.day_nano, 0) AS day_nano,"
         "       coalesce(d.cost_nano, 0) AS cost_nano, coalesce(d.taken_nano, 0) AS taken_nano"
         "  FROM model_shadow s JOIN model m ON m.id = s.to_model_id"
         "  LEFT JOIN shadow_day d ON d.model_id = s.model_id AND d.day = shadow_day_of(now())"
         " WHERE s.model_id = $1")
/* Locks the model, so that two changes of its rule come one after the other. */
DB_QUERY(shadow_rule_json,
         "SELECT m.kind, (SELECT to_jsonb(s)::text FROM model_shadow s WHERE s.model_id = m.id) AS row"
         "  FROM model m WHERE m.id = $1 FOR UPDATE")
DB_QUERY(shadow_rule_target, "SELECT kind FROM model WHERE id = $1")
DB_QUERY(shadow_rule_put,
         "INSERT INTO model_shadow AS s (model_id, to_model_id, permille, day_nano)"
         " VALUES ($1, $2, $3, nullif($4::bigint, 0))"
         " ON CONFLICT (model_id) DO UPDATE SET to_model_id = excluded.to_model_id,"
         "        permille = excluded.permille, day_nano = excluded.day_nano, changed_at = now()"
         " RETURNING to_jsonb(s)::text AS row")
DB_QUERY(shadow_rule_delete, "DELETE FROM model_shadow WHERE model_id = $1")

int shadow_rule_get(struct db *db, struct arena *a, struct model_id model, struct shadow_rule *ret)
{
    struct shadow_rule rule = {.permille = 0};
    int r = db_one(db, &shadow_rule_row, a, DB_ARGS(db_i64(model.v)),
                   DB_COLS(db_col_i64("to_model_id", &rule.to.v), db_col_text("to_name", &rule.to_name),
                           db_col_i32("permille", &rule.permille), db_col_money("day_nano", &rule.day),
                           db_col_money("cost_nano", &rule.cost_today),
                           db_col_money("taken_nano", &rule.taken_today)));

    if (r == DB_E_NONE)
        return CHANGE_E_NONE;
    if (r != 0)
        return err_trace(db_fatal(r));
    *ret = rule;
    return CHANGE_OK;
}

static int see(struct db *db, struct arena *a, struct model_id model, struct str *ret_kind, struct str *ret_row)
{
    int r = db_one(db, &shadow_rule_json, a, DB_ARGS(db_i64(model.v)),
                   DB_COLS(db_col_text("kind", ret_kind), db_col_text("row", ret_row)));

    return r == DB_E_NONE ? CHANGE_E_NONE : db_fatal(r);
}

static int check(struct db *db, struct arena *a, struct model_id model, struct str kind,
                 const struct shadow_rule *rule, struct identity_fault *fault)
{
    struct str other = STR_NONE;
    int r;

    if (rule->permille < 1 || rule->permille > 1000)
        return identity_fault_set(fault, "share", "A share from 0.1 to 100 percent is needed.");
    if (rule->day.nano < 0 || rule->day.nano > INT64_C(1000000000000000))
        return identity_fault_set(fault, "day_ceiling", "At most 1,000,000 dollars.");
    if (rule->to.v == model.v)
        return identity_fault_set(fault, "to_model", "It is the model itself.");
    r = db_one(db, &shadow_rule_target, a, DB_ARGS(db_i64(rule->to.v)), DB_COLS(db_col_text("kind", &other)));
    if (r == DB_E_NONE)
        return identity_fault_set(fault, "to_model", "There is no such model.");
    if (r == 0 && !str_eq(kind, other))
        return identity_fault_set(fault, "to_model", "It is of another kind, so it cannot be asked the same.");
    return db_fatal(r);
}

static int record(struct db *db, const struct actor *actor, const char *action, struct model_id model,
                  struct str before, struct str after)
{
    return change_record(db, actor,
                         &(struct change){.action = action, .kind = "model", .object_id = model.v,
                                          .before = before, .after = after});
}

int shadow_rule_set(struct db *db, const struct actor *actor, struct model_id model,
                    const struct shadow_rule *rule, struct identity_fault *fault)
{
    _cleanup_(arena_freep) struct arena *a = arena_new(KIB(64));
    struct str kind, before = STR_NONE, after = STR_NONE;
    int r = a ? see(db, a, model, &kind, &before) : err_origin(-ENOMEM);

    if (r == 0)
        r = check(db, a, model, kind, rule, fault);
    if (r == 0)
        r = db_fatal(db_one(db, &shadow_rule_put, a,
                            DB_ARGS(db_i64(model.v), db_i64(rule->to.v), db_i32(rule->permille),
                                    db_money(rule->day)),
                            DB_COLS(db_col_text("row", &after))));
    if (r == 0)
        r = record(db, actor, "model.shadow", model, before, after);
    return r < 0 ? err_trace(r) : r;
}

int shadow_rule_end(struct db *db, const struct actor *actor, struct model_id model)
{
    _cleanup_(arena_freep) struct arena *a = arena_new(KIB(64));
    struct str kind, before = STR_NONE;
    int r = a ? see(db, a, model, &kind, &before) : err_origin(-ENOMEM);

    if (r == 0 && !before.p)
        r = CHANGE_E_NONE;
    if (r == 0)
        r = db_fatal(db_exec(db, &shadow_rule_delete, DB_ARGS(db_i64(model.v)), NULL));
    if (r == 0)
        r = record(db, actor, "model.unshadow", model, before, STR_NONE);
    return r < 0 ? err_trace(r) : r;
}
