/* job_sql.c: see job.h. */
#include "videos/job.h"

#include <errno.h>

#include "base/err.h"
#include "base/failpoint.h"
#include "db/rows.h"
#include "db/tx.h"

#define COLUMNS                                                                                    \
    "team_id, call_id, project_id, key_id, account_id, model, upstream_model, upstream_id,"        \
    " seconds, size, state, progress, remixed_from, created_at, asked_at, ended_at, expires_at,"   \
    " returned_at, coalesce(returned_nano, 0) AS returned_nano,"                                   \
    " coalesce(transfer_id, 0) AS transfer_id, error_code, error_message"
#define COLS(j, word)                                                                              \
    DB_COLS(db_col_i64("team_id", &(j)->team.v), db_col_uuid("call_id", &(j)->call),               \
            db_col_i64("project_id", &(j)->project.v), db_col_i64("key_id", &(j)->key.v),          \
            db_col_i64("account_id", &(j)->account.v), db_col_text("model", &(j)->model),          \
            db_col_text("upstream_model", &(j)->upstream_model),                                   \
            db_col_text("upstream_id", &(j)->upstream_id), db_col_i64("seconds", &(j)->seconds),   \
            db_col_text("size", &(j)->size), db_col_text("state", (word)),                         \
            db_col_i64("progress", &(j)->progress),                                                \
            db_col_uuid("remixed_from", &(j)->remixed_from),                                       \
            db_col_time_us("created_at", &(j)->created_us),                                        \
            db_col_time_us("asked_at", &(j)->asked_us), db_col_time_us("ended_at", &(j)->ended_us), \
            db_col_time_us("expires_at", &(j)->expires_us),                                        \
            db_col_time_us("returned_at", &(j)->returned_us),                                      \
            db_col_money("returned_nano", &(j)->returned),                                         \
            db_col_i64("transfer_id", &(j)->returned_transfer), db_col_text("error_code", &(j)->error_code), \
            db_col_text("error_message", &(j)->error_message))

static enum video_state state_of(struct str word)
{
    enum video_state s = VIDEO_QUEUED;

    while (s < VIDEO_FAILED && !str_eq_c(word, video_state_name(s)))
        s++;
    return s;
}

static int outcome(int r)
{
    if (r == 0 || r == DB_E_NONE || r == DB_E_AWAY)
        return r;
    return err_trace(db_fatal(r));
}

/* What a transaction here works on. */
struct work {
    struct arena *a;
    const struct video_told *told;
    const struct video_list_want *want;
    size_t most;
    struct video_job *job;
    struct video_list list;
};

/* --- one job --- */

struct video_record video_job_record(const struct video_job *job)
{
    struct video_record v = {
        .team_id = job->team.v,
        .call_id = job->call,
        .project_id = job->project.v,
        .key_id = job->key.v,
        .account_id = job->account.v,
        .model = job->model,
        .upstream_model = job->upstream_model,
        .upstream_id = job->upstream_id,
        .seconds = job->seconds,
        .size = job->size,
        .state = str_c(video_state_name(job->state)),
        .progress = (int32_t)job->progress,
        .created_at = job->created_us,
        .expires_at = job->expires_us,
        .error_code = job->error_code,
        .error_message = job->error_message,
    };

    video_record_clip(&v);
    return v;
}

/* In the order of RECORD_VIDEO. */
DB_QUERY(video_job_insert,
         "SELECT settle_videos(ARRAY[ROW($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)"
         "                         ::settled_video])")

static struct db_arg time_arg(int64_t us)
{
    return us ? db_time_us(us) : db_null(DB_TIME_US);
}

static int put_tx(struct db *db, void *ctx)
{
    const struct video_record *v = ctx;

    return db_exec(
        db, &video_job_insert,
        DB_ARGS(db_i64(v->team_id), db_uuid(v->call_id), db_i64(v->project_id), db_i64(v->key_id),
                db_i64(v->account_id), db_text(v->model), db_text(v->upstream_model),
                db_text(v->upstream_id), db_i64(v->seconds), db_text(v->size), db_text(v->state),
                db_i32(v->progress), time_arg(v->created_at), time_arg(v->expires_at),
                db_text(v->error_code), db_text(v->error_message)),
        NULL);
}

/* A COMMIT of unknown outcome is cleared up by doing it again. */
int video_job_put(struct db *db, const struct video_record *job)
{
    struct video_record copy = *job;
    struct team_id team = {job->team_id};
    int r = db_tx(db, DB_TEAM(team), "video_job_put", put_tx, &copy);

    if (r == -ECONNRESET)
        r = db_tx(db, DB_TEAM(team), "video_job_put", put_tx, &copy);
    return r == -ECONNRESET ? VIDEO_JOB_E_AWAY : outcome(r);
}

DB_QUERY(video_job_row,
         "SELECT " COLUMNS " FROM video_job"
         " WHERE team_id = $1 AND call_id = $2 AND deleted_at IS NULL")

static int get(struct db *db, struct arena *a, struct video_job *job)
{
    struct str word;
    int r = db_one(db, &video_job_row, a, DB_ARGS(db_i64(job->team.v), db_uuid(job->call)),
                   COLS(job, &word));

    if (r == 0)
        job->state = state_of(word);
    return r;
}

static int get_tx(struct db *db, void *ctx)
{
    struct work *w = ctx;

    return get(db, w->a, w->job);
}

int video_job_get(struct db *db, struct arena *a, struct team_id team, struct call_id call,
                  struct video_job *ret)
{
    struct video_job job = {.team = team, .call = call};
    struct work w = {.a = a, .job = &job};
    int r = outcome(db_read(db, DB_TEAM(team), "video_job_get", get_tx, &w));

    if (r == VIDEO_JOB_OK)
        *ret = job;
    return r;
}

DB_QUERY(video_job_update,
         "UPDATE video_job SET state = $3, progress = greatest(progress, $4),"
         "       seconds = coalesce(nullif($5, 0), seconds), size = coalesce($6, size),"
         "       asked_at = clock_timestamp(), expires_at = coalesce($7, expires_at),"
         "       ended_at = CASE WHEN $3 IN ('completed', 'failed') THEN clock_timestamp() END,"
         "       look_at = CASE WHEN $3 <> 'completed' THEN video_next_look(created_at, clock_timestamp()) END,"
         "       error_code = $8, error_message = $9"
         " WHERE team_id = $1 AND call_id = $2 AND state IN ('queued', 'in_progress')")

static int note_tx(struct db *db, void *ctx)
{
    const struct work *w = ctx;
    const struct video_told *t = w->told;
    bool failed = t->state == VIDEO_FAILED;

    return db_exec(db, &video_job_update,
                   DB_ARGS(db_i64(w->job->team.v), db_uuid(w->job->call),
                           db_cstr(video_state_name(t->state)), db_i32(MAX(t->progress, 0)),
                           db_i64((int64_t)t->seconds), db_text(t->size),
                           time_arg(t->expires_s * 1000000),
                           db_text(failed ? t->error_code : STR_NONE),
                           db_text(failed ? t->error_message : STR_NONE)),
                   NULL);
}

DB_QUERY(video_charge_return, "SELECT video_return($1, $2)")

static int return_tx(struct db *db, void *ctx)
{
    const struct work *w = ctx;

    return db_exec(db, &video_charge_return, DB_ARGS(db_i64(w->job->team.v), db_uuid(w->job->call)), NULL);
}

int video_job_return(struct db *db, struct team_id team, struct call_id call)
{
    struct video_job job = {.team = team, .call = call};
    struct work w = {.job = &job};

    return outcome(db_tx(db, DB_SYSTEM, "video_return", return_tx, &w));
}

int video_job_note(struct db *db, struct arena *a, const struct video_told *told, struct video_job *job)
{
    struct work w = {.a = a, .told = told, .job = job};
    int r = outcome(db_tx(db, DB_TEAM(job->team), "video_job_note", note_tx, &w));

    if (r == VIDEO_JOB_OK && told->state == VIDEO_FAILED) {
        (void)failpoint_hit("video.noted");
        r = video_job_return(db, job->team, job->call);
        (void)failpoint_hit("video.returned");
    }
    return r == VIDEO_JOB_OK ? video_job_get(db, a, job->team, job->call, job) : r;
}

DB_QUERY(video_job_drop,
         "UPDATE video_job SET deleted_at = clock_timestamp()"
         " WHERE team_id = $1 AND call_id = $2 AND deleted_at IS NULL")

static int delete_tx(struct db *db, void *ctx)
{
    const struct work *w = ctx;
    int64_t rows = 0;
    int r = db_exec(db, &video_job_drop, DB_ARGS(db_i64(w->job->team.v), db_uuid(w->job->call)), &rows);

    return r == 0 && !rows ? VIDEO_JOB_E_NONE : r;
}

int video_job_delete(struct db *db, struct team_id team, struct call_id call)
{
    struct video_job job = {.team = team, .call = call};
    struct work w = {.job = &job};

    return outcome(db_tx(db, DB_TEAM(team), "video_job_delete", delete_tx, &w));
}

DB_QUERY(video_job_call,
         "SELECT " COLUMNS " FROM video_job"
         " WHERE team_id = $1 AND call_id = $2")

int video_job_of_call(struct db *db, struct arena *a, struct team_id team, struct call_id call,
                      struct video_job *ret)
{
    struct video_job job = {.team = team, .call = call};
    struct str word;
    int r = db_one(db, &video_job_call, a, DB_ARGS(db_i64(team.v), db_uuid(call)), COLS(&job, &word));

    if (r == 0) {
        job.state = state_of(word);
        *ret = job;
    }
    return outcome(r);
}

/* --- many --- */

struct row {
    struct video_job job;
    struct str word;
    struct work *w;
};

static int take(void *ctx)
{
    struct row *row = ctx;
    struct video_list *list = &row->w->list;

    row->job.state = state_of(row->word);
    list->v[list->n++] = row->job;
    return 0;
}

/* One more than is wanted tells whether there are more. */
DB_QUERY(video_jobs_newest,
         "SELECT " COLUMNS " FROM video_job"
         " WHERE team_id = $1 AND deleted_at IS NULL AND ($2::uuid IS NULL OR call_id < $2)"
         " ORDER BY call_id DESC LIMIT $3")
DB_QUERY(video_jobs_oldest,
         "SELECT " COLUMNS " FROM video_job"
         " WHERE team_id = $1 AND deleted_at IS NULL AND ($2::uuid IS NULL OR call_id > $2)"
         " ORDER BY call_id LIMIT $3")

static int list_tx(struct db *db, void *ctx)
{
    struct work *w = ctx;
    const struct video_list_want *want = w->want;
    struct row row = {.w = w};
    struct video_job after = {.team = w->job->team, .call = want->after};
    bool begins = !call_id_given(want->after);
    int r = begins ? 0 : get(db, w->a, &after);

    w->list.n = 0;
    if (r != 0)
        return r;
    return db_each(db, want->oldest_first ? &video_jobs_oldest : &video_jobs_newest, w->a,
                   DB_ARGS(db_i64(w->job->team.v), begins ? db_null(DB_UUID) : db_uuid(want->after),
                           db_i64(want->limit + 1)),
                   COLS(&row.job, &row.word), take, &row);
}

int video_job_list(struct db *db, struct arena *a, struct team_id team, const struct video_list_want *want,
                   struct video_list *ret)
{
    struct video_job job = {.team = team};
    struct work w = {.a = a, .want = want, .job = &job};
    int r;

    w.list.v = arena_array(a, struct video_job, (size_t)want->limit + 1);
    if (!w.list.v)
        return err_origin(-ENOMEM);
    r = outcome(db_read(db, DB_TEAM(team), "video_job_list", list_tx, &w));
    if (r != VIDEO_JOB_OK)
        return r;
    w.list.has_more = w.list.n > (size_t)want->limit;
    w.list.n -= w.list.has_more;
    *ret = w.list;
    return VIDEO_JOB_OK;
}

/* Those that another node is just taking are its own. */
DB_QUERY(video_jobs_take,
         "UPDATE video_job j SET look_at = video_next_look(j.created_at, clock_timestamp())"
         "  FROM (SELECT team_id, call_id FROM video_job WHERE look_at <= clock_timestamp()"
         "         ORDER BY look_at LIMIT $1 FOR UPDATE SKIP LOCKED) d"
         " WHERE j.team_id = d.team_id AND j.call_id = d.call_id"
         " RETURNING j.team_id, j.call_id, j.project_id, j.key_id, j.account_id, j.model, j.upstream_model,"
         "           j.upstream_id, j.seconds, j.size, j.state, j.progress, j.remixed_from, j.created_at,"
         "           j.asked_at, j.ended_at, j.expires_at, j.returned_at,"
         "           coalesce(j.returned_nano, 0) AS returned_nano,"
         "           coalesce(j.transfer_id, 0) AS transfer_id, j.error_code, j.error_message")

static int due_tx(struct db *db, void *ctx)
{
    struct work *w = ctx;
    struct row row = {.w = w};

    w->list.n = 0;
    return db_each(db, &video_jobs_take, w->a, DB_ARGS(db_i64((int64_t)w->most)),
                   COLS(&row.job, &row.word), take, &row);
}

int video_job_due(struct db *db, struct arena *a, size_t most, struct video_list *ret)
{
    struct work w = {.a = a, .most = most};
    int r;

    w.list.v = arena_array(a, struct video_job, most);
    if (!w.list.v)
        return err_origin(-ENOMEM);
    r = outcome(db_tx(db, DB_SYSTEM, "video_jobs_take", due_tx, &w));
    if (r == VIDEO_JOB_OK)
        *ret = w.list;
    return r;
}
