/* team_sql.c: teams as the database keeps them. */
#include "identity/team.h"

#include "base/bounds.h"
#include "base/err.h"
#include "db/rows.h"
#include "identity/field.h"

DB_QUERY(zone_known,
         "SELECT EXISTS (SELECT FROM pg_timezone_names WHERE name = $1"
         "                AND name !~ '^(posix|posixrules|Factory|localtime)') AS known")

int team_zone_known(struct db *db, struct str zone, bool *ret)
{
    bool known;
    int r = db_one(db, &zone_known, NULL, DB_ARGS(db_text(zone)),
                   DB_COLS(db_col_bool("known", &known)));

    if (r != 0)
        return err_trace(db_fatal(r));
    *ret = known;
    return 0;
}

DB_QUERY(zone_names,
         "SELECT name FROM pg_timezone_names"
         " WHERE name = 'UTC' OR name ~ '^(Africa|America|Antarctica|Arctic|Asia|Atlantic|Australia"
         "|Europe|Indian|Pacific)/'"
         " ORDER BY name <> 'UTC', name LIMIT 1000")

int team_zones(struct db *db, struct arena *a, struct zone_list *ret)
{
    struct str row;
    struct db_rows rows = DB_ROWS(a, &row);
    int r = db_each(db, &zone_names, a, DB_NO_ARGS, DB_COLS(db_col_text("name", &row)),
                    db_rows_push, &rows);

    if (r != 0)
        return err_trace(db_fatal(r));
    *ret = (struct zone_list){rows.v, rows.n};
    return 0;
}

DB_QUERY(team_json, "SELECT to_jsonb(t)::text AS row FROM team t WHERE id = $1 FOR UPDATE")

/* As it stands, for the audit log; locks the row. */
static int team_snapshot(struct db *db, struct arena *a, struct team_id team, struct str *ret)
{
    int r = db_one(db, &team_json, a, DB_ARGS(db_i64(team.v)), DB_COLS(db_col_text("row", ret)));

    return r == DB_E_NONE ? IDENTITY_E_NONE : db_fatal(r);
}

static int team_audit(struct db *db, struct arena *a, const struct actor *actor, const char *action,
                      struct team_id team, struct str before)
{
    struct audit_entry entry = {
        .team = team, .action = action, .kind = "team", .object_id = team.v, .before = before};
    int r = team_snapshot(db, a, team, &entry.after);

    return r == 0 ? audit_write(db, actor, &entry) : r;
}

DB_QUERY(team_note, "SELECT note_change('team:' || $1::bigint)")

static int tell_nodes(struct db *db, struct team_id team)
{
    return db_fatal(db_exec(db, &team_note, DB_ARGS(db_i64(team.v)), NULL));
}

DB_QUERY(team_count_of, "SELECT count(*) AS teams FROM member WHERE user_id = $1")

static int new_check(struct db *db, struct user_id owner, struct str *name, struct str time_zone,
                     struct identity_fault *fault)
{
    bool known = true;
    int64_t teams;
    int r = field_line(name, "team_name", 1, TEAM_NAME_MAX, fault);

    if (r == 0 && time_zone.n > 0)
        r = team_zone_known(db, time_zone, &known);
    if (r == 0 && !known)
        return identity_fault_set(fault, "time_zone", "This time zone is not known.");
    if (r == 0)
        r = db_fatal(db_one(db, &team_count_of, NULL, DB_ARGS(db_i64(owner.v)),
                            DB_COLS(db_col_i64("teams", &teams))));
    if (r == 0 && teams >= BOUND_TEAMS_PER_USER)
        return identity_fault_set(fault, "team_name", "You belong to 200 teams already.");
    return r;
}

DB_QUERY(team_add, "INSERT INTO team (name, time_zone)"
                   " VALUES ($1, coalesce(nullif($2, ''), (SELECT time_zone FROM installation)))"
                   " RETURNING id")
DB_QUERY(team_open_books, "SELECT open_team_books($1)")
DB_QUERY(team_add_owner, "INSERT INTO member (team_id, user_id, role) VALUES ($1, $2, 'owner')")

int team_create(struct db *db, struct arena *a, const struct actor *actor, struct user_id owner,
                struct str name, struct str time_zone, struct team_id *ret,
                struct identity_fault *fault)
{
    struct team_id team;
    int r = new_check(db, owner, &name, time_zone, fault);

    if (r != 0)
        return r < 0 ? err_trace(r) : r;
    r = db_one(db, &team_add, NULL, DB_ARGS(db_text(name), db_text(time_zone)),
               DB_COLS(db_col_i64("id", &team.v)));
    if (r == 0)
        r = db_exec(db, &team_open_books, DB_ARGS(db_i64(team.v)), NULL);
    if (r == 0 && owner.v)
        r = db_exec(db, &team_add_owner, DB_ARGS(db_i64(team.v), db_i64(owner.v)), NULL);
    r = db_fatal(r);
    if (r == 0)
        r = team_audit(db, a, actor, "team.create", team, STR_NONE);
    if (r != 0)
        return err_trace(r);
    *ret = team;
    return 0;
}

#define TEAM_SELECT                                                                            \
    "SELECT t.id, t.name, t.time_zone, t.legal_name, t.address, t.country, t.tax_id,"          \
    "       t.billing_email, t.response_days, t.shadow_opt_out, t.frozen_at IS NOT NULL AS frozen, t.frozen_at,"  \
    "       t.frozen_reason, t.demo, t.created_at,"                                            \
    "       (SELECT count(*) FROM member m WHERE m.team_id = t.id) AS members,"                \
    "       (SELECT count(*) FROM api_key k WHERE k.team_id = t.id AND k.deleted_at IS NULL)"  \
    "           AS keys"                                                                       \
    "  FROM team t "
#define TEAM_COLS(t)                                                                              \
    DB_COLS(db_col_i64("id", &(t)->id.v), db_col_text("name", &(t)->settings.name),               \
            db_col_text("time_zone", &(t)->settings.time_zone),                                   \
            db_col_text("legal_name", &(t)->settings.legal_name),                                 \
            db_col_text("address", &(t)->settings.address),                                       \
            db_col_text("country", &(t)->settings.country),                                       \
            db_col_text("tax_id", &(t)->settings.tax_id),                                         \
            db_col_text("billing_email", &(t)->settings.billing_email),                           \
            db_col_i64("response_days", &(t)->settings.response_days),                            \
            db_col_bool("shadow_opt_out", &(t)->settings.shadow_opt_out),                         \
            db_col_bool("frozen", &(t)->frozen), db_col_time_us("frozen_at", &(t)->frozen_at_us), \
            db_col_text("frozen_reason", &(t)->frozen_reason), db_col_bool("demo", &(t)->demo),   \
            db_col_time_us("created_at", &(t)->created_at_us),                                    \
            db_col_i64("members", &(t)->member_count), db_col_i64("keys", &(t)->key_count))

DB_QUERY(team_by_id, TEAM_SELECT "WHERE t.id = $1")

int team_get(struct db *db, struct arena *a, struct team_id team, struct team *ret)
{
    struct team row = {0};
    int r = db_one(db, &team_by_id, a, DB_ARGS(db_i64(team.v)), TEAM_COLS(&row));

    if (r == DB_E_NONE)
        return IDENTITY_E_NONE;
    if (r != 0)
        return err_trace(db_fatal(r));
    *ret = row;
    return 0;
}

static int settings_check(struct db *db, struct arena *a, struct team_settings *s,
                          struct identity_fault *fault)
{
    bool known = false;
    int r = field_line(&s->name, "name", 1, TEAM_NAME_MAX, fault);

    if (r == 0)
        r = field_line(&s->legal_name, "legal_name", 0, PARTY_NAME_MAX, fault);
    if (r == 0)
        r = field_lines(&s->address, "address", 0, PARTY_ADDRESS_MAX, fault);
    if (r == 0)
        r = field_country(a, s->country, "country", &s->country, fault);
    if (r == 0)
        r = field_line(&s->tax_id, "tax_id", 0, PARTY_TAX_ID_MAX, fault);
    if (r == 0)
        r = field_line(&s->billing_email, "billing_email", 0, EMAIL_MAX, fault);
    if (r == 0 && s->billing_email.n > 0)
        r = field_email(a, s->billing_email, "billing_email", &s->billing_email, fault);
    if (r == 0)
        r = team_zone_known(db, s->time_zone, &known);
    if (r == 0 && !known)
        return identity_fault_set(fault, "time_zone", "This time zone is not known.");
    if (r == 0 && (s->response_days < 0 || s->response_days > TEAM_RESPONSE_DAYS_MAX))
        return identity_fault_set(fault, "response_days", "At most 30 days; 0 keeps nothing.");
    return r;
}

DB_QUERY(team_set,
         "UPDATE team SET name = $2, time_zone = $3, legal_name = $4, address = $5, country = $6,"
         "                tax_id = $7, billing_email = $8, response_days = $9,"
         "                shadow_opt_out = $10"
         " WHERE id = $1")

int team_update(struct db *db, struct arena *a, const struct actor *actor, struct team_id team,
                const struct team_settings *settings, struct identity_fault *fault)
{
    struct team_settings s = *settings;
    struct str before;
    int r = settings_check(db, a, &s, fault);

    if (r == 0)
        r = team_snapshot(db, a, team, &before);
    if (r == 0)
        r = db_fatal(db_exec(db, &team_set,
                             DB_ARGS(db_i64(team.v), db_text(s.name), db_text(s.time_zone),
                                     db_text(s.legal_name), db_text(s.address), db_text(s.country),
                                     db_text(s.tax_id), db_text(s.billing_email),
                                     db_i64(s.response_days), db_bool(s.shadow_opt_out)),
                             NULL));
    if (r == 0)
        r = team_audit(db, a, actor, "team.update", team, before);
    if (r == 0)
        r = tell_nodes(db, team);
    return r < 0 ? err_trace(r) : r;
}

DB_QUERY(team_set_frozen,
         "UPDATE team SET frozen_at = CASE WHEN $2 THEN coalesce(frozen_at, now()) END,"
         "                frozen_reason = coalesce($3, '')"
         " WHERE id = $1")

static int set_frozen(struct db *db, struct arena *a, const struct actor *actor,
                      struct team_id team, bool frozen, struct str reason)
{
    struct str before;
    int r = team_snapshot(db, a, team, &before);

    if (r == 0)
        r = db_fatal(db_exec(db, &team_set_frozen,
                             DB_ARGS(db_i64(team.v), db_bool(frozen), db_text(reason)), NULL));
    if (r == 0)
        r = team_audit(db, a, actor, frozen ? "team.freeze" : "team.unfreeze", team, before);
    if (r == 0)
        r = tell_nodes(db, team);
    return r < 0 ? err_trace(r) : r;
}

int team_freeze(struct db *db, struct arena *a, const struct actor *actor, struct team_id team,
                struct str reason, struct identity_fault *fault)
{
    int r = field_line(&reason, "reason", 1, 300, fault);

    return r == 0 ? set_frozen(db, a, actor, team, true, reason) : r;
}

int team_unfreeze(struct db *db, struct arena *a, const struct actor *actor, struct team_id team)
{
    return set_frozen(db, a, actor, team, false, STR_NONE);
}

DB_QUERY(team_find, TEAM_SELECT
         "WHERE ($1::text = '' OR strpos(lower(t.name), lower($1)) > 0"
         "       OR t.id::text = $1"
         "       OR EXISTS (SELECT FROM member m JOIN person p ON p.id = m.user_id"
         "                   WHERE m.team_id = t.id AND strpos(p.email, lower($1)) > 0))"
         "  AND ($2::bigint = 0 OR t.id < $2)"
         " ORDER BY t.id DESC LIMIT $3")

int team_search(struct db *db, struct arena *a, struct str text, int64_t before_id, int32_t limit,
                struct team_page *ret)
{
    struct team row = {0};
    struct db_rows rows = DB_ROWS(a, &row);
    struct str wanted = str_trim(text);
    int r = db_each(
        db, &team_find, a,
        DB_ARGS(db_text(wanted.p ? wanted : STR("")), db_i64(before_id), db_i32(MIN(limit, 200))),
        TEAM_COLS(&row), db_rows_push, &rows);

    if (r != 0)
        return err_trace(db_fatal(r));
    *ret = (struct team_page){rows.v, rows.n};
    return 0;
}

DB_QUERY(team_clear, "UPDATE team SET cache_cleared_at = clock_timestamp() WHERE id = $1")
DB_QUERY(team_note_cleared, "SELECT note_change('answers:' || $1::bigint)")

int team_clear_cache(struct db *db, struct arena *a, const struct actor *actor, struct team_id team)
{
    struct str before;
    int r = team_snapshot(db, a, team, &before);

    if (r == 0)
        r = db_fatal(db_exec(db, &team_clear, DB_ARGS(db_i64(team.v)), NULL));
    if (r == 0)
        r = team_audit(db, a, actor, "team.clear_cache", team, before);
    if (r == 0)
        r = tell_nodes(db, team);
    if (r == 0)
        r = db_fatal(db_exec(db, &team_note_cleared, DB_ARGS(db_i64(team.v)), NULL));
    return r < 0 ? err_trace(r) : r;
}
