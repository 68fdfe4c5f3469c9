/* video_keeper.c: see video_keeper.h. */
#include "gateway/video_keeper.h"

#include <errno.h>

#include "base/bounds.h"
#include "base/err.h"
#include "base/log.h"
#include "catalog/holder.h"
#include "gateway/video_ask.h"

enum {
    JOBS_AT_ONCE = 8, /* what is taken waits for those before it, whose providers may not answer */
    ROUNDS = 8,
};

/* What the provider says, if it does. True: *ret is to be noted. */
static bool ask(const struct services *s, const struct catalog *c, struct arena *a, const struct video_job *job,
                struct video_told *ret)
{
    const struct video_ask what = {.what = VIDEO_ASK_STATE, .id = job->upstream_id};
    struct video_exchange x;
    enum fetch_fault fault = FETCH_E_CONNECT;
    int status = 0, r = video_ask_make(s, c, a, job, &what, &x);
    struct str answer;
    struct buf body;

    if (r != VIDEO_ASK_OK)
        return video_ask_judge(job, r, ret);
    buf_init(&body, VIDEO_STATE_BYTES);
    r = fetch_blocking(&x.request, &status, &body, &fault);
    answer = r == 0 && fault == FETCH_DONE ? arena_str(a, buf_str(&body)) : STR_NONE;
    buf_done(&body);
    return video_ask_read(c, a, job, answer.p ? status : 0, answer, ret);
}

static int look_at(const struct services *s, const struct catalog *c, struct db *db, struct video_job *job)
{
    _cleanup_(arena_freep) struct arena *a = arena_new(VIDEO_STATE_BYTES + MIB(1));
    struct video_told told;
    int r = 0;

    if (!a)
        return err_origin(-ENOMEM);
    if (video_job_is_over(job))
        r = video_job_return(db, job->team, job->call);
    else if (ask(s, c, a, job, &told))
        r = video_job_note(db, a, &told, job);
    return r == VIDEO_JOB_E_NONE ? 0 : r;
}

static int round_of(const struct services *s, const struct catalog *c, struct db *db, size_t *ret_n)
{
    _cleanup_(arena_freep) struct arena *a = arena_new(MIB(1));
    struct video_list due = {.n = 0};
    int r = a ? video_job_due(db, a, JOBS_AT_ONCE, &due) : err_origin(-ENOMEM);

    for (size_t i = 0; r == 0 && i < due.n; i++) {
        r = look_at(s, c, db, &due.v[i]);
        if (r < 0) { /* its turn comes again, the others' too */
            log_error("video_job", "team=%lld account=%lld result=%d", (long long)due.v[i].team.v,
                      (long long)due.v[i].account.v, r);
            r = 0;
        }
    }
    *ret_n = due.n;
    return r;
}

int video_keeper_round(const struct services *services, struct db *db, bool (*stop)(void *ctx), void *ctx)
{
    struct catalog *c = catalog_holder_get(services->catalog);
    size_t n = JOBS_AT_ONCE;
    int r = 0;

    for (int i = 0; c && r == 0 && n == JOBS_AT_ONCE && i < ROUNDS && !stop(ctx); i++)
        r = round_of(services, c, db, &n);
    catalog_unref(c);
    return r;
}
