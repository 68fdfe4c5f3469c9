/* accounts_sql.c: provider accounts in the database. A change reads the row as JSON before and
 * after, which locks it and is what the audit log keeps; the credential is never part of that. */
#include <errno.h>

#include "base/bounds.h"
#include "base/err.h"
#include "catalog/accounts.h"

DB_QUERY(account_json,
         "SELECT (to_jsonb(a) - '{key_sealed,last_ok_at,last_error_at,last_error}'::text[]"
         "        || jsonb_build_object('has_key', a.key_sealed IS NOT NULL))::text AS json,"
         "       a.kind, coalesce(a.team_id, 0) AS team_id"
         "  FROM provider_account a"
         " WHERE a.id = $1 AND a.deleted_at IS NULL"
         "   FOR UPDATE")

struct account_seen {
    struct str json;
    struct team_id team;
    const struct provider *provider;
};

static int account_see(struct db *db, struct arena *a, struct account_id id,
                       struct account_seen *ret)
{
    struct str kind;
    int r = db_one(db, &account_json, a, DB_ARGS(db_i64(id.v)),
                   DB_COLS(db_col_text("json", &ret->json), db_col_text("kind", &kind),
                           db_col_i64("team_id", &ret->team.v)));

    if (r == DB_E_NONE)
        return CHANGE_E_NONE;
    if (r)
        return err_trace(db_fatal(r));
    ret->provider = provider_find(kind);
    return CHANGE_OK;
}

static int account_changed(struct db *db, const struct actor *actor, struct arena *a,
                           struct account_id id, struct change *change)
{
    struct account_seen now = {.json = STR_NONE};
    int r = account_see(db, a, id, &now);

    if (r)
        return r;
    change->kind = "account";
    change->object_id = id.v;
    change->team = now.team;
    change->after = now.json;
    return change_record(db, actor, change);
}

static int name_taken(struct identity_fault *fault)
{
    return identity_fault_set(fault, "name", "There is an account of this name already.");
}

static struct db_arg headers_arg(struct str text)
{
    return db_json(text.n ? text : STR("{}"));
}

DB_QUERY(account_insert,
         "INSERT INTO provider_account (kind, name, base_url, extra_headers, network, enabled,"
         "                              priority, weight, rpm, tpm, created_by, region, project,"
         "                              data_policy, team_id, own_only)"
         "VALUES ($1, $2, coalesce($3, ''), $4, $5, $6, $7, $8, nullif($9::bigint, 0),"
         "        nullif($10::bigint, 0), nullif($11::bigint, 0), coalesce($12, ''),"
         "        coalesce($13, ''), $14, nullif($15::bigint, 0), $16) "
         "RETURNING id")

static int account_insert_row(struct db *db, struct arena *a, const struct actor *actor,
                              const struct account_draft *d, struct account_id *ret)
{
    return db_one(db, &account_insert, a,
                  DB_ARGS(db_text(d->kind), db_text(str_trim(d->name)),
                          db_text(str_trim(d->base_url)), headers_arg(d->extra_headers),
                          db_cstr(d->private_network ? "private" : "public"), db_bool(d->enabled),
                          db_i32(d->priority), db_i32(d->weight), db_i64(d->rpm), db_i64(d->tpm),
                          db_i64(actor->kind == ACTOR_OPERATOR ? actor->id : 0),
                          db_text(d->region), db_text(d->project),
                          db_cstr(data_policy_name(d->data_policy)), db_i64(d->team.v),
                          db_bool(d->own_only)),
                  DB_COLS(db_col_i64("id", &ret->v)));
}

DB_QUERY(account_store_key,
         "UPDATE provider_account SET key_sealed = $2, key_last4 = $3, changed_at = now()"
         " WHERE id = $1 AND deleted_at IS NULL")

static int account_store(struct db *db, struct arena *a, const uint8_t seal_key[32],
                         const struct provider *p, struct account_id id, struct str key)
{
    struct provider_credential opened = {.bearer = STR_NONE};
    struct str sealed = STR_NONE;
    int r = key.n ? account_key_seal(a, seal_key, id, key, &sealed) : 0;

    if (r == 0)
        r = credential_open(p, a, key, &opened);
    if (r < 0)
        return err_trace(r);
    r = db_exec(db, &account_store_key,
                DB_ARGS(db_i64(id.v), sealed.p ? db_bytes(sealed) : db_null(DB_BYTES),
                        db_text(credential_last4(&opened))),
                NULL);
    provider_credential_wipe(&opened);
    return r ? err_trace(db_fatal(r)) : CHANGE_OK;
}

static int add(struct db *db, const struct actor *actor, struct arena *a,
               const uint8_t seal_key[32], const struct account_draft *draft, struct str key,
               struct account_id *ret, struct identity_fault *fault)
{
    const struct provider *p = provider_find(draft->kind);
    struct change change = {.action = "account.add"};
    struct account_id id;
    int r = account_insert_row(db, a, actor, draft, &id);

    if (r == DB_E_CONFLICT)
        return name_taken(fault);
    if (r)
        return err_trace(db_fatal(r));
    r = account_store(db, a, seal_key, p, id, key);
    if (r == 0)
        r = account_changed(db, actor, a, id, &change);
    if (r == 0)
        *ret = id;
    return r;
}

int account_add(struct db *db, const struct actor *actor, const uint8_t seal_key[32],
                const struct account_draft *draft, struct str key, struct account_id *ret,
                struct identity_fault *fault)
{
    _cleanup_(arena_freep) struct arena *a = arena_new(KIB(256));
    const struct provider *p = provider_find(draft->kind);
    int r;

    if (!a)
        return err_origin(-ENOMEM);
    if (!p)
        return identity_fault_set(fault, "kind", "There is no such kind of provider.");
    r = account_draft_check(draft, p, fault);
    if (r == 0)
        r = credential_check(p, key, fault);
    return r ? r : add(db, actor, a, seal_key, draft, key, ret, fault);
}

DB_QUERY(
    account_update,
    "UPDATE provider_account"
    "   SET name = $2, base_url = coalesce($3, ''), extra_headers = $4, network = $5, enabled = $6,"
    "       priority = $7, weight = $8, rpm = nullif($9::bigint, 0),"
    "       tpm = nullif($10::bigint, 0), region = coalesce($11, ''), project = coalesce($12, ''),"
    "       data_policy = $13, own_only = $14, changed_at = now()"
    " WHERE id = $1 AND deleted_at IS NULL")

static struct str effective_origin(const struct provider *p, struct str base_url)
{
    return provider_origin(str_trim(base_url).n ? str_trim(base_url) : str_c(p->origin));
}

/* A key goes to the address that it was given for and nowhere else. */
static int key_stays_home(struct db *db, struct arena *a, struct account_id id,
                          const struct provider *p, const struct account_draft *d,
                          struct identity_fault *fault)
{
    struct account_row row;
    int r = account_get(db, a, id, &row);

    if (r || !row.has_key ||
        str_ieq(effective_origin(p, row.is.base_url), effective_origin(p, d->base_url)))
        return r;
    return identity_fault_set(fault, "base_url",
                              "The stored key was given for another address and does not go along: "
                              "take it away first, or add an account for this one.");
}

int account_edit(struct db *db, const struct actor *actor, struct account_id id,
                 const struct account_draft *d, struct identity_fault *fault)
{
    _cleanup_(arena_freep) struct arena *a = arena_new(KIB(256));
    struct change change = {.action = "account.edit"};
    struct account_seen before;
    int r;

    if (!a)
        return err_origin(-ENOMEM);
    r = account_see(db, a, id, &before);
    if (r)
        return r;
    if (!before.provider)
        return identity_fault_set(fault, "kind", "This version does not know that kind.");
    r = account_draft_check(d, before.provider, fault);
    if (!r)
        r = key_stays_home(db, a, id, before.provider, d, fault);
    if (r)
        return r;
    r = db_exec(db, &account_update,
                DB_ARGS(db_i64(id.v), db_text(str_trim(d->name)), db_text(str_trim(d->base_url)),
                        headers_arg(d->extra_headers),
                        db_cstr(d->private_network ? "private" : "public"), db_bool(d->enabled),
                        db_i32(d->priority), db_i32(d->weight), db_i64(d->rpm), db_i64(d->tpm),
                        db_text(d->region), db_text(d->project),
                        db_cstr(data_policy_name(d->data_policy)), db_bool(d->own_only)),
                NULL);
    if (r == DB_E_CONFLICT)
        return name_taken(fault);
    if (r)
        return err_trace(db_fatal(r));
    change.before = before.json;
    return account_changed(db, actor, a, id, &change);
}

int account_set_key(struct db *db, const struct actor *actor, const uint8_t seal_key[32],
                    struct account_id id, struct str key, struct identity_fault *fault)
{
    _cleanup_(arena_freep) struct arena *a = arena_new(KIB(256));
    struct change change = {.action = "account.set_key"};
    struct account_seen before;
    int r;

    if (!a)
        return err_origin(-ENOMEM);
    r = account_see(db, a, id, &before);
    if (r)
        return r;
    if (!before.provider)
        return identity_fault_set(fault, "kind", "This version does not know that kind.");
    r = credential_check(before.provider, key, fault);
    if (r == 0)
        r = account_store(db, a, seal_key, before.provider, id, key);
    if (r)
        return r;
    change.before = before.json;
    return account_changed(db, actor, a, id, &change);
}

DB_QUERY(account_set_enabled, "UPDATE provider_account SET enabled = $2, changed_at = now()"
                              " WHERE id = $1 AND deleted_at IS NULL")

int account_enable(struct db *db, const struct actor *actor, struct account_id id, bool enabled)
{
    _cleanup_(arena_freep) struct arena *a = arena_new(KIB(256));
    struct change change = {.action = enabled ? "account.enable" : "account.disable"};
    struct account_seen before;
    int r;

    if (!a)
        return err_origin(-ENOMEM);
    r = account_see(db, a, id, &before);
    if (r)
        return r;
    r = db_exec(db, &account_set_enabled, DB_ARGS(db_i64(id.v), db_bool(enabled)), NULL);
    if (r)
        return err_trace(db_fatal(r));
    change.before = before.json;
    return account_changed(db, actor, a, id, &change);
}

/* Pins first: they point to targets. */
DB_QUERY(account_unpin, "UPDATE model SET pinned_target_id = NULL, changed_at = now()"
                        " WHERE pinned_target_id IN (SELECT id FROM target WHERE account_id = $1)")
DB_QUERY(account_drop_targets,
         "UPDATE target SET deleted_at = now() WHERE account_id = $1 AND deleted_at IS NULL")
DB_QUERY(account_drop,
         "UPDATE provider_account"
         "   SET deleted_at = now(), enabled = false, key_sealed = NULL, changed_at = now()"
         " WHERE id = $1 AND deleted_at IS NULL")

int account_delete(struct db *db, const struct actor *actor, struct account_id id)
{
    _cleanup_(arena_freep) struct arena *a = arena_new(KIB(256));
    struct change change = {.action = "account.delete", .kind = "account", .object_id = id.v};
    struct account_seen before;
    int r;

    if (!a)
        return err_origin(-ENOMEM);
    r = account_see(db, a, id, &before);
    if (r)
        return r;
    change.team = before.team;
    r = db_exec(db, &account_unpin, DB_ARGS(db_i64(id.v)), NULL);
    if (r == 0)
        r = db_exec(db, &account_drop_targets, DB_ARGS(db_i64(id.v)), NULL);
    if (r == 0)
        r = db_exec(db, &account_drop, DB_ARGS(db_i64(id.v)), NULL);
    if (r)
        return err_trace(db_fatal(r));
    change.before = before.json;
    return change_record(db, actor, &change);
}
