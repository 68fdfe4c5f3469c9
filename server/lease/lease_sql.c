/* lease_sql.c: see lease_sql.h. Every statement calls a function of migrations/0004_ledger.sql, since
 * the application may not touch these tables itself. All run under the system scope. */
#include "lease/lease_sql.h"

#include "base/bounds.h"
#include "base/err.h"
#include "db/tx.h"

#include <errno.h>
#include <stdio.h>

#define WINDOW_US "CASE WHEN isfinite(window_start) THEN (extract(epoch FROM window_start) * 1000000)::bigint END"

DB_QUERY(lease_grant_all,
         "SELECT team_id, purse_id, granted, capacity, used + leased AS spoken_for, short,"
         "       elsewhere, " WINDOW_US " AS window_us,"
         "       CASE WHEN isfinite(window_end)"
         "            THEN greatest(0, (extract(epoch FROM window_end - clock_timestamp()) * 1000000)::bigint)"
         "            END AS left_us"
         "  FROM lease_grant($1, $2, $3, $4, $5)")
DB_QUERY(lease_return_all,
         "SELECT lease_return($1, $2, $3, $4,"
         "       ARRAY(SELECT CASE WHEN us IS NULL THEN '-infinity'::timestamptz"
         "                         ELSE 'epoch'::timestamptz + us * interval '1 microsecond' END"
         "               FROM unnest($5::text[]) WITH ORDINALITY AS w(text, n),"
         "                    LATERAL (SELECT w.text::bigint AS us) AS x ORDER BY n))")
DB_QUERY(lease_session_open, "SELECT session_open($1, $2) AS id")
DB_QUERY(lease_session_heartbeat, "SELECT session_heartbeat($1) AS live")
DB_QUERY(lease_session_close, "SELECT session_close($1)")
DB_QUERY(lease_session_reap, "SELECT session_reap($1, $2) AS reaped")
DB_QUERY(lease_sessions, "SELECT id, hb FROM node_session WHERE state = 'live' ORDER BY id LIMIT 256")
DB_QUERY(lease_recalls,
         "SELECT l.team_id, l.purse_id FROM lease l"
         "  JOIN purse p ON p.team_id = l.team_id AND p.id = l.purse_id"
         " WHERE l.session_id = $1 AND l.remaining > 0 AND p.recall_until > now() LIMIT 200")

struct answers {
    struct grant_answer row, *v;
    const struct grant_ask *asks;
    size_t n, seen;
    bool no_window, no_left;
};

static int answer_row(void *ctx)
{
    struct answers *s = ctx;

    if (s->no_window)
        s->row.window_us = INT64_MIN;
    if (s->no_left)
        s->row.left_us = -1;
    for (size_t i = 0; i < s->n; i++)
        if (s->asks[i].team.v == s->row.team.v && s->asks[i].purse.v == s->row.purse.v) {
            s->v[i] = s->row;
            s->seen++;
        }
    return 0;
}

/* One statement under the system scope, committed. */
static int begin(struct db *db)
{
    return db_begin(db, DB_SYSTEM, false);
}

static int finish(struct db *db, int r)
{
    if (r == 0)
        return db_commit(db);
    db_rollback(db);
    return r;
}

int lease_sql_grant(struct db *db, struct arena *a, int64_t session, const struct grant_ask *asks,
                    size_t n, struct grant_answer *ret)
{
    int64_t teams[BOUND_HOLD_PURSES], purses[BOUND_HOLD_PURSES], needs[BOUND_HOLD_PURSES],
        wants[BOUND_HOLD_PURSES];
    struct answers s = {.v = ret, .asks = asks, .n = n};
    int r = begin(db);

    assert(n <= BOUND_HOLD_PURSES);
    for (size_t i = 0; i < n; i++) {
        teams[i] = asks[i].team.v;
        purses[i] = asks[i].purse.v;
        needs[i] = asks[i].need;
        wants[i] = asks[i].want;
    }
    if (!r) {
        r = db_each(db, &lease_grant_all, a,
                    DB_ARGS(db_i64(session), db_i64s(teams, n), db_i64s(purses, n),
                            db_i64s(needs, n), db_i64s(wants, n)),
                    DB_COLS(db_col_i64("team_id", &s.row.team.v),
                            db_col_i64("purse_id", &s.row.purse.v),
                            db_col_i64("granted", &s.row.granted),
                            db_col_i64("capacity", &s.row.capacity),
                            db_col_i64("spoken_for", &s.row.spoken_for),
                            db_col_bool("short", &s.row.shorted),
                            db_col_bool("elsewhere", &s.row.elsewhere),
                            db_col_i64_null("window_us", &s.row.window_us, &s.no_window),
                            db_col_i64_null("left_us", &s.row.left_us, &s.no_left)),
                    answer_row, &s);
        r = finish(db, r);
    }
    if (r == DB_E_REFUSED)
        return GRANT_E_FENCED;
    if (r == DB_E_AWAY || r == -ECONNRESET)
        return GRANT_E_AWAY;
    if (r)
        return db_fatal(r);
    return s.seen == n ? GRANT_OK : err_origin(-EIO);
}

int lease_sql_return(struct db *db, int64_t session, const struct lease_back *back, size_t n)
{
    int64_t teams[200], purses[200], amounts[200];
    struct str windows[200];
    char text[200][24];
    int r = begin(db);

    assert(n <= ARRAY_LEN(teams));
    for (size_t i = 0; i < n; i++) {
        teams[i] = back[i].team.v;
        purses[i] = back[i].purse.v;
        amounts[i] = back[i].amount;
        snprintf(text[i], sizeof(text[i]), "%lld", (long long)back[i].window_us);
        windows[i] = back[i].window_us == INT64_MIN ? STR_NONE : str_c(text[i]);
    }
    if (!r) {
        r = db_exec(db, &lease_return_all,
                    DB_ARGS(db_i64(session), db_i64s(teams, n), db_i64s(purses, n),
                            db_i64s(amounts, n), db_texts(windows, n)),
                    NULL);
        r = finish(db, r);
    }
    return db_fatal(r);
}

int lease_sql_open(struct db *db, struct arena *a, const char *name, const char *version,
                   int64_t *ret_session)
{
    int r = begin(db);

    if (!r)
        r = finish(db, db_one(db, &lease_session_open, a, DB_ARGS(db_cstr(name), db_cstr(version)),
                              DB_COLS(db_col_i64("id", ret_session))));
    return db_fatal(r);
}

int lease_sql_heartbeat(struct db *db, struct arena *a, int64_t session, bool *ret_live)
{
    int r = begin(db);

    if (!r)
        r = finish(db, db_one(db, &lease_session_heartbeat, a, DB_ARGS(db_i64(session)),
                              DB_COLS(db_col_bool("live", ret_live))));
    return db_fatal(r);
}

int lease_sql_close(struct db *db, struct arena *a, int64_t session)
{
    int r = begin(db);

    (void)a;
    if (!r)
        r = finish(db, db_exec(db, &lease_session_close, DB_ARGS(db_i64(session)), NULL));
    return db_fatal(r);
}

int lease_sql_reap(struct db *db, struct arena *a, int64_t session, int64_t hb, bool *ret_reaped)
{
    int r = begin(db);

    if (!r)
        r = finish(db, db_one(db, &lease_session_reap, a, DB_ARGS(db_i64(session), db_i64(hb)),
                              DB_COLS(db_col_bool("reaped", ret_reaped))));
    return db_fatal(r);
}

struct sessions {
    struct session_seen row, *v;
    size_t n;
};

static int session_row(void *ctx)
{
    struct sessions *s = ctx;

    if (s->n < LEASE_SESSIONS_MAX)
        s->v[s->n++] = s->row;
    return 0;
}

int lease_sql_sessions(struct db *db, struct arena *a, struct session_seen *ret, size_t *ret_n)
{
    struct sessions s = {.v = ret};
    int r = begin(db);

    if (!r)
        r = finish(db, db_each(db, &lease_sessions, a, DB_NO_ARGS,
                               DB_COLS(db_col_i64("id", &s.row.id), db_col_i64("hb", &s.row.hb)),
                               session_row, &s));
    if (!r)
        *ret_n = s.n;
    return db_fatal(r);
}

struct recalls {
    struct lease_back row, *v;
    size_t n, max;
};

static int recall_row(void *ctx)
{
    struct recalls *s = ctx;

    if (s->n < s->max)
        s->v[s->n++] = s->row;
    return 0;
}

int lease_sql_recalls(struct db *db, struct arena *a, int64_t session, struct lease_back *ret,
                      size_t max, size_t *ret_n)
{
    struct recalls s = {.v = ret, .max = max};
    int r = begin(db);

    if (!r)
        r = finish(db, db_each(db, &lease_recalls, a, DB_ARGS(db_i64(session)),
                               DB_COLS(db_col_i64("team_id", &s.row.team.v),
                                       db_col_i64("purse_id", &s.row.purse.v)),
                               recall_row, &s));
    if (!r)
        *ret_n = s.n;
    return db_fatal(r);
}
