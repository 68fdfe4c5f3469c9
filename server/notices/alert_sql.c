/* alert_sql.c: what teams want to hear of, and what was raised. */
#include "notices/alert.h"

#include <errno.h>

#include "base/err.h"
#include "db/rows.h"
#include "notices/alert_rows.h"

const int32_t alert_marks[ALERT_MARKS] = {50, 80, 100};

DB_QUERY(alert_settings_row,
         "SELECT coalesce(s.balance_below_nano, 0) AS balance_below,"
         "       50 = ANY (s.marks) AS at_50, 80 = ANY (s.marks) AS at_80, 100 = ANY (s.marks) AS at_100"
         "  FROM (SELECT x.balance_below_nano, coalesce(x.budget_marks, '{80,100}') AS marks"
         "          FROM team t LEFT JOIN alert_setting x ON x.team_id = t.id WHERE t.id = $1) s")

/* Whom a team's alerts are mailed to. */
#define RECIPIENTS                                                                                  \
    "  FROM member m JOIN person p ON p.id = m.user_id"                                             \
    " WHERE m.team_id = $1 AND p.disabled_at IS NULL"                                               \
    "   AND is_mailed_alerts(m.team_id, m.user_id) ORDER BY m.user_id"
DB_QUERY(alert_recipient_ids, "SELECT m.user_id" RECIPIENTS)
DB_QUERY(alert_recipient_addresses, "SELECT p.email" RECIPIENTS)

int alert_settings_read(struct db *db, struct arena *a, struct team_id team,
                        struct alert_settings *ret)
{
    struct alert_settings s = {0};
    int64_t user;
    struct db_rows rows = DB_ROWS(a, &user);
    int r = db_one(db, &alert_settings_row, a, DB_ARGS(db_i64(team.v)),
                   DB_COLS(db_col_money("balance_below", &s.balance_below),
                           db_col_bool("at_50", &s.marks[0]), db_col_bool("at_80", &s.marks[1]),
                           db_col_bool("at_100", &s.marks[2])));

    if (r == DB_E_NONE)
        return IDENTITY_E_NONE;
    if (r == 0)
        r = db_each(db, &alert_recipient_ids, a, DB_ARGS(db_i64(team.v)),
                    DB_COLS(db_col_i64("user_id", &user)), db_rows_push, &rows);
    if (r != 0)
        return err_trace(db_fatal(r));
    s.recipients = rows.v;
    s.n_recipients = rows.n;
    *ret = s;
    return 0;
}

int alert_recipients(struct db *db, struct arena *a, struct team_id team, struct alert_addresses *ret)
{
    struct str email;
    struct db_rows rows = DB_ROWS(a, &email);
    int r = db_each(db, &alert_recipient_addresses, a, DB_ARGS(db_i64(team.v)),
                    DB_COLS(db_col_text("email", &email)), db_rows_push, &rows);

    if (r != 0)
        return err_trace(db_fatal(r));
    *ret = (struct alert_addresses){rows.v, rows.n};
    return 0;
}

/* Locks the team's row, so that of two who save at once the second sees the first one's. */
DB_QUERY(alert_settings_lock, "SELECT id FROM team WHERE id = $1 FOR NO KEY UPDATE")
DB_QUERY(alert_settings_json,
         "SELECT coalesce((SELECT (to_jsonb(s) || jsonb_build_object('recipients',"
         "                          (SELECT coalesce(jsonb_agg(r.user_id ORDER BY r.user_id), '[]')"
         "                             FROM alert_recipient r WHERE r.team_id = $1)))::text"
         "                   FROM alert_setting s WHERE s.team_id = $1), '{}') AS row")
DB_QUERY(alert_settings_write,
         "INSERT INTO alert_setting AS s (team_id, balance_below_nano, budget_marks)"
         " VALUES ($1, nullif($2::bigint, 0),"
         "         (SELECT coalesce(array_agg(x.mark ORDER BY x.mark), '{}')::integer[]"
         "            FROM unnest($3::bigint[]) AS x(mark)))"
         " ON CONFLICT (team_id) DO UPDATE SET balance_below_nano = excluded.balance_below_nano,"
         "       budget_marks = excluded.budget_marks, changed_at = now()")
DB_QUERY(alert_recipients_drop,
         "DELETE FROM alert_recipient WHERE team_id = $1 AND user_id <> ALL ($2)")
DB_QUERY(alert_recipients_add,
         "INSERT INTO alert_recipient (team_id, user_id)"
         " SELECT m.team_id, m.user_id FROM member m WHERE m.team_id = $1 AND m.user_id = ANY ($2)"
         " ON CONFLICT DO NOTHING")
DB_QUERY(alert_recipients_count,
         "SELECT count(*) AS n FROM alert_recipient WHERE team_id = $1")

static int settings_json(struct db *db, struct arena *a, struct team_id team, struct str *ret)
{
    return db_one(db, &alert_settings_json, a, DB_ARGS(db_i64(team.v)),
                  DB_COLS(db_col_text("row", ret)));
}

static int write_settings(struct db *db, struct team_id team, const struct alert_settings *s,
                          int64_t *ret_recipients)
{
    struct db_arg users = db_i64s(s->recipients, s->n_recipients);
    int64_t marks[ALERT_MARKS];
    size_t n = 0;
    int r;

    for (size_t i = 0; i < ALERT_MARKS; i++)
        if (s->marks[i])
            marks[n++] = alert_marks[i];
    r = db_exec(db, &alert_settings_write,
                DB_ARGS(db_i64(team.v), db_i64(s->balance_below.nano), db_i64s(marks, n)), NULL);
    if (r == 0)
        r = db_exec(db, &alert_recipients_drop, DB_ARGS(db_i64(team.v), users), NULL);
    if (r == 0)
        r = db_exec(db, &alert_recipients_add, DB_ARGS(db_i64(team.v), users), NULL);
    if (r == 0)
        r = db_one(db, &alert_recipients_count, NULL, DB_ARGS(db_i64(team.v)),
                   DB_COLS(db_col_i64("n", ret_recipients)));
    return r;
}

int alert_settings_save(struct db *db, struct arena *a, const struct actor *actor,
                        struct team_id team, const struct alert_settings *settings,
                        struct identity_fault *fault)
{
    struct audit_entry entry = {
        .team = team, .action = "alerts.change", .kind = "team", .object_id = team.v};
    int64_t id, known;
    int r;

    if (settings->balance_below.nano < 0 || settings->balance_below.nano > MONEY_MAX_BALANCE.nano)
        return identity_fault_set(fault, "balance_below", "Give an amount, or 0 for none.");
    r = db_one(db, &alert_settings_lock, NULL, DB_ARGS(db_i64(team.v)),
               DB_COLS(db_col_i64("id", &id)));
    if (r == DB_E_NONE)
        return IDENTITY_E_NONE;
    if (r == 0)
        r = settings_json(db, a, team, &entry.before);
    if (r == 0)
        r = write_settings(db, team, settings, &known);
    if (r == 0 && known != (int64_t)settings->n_recipients)
        return identity_fault_set(fault, "recipients", "One of them is no member of the team.");
    if (r == 0)
        r = settings_json(db, a, team, &entry.after);
    r = r ? db_fatal(r) : audit_write(db, actor, &entry);
    return r < 0 ? err_trace(r) : r;
}

#define ALERT_SELECT                                                                             \
    "SELECT v.id, v.team_id, t.name AS team_name, v.kind, v.scope, v.scope_id, v.name, v.mark,"  \
    "       v.amount_nano, v.used_nano, v.budget_window, v.raised_at, v.ended_at"
#define ALERT_COLS(to)                                                                           \
    DB_COLS(db_col_i64("id", &(to)->id), db_col_i64("team_id", &(to)->team.v),                     \
            db_col_text("team_name", &(to)->team_name), db_col_text("kind", &(to)->kind),          \
            db_col_text("scope", &(to)->scope), db_col_i64("scope_id", &(to)->scope_id),           \
            db_col_text("name", &(to)->name), db_col_i32("mark", &(to)->mark),                     \
            db_col_money("amount_nano", &(to)->amount), db_col_money("used_nano", &(to)->used),    \
            db_col_text("budget_window", &(to)->window),                                          \
            db_col_time_us("raised_at", &(to)->raised_at_us),                                     \
            db_col_time_us("ended_at", &(to)->ended_at_us))

/* Of a budget that stands at several thresholds the highest is told. */
DB_QUERY(alert_rows, ALERT_SELECT
         "  FROM alert v JOIN team t ON t.id = v.team_id"
         " WHERE v.team_id = $1 AND (NOT $2 OR v.ended_at IS NULL AND NOT EXISTS ("
         "       SELECT FROM alert h WHERE h.team_id = $1 AND h.ended_at IS NULL AND h.kind = v.kind"
         "          AND h.scope = v.scope AND h.scope_id = v.scope_id AND h.mark > v.mark))"
         " ORDER BY v.id DESC LIMIT $3")

int alert_list(struct db *db, struct arena *a, struct team_id team, bool standing, int32_t limit,
               struct alert_page *ret)
{
    struct alert row;
    struct db_rows rows = DB_ROWS(a, &row);
    int r = db_each(db, &alert_rows, a,
                    DB_ARGS(db_i64(team.v), db_bool(standing), db_i32(limit)), ALERT_COLS(&row),
                    db_rows_push, &rows);

    if (r != 0)
        return err_trace(db_fatal(r));
    *ret = (struct alert_page){rows.v, rows.n};
    return 0;
}

DB_QUERY(alerts_raise, ALERT_SELECT " FROM alerts_judge() v JOIN team t ON t.id = v.team_id"
                                    " ORDER BY v.team_id, v.id")

int alerts_raise_due(struct db *db, struct arena *a, struct alert_page *ret)
{
    struct alert row;
    struct db_rows rows = DB_ROWS(a, &row);
    int r = db_each(db, &alerts_raise, a, DB_NO_ARGS, ALERT_COLS(&row), db_rows_push, &rows);

    if (r != 0)
        return err_trace(db_fatal(r));
    *ret = (struct alert_page){rows.v, rows.n};
    return 0;
}
