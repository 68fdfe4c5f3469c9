/* budget_sql.c: budgets as the database keeps them.
 *
 * Spend comes from the daily roll-up, whose days are those of the team's time zone; a member's is that
 * of the keys that the member owns. */
#include "identity/budget.h"

#include <errno.h>

#include "base/err.h"
#include "db/rows.h"
#include "identity/field_bounds.h"

static const char *const scopes[BUDGET_SCOPES] = {
    [BUDGET_TEAM] = "team", [BUDGET_PROJECT] = "project", [BUDGET_USER] = "user"};

const char *budget_scope_name(enum budget_scope scope)
{
    assert(scope < BUDGET_SCOPES);
    return scopes[scope];
}

bool budget_scope_parse(struct str name, enum budget_scope *ret)
{
    for (unsigned i = 0; i < BUDGET_SCOPES; i++)
        if (str_eq_c(name, scopes[i])) {
            *ret = (enum budget_scope)i;
            return true;
        }
    return false;
}

/* Spending is summed up once by project and owner, and not for each budget. */
DB_QUERY(budget_rows,
         "WITH s AS MATERIALIZED ("
         "   SELECT u.project_id, k.owner_user_id AS owner_id, sum(u.charge_nano) AS total,"
         "          sum(u.charge_nano) FILTER (WHERE u.day = n.today) AS today,"
         "          sum(u.charge_nano) FILTER (WHERE u.day >= n.week) AS week,"
         "          sum(u.charge_nano) FILTER (WHERE u.day >= n.month) AS month"
         "     FROM spent_day u LEFT JOIN api_key k ON k.team_id = $1 AND k.id = u.key_id,"
         "          (SELECT (now() AT TIME ZONE time_zone)::date AS today,"
         "                  date_trunc('week', now() AT TIME ZONE time_zone)::date AS week,"
         "                  date_trunc('month', now() AT TIME ZONE time_zone)::date AS month"
         "             FROM team WHERE id = $1) n"
         "    WHERE u.team_id = $1 GROUP BY 1, 2) "
         "SELECT b.id, b.scope, b.scope_id, b.amount_nano, b.budget_window,"
         "       coalesce(j.name, p.name, t.name) AS name, x.spent"
         "  FROM budget b JOIN team t ON t.id = b.team_id"
         "  LEFT JOIN project j ON b.scope = 'project' AND j.team_id = b.team_id AND j.id = b.scope_id"
         "  LEFT JOIN person p ON b.scope = 'user' AND p.id = b.scope_id,"
         "  LATERAL (SELECT coalesce(sum(CASE b.budget_window WHEN 'day' THEN s.today"
         "                               WHEN 'week' THEN s.week WHEN 'month' THEN s.month"
         "                               ELSE s.total END), 0)::bigint AS spent"
         "             FROM s WHERE CASE b.scope WHEN 'team' THEN true"
         "                               WHEN 'project' THEN s.project_id = b.scope_id"
         "                               ELSE s.owner_id = b.scope_id END) x"
         " WHERE b.team_id = $1"
         " ORDER BY b.scope <> 'team', b.scope, lower(coalesce(j.name, p.name, '')), b.id LIMIT $2")

struct budget_read {
    struct budget row;
    struct str scope, window;
    struct db_rows rows;
};

static int budget_push(void *ctx)
{
    struct budget_read *t = ctx;

    if (!budget_scope_parse(t->scope, &t->row.is.scope) ||
        !key_window_parse(t->window, &t->row.is.window))
        return err_origin(-EPROTO);
    return db_rows_push(&t->rows);
}

int budget_list(struct db *db, struct arena *a, struct team_id team, struct budget_page *ret)
{
    struct budget_read t = {.rows = DB_ROWS(a, &t.row)};
    int r = db_each(db, &budget_rows, a,
                    DB_ARGS(db_i64(team.v), db_i32(BUDGETS_PER_TEAM_MAX)),
                    DB_COLS(db_col_i64("id", &t.row.id), db_col_text("scope", &t.scope),
                            db_col_i64("scope_id", &t.row.is.scope_id),
                            db_col_money("amount_nano", &t.row.is.amount),
                            db_col_text("budget_window", &t.window),
                            db_col_text("name", &t.row.name), db_col_money("spent", &t.row.spent)),
                    budget_push, &t);

    if (r != 0)
        return err_trace(db_fatal(r));
    *ret = (struct budget_page){t.rows.v, t.rows.n};
    return 0;
}

DB_QUERY(budget_json,
         "SELECT to_jsonb(b)::text AS row FROM budget b WHERE team_id = $1 AND id = $2 FOR UPDATE")

static int snapshot(struct db *db, struct arena *a, struct team_id team, int64_t id,
                    struct str *ret)
{
    int r = db_one(db, &budget_json, a, DB_ARGS(db_i64(team.v), db_i64(id)),
                   DB_COLS(db_col_text("row", ret)));

    return r == DB_E_NONE ? IDENTITY_E_NONE : db_fatal(r);
}

DB_QUERY(budget_note, "SELECT note_change('team:' || $1::bigint)")

static int finish(struct db *db, const struct actor *actor, const char *action, struct team_id team,
                  int64_t id, struct str before, struct str after)
{
    struct audit_entry entry = {.team = team, .action = action, .kind = "budget", .object_id = id,
                                .before = before, .after = after};
    int r = audit_write(db, actor, &entry);

    return r ? r : db_fatal(db_exec(db, &budget_note, DB_ARGS(db_i64(team.v)), NULL));
}

/* $2, $3: the scope; what is archived or has left gets no new one. */
DB_QUERY(budget_place,
         "SELECT CASE $2 WHEN 'team' THEN true"
         "            WHEN 'project' THEN EXISTS (SELECT FROM project WHERE team_id = $1 AND id = $3"
         "                                                              AND archived_at IS NULL)"
         "            ELSE EXISTS (SELECT FROM member WHERE team_id = $1 AND user_id = $3) END AS known,"
         "       coalesce((SELECT b.id FROM budget b WHERE b.team_id = $1 AND b.scope = $2"
         "                    AND b.scope_id = $3 FOR UPDATE), 0) AS id,"
         "       (SELECT count(*) FROM budget WHERE team_id = $1) AS total")

static int check(struct db *db, struct team_id team, const struct budget_settings *s,
                 int64_t *ret_id, struct identity_fault *fault)
{
    bool known;
    int64_t total;
    int r;

    if (s->amount.nano <= 0 || s->amount.nano > BUDGET_MAX_NANO)
        return identity_fault_set(fault, "amount", "Give an amount above 0.");
    if (s->window == KEY_WINDOW_NONE)
        return identity_fault_set(fault, "window", "Say how long the budget is for.");
    r = db_one(db, &budget_place, NULL,
               DB_ARGS(db_i64(team.v), db_cstr(scopes[s->scope]), db_i64(s->scope_id)),
               DB_COLS(db_col_bool("known", &known), db_col_i64("id", ret_id),
                       db_col_i64("total", &total)));
    if (r != 0)
        return db_fatal(r);
    if (!known && *ret_id == 0)
        return identity_fault_set(fault, "scope_id",
                                  s->scope == BUDGET_PROJECT ? "There is no such project."
                                                             : "There is no such member.");
    if (*ret_id == 0 && total >= BUDGETS_PER_TEAM_MAX)
        return identity_fault_set(fault, "scope_id", "A team has at most 1000 budgets.");
    return 0;
}

DB_QUERY(budget_write,
         "INSERT INTO budget AS b (team_id, scope, scope_id, amount_nano, budget_window)"
         " VALUES ($1, $2, $3, $4, $5)"
         " ON CONFLICT (team_id, scope, scope_id) DO UPDATE"
         "    SET amount_nano = excluded.amount_nano, budget_window = excluded.budget_window,"
         "        changed_at = now()"
         " RETURNING b.id")
DB_QUERY(budget_count_anew, "SELECT budget_recount($1, $2, $3)")

int budget_set(struct db *db, struct arena *a, const struct actor *actor, struct team_id team,
               const struct budget_settings *settings, int64_t *ret_id,
               struct identity_fault *fault)
{
    struct budget_settings s = *settings;
    struct str before = STR_NONE, after;
    int64_t old, id;
    int r;

    if (s.scope == BUDGET_TEAM)
        s.scope_id = team.v;
    r = check(db, team, &s, &old, fault);
    if (r == 0 && old)
        r = snapshot(db, a, team, old, &before);
    if (r == 0)
        r = db_fatal(db_one(db, &budget_write, NULL,
                            DB_ARGS(db_i64(team.v), db_cstr(scopes[s.scope]), db_i64(s.scope_id),
                                    db_money(s.amount), db_cstr(key_window_name(s.window))),
                            DB_COLS(db_col_i64("id", &id))));
    if (r == 0 && !old)
        r = db_fatal(db_exec(db, &budget_count_anew,
                             DB_ARGS(db_i64(team.v), db_cstr(scopes[s.scope]), db_i64(s.scope_id)),
                             NULL));
    if (r == 0)
        r = snapshot(db, a, team, id, &after);
    if (r == 0)
        r = finish(db, actor, "budget.set", team, id, before, after);
    if (r != 0)
        return r < 0 ? err_trace(r) : r;
    *ret_id = id;
    return 0;
}

DB_QUERY(budget_remove, "DELETE FROM budget WHERE team_id = $1 AND id = $2")

int budget_drop(struct db *db, struct arena *a, const struct actor *actor, struct team_id team,
                int64_t id)
{
    struct str before;
    int r = snapshot(db, a, team, id, &before);

    if (r == 0)
        r = db_fatal(
            db_exec(db, &budget_remove, DB_ARGS(db_i64(team.v), db_i64(id)), NULL));
    if (r == 0)
        r = finish(db, actor, "budget.drop", team, id, before, STR_NONE);
    return r < 0 ? err_trace(r) : r;
}
