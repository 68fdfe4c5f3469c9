/* keyring_sql.c: changing the virtual keys of a team. Reading them is in keyring_read_sql.c. */
#include "identity/keyring.h"

#include <errno.h>

#include "base/bounds.h"
#include "base/err.h"
#include "identity/keyring_check.h"

#define OVERLAP_HOURS_MAX 720

DB_QUERY(key_json,
         "SELECT (to_jsonb(k) - '{digest,previous_digest}'::text[])::text AS row"
         "  FROM api_key k WHERE team_id = $1 AND id = $2 AND deleted_at IS NULL FOR UPDATE")

/* As it stands, for the audit log; locks the row. */
static int snapshot(struct db *db, struct arena *a, struct team_id team, struct key_id key,
                    struct str *ret)
{
    int r = db_one(db, &key_json, a, DB_ARGS(db_i64(team.v), db_i64(key.v)),
                   DB_COLS(db_col_text("row", ret)));

    return r == DB_E_NONE ? IDENTITY_E_NONE : db_fatal(r);
}

DB_QUERY(key_note, "SELECT note_change('key:' || $1::bigint)")

/* The audit row of what was just done, and the word to the nodes. */
static int finish(struct db *db, struct arena *a, const struct actor *actor, const char *action,
                  struct team_id team, struct key_id key, struct str before)
{
    struct audit_entry entry = {
        .team = team, .action = action, .kind = "key", .object_id = key.v, .before = before};
    int r = snapshot(db, a, team, key, &entry.after);

    if (r == IDENTITY_E_NONE) /* deleted */
        r = 0;
    if (r == 0)
        r = audit_write(db, actor, &entry);
    if (r == 0)
        r = db_fatal(db_exec(db, &key_note, DB_ARGS(db_i64(key.v)), NULL));
    return r;
}

/* $3: the key that may stay in an archived project. */
DB_QUERY(key_room,
         "SELECT count(*) AS keys,"
         "       $2::bigint = 0 OR EXISTS (SELECT FROM project WHERE team_id = $1 AND id = $2"
         "                                   AND archived_at IS NULL)"
         "       OR coalesce(bool_or(id = $3 AND project_id = $2), false) AS project"
         "  FROM api_key WHERE team_id = $1 AND deleted_at IS NULL")

/* key 0: a new one. */
static int check_place(struct db *db, struct team_id team, struct key_id key,
                       const struct key_settings *s, struct identity_fault *fault)
{
    int64_t keys;
    bool project;
    int r = db_one(db, &key_room, NULL, DB_ARGS(db_i64(team.v), db_i64(s->project.v), db_i64(key.v)),
                   DB_COLS(db_col_i64("keys", &keys), db_col_bool("project", &project)));

    if (r != 0)
        return db_fatal(r);
    if (!project)
        return identity_fault_set(fault, "project", "There is no such project.");
    if (!key.v && keys >= BOUND_KEYS_PER_TEAM)
        return identity_fault_set(fault, "name", "A team has at most 2000 keys. Delete some.");
    return 0;
}

/* Names and values apart, as the statements want them. */
struct tag_columns {
    struct str names[BOUND_KEY_TAGS], values[BOUND_KEY_TAGS];
};

static void split_tags(const struct key_settings *s, struct tag_columns *ret)
{
    for (size_t i = 0; i < s->n_tags; i++) {
        ret->names[i] = s->tags[i].name;
        ret->values[i] = str_trim(s->tags[i].value);
    }
}

static struct db_arg db_moment(int64_t unix_us)
{
    return unix_us ? db_time_us(unix_us) : db_null(DB_TIME_US);
}

DB_QUERY(key_add, "INSERT INTO api_key (team_id, owner_user_id, name, prefix, last4, digest)"
                  " VALUES ($1, nullif($2::bigint, 0), $3, $4, $5, $6) RETURNING id")
DB_QUERY(key_set, "UPDATE api_key SET name = $3, project_id = nullif($4::bigint, 0), models = $5,"
                  "       addresses = $6, expires_at = $7, rpm = nullif($8::bigint, 0),"
                  "       tpm = nullif($9::bigint, 0), concurrency = nullif($10::bigint, 0),"
                  "       budget_nano = nullif($11::bigint, 0), budget_window = $12,"
                  "       tags = jsonb_object($13::text[], $14::text[]),"
                  "       cache_seconds = $15::bigint, cache_own = $16,"
                  "       cache_similarity_bp = nullif($17::integer, 0)"
                  " WHERE team_id = $1 AND id = $2 AND deleted_at IS NULL")

static int store(struct db *db, struct team_id team, struct key_id key,
                 const struct key_settings *s)
{
    struct tag_columns tags;

    split_tags(s, &tags);
    return db_fatal(db_exec(
        db, &key_set,
        DB_ARGS(db_i64(team.v), db_i64(key.v), db_text(s->name), db_i64(s->project.v),
                db_texts(s->models, s->n_models), db_texts(s->addresses, s->n_addresses),
                db_moment(s->expires_at_us), db_i64(s->rpm), db_i64(s->tpm), db_i64(s->concurrency),
                db_money(s->budget), db_cstr(key_window_name(s->budget_window)),
                db_texts(tags.names, s->n_tags), db_texts(tags.values, s->n_tags),
                db_i64(s->cache_seconds), db_bool(s->cache_own), db_i32(s->cache_similarity_bp)),
        NULL));
}

int keyring_mint(struct db *db, struct arena *a, const uint8_t key_pepper[32],
                 const struct actor *actor, struct team_id team, struct user_id owner,
                 const struct key_settings *settings, struct key_minted *ret,
                 struct identity_fault *fault)
{
    struct key_settings s = *settings;
    struct key_secret secret;
    struct key_id key;
    int r = keyring_check(&s, fault);

    if (r == 0)
        r = keyring_check_expiry(s.expires_at_us, fault);
    if (r == 0)
        r = check_place(db, team, (struct key_id){0}, &s, fault);
    if (r == 0)
        r = keyring_secret(a, key_pepper, KEY_PREFIX, &secret);
    if (r == 0)
        r = db_fatal(
            db_one(db, &key_add, NULL,
                   DB_ARGS(db_i64(team.v), db_i64(owner.v), db_text(s.name), db_text(secret.prefix),
                           db_text(secret.last4), db_digest(&secret.digest)),
                   DB_COLS(db_col_i64("id", &key.v))));
    if (r == 0)
        r = store(db, team, key, &s);
    if (r == 0)
        r = finish(db, a, actor, "key.mint", team, key, STR_NONE);
    if (r != 0)
        return r < 0 ? err_trace(r) : r;
    *ret = (struct key_minted){key, secret.text};
    return 0;
}

DB_QUERY(key_expiry, "SELECT expires_at IS NOT DISTINCT FROM $3::timestamptz AS same FROM api_key"
                     " WHERE team_id = $1 AND id = $2")

/* A key that has expired may be renamed without being given a new expiry. */
static int check_new_expiry(struct db *db, struct team_id team, struct key_id key,
                            int64_t expires_at_us, struct identity_fault *fault)
{
    bool same;
    int r = db_one(db, &key_expiry, NULL,
                   DB_ARGS(db_i64(team.v), db_i64(key.v), db_moment(expires_at_us)),
                   DB_COLS(db_col_bool("same", &same)));

    if (r != 0)
        return db_fatal(r);
    return same ? 0 : keyring_check_expiry(expires_at_us, fault);
}

DB_QUERY(key_budget_begins, "SELECT budget_nano IS NULL AND $3::bigint > 0 AS begins FROM api_key"
                            " WHERE team_id = $1 AND id = $2")
DB_QUERY(key_budget_count_anew, "SELECT budget_recount($1, 'key', $2)")

/* A budget that was taken away and is set again counts what was spent meanwhile, as budget_set() has it. */
static int store_changed(struct db *db, struct team_id team, struct key_id key, const struct key_settings *s)
{
    bool begins = false;
    int r = db_fatal(db_one(db, &key_budget_begins, NULL,
                            DB_ARGS(db_i64(team.v), db_i64(key.v), db_money(s->budget)),
                            DB_COLS(db_col_bool("begins", &begins))));

    if (r == 0)
        r = store(db, team, key, s);
    if (r == 0 && begins)
        r = db_fatal(db_exec(db, &key_budget_count_anew, DB_ARGS(db_i64(team.v), db_i64(key.v)), NULL));
    return r;
}

int keyring_update(struct db *db, struct arena *a, const struct actor *actor, struct team_id team,
                   struct key_id key, const struct key_settings *settings,
                   struct identity_fault *fault)
{
    struct key_settings s = *settings;
    struct str before;
    int r = snapshot(db, a, team, key, &before);

    if (r == 0)
        r = keyring_check(&s, fault);
    if (r == 0)
        r = check_new_expiry(db, team, key, s.expires_at_us, fault);
    if (r == 0)
        r = check_place(db, team, key, &s, fault);
    if (r == 0)
        r = store_changed(db, team, key, &s);
    if (r == 0)
        r = finish(db, a, actor, "key.update", team, key, before);
    return r < 0 ? err_trace(r) : r;
}

DB_QUERY(key_set_disabled,
         "UPDATE api_key SET disabled_at = CASE WHEN $3 THEN coalesce(disabled_at, now()) END"
         " WHERE team_id = $1 AND id = $2 AND deleted_at IS NULL")

int keyring_set_disabled(struct db *db, struct arena *a, const struct actor *actor,
                         struct team_id team, struct key_id key, bool disabled)
{
    struct str before;
    int r = snapshot(db, a, team, key, &before);

    if (r == 0)
        r = db_fatal(db_exec(db, &key_set_disabled,
                             DB_ARGS(db_i64(team.v), db_i64(key.v), db_bool(disabled)), NULL));
    if (r == 0)
        r = finish(db, a, actor, disabled ? "key.disable" : "key.enable", team, key, before);
    return r < 0 ? err_trace(r) : r;
}

DB_QUERY(key_rotate,
         "UPDATE api_key SET prefix = $3, last4 = $4, digest = $5, rotated_at = now(),"
         "       previous_digest = CASE WHEN $6::bigint > 0 THEN digest END,"
         "       overlap_until = CASE WHEN $6::bigint > 0"
         "                            THEN now() + make_interval(hours => $6::integer) END"
         " WHERE team_id = $1 AND id = $2 AND deleted_at IS NULL")

int keyring_rotate(struct db *db, struct arena *a, const uint8_t key_pepper[32],
                   const struct actor *actor, struct team_id team, struct key_id key,
                   int64_t overlap_hours, struct key_minted *ret, struct identity_fault *fault)
{
    struct key_secret secret;
    struct str before;
    int r = snapshot(db, a, team, key, &before);

    if (r == 0 && (overlap_hours < 0 || overlap_hours > OVERLAP_HOURS_MAX))
        return identity_fault_set(fault, "overlap_hours", "Give 0 to 720 hours.");
    if (r == 0)
        r = keyring_secret(a, key_pepper, KEY_PREFIX, &secret);
    if (r == 0)
        r = db_fatal(db_exec(db, &key_rotate,
                             DB_ARGS(db_i64(team.v), db_i64(key.v), db_text(secret.prefix),
                                     db_text(secret.last4), db_digest(&secret.digest),
                                     db_i64(overlap_hours)),
                             NULL));
    if (r == 0)
        r = finish(db, a, actor, "key.rotate", team, key, before);
    if (r != 0)
        return r < 0 ? err_trace(r) : r;
    *ret = (struct key_minted){key, secret.text};
    return 0;
}

DB_QUERY(key_delete,
         "UPDATE api_key SET deleted_at = now(), previous_digest = NULL, overlap_until = NULL"
         " WHERE team_id = $1 AND id = $2 AND deleted_at IS NULL")

int keyring_delete(struct db *db, struct arena *a, const struct actor *actor, struct team_id team,
                   struct key_id key)
{
    struct str before;
    int r = snapshot(db, a, team, key, &before);

    if (r == 0)
        r = db_fatal(db_exec(db, &key_delete, DB_ARGS(db_i64(team.v), db_i64(key.v)), NULL));
    if (r == 0)
        r = finish(db, a, actor, "key.delete", team, key, before);
    return r < 0 ? err_trace(r) : r;
}
