/* call_video.c: a call whose answer is a job that makes a video: what it costs and what it is are written down
 * together, before anybody hears of it.
 *
 * The call is charged when its provider has taken the job. END of such a call carries the job (model/record.def),
 * and its settlement makes the job's row in the transaction that books the charge: so neither is ever without
 * the other, whoever settles it and how often. That would be a moment too late for a client that asks after its
 * job at once, on any node; so a worker makes the same row first, and the answer waits for that.
 *
 *   what happens                                       the row is made by      charged          the client
 *   kill before END                                    nobody                  nothing (cut)    gets nothing
 *   kill after END, row not committed                  the replay              by the replay    gets nothing
 *   kill after the row's COMMIT, before the answer     the worker              by the replay    gets nothing
 *   kill after the answer                              the worker              by the replay    has the job
 *   database away before END                           see call_video_may_begin()
 *   database away after END, or its COMMIT unknown     the settlement, if the  when it is back  has the job
 *                                                      worker did not
 *   power lost in the 20 ms before END is synced       the worker, or nobody   nothing (cut)    may have the job
 *   no worker free                                     the settlement          as ever          has the job
 *   the worker is refused                              the settlement          as ever          has the job
 *
 * A job that a client got nothing of is in its list of videos. What the provider took of a call that has no END
 * is known to nobody; that is as long as its answer is on the way. A job whose row is still to be made is told
 * of, by the node that made it, as one that cannot be looked up right now (videos_late.h). A client that leaves does not stop its call, since
 * the provider goes on anyway. */
#include "base/failpoint.h"
#include "base/log.h"
#include "gateway/call_flow.h"
#include "videos/object.h"

/* So long without a word of the database, no provider is asked to make what could not be kept. */
enum { SILENCE_MAX_MS = 10000 };

struct call_video {
    struct job job;
    struct call *call;
    struct video_job row; /* its text is in the answer, the catalogue or the call's arena */
    struct video_record record;
    int outcome;
};

bool call_video_may_begin(const struct call *c)
{
    const struct services *s = c->g->services;

    return !c->endpoint->makes_jobs || !s->database_silence_ms ||
           s->database_silence_ms(s->ctx) <= SILENCE_MAX_MS;
}

struct problem call_video_not_kept(void)
{
    struct problem p = problem_of(PROBLEM_BUSY);

    p.retry_after_s = 5;
    p.message = STR("Videos cannot be kept right now, so none is made. Nothing was charged. Try again shortly.");
    return p;
}

static void put_work(struct job *job, void *worker)
{
    struct call_video *v = container_of(job, struct call_video, job);

    v->outcome = worker && !failpoint_hit("video.keep") ? video_job_put(worker, &v->record) : VIDEO_JOB_E_AWAY;
    if (v->outcome == VIDEO_JOB_OK && failpoint_hit("video.kept"))
        v->outcome = VIDEO_JOB_E_AWAY;
}

/* The object, and the trace where the client has asked for it. */
static struct str body_of(struct call *c, const struct video_job *row)
{
    struct str members = call_trace_member(c), body = STR_NONE;
    struct buf out;

    buf_init(&out, KIB(256));
    video_object_put(row, &out);
    if (members.p && out.n) {
        out.n--;
        buf_printf(&out, ",%.*s}", STR_FMT(members));
    }
    if (buf_finish(&out) == 0)
        body = arena_str(c->r->arena, buf_str(&out));
    buf_done(&out);
    return body;
}

static void answer(struct call *c, const struct video_job *row)
{
    struct response response = {.status = 200, .content_type = "application/json", .body = body_of(c, row)};
    struct buf cost;

    if (!response.body.p) {
        request_fail(c->r, &(struct problem){.code = PROBLEM_INTERNAL});
        return;
    }
    buf_init(&cost, 64);
    money_put(&cost, c->record.charge_nano, 0);
    call_put_head(c, &response);
    response_header(&response, "x-tollgate-cost", arena_str(c->r->arena, buf_str(&cost)));
    buf_done(&cost);
    request_reply(c->r, &response);
}

static void finish(struct call *c, const struct call_video *v)
{
    if (v->outcome != VIDEO_JOB_OK) {
        videos_late_add(&c->g->all->late, c->r->id);
        log_warn("video_kept_later", "call_team=%lld account=%lld upstream_id=%s result=%d",
                 (long long)v->record.team_id, (long long)v->record.account_id, log_str(v->record.upstream_id),
                 v->outcome);
    }
    if (c->client_there)
        answer(c, &v->row);
    call_end(c);
}

static void put_done(struct job *job)
{
    struct call_video *v = container_of(job, struct call_video, job);

    call_enter(v->call, CALL_SETTLED);
    finish(v->call, v);
}

static struct video_job row_of(const struct call *c, const struct wire_report *report,
                               const struct video_told *told)
{
    const struct catalog_target *t = c->try.target;
    const struct key_policy *k = c->key->policy;
    struct str asked = c->wire.llm.visual.size;

    return (struct video_job){
        .team = k->team,
        .call = c->r->id,
        .project = k->project,
        .key = k->key,
        .account = t->account->id,
        .model = t->model->name,
        .upstream_model = t->upstream_model,
        .upstream_id = told->id,
        .seconds = (int64_t)(told->seconds ? told->seconds : c->wire.llm.seconds),
        .size = told->size.n ? told->size : asked.n ? asked : report->llm.visual.size,
        .state = told->state,
        .progress = MAX(told->progress, 0),
        .created_us = call_id_ms(c->r->id) * 1000,
        .ended_us = told->state == VIDEO_COMPLETED ? c->r->began_wall_us : 0,
        .expires_us = told->expires_s * 1000000,
        .error_code = told->error_code,
        .error_message = told->error_message,
    };
}

static void refuse(struct call *c)
{
    struct problem p = problem_of(PROBLEM_INTERNAL);

    call_blame(c);
    call_try_end(c, TRY_OK, "not_kept", STR("The provider has taken the job, but there is no memory for it."));
    call_refuse(c, &p, CALL_OUTCOME_INTERNAL);
}

void call_video_keep(struct call *c, const struct wire_report *report)
{
    const struct video_dialect *d = leg_format(&c->leg)->video;
    struct call_video *v = arena_new0(c->r->arena, struct call_video);
    struct video_told told;

    if (!v) {
        refuse(c);
        return;
    }
    if (!d || d->read_state(c->r->arena, buf_str(&c->try.got), &told) != VIDEO_OK || !told.id.n) {
        call_try_failed(c, TRY_BAD_REPLY, NULL, STR("The answer is no job that makes a video."));
        return;
    }
    video_told_clip(&told);
    *v = (struct call_video){
        .job = {.reply_to = c->g->loop, .work = put_work, .done = put_done},
        .call = c,
        .row = row_of(c, report, &told),
        .outcome = VIDEO_JOB_E_AWAY,
    };
    v->record = video_job_record(&v->row);
    c->record.video = &v->record;
    call_serve(c);
    call_note(c, &report->llm);
    call_try_end(c, TRY_OK, NULL, STR_NONE);
    call_settle(c, c->try.status, CALL_OUTCOME_OK);
    if (jobs_submit(c->g->services->responses, &v->job) == JOBS_OK)
        call_enter(c, CALL_VIDEO);
    else
        finish(c, v);
}
