/* models_sql.c: adding and changing models. A change reads the row as JSON before and after, which
 * locks it and is what the audit log keeps. */
#include <errno.h>

#include "base/bounds.h"
#include "base/err.h"
#include "catalog/models.h"

DB_QUERY(model_json, "SELECT to_jsonb(m)::text AS json FROM model m WHERE m.id = $1 FOR UPDATE")

static int model_see(struct db *db, struct arena *a, struct model_id id, struct str *ret)
{
    int r = db_one(db, &model_json, a, DB_ARGS(db_i64(id.v)), DB_COLS(db_col_text("json", ret)));

    if (r == DB_E_NONE)
        return CHANGE_E_NONE;
    return r ? err_trace(db_fatal(r)) : CHANGE_OK;
}

static int model_changed(struct db *db, const struct actor *actor, struct arena *a,
                         struct model_id id, struct change *change)
{
    int r = model_see(db, a, id, &change->after);

    if (r)
        return r;
    change->kind = "model";
    change->object_id = id.v;
    return change_record(db, actor, change);
}

/* The draft's sets as SQL arrays; the words are static. */
struct model_sets {
    struct str abilities[ABILITIES], triggers[ROUTE_TRIGGERS];
    size_t n_abilities, n_triggers;
};

static struct model_sets sets_of(const struct model_draft *d)
{
    struct model_sets s;

    s.n_abilities = ability_words(d->abilities, s.abilities);
    s.n_triggers = trigger_words(d->triggers, s.triggers);
    return s;
}

static struct db_arg abilities_arg(const struct model_draft *d, const struct model_sets *s)
{
    return d->abilities_known ? db_texts(s->abilities, s->n_abilities) : db_null(DB_TEXT_ARRAY);
}

DB_QUERY(model_insert,
         "INSERT INTO model (name, kind, vendor, family, description, context_tokens,"
         "                   max_output_tokens, media_tokens, capabilities, enabled, strategy,"
         "                   triggers, max_attempts, retries, connect_timeout_ms,"
         "                   first_byte_timeout_ms, idle_timeout_ms, total_timeout_ms, created_by,"
         "                   demo, drop_unsupported)"
         "VALUES ($1, $2, $3, $4, coalesce($5, ''), nullif($6::bigint, 0), nullif($7::bigint, 0),"
         "        $8, $9, $10, $11, $12, $13, $14, nullif($15::integer, 0),"
         "        nullif($16::integer, 0), nullif($17::integer, 0), nullif($18::integer, 0),"
         "        nullif($19::bigint, 0), $20, $21) "
         "RETURNING id")

int model_store(struct db *db, struct arena *a, const struct actor *actor,
                const struct model_draft *d, struct model_id *ret)
{
    struct model_sets s = sets_of(d);

    return db_one(
        db, &model_insert, a,
        DB_ARGS(db_text(d->name), db_cstr(model_kind_name(d->kind)), db_text(str_trim(d->vendor)),
                db_cstr(model_kind_family(d->kind)), db_text(d->description),
                db_i64(d->context_tokens), db_i64(d->max_output_tokens), db_i64(d->media_tokens),
                abilities_arg(d, &s), db_bool(d->enabled),
                db_cstr(route_strategy_name(d->strategy)), db_texts(s.triggers, s.n_triggers),
                db_i32(d->max_attempts), db_i32(d->retries), db_i32(d->connect_timeout_ms),
                db_i32(d->first_byte_timeout_ms), db_i32(d->idle_timeout_ms),
                db_i32(d->total_timeout_ms), db_i64(actor->kind == ACTOR_OPERATOR ? actor->id : 0),
                db_bool(d->demo), db_bool(d->drop_unsupported)),
        DB_COLS(db_col_i64("id", &ret->v)));
}

DB_QUERY(model_name_used, "SELECT EXISTS (SELECT FROM model WHERE name = $1)"
                          "       OR EXISTS (SELECT FROM model_alias WHERE alias = $1) AS used")

static int name_used(struct db *db, struct arena *a, struct str name, bool *ret)
{
    int r =
        db_one(db, &model_name_used, a, DB_ARGS(db_text(name)), DB_COLS(db_col_bool("used", ret)));

    return r ? err_trace(db_fatal(r)) : 0;
}

int model_add(struct db *db, const struct actor *actor, const struct model_draft *draft,
              struct model_id *ret, struct identity_fault *fault)
{
    _cleanup_(arena_freep) struct arena *a = arena_new(KIB(256));
    struct change change = {.action = "model.add"};
    struct model_id id;
    bool used = false;
    int r;

    if (!a)
        return err_origin(-ENOMEM);
    r = model_draft_check(draft, fault);
    if (r == 0)
        r = name_used(db, a, draft->name, &used);
    if (r)
        return r;
    r = used ? DB_E_CONFLICT : model_store(db, a, actor, draft, &id);
    if (r == DB_E_CONFLICT)
        return identity_fault_set(fault, "name", "There is a model or alias of this name already.");
    if (r)
        return err_trace(db_fatal(r));
    r = model_changed(db, actor, a, id, &change);
    if (r == 0)
        *ret = id;
    return r;
}

DB_QUERY(
    model_update,
    "UPDATE model"
    "   SET vendor = $2, description = coalesce($3, ''), context_tokens = nullif($4::bigint, 0),"
    "       max_output_tokens = nullif($5::bigint, 0), media_tokens = $6, capabilities = $7,"
    "       enabled = $8, strategy = $9, triggers = $10, max_attempts = $11, retries = $12,"
    "       connect_timeout_ms = nullif($13::integer, 0),"
    "       first_byte_timeout_ms = nullif($14::integer, 0),"
    "       idle_timeout_ms = nullif($15::integer, 0),"
    "       total_timeout_ms = nullif($16::integer, 0), drop_unsupported = $17,"
    "       changed_at = now()"
    " WHERE id = $1")

int model_edit(struct db *db, const struct actor *actor, struct model_id id,
               const struct model_draft *d, struct identity_fault *fault)
{
    _cleanup_(arena_freep) struct arena *a = arena_new(KIB(256));
    struct change change = {.action = "model.edit"};
    struct model_draft checked = *d;
    struct model_sets s = sets_of(d);
    int r;

    if (!a)
        return err_origin(-ENOMEM);
    checked.name = STR("fixed"); /* not the draft's to say */
    r = model_draft_check(&checked, fault);
    if (r == 0)
        r = model_see(db, a, id, &change.before);
    if (r)
        return r;
    r = db_exec(db, &model_update,
                DB_ARGS(db_i64(id.v), db_text(str_trim(d->vendor)), db_text(d->description),
                        db_i64(d->context_tokens), db_i64(d->max_output_tokens),
                        db_i64(d->media_tokens), abilities_arg(d, &s), db_bool(d->enabled),
                        db_cstr(route_strategy_name(d->strategy)),
                        db_texts(s.triggers, s.n_triggers), db_i32(d->max_attempts),
                        db_i32(d->retries), db_i32(d->connect_timeout_ms),
                        db_i32(d->first_byte_timeout_ms), db_i32(d->idle_timeout_ms),
                        db_i32(d->total_timeout_ms), db_bool(d->drop_unsupported)),
                NULL);
    return r ? err_trace(db_fatal(r)) : model_changed(db, actor, a, id, &change);
}

DB_QUERY(model_set_enabled, "UPDATE model SET enabled = $2, changed_at = now() WHERE id = $1")

int model_enable(struct db *db, const struct actor *actor, struct model_id id, bool enabled)
{
    _cleanup_(arena_freep) struct arena *a = arena_new(KIB(256));
    struct change change = {.action = enabled ? "model.enable" : "model.disable"};
    int r;

    if (!a)
        return err_origin(-ENOMEM);
    r = model_see(db, a, id, &change.before);
    if (r)
        return r;
    r = db_exec(db, &model_set_enabled, DB_ARGS(db_i64(id.v), db_bool(enabled)), NULL);
    return r ? err_trace(db_fatal(r)) : model_changed(db, actor, a, id, &change);
}

DB_QUERY(model_set_pin,
         "UPDATE model m SET pinned_target_id = nullif($2::bigint, 0), changed_at = now()"
         " WHERE m.id = $1"
         "   AND ($2 = 0 OR EXISTS (SELECT FROM target t JOIN provider_account a ON a.id = t.account_id"
         "                           WHERE t.id = $2 AND t.model_id = m.id AND t.deleted_at IS NULL"
         "                             AND a.team_id IS NULL))")

int model_pin(struct db *db, const struct actor *actor, struct model_id id, struct target_id target)
{
    _cleanup_(arena_freep) struct arena *a = arena_new(KIB(256));
    struct change change = {.action = target.v ? "model.pin" : "model.unpin"};
    int64_t rows = 0;
    int r;

    if (!a)
        return err_origin(-ENOMEM);
    r = model_see(db, a, id, &change.before);
    if (r)
        return r;
    r = db_exec(db, &model_set_pin, DB_ARGS(db_i64(id.v), db_i64(target.v)), &rows);
    if (r)
        return err_trace(db_fatal(r));
    return rows ? model_changed(db, actor, a, id, &change) : CHANGE_E_NONE;
}

DB_QUERY(model_set_off, "UPDATE model SET route_off_reason = $2, changed_at = now() WHERE id = $1")

int model_switch_off(struct db *db, const struct actor *actor, struct model_id id,
                     struct str reason, struct identity_fault *fault)
{
    _cleanup_(arena_freep) struct arena *a = arena_new(KIB(256));
    struct change change = {.action = reason.p ? "model.switch_off" : "model.switch_on"};
    int r;

    if (!a)
        return err_origin(-ENOMEM);
    if (reason.p) {
        reason = str_trim(reason);
        if (!reason.n || reason.n > 300 || !str_utf8(reason))
            return identity_fault_set(fault, "reason",
                                      "A reason of 1 to 300 characters is needed.");
    }
    r = model_see(db, a, id, &change.before);
    if (r)
        return r;
    r = db_exec(db, &model_set_off, DB_ARGS(db_i64(id.v), db_text(reason)), NULL);
    return r ? err_trace(db_fatal(r)) : model_changed(db, actor, a, id, &change);
}

DB_QUERY(model_alias_insert, "INSERT INTO model_alias (alias, model_id) VALUES ($1, $2)")

static int alias_change(struct db *db, const struct actor *actor, struct arena *a,
                        struct model_id id, struct change *change, struct str alias)
{
    struct str text = arena_strf(a, "{\"alias\":\"%.*s\"}", STR_FMT(alias));

    if (!text.p)
        return err_origin(-ENOMEM);
    change->kind = "model";
    change->object_id = id.v;
    if (strcmp(change->action, "model.add_alias") == 0)
        change->after = text;
    else
        change->before = text;
    return change_record(db, actor, change);
}

int model_add_alias(struct db *db, const struct actor *actor, struct model_id id, struct str alias,
                    struct identity_fault *fault)
{
    _cleanup_(arena_freep) struct arena *a = arena_new(KIB(256));
    struct change change = {.action = "model.add_alias"};
    struct str before;
    bool used = false;
    int r;

    if (!a)
        return err_origin(-ENOMEM);
    if (!model_name_good(alias))
        return identity_fault_set(fault, "alias",
                                  "A name has 1 to 128 letters, digits and . _ : / @ + -");
    r = model_see(db, a, id, &before);
    if (r == 0)
        r = name_used(db, a, alias, &used);
    if (r)
        return r;
    r = used ? DB_E_CONFLICT
             : db_exec(db, &model_alias_insert, DB_ARGS(db_text(alias), db_i64(id.v)), NULL);
    if (r == DB_E_CONFLICT)
        return identity_fault_set(fault, "alias",
                                  "There is a model or alias of this name already.");
    return r ? err_trace(db_fatal(r)) : alias_change(db, actor, a, id, &change, alias);
}

DB_QUERY(model_alias_delete, "DELETE FROM model_alias WHERE alias = $1 AND model_id = $2")

int model_drop_alias(struct db *db, const struct actor *actor, struct model_id id, struct str alias)
{
    _cleanup_(arena_freep) struct arena *a = arena_new(KIB(256));
    struct change change = {.action = "model.drop_alias"};
    int64_t rows = 0;
    int r;

    if (!a)
        return err_origin(-ENOMEM);
    r = db_exec(db, &model_alias_delete, DB_ARGS(db_text(alias), db_i64(id.v)), &rows);
    if (r)
        return err_trace(db_fatal(r));
    return rows ? alias_change(db, actor, a, id, &change, alias) : CHANGE_E_NONE;
}
