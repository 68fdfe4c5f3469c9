/* lease_sql.c: see lease_sql.h. Every statement calls a function of migrations/0004_ledger.sql,
 * since the application may not write these tables itself. */
#include "lease/lease_sql.h"

#include <errno.h>

#include "base/err.h"
#include "base/failpoint.h"
#include "db/tx.h"
#include "lease/cell.h"

/* Windows travel as microseconds of Unix time; INT64_MIN is -infinity: never turns. */
#define NEVER_US INT64_MIN

DB_QUERY(
    lease_grant_all,
    "SELECT purse_id, granted, missed, capacity, used + leased AS spoken_for, short, elsewhere,"
    "       CASE WHEN isfinite(window_start)"
    "            THEN (extract(epoch FROM window_start) * 1000000)::bigint END AS window_us,"
    "       CASE WHEN isfinite(window_end)"
    "            THEN greatest(0, (extract(epoch FROM window_end - clock_timestamp())"
    "                              * 1000000)::bigint) END AS left_us"
    "  FROM lease_grant($1, $2, $3, $4, $5, $6, $7)")
DB_QUERY(lease_return_all,
         "SELECT lease_return($1, $2, $3, $4, $5,"
         "       ARRAY(SELECT coalesce(w.at, '-infinity')"
         "               FROM unnest($6::timestamptz[]) WITH ORDINALITY AS w(at, n) ORDER BY n))"
         "       AS live")
DB_QUERY(lease_session_open, "SELECT session_open($1, $2) AS id")
DB_QUERY(lease_session_heartbeat, "SELECT live, nodes FROM session_heartbeat($1)")
DB_QUERY(lease_session_close, "SELECT session_close($1)")
DB_QUERY(lease_session_reap, "SELECT session_reap($1, $2) AS reaped")
DB_QUERY(lease_sessions,
         "SELECT id, hb FROM node_session WHERE state = 'live' ORDER BY id LIMIT 256")
DB_QUERY(lease_recalled, "SELECT team_id, purse_id FROM lease_recalls($1)")

/* Ends the transaction in which r happened. A statement that the functions refuse speaks of a
 * session that is not live. */
static int finish(struct db *db, int r)
{
    if (r == 0)
        r = db_commit(db);
    else
        db_rollback(db);
    if (r == 0)
        return PORT_OK;
    if (r == DB_E_REFUSED && str_eq_c(str_c(db_last_message(db)), "session is not live"))
        return PORT_E_FENCED;
    return PORT_E_AWAY;
}

/* Begins what is about to be asked, unless a failpoint has it fail before it is sent. */
static bool begin(struct db *db, int unsent)
{
    return !unsent && db_begin(db, DB_SYSTEM, false) == 0;
}

struct grant_row {
    struct grant_call *call;
    struct grant_line line;
    int64_t purse;
    bool no_window, no_left;
};

static int grant_row(void *ctx)
{
    struct grant_row *row = ctx;
    struct grant_call *call = row->call;

    for (size_t i = 0; i < call->n; i++) {
        struct grant_line *line = &call->line[i];

        if (line->cell->purse.v != row->purse)
            continue;
        row->line.cell = line->cell;
        row->line.need = line->need;
        row->line.want = line->want;
        *line = row->line;
        line->window_us = row->no_window ? NEVER_US : line->window_us;
        line->left_us = row->no_left ? -1 : line->left_us;
    }
    return 0;
}

int lease_sql_grant(struct db *db, struct grant_call *call)
{
    int64_t purses[BOUND_HOLD_PURSES], seen[BOUND_HOLD_PURSES], needs[BOUND_HOLD_PURSES],
        wants[BOUND_HOLD_PURSES];
    struct grant_row row = {.call = call};
    size_t n = call->n;
    int r;

    if (!begin(db, failpoint_hit("lease.grant")))
        return PORT_E_AWAY;
    for (size_t i = 0; i < n; i++) {
        purses[i] = call->line[i].cell->purse.v;
        seen[i] = call->line[i].cell->seen_no;
        needs[i] = call->line[i].need;
        wants[i] = call->line[i].want;
    }
    r = db_each(
        db, &lease_grant_all, NULL,
        DB_ARGS(db_i64(call->session), db_i64(call->team.v), db_i64(call->no), db_i64s(purses, n),
                db_i64s(seen, n), db_i64s(needs, n), db_i64s(wants, n)),
        DB_COLS(db_col_i64("purse_id", &row.purse), db_col_i64("granted", &row.line.granted),
                db_col_i64("missed", &row.line.missed), db_col_i64("capacity", &row.line.capacity),
                db_col_i64("spoken_for", &row.line.spoken_for),
                db_col_bool("short", &row.line.shorted),
                db_col_bool("elsewhere", &row.line.elsewhere),
                db_col_i64_null("window_us", &row.line.window_us, &row.no_window),
                db_col_i64_null("left_us", &row.line.left_us, &row.no_left)),
        grant_row, &row);
    r = finish(db, r);
    return failpoint_hit("lease.granted") ? PORT_E_AWAY : r; /* as if the answer was lost */
}

int lease_sql_back(struct db *db, struct back_call *call)
{
    int64_t teams[BACK_LINES], purses[BACK_LINES], nos[BACK_LINES], amounts[BACK_LINES],
        windows[BACK_LINES];
    bool live = false;
    size_t n = call->n;
    int r;

    if (!begin(db, failpoint_hit("lease.back")))
        return PORT_E_AWAY;
    for (size_t i = 0; i < n; i++) {
        teams[i] = call->line[i].cell->team.v;
        purses[i] = call->line[i].cell->purse.v;
        nos[i] = call->line[i].no;
        amounts[i] = call->line[i].amount;
        windows[i] = call->line[i].window_us; /* NEVER_US is sent as NULL */
    }
    r = db_one(db, &lease_return_all, NULL,
               DB_ARGS(db_i64(call->session), db_i64s(teams, n), db_i64s(purses, n),
                       db_i64s(nos, n), db_i64s(amounts, n), db_times_us(windows, n)),
               DB_COLS(db_col_bool("live", &live)));
    r = finish(db, r);
    if (failpoint_hit("lease.returned"))
        return PORT_E_AWAY;
    return r == PORT_OK && !live ? PORT_E_FENCED : r;
}

int lease_sql_open(struct db *db, const char *name, const char *version, struct session_call *call)
{
    int r;

    if (!begin(db, failpoint_hit("session.open")))
        return PORT_E_AWAY;
    r = db_one(db, &lease_session_open, NULL, DB_ARGS(db_cstr(name), db_cstr(version)),
               DB_COLS(db_col_i64("id", &call->session)));
    r = finish(db, r);
    return failpoint_hit("session.opened") ? PORT_E_AWAY : r;
}

int lease_sql_heartbeat(struct db *db, struct session_call *call)
{
    bool live = false;
    int32_t nodes = 0;
    int r;

    if (!begin(db, failpoint_hit("session.beat")))
        return PORT_E_AWAY;
    r = db_one(db, &lease_session_heartbeat, NULL, DB_ARGS(db_i64(call->session)),
               DB_COLS(db_col_bool("live", &live), db_col_i32("nodes", &nodes)));
    r = finish(db, r);
    if (failpoint_hit("session.beaten"))
        return PORT_E_AWAY;
    call->nodes = (unsigned)nodes;
    return r == PORT_OK && !live ? PORT_E_FENCED : r;
}

int lease_sql_close(struct db *db, struct session_call *call)
{
    int r;

    if (!begin(db, failpoint_hit("session.close")))
        return PORT_E_AWAY;
    r = finish(db, db_exec(db, &lease_session_close, DB_ARGS(db_i64(call->session)), NULL));
    return failpoint_hit("session.closed") ? PORT_E_AWAY : r;
}

int lease_sql_reap(struct db *db, struct reap_call *call)
{
    int r;

    if (!begin(db, failpoint_hit("session.reap")))
        return PORT_E_AWAY;
    r = db_one(db, &lease_session_reap, NULL, DB_ARGS(db_i64(call->session), db_i64(call->hb)),
               DB_COLS(db_col_bool("reaped", &call->reaped)));
    r = finish(db, r);
    return failpoint_hit("session.reaped") ? PORT_E_AWAY : r;
}

struct look_row {
    struct look_call *call;
    int64_t a, b;
};

static int session_row(void *ctx)
{
    struct look_row *row = ctx;
    struct look_call *call = row->call;

    if (call->n_seen == LOOK_SESSIONS)
        return 1;
    call->seen[call->n_seen].id = row->a;
    call->seen[call->n_seen++].hb = row->b;
    return 0;
}

static int recall_row(void *ctx)
{
    struct look_row *row = ctx;
    struct look_call *call = row->call;

    if (call->n_recalls == LOOK_RECALLS)
        return 1;
    call->recall[call->n_recalls].team.v = row->a;
    call->recall[call->n_recalls++].purse.v = row->b;
    return 0;
}

int lease_sql_look(struct db *db, struct look_call *call)
{
    struct look_row row = {.call = call};
    int r;

    if (!begin(db, failpoint_hit("session.look")))
        return PORT_E_AWAY;
    r = db_each(db, &lease_recalled, NULL, DB_ARGS(db_i64(call->session)),
                DB_COLS(db_col_i64("team_id", &row.a), db_col_i64("purse_id", &row.b)), recall_row,
                &row);
    if (!r && call->sessions)
        r = db_each(db, &lease_sessions, NULL, DB_NO_ARGS,
                    DB_COLS(db_col_i64("id", &row.a), db_col_i64("hb", &row.b)), session_row, &row);
    return finish(db, r);
}
