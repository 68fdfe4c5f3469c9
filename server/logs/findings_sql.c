/* findings_sql.c: see findings.h. */
#include "logs/findings.h"

#include "base/err.h"
#include "db/rows.h"
#include "db/tx.h"

/* A window is seconds at worst; everything takes as long as it takes, but not until the next night. */
#define WINDOW_LIMIT_MS 60000
#define FULL_LIMIT_MS (4 * 3600 * 1000)
#define LOCK_LIMIT_MS 5000

static const char *const forms[] = {[INTEGRITY_WINDOW] = "window", [INTEGRITY_FULL] = "full"};

DB_QUERY(integrity_run_form, "SELECT ran, findings, opened FROM integrity_run($1)")
DB_QUERY(integrity_look, "SELECT integrity_is_due($1) AS due")
DB_QUERY(integrity_next_step, "SELECT more, findings, opened FROM integrity_step()")
DB_QUERY(integrity_want_full, "SELECT integrity_want()")
DB_QUERY(integrity_runs,
         "SELECT form = 'full' AS is_full, nullif(started_at, '-infinity') AS started_at,"
         "       nullif(ended_at, '-infinity') AS ended_at, findings, wanted"
         "  FROM recon_run ORDER BY form")

struct running {
    enum integrity_form form;
    struct integrity_outcome *ret;
};

static int run_tx(struct db *db, void *ctx)
{
    const struct running *t = ctx;
    int r = db_one(db, &integrity_run_form, NULL, DB_ARGS(db_cstr(forms[t->form])),
                   DB_COLS(db_col_bool("ran", &t->ret->ran), db_col_i32("findings", &t->ret->found),
                           db_col_i32("opened", &t->ret->opened)));

    return r;
}

int integrity_run(struct db *db, enum integrity_form form, struct integrity_outcome *ret)
{
    struct integrity_outcome outcome = {0};
    struct running t = {form, &outcome};
    bool due = false;
    int r = db_one(db, &integrity_look, NULL, DB_ARGS(db_cstr(forms[form])),
                   DB_COLS(db_col_bool("due", &due)));

    if (r == 0 && !due) {
        *ret = outcome;
        return 0;
    }
    if (r == 0)
        r = db_limit(db, form == INTEGRITY_FULL ? FULL_LIMIT_MS : WINDOW_LIMIT_MS, LOCK_LIMIT_MS);
    if (r == 0)
        r = db_tx(db, DB_SYSTEM, "integrity_run", run_tx, &t);
    if (r != 0)
        return err_trace(db_fatal(r));
    *ret = outcome;
    ret->more = outcome.ran && form == INTEGRITY_WINDOW;
    return 0;
}

static int step_tx(struct db *db, void *ctx)
{
    struct integrity_outcome *o = ctx;

    return db_one(db, &integrity_next_step, NULL, DB_NO_ARGS,
                  DB_COLS(db_col_bool("more", &o->more), db_col_i32("findings", &o->found),
                          db_col_i32("opened", &o->opened)));
}

int integrity_step(struct db *db, struct integrity_outcome *ret)
{
    struct integrity_outcome step = {0};
    int r = db_tx(db, DB_SYSTEM, "integrity_step", step_tx, &step);

    if (r != 0)
        return err_trace(db_fatal(r));
    ret->more = step.more;
    ret->found += step.found;
    ret->opened += step.opened;
    return 0;
}

int integrity_want(struct db *db)
{
    int r = db_exec(db, &integrity_want_full, DB_NO_ARGS, NULL);

    return r == 0 ? 0 : err_trace(db_fatal(r));
}

struct reading {
    struct integrity_last row, *ret;
    bool is_full;
};

static int run_read(void *ctx)
{
    struct reading *t = ctx;

    t->ret[t->is_full ? INTEGRITY_FULL : INTEGRITY_WINDOW] = t->row;
    return 0;
}

int integrity_read(struct db *db, struct integrity_last ret[2])
{
    struct reading t = {.ret = ret};
    int r = db_each(db, &integrity_runs, NULL, DB_NO_ARGS,
                    DB_COLS(db_col_bool("is_full", &t.is_full),
                            db_col_time_us("started_at", &t.row.started_us),
                            db_col_time_us("ended_at", &t.row.ended_us),
                            db_col_i32("findings", &t.row.found),
                            db_col_bool("wanted", &t.row.wanted)),
                    run_read, &t);

    return r == 0 ? 0 : err_trace(db_fatal(r));
}

#define FINDING                                                                                    \
    "SELECT f.id, f.found_at, f.seen_at, f.seen, f.form, f.invariant, f.subject, f.detail,"        \
    "       coalesce(f.team_id, 0) AS team, coalesce(t.name, '') AS team_name, f.closed_at,"       \
    "       coalesce(f.closed_by, '') AS closed_by,"                                               \
    "       coalesce(f.closed_reason, '') AS closed_reason, f.accepted"                            \
    "  FROM recon_finding f LEFT JOIN team t ON t.id = f.team_id "
#define FINDING_COLS(f)                                                                            \
    DB_COLS(db_col_i64("id", &(f)->id), db_col_time_us("found_at", &(f)->found_us),                \
            db_col_time_us("seen_at", &(f)->seen_us), db_col_i64("seen", &(f)->seen),              \
            db_col_text("form", &(f)->form), db_col_text("invariant", &(f)->invariant),            \
            db_col_text("subject", &(f)->subject), db_col_text("detail", &(f)->detail),            \
            db_col_i64("team", &(f)->team.v), db_col_text("team_name", &(f)->team_name),           \
            db_col_time_us("closed_at", &(f)->closed_us),                                          \
            db_col_text("closed_by", &(f)->closed_by),                                             \
            db_col_text("closed_reason", &(f)->closed_reason),                                     \
            db_col_bool("accepted", &(f)->accepted))

DB_QUERY(findings_open, FINDING "WHERE f.closed_at IS NULL ORDER BY f.id DESC LIMIT 100")
DB_QUERY(findings_closed,
         FINDING "WHERE f.closed_at IS NOT NULL ORDER BY f.closed_at DESC, f.id DESC LIMIT 100")
DB_QUERY(findings_count, "SELECT count(*) AS n FROM recon_finding WHERE closed_at IS NULL")
DB_QUERY(findings_report, "SELECT finding_report($1, $2, $3) AS is_new")
DB_QUERY(findings_close, "SELECT finding_close($1, $2, $3, $4) AS closed")
DB_QUERY(findings_row, "SELECT to_jsonb(f)::text AS row FROM recon_finding f WHERE f.id = $1")

int finding_list(struct db *db, struct arena *a, bool closed, struct finding_page *ret)
{
    struct finding row = {0};
    struct db_rows rows = DB_ROWS(a, &row);
    int r = db_each(db, closed ? &findings_closed : &findings_open, a, DB_NO_ARGS,
                    FINDING_COLS(&row), db_rows_push, &rows);

    if (r != 0)
        return err_trace(db_fatal(r));
    *ret = (struct finding_page){rows.v, rows.n};
    return 0;
}

int finding_count(struct db *db, int64_t *ret_open)
{
    int r = db_one(db, &findings_count, NULL, DB_NO_ARGS, DB_COLS(db_col_i64("n", ret_open)));

    return r == 0 ? 0 : err_trace(db_fatal(r));
}

int finding_report(struct db *db, struct str invariant, struct str subject, struct str detail,
                   bool *ret_new)
{
    int r = db_one(db, &findings_report, NULL,
                   DB_ARGS(db_text(invariant), db_text(subject), db_text(detail)),
                   DB_COLS(db_col_bool("is_new", ret_new)));

    return r == 0 ? 0 : err_trace(db_fatal(r));
}

int finding_close(struct db *db, struct arena *a, int64_t id, struct str by, struct str reason,
                  bool accept, struct str *ret_row)
{
    bool closed = false;
    int r = db_one(db, &findings_close, NULL,
                   DB_ARGS(db_i64(id), db_text(by), db_text(reason), db_bool(accept)),
                   DB_COLS(db_col_bool("closed", &closed)));

    if (r == DB_E_REFUSED)
        return FINDING_E_REFUSED;
    if (r == 0 && !closed)
        return FINDING_E_NONE;
    if (r == 0)
        r = db_one(db, &findings_row, a, DB_ARGS(db_i64(id)), DB_COLS(db_col_text("row", ret_row)));
    return r == 0 ? FINDING_OK : err_trace(db_fatal(r));
}
