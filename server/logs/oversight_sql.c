/* oversight_sql.c: see oversight.h. */
#include "logs/oversight.h"

#include "base/clock.h"
#include "base/err.h"
#include "db/tx.h"

DB_QUERY(oversight_figures,
         "SELECT (SELECT count(*) FROM recon_finding WHERE closed_at IS NULL) AS findings,"
         "       (SELECT nullif(ended_at, '-infinity') FROM recon_run WHERE form = 'window')"
         "           AS window_at,"
         "       (SELECT nullif(ended_at, '-infinity') FROM recon_run WHERE form = 'full') AS full_at,"
         "       l.n AS late, l.nano AS late_nano, s.n AS reaped, s.nano AS exposed_nano,"
         "       (SELECT coalesce(sum(leased), 0)::bigint FROM purse WHERE kind = 'wallet')"
         "           AS leased_nano,"
         "       v.running, v.completed, v.failed, v.nano AS returned_nano"
         "  FROM (SELECT count(*) AS n, coalesce(sum(amount_nano), 0)::bigint AS nano"
         "          FROM transfer WHERE code = 'LATE_USAGE') l,"
         "       (SELECT count(*) AS n, coalesce(sum(exposed_nano), 0)::bigint AS nano"
         "          FROM node_session WHERE state = 'reaped') s,"
         "       (SELECT count(*) FILTER (WHERE state IN ('queued', 'in_progress')) AS running,"
         "               count(*) FILTER (WHERE state = 'completed') AS completed,"
         "               count(*) FILTER (WHERE state = 'failed') AS failed,"
         "               coalesce(sum(returned_nano), 0)::bigint AS nano"
         "          FROM video_job WHERE created_at > now() - interval '24 hours') v")

struct figures {
    int64_t findings, window_us, full_us, late, late_nano, reaped, exposed_nano, leased_nano;
    int64_t running, completed, failed, returned_nano;
};

static int read_tx(struct db *db, void *ctx)
{
    struct figures *f = ctx;

    return db_one(db, &oversight_figures, NULL, DB_NO_ARGS,
                  DB_COLS(db_col_i64("findings", &f->findings),
                          db_col_time_us("window_at", &f->window_us),
                          db_col_time_us("full_at", &f->full_us), db_col_i64("late", &f->late),
                          db_col_i64("late_nano", &f->late_nano), db_col_i64("reaped", &f->reaped),
                          db_col_i64("exposed_nano", &f->exposed_nano),
                          db_col_i64("leased_nano", &f->leased_nano),
                          db_col_i64("running", &f->running), db_col_i64("completed", &f->completed),
                          db_col_i64("failed", &f->failed),
                          db_col_i64("returned_nano", &f->returned_nano)));
}

int oversight_read(struct db *db, struct oversight *ret)
{
    struct figures f = {0};
    int r = db_read(db, DB_SYSTEM, "oversight", read_tx, &f);

    if (r != 0)
        return err_trace(db_fatal(r));
    atomic_store(&ret->findings, f.findings);
    atomic_store(&ret->window_us, f.window_us);
    atomic_store(&ret->full_us, f.full_us);
    atomic_store(&ret->late_transfers, f.late);
    atomic_store(&ret->late_nano, f.late_nano);
    atomic_store(&ret->reaped, f.reaped);
    atomic_store(&ret->exposed_nano, f.exposed_nano);
    atomic_store(&ret->leased_nano, f.leased_nano);
    atomic_store(&ret->videos_running, f.running);
    atomic_store(&ret->videos_completed, f.completed);
    atomic_store(&ret->videos_failed, f.failed);
    atomic_store(&ret->videos_returned_nano, f.returned_nano);
    atomic_store(&ret->read_us, clock_wall_us());
    return 0;
}
