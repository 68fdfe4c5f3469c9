/* pg.c: see pg.h. The migrated functions run unchanged but for clock_timestamp(), which a schema in
 * front of pg_catalog gives them from a setting of the connection. */
#include "pg.h"

#include <inttypes.h>

#include "base/arena.h"
#include "base/bounds.h"
#include "db/tx.h"
#include "lease/lease_sql.h"
#include "pg_fixture.h"
#include "pg_inside.h"
#include "wire.h"
#include "world.h"

static const char drive_clock[] =
    "CREATE SCHEMA sim;"
    "CREATE FUNCTION sim.clock_timestamp() RETURNS timestamptz LANGUAGE sql STABLE AS"
    " $$ SELECT timestamptz '1970-01-01 00:00:00+00'"
    "         + current_setting('sim.now_us')::bigint * interval '1 microsecond' $$;"
    "GRANT USAGE ON SCHEMA sim TO tollgate_app, tollgate_money;"
    "GRANT EXECUTE ON FUNCTION sim.clock_timestamp() TO tollgate_app, tollgate_money;"
    "DO $$ DECLARE f regprocedure; BEGIN"
    " FOR f IN SELECT p.oid FROM pg_proc p JOIN pg_roles r ON r.oid = p.proowner"
    "           WHERE r.rolname = 'tollgate_money' LOOP"
    "  EXECUTE format('ALTER FUNCTION %s SET search_path = sim, pg_catalog, public, pg_temp', f);"
    " END LOOP; END $$";

_noreturn_ static void unusable(const char *what)
{
    fprintf(stderr, "sim: PostgreSQL: %s\n", what);
    exit(2);
}

struct pg *pg_new(void)
{
    struct pg *pg = calloc(1, sizeof(*pg));

    if (!pg)
        unusable("no memory");
    pg_fixture_start(&pg->fixture);
    pg->arena = arena_new(MIB(64));
    pg->sql = settle_sql_new();
    if (!pg->arena || !pg->sql || db_open(pg->fixture.owner_conninfo, "sim owner", &pg->owner) ||
        db_open(pg->fixture.app_conninfo, "sim", &pg->db))
        unusable("it cannot be reached");
    if (db_script(pg->owner, drive_clock))
        unusable(db_last_message(pg->owner));
    if (db_script(pg->db, "SET search_path = sim, pg_catalog, public"))
        unusable(db_last_message(pg->db));
    return pg;
}

void pg_free(struct pg *pg)
{
    if (!pg)
        return;
    db_close(pg->db);
    db_close(pg->owner);
    settle_sql_free(pg->sql);
    arena_free(pg->arena);
    pg_fixture_stop(&pg->fixture);
    free(pg);
}

/* The world's time from now on. */
static struct db *at_now(struct world *w)
{
    char sql[64];

    snprintf(sql, sizeof(sql), "SET sim.now_us = '%" PRId64 "'", wire_database_us(w));
    if (db_script(w->pg->db, sql))
        world_fail(w, "PostgreSQL: %s", db_last_message(w->pg->db));
    return w->pg->db;
}

static void same(struct world *w, const char *what, int64_t theirs, int64_t ours)
{
    world_hold(w, theirs == ours, "PostgreSQL says %s is %" PRId64 ", the model %" PRId64, what,
               theirs, ours);
}

/* --- what people do --- */

DB_QUERY(sim_team, "INSERT INTO team (name, time_zone) VALUES ('sim', 'UTC') RETURNING id")
DB_QUERY(sim_books, "SELECT open_team_books($1)")
DB_QUERY(sim_wallet, "SELECT id FROM purse WHERE team_id = $1 AND kind = 'wallet'")
DB_QUERY(sim_purse, "SELECT purse_open($1, $2, 'key', $3, $4, $5) AS id")
DB_QUERY(sim_topup, "SELECT post_topup($1, $2, $3, 'sim', 'system', NULL, 'sim') AS id")
DB_QUERY(sim_adjust, "SELECT post_adjustment($1, $2, $3, 'a reason', 'system', NULL, 'sim') AS id")
DB_QUERY(sim_freeze, "UPDATE team SET frozen_at = CASE WHEN $2 THEN now() END WHERE id = $1")

static const char *const kinds[] = {[PURSE_WALLET] = "wallet",
                                    [PURSE_BUDGET] = "budget",
                                    [PURSE_REQUESTS] = "requests",
                                    [PURSE_TOKENS] = "tokens",
                                    [PURSE_PERMITS] = "permits"};
static const char *const turns[] = {
    [TURNS_NEVER] = "never", [TURNS_MINUTE] = "minute", [TURNS_DAY] = "day"};

/* One statement in a transaction of its own. */
static int64_t ask(struct world *w, struct db *db, struct db_query *q, const struct db_arg *args,
                   size_t n_args, bool answers)
{
    int64_t id = 0;
    int r = db_begin(db, DB_SYSTEM, false);

    if (!r)
        r = answers ? db_one(db, q, NULL, args, n_args, DB_COLS(db_col_i64("id", &id)))
                    : db_exec(db, q, args, n_args, NULL);
    if (!r)
        r = db_commit(db);
    world_hold(w, !r, "PostgreSQL, %s: %s", q->name, db_last_message(db));
    return id;
}

static int64_t open_purse(struct world *w, const struct book_purse *p)
{
    return ask(w, at_now(w), &sim_purse,
               DB_ARGS(db_i64(p->team.v), db_cstr(kinds[p->kind]), db_i64(p->key.v),
                       db_cstr(turns[p->turns]), db_i64(p->capacity)),
               true);
}

void pg_setup(struct world *w)
{
    for (size_t t = 0; t < w->books.n_teams; t++) {
        struct book_team *team = &w->books.team[t];
        int64_t id = ask(w, w->pg->owner, &sim_team, DB_NO_ARGS, true);

        (void)ask(w, at_now(w), &sim_books, DB_ARGS(db_i64(id)), false);
        for (size_t i = 0; i < w->books.n_purses; i++) {
            struct book_purse *p = &w->books.purse[i];

            if (p->team.v != team->id.v || p->in_database)
                continue;
            p->team.v = id;
            p->in_database = true;
            p->id.v = p->kind == PURSE_WALLET
                          ? ask(w, w->pg->db, &sim_wallet, DB_ARGS(db_i64(id)), true)
                          : open_purse(w, p);
        }
        team->id.v = id;
    }
}

void pg_transfer(struct world *w, struct team_id team, int64_t nano)
{
    char ref[40];

    snprintf(ref, sizeof(ref), "sim-%" PRIu64 "-%u", w->seed, w->pg->refs++);
    (void)ask(w, at_now(w), nano > 0 ? &sim_topup : &sim_adjust,
              DB_ARGS(db_i64(team.v), db_cstr(ref), db_i64(nano)), true);
}

void pg_freeze(struct world *w, struct team_id team, bool frozen)
{
    (void)ask(w, w->pg->owner, &sim_freeze, DB_ARGS(db_i64(team.v), db_bool(frozen)), false);
}

void pg_capacity(struct world *w, const struct book_purse *p)
{
    same(w, "the purse", open_purse(w, p), p->id.v);
}

/* --- the port's calls --- */

void pg_open(struct world *w, struct session_call *c)
{
    same(w, "opening", lease_sql_open(at_now(w), "sim", "sim", c), PORT_OK);
}

void pg_check_heartbeat(struct world *w, const struct session_call *ours, int outcome)
{
    struct session_call theirs = {.session = ours->session};

    same(w, "a heartbeat", lease_sql_heartbeat(at_now(w), &theirs), outcome);
    same(w, "the count of nodes", theirs.nodes, ours->nodes);
}

void pg_check_close(struct world *w, int64_t session)
{
    struct session_call theirs = {.session = session};

    same(w, "closing", lease_sql_close(at_now(w), &theirs), PORT_OK);
}

void pg_check_reap(struct world *w, const struct reap_call *ours)
{
    struct reap_call theirs = {.session = ours->session, .hb = ours->hb};

    same(w, "reaping", lease_sql_reap(at_now(w), &theirs), PORT_OK);
    same(w, "whether it reaped", theirs.reaped, ours->reaped);
}

void pg_check_look(struct world *w, const struct look_call *ours)
{
    static struct look_call theirs;

    theirs.session = ours->session;
    theirs.sessions = ours->sessions;
    theirs.n_seen = theirs.n_recalls = 0;
    same(w, "a look", lease_sql_look(at_now(w), &theirs), PORT_OK);
    same(w, "how many sessions live", (int64_t)theirs.n_seen, (int64_t)ours->n_seen);
    for (size_t i = 0; i < theirs.n_seen; i++) {
        same(w, "a session", theirs.seen[i].id, ours->seen[i].id);
        same(w, "its heartbeat", theirs.seen[i].hb, ours->seen[i].hb);
    }
    same(w, "how many recalls there are", (int64_t)theirs.n_recalls, (int64_t)ours->n_recalls);
    for (size_t i = 0; i < theirs.n_recalls; i++) {
        bool known = false;

        for (size_t k = 0; k < ours->n_recalls; k++)
            known = known || ours->recall[k].purse.v == theirs.recall[i].purse.v;
        same(w, "whether a purse is recalled", 1, known);
    }
}

void pg_check_grant(struct world *w, const struct grant_call *asked, const struct grant_call *ours,
                    int outcome)
{
    struct grant_call theirs = *asked;

    same(w, "a grant", lease_sql_grant(at_now(w), &theirs), outcome);
    for (size_t i = 0; outcome == PORT_OK && i < theirs.n; i++) {
        const struct grant_line *a = &theirs.line[i], *b = &ours->line[i];

        same(w, "what is granted", a->granted, b->granted);
        same(w, "what was missed", a->missed, b->missed);
        same(w, "the capacity", a->capacity, b->capacity);
        same(w, "what is spoken for", a->spoken_for, b->spoken_for);
        same(w, "short", a->shorted, b->shorted);
        same(w, "elsewhere", a->elsewhere, b->elsewhere);
        same(w, "the window", a->window_us, b->window_us);
        same(w, "what is left of the window", a->left_us, b->left_us);
    }
}

void pg_check_back(struct world *w, const struct back_call *asked, int outcome)
{
    struct back_call theirs = *asked;

    same(w, "a return", lease_sql_back(at_now(w), &theirs), outcome);
}

void pg_check_settle(struct world *w, const struct settle_call *asked, int outcome)
{
    struct settle_call theirs = *asked;

    theirs.live = true;
    same(w, "settling", settle_sql(w->pg->sql, at_now(w), &theirs), outcome);
    if (outcome == PORT_OK)
        same(w, "whether the session lives", theirs.live, asked->live);
}
