/* pg_compare.c: everything that the database has of a world's teams against the model. See pg.h. */
#include <inttypes.h>

#include "db/tx.h"
#include "pg.h"
#include "pg_inside.h"
#include "world.h"

/* Infinite times as the model writes them. */
#define TIME_US(column)                                                                            \
    "CASE WHEN " column " = '-infinity' THEN -9223372036854775808"                                 \
    "     WHEN " column " = 'infinity' THEN 9223372036854775807"                                   \
    "     ELSE (extract(epoch FROM " column ") * 1000000)::bigint END"

DB_QUERY(sim_purses, "SELECT id, capacity, used, leased, " TIME_US("window_start") " AS starts,"
                     "       " TIME_US("window_end") " AS ends FROM purse WHERE team_id = $1")
DB_QUERY(sim_leases, "SELECT purse_id, session_id, remaining, " TIME_US("window_start") " AS starts,"
                     "       grant_no, grant_amount, return_no FROM lease WHERE team_id = $1")
DB_QUERY(sim_sessions, "SELECT id, hb, exposed_nano,"
                       "       CASE state WHEN 'live' THEN 0 WHEN 'closed' THEN 1 ELSE 2 END AS state"
                       "  FROM node_session WHERE id >= $1")
DB_QUERY(sim_calls, "SELECT c.call_id, c.charge_nano,"
                    "       (coalesce(t.code, '') = 'LATE_USAGE')::int AS late"
                    "  FROM call c LEFT JOIN transfer t ON t.team_id = c.team_id AND t.id = c.transfer_id"
                    " WHERE c.team_id = $1")
DB_QUERY(sim_account, "SELECT debits_nano, credits_nano FROM account"
                      " WHERE team_id = $1 AND kind = 'wallet'")
DB_QUERY(sim_usage, "SELECT coalesce(sum(amount_nano) FILTER (WHERE code = 'USAGE'), 0) AS usage,"
                    "       coalesce(sum(amount_nano) FILTER (WHERE code = 'LATE_USAGE'), 0) AS late"
                    "  FROM transfer WHERE team_id = $1")
DB_QUERY(sim_days, "SELECT coalesce(sum(charge_nano), 0) AS charge FROM usage_day WHERE team_id = $1")
DB_QUERY(sim_findings, "SELECT invariant || ' of team ' || coalesce(team_id, 0) || ': ' || detail"
                       "       AS finding FROM ledger_findings() LIMIT 1")

struct row {
    struct world *w;
    int64_t a, b, c, d, e, f, g;
    struct call_id call;
    size_t n;
};

static void same(struct world *w, const char *what, int64_t of, int64_t theirs, int64_t ours)
{
    world_hold(w, theirs == ours,
               "in the end PostgreSQL has %" PRId64 " as %s of %" PRId64 ", the model %" PRId64,
               theirs, what, of, ours);
}

static int compare_purse(void *ctx)
{
    struct row *r = ctx;
    const struct book_purse *p = books_purse(&r->w->books, (struct purse_id){r->a});

    same(r->w, "capacity", r->a, r->b, p->capacity);
    same(r->w, "used", r->a, r->c, p->used);
    same(r->w, "leased", r->a, r->d, p->leased);
    same(r->w, "window's start", r->a, r->e, p->starts_us);
    same(r->w, "window's end", r->a, r->f, p->ends_us);
    r->n++;
    return 0;
}

static int compare_lease(void *ctx)
{
    struct row *r = ctx;
    const struct book_lease *l = books_lease(books_purse(&r->w->books, (struct purse_id){r->a}),
                                             r->b);

    world_hold(r->w, l, "session %" PRId64 " has a lease that the model does not know", r->b);
    same(r->w, "remaining", r->a, r->c, l->remaining);
    same(r->w, "the lease's window", r->a, r->d, l->window_us);
    same(r->w, "grant_no", r->a, r->e, l->grant_no);
    same(r->w, "grant_amount", r->a, r->f, l->grant_amount);
    same(r->w, "return_no", r->a, r->g, l->return_no);
    r->n++;
    return 0;
}

static int compare_session(void *ctx)
{
    struct row *r = ctx;
    const struct book_session *s = books_session(&r->w->books, r->a);

    world_hold(r->w, s, "the model does not know session %" PRId64, r->a);
    same(r->w, "hb", r->a, r->b, s->hb);
    same(r->w, "exposed", r->a, r->c, s->exposed_nano);
    same(r->w, "state", r->a, r->d, (int64_t)s->state);
    return 0;
}

static int compare_call(void *ctx)
{
    struct row *r = ctx;
    size_t number = books_call_number(r->call);
    const struct book_call *row = number < r->w->books.n_calls ? &r->w->books.call[number] : NULL;

    world_hold(r->w, row && row->booked, "call %zu is booked, and the model does not know it",
               number);
    same(r->w, "charge", (int64_t)number, r->a, row->charge_nano);
    same(r->w, "late", (int64_t)number, r->b, row->charge_nano ? row->late : 0);
    r->n++;
    return 0;
}

static void each(struct world *w, struct db_query *q, int64_t arg, const struct db_col *cols,
                 size_t n_cols, int (*fn)(void *), struct row *row)
{
    int r = db_each(w->pg->owner, q, w->pg->arena, DB_ARGS(db_i64(arg)), cols, n_cols, fn, row);

    world_hold(w, !r, "PostgreSQL, %s: %s", q->name, db_last_message(w->pg->owner));
}

static int nothing(void *ctx)
{
    (void)ctx;
    return 0;
}

static void compare_money(struct world *w, const struct book_team *t)
{
    struct row r = {.w = w};

    each(w, &sim_account, t->id.v,
         DB_COLS(db_col_i64("debits_nano", &r.a), db_col_i64("credits_nano", &r.b)), nothing, &r);
    same(w, "debits", t->id.v, r.a, t->debits_nano);
    same(w, "credits", t->id.v, r.b, t->credits_nano);
    each(w, &sim_usage, t->id.v, DB_COLS(db_col_i64("usage", &r.a), db_col_i64("late", &r.b)),
         nothing, &r);
    same(w, "usage", t->id.v, r.a, t->usage_nano);
    same(w, "late usage", t->id.v, r.b, t->late_nano);
    each(w, &sim_days, t->id.v, DB_COLS(db_col_i64("charge", &r.a)), nothing, &r);
    same(w, "the days' charge", t->id.v, r.a, t->usage_nano + t->late_nano);
}

static size_t booked_of(const struct world *w, const struct book_team *t)
{
    size_t n = 0;

    for (size_t i = 0; i < w->n_calls && i < w->books.n_calls; i++)
        n += w->books.call[i].booked && w->calls[i].team.v == t->id.v;
    return n;
}

static void compare_team(struct world *w, const struct book_team *t)
{
    struct row r = {.w = w};
    size_t purses = 0, leases = 0;

    for (size_t i = 0; i < w->books.n_purses; i++)
        if (w->books.purse[i].team.v == t->id.v) {
            purses++;
            leases += w->books.purse[i].n_leases;
        }
    each(w, &sim_purses, t->id.v,
         DB_COLS(db_col_i64("id", &r.a), db_col_i64("capacity", &r.b), db_col_i64("used", &r.c),
                 db_col_i64("leased", &r.d), db_col_i64("starts", &r.e), db_col_i64("ends", &r.f)),
         compare_purse, &r);
    same(w, "purses", t->id.v, (int64_t)r.n, (int64_t)purses);
    r.n = 0;
    each(w, &sim_leases, t->id.v,
         DB_COLS(db_col_i64("purse_id", &r.a), db_col_i64("session_id", &r.b),
                 db_col_i64("remaining", &r.c), db_col_i64("starts", &r.d),
                 db_col_i64("grant_no", &r.e), db_col_i64("grant_amount", &r.f),
                 db_col_i64("return_no", &r.g)),
         compare_lease, &r);
    same(w, "leases", t->id.v, (int64_t)r.n, (int64_t)leases);
    r.n = 0;
    each(w, &sim_calls, t->id.v,
         DB_COLS(db_col_uuid("call_id", &r.call), db_col_i64("charge_nano", &r.a),
                 db_col_i64("late", &r.b)),
         compare_call, &r);
    same(w, "calls", t->id.v, (int64_t)r.n, (int64_t)booked_of(w, t));
    compare_money(w, t);
}

void pg_compare(struct world *w)
{
    struct row r = {.w = w};
    struct str finding = {0};
    int got;

    world_hold(w, db_begin(w->pg->owner, DB_SYSTEM, true) == 0, "PostgreSQL is away");
    each(w, &sim_sessions, w->books.n_sessions ? w->books.session[0].id : INT64_MAX,
         DB_COLS(db_col_i64("id", &r.a), db_col_i64("hb", &r.b), db_col_i64("exposed_nano", &r.c),
                 db_col_i64("state", &r.d)),
         compare_session, &r);
    for (size_t i = 0; i < w->books.n_teams; i++)
        compare_team(w, &w->books.team[i]);
    got = db_one(w->pg->owner, &sim_findings, w->pg->arena, DB_NO_ARGS,
                 DB_COLS(db_col_text("finding", &finding)));
    world_hold(w, got == DB_E_NONE, "ledger_findings: %.*s", (int)finding.n,
               finding.p ? finding.p : "");
    world_hold(w, db_commit(w->pg->owner) == 0, "PostgreSQL is away");
}
