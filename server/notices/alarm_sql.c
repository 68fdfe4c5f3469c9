/* alarm_sql.c: what operators want to hear of, and what was raised. */
#include "notices/alarm.h"

#include <errno.h>

#include "base/bounds.h"
#include "base/err.h"
#include "db/rows.h"
#include "notices/alarm_rows.h"

DB_QUERY(alarm_settings_row,
         "SELECT 'books' = ANY (kinds) AS books, 'account' = ANY (kinds) AS account,"
         "       'database' = ANY (kinds) AS database, 'journal' = ANY (kinds) AS journal,"
         "       'mail' = ANY (kinds) AS mail, 'price' = ANY (kinds) AS price, account_after_s"
         "  FROM alarm_setting")
/* Until somebody has chosen all operators are mailed. */
DB_QUERY(alarm_operators,
         "SELECT p.id, p.name, p.email,"
         "       s.changed_at IS NULL"
         "       OR EXISTS (SELECT FROM alarm_recipient r WHERE r.user_id = p.id) AS mailed"
         "  FROM person p CROSS JOIN alarm_setting s"
         " WHERE p.is_operator AND p.disabled_at IS NULL ORDER BY p.id LIMIT $1")

int alarm_settings_read(struct db *db, struct arena *a, struct alarm_settings *ret)
{
    struct alarm_settings s = {0};
    struct alarm_operator row;
    struct db_rows rows = DB_ROWS(a, &row);
    bool *k = s.kinds;
    int r = db_one(db, &alarm_settings_row, a, DB_NO_ARGS,
                   DB_COLS(db_col_bool("books", &k[ALARM_BOOKS]),
                           db_col_bool("account", &k[ALARM_ACCOUNT]),
                           db_col_bool("database", &k[ALARM_DATABASE]),
                           db_col_bool("journal", &k[ALARM_JOURNAL]),
                           db_col_bool("mail", &k[ALARM_MAIL]), db_col_bool("price", &k[ALARM_PRICE]),
                           db_col_i32("account_after_s", &s.account_after_s)));

    if (r == 0)
        r = db_each(db, &alarm_operators, a, DB_ARGS(db_i32(BOUND_MEMBERS_PER_TEAM)),
                    DB_COLS(db_col_i64("id", &row.id), db_col_text("name", &row.name),
                            db_col_text("email", &row.email), db_col_bool("mailed", &row.mailed)),
                    db_rows_push, &rows);
    if (r != 0)
        return err_trace(db_fatal(r));
    s.operators = rows.v;
    s.n_operators = rows.n;
    *ret = s;
    return 0;
}

/* Locks the row, so that of two who save at once the second sees the first one's. */
DB_QUERY(alarm_settings_lock, "SELECT one FROM alarm_setting FOR UPDATE")
DB_QUERY(alarm_settings_json,
         "SELECT (to_jsonb(s) - 'one' || jsonb_build_object('recipients',"
         "          (SELECT coalesce(jsonb_agg(r.user_id ORDER BY r.user_id), '[]')"
         "             FROM alarm_recipient r)))::text AS row"
         "  FROM alarm_setting s")
DB_QUERY(alarm_settings_write, "UPDATE alarm_setting SET kinds = $1, account_after_s = $2,"
                               "       changed_at = now()")
DB_QUERY(alarm_recipients_drop, "DELETE FROM alarm_recipient WHERE user_id <> ALL ($1)")
DB_QUERY(alarm_recipients_add,
         "INSERT INTO alarm_recipient (user_id)"
         " SELECT p.id FROM person p WHERE p.is_operator AND p.disabled_at IS NULL AND p.id = ANY ($1)"
         " ON CONFLICT DO NOTHING")
DB_QUERY(alarm_recipients_count, "SELECT count(*) AS n FROM alarm_recipient")

static int settings_json(struct db *db, struct arena *a, struct str *ret)
{
    return db_one(db, &alarm_settings_json, a, DB_NO_ARGS, DB_COLS(db_col_text("row", ret)));
}

static int write_settings(struct db *db, const struct alarm_settings *s, const int64_t *recipients,
                          size_t n, int64_t *ret_known)
{
    struct db_arg users = db_i64s(recipients, n);
    struct str kinds[ALARM_KINDS];
    size_t n_kinds = 0;
    int r;

    for (int k = 0; k < ALARM_KINDS; k++)
        if (s->kinds[k])
            kinds[n_kinds++] = str_c(alarm_kind_name((enum alarm_kind)k));
    r = db_exec(db, &alarm_settings_write,
                DB_ARGS(db_texts(kinds, n_kinds), db_i32(s->account_after_s)), NULL);
    if (r == 0)
        r = db_exec(db, &alarm_recipients_drop, DB_ARGS(users), NULL);
    if (r == 0)
        r = db_exec(db, &alarm_recipients_add, DB_ARGS(users), NULL);
    if (r == 0)
        r = db_one(db, &alarm_recipients_count, NULL, DB_NO_ARGS,
                   DB_COLS(db_col_i64("n", ret_known)));
    return r;
}

int alarm_settings_save(struct db *db, struct arena *a, const struct actor *actor,
                        const struct alarm_settings *settings, const int64_t *recipients, size_t n,
                        struct identity_fault *fault)
{
    struct audit_entry entry = {.action = "alarms.change", .kind = "installation", .object_id = 1};
    int64_t known = 0;
    bool one;
    int r;

    if (settings->account_after_s < 0 || settings->account_after_s > ALARM_AFTER_MAX_S)
        return identity_fault_set(fault, "account_after_seconds", "Give 0 to 86,400 seconds.");
    r = db_one(db, &alarm_settings_lock, NULL, DB_NO_ARGS, DB_COLS(db_col_bool("one", &one)));
    if (r == 0)
        r = settings_json(db, a, &entry.before);
    if (r == 0)
        r = write_settings(db, settings, recipients, n, &known);
    if (r == 0 && known != (int64_t)n)
        return identity_fault_set(fault, "recipients", "One of them is no operator.");
    if (r == 0)
        r = settings_json(db, a, &entry.after);
    r = r ? db_fatal(r) : audit_write(db, actor, &entry);
    return r < 0 ? err_trace(r) : r;
}

#define ALARM_COLUMNS "id, kind, subject, name, detail, raised_at, ended_at"
#define ALARM_COLS(to)                                                                           \
    DB_COLS(db_col_i64("id", &(to)->id), db_col_text("kind", &(to)->kind),                         \
            db_col_text("subject", &(to)->subject), db_col_text("name", &(to)->name),              \
            db_col_text("detail", &(to)->detail), db_col_time_us("raised_at", &(to)->raised_at_us), \
            db_col_time_us("ended_at", &(to)->ended_at_us))

DB_QUERY(alarm_rows, "SELECT " ALARM_COLUMNS " FROM alarm"
                     " ORDER BY ended_at IS NULL DESC, id DESC LIMIT $1")
DB_QUERY(alarms_due, "SELECT " ALARM_COLUMNS " FROM alarms_judge($1) ORDER BY id")
DB_QUERY(alarms_after_outage, "SELECT " ALARM_COLUMNS " FROM alarm_outage($1) ORDER BY id")

int alarm_list(struct db *db, struct arena *a, int32_t limit, struct alarm_page *ret)
{
    struct alarm row;
    struct db_rows rows = DB_ROWS(a, &row);
    int r = db_each(db, &alarm_rows, a, DB_ARGS(db_i32(limit)), ALARM_COLS(&row), db_rows_push,
                    &rows);

    if (r != 0)
        return err_trace(db_fatal(r));
    *ret = (struct alarm_page){rows.v, rows.n};
    return 0;
}

int alarms_judge_due(struct db *db, struct arena *a, int32_t rest_ms, struct alarm_page *ret)
{
    struct alarm row;
    struct db_rows rows = DB_ROWS(a, &row);
    int r = db_each(db, &alarms_due, a, DB_ARGS(db_i32(rest_ms)), ALARM_COLS(&row), db_rows_push,
                    &rows);

    if (r != 0)
        return err_trace(db_fatal(r));
    *ret = (struct alarm_page){rows.v, rows.n};
    return 0;
}

int alarms_outage_over(struct db *db, struct arena *a, int64_t began_us, struct alarm_page *ret)
{
    struct alarm row;
    struct db_rows rows = DB_ROWS(a, &row);
    int r = db_each(db, &alarms_after_outage, a, DB_ARGS(db_time_us(began_us)), ALARM_COLS(&row),
                    db_rows_push, &rows);

    if (r != 0)
        return err_trace(db_fatal(r));
    *ret = (struct alarm_page){rows.v, rows.n};
    return 0;
}

DB_QUERY(alarm_reports_drop,
         "DELETE FROM alarm_report o WHERE o.session_id = $1 AND NOT EXISTS ("
         "       SELECT FROM unnest($2::text[], $3::text[]) AS x(kind, subject)"
         "        WHERE x.kind = o.kind AND x.subject = o.subject)")
DB_QUERY(alarm_reports_put,
         "INSERT INTO alarm_report (session_id, kind, subject, name, detail, since_at, seen_at)"
         " SELECT $1, x.kind, x.subject, left(x.name, 400), left(x.detail, 1000), x.since_at,"
         "        clock_timestamp()"
         "   FROM unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::timestamptz[])"
         "     AS x(kind, subject, name, detail, since_at)"
         "  ORDER BY x.kind, x.subject"
         " ON CONFLICT (session_id, kind, subject) DO UPDATE SET name = excluded.name,"
         "       detail = excluded.detail, since_at = excluded.since_at, seen_at = excluded.seen_at")

int alarm_reports_write(struct db *db, int64_t session, const struct alarm_report *v, size_t n)
{
    _cleanup_(arena_freep) struct arena *a = arena_new(MIB(4));
    struct str *texts = a ? arena_array(a, struct str, 4 * n + 1) : NULL;
    int64_t *since = texts ? arena_array(a, int64_t, n + 1) : NULL;
    struct str *kinds = texts, *subjects = texts + n, *names = texts + 2 * n, *details = texts + 3 * n;
    int r;

    if (!since)
        return err_origin(-ENOMEM);
    for (size_t i = 0; i < n; i++) {
        kinds[i] = str_c(alarm_kind_name(v[i].kind));
        subjects[i] = v[i].subject;
        names[i] = v[i].name;
        details[i] = v[i].detail;
        since[i] = v[i].since_us;
    }
    r = db_exec(db, &alarm_reports_drop,
                DB_ARGS(db_i64(session), db_texts(kinds, n), db_texts(subjects, n)), NULL);
    if (r == 0 && n)
        r = db_exec(db, &alarm_reports_put,
                    DB_ARGS(db_i64(session), db_texts(kinds, n), db_texts(subjects, n),
                            db_texts(names, n), db_texts(details, n), db_times_us(since, n)),
                    NULL);
    return r;
}

DB_QUERY(alarm_first_session, "SELECT coalesce(min(id), 0) = $1 AS first FROM node_session"
                              " WHERE state = 'live'")

int alarm_session_is_first(struct db *db, int64_t session, bool *ret)
{
    return db_one(db, &alarm_first_session, NULL, DB_ARGS(db_i64(session)),
                  DB_COLS(db_col_bool("first", ret)));
}
