/* call_video.c: a call whose answer is a job that makes a video: the job is kept before anybody hears of it.
 *
 * The call is charged when its provider has taken the job. A job that could not be kept could be asked after
 * by nobody: then the client gets an error, the call serves nothing and costs nothing. Nor does a call whose
 * node dies before the job is kept; one that dies between that and the journal's END has made a video that
 * nobody pays for. A client that leaves does not stop its call, since the provider goes on anyway. */
#include "base/failpoint.h"
#include "base/log.h"
#include "gateway/call_flow.h"
#include "videos/object.h"

/* So long without a word of the database, no provider is asked to make what could not be kept. */
enum { SILENCE_MAX_MS = 10000 };

struct call_video {
    struct job job;
    struct call *call;
    struct wire_report report;
    struct video_job row; /* its text is in the answer, the catalogue or the call's arena */
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

static void refuse(struct call *c, struct str upstream_id)
{
    struct problem p = call_video_not_kept();

    log_warn("video_not_kept", "call_team=%lld account=%lld upstream_id=%s", (long long)c->record.team_id,
             (long long)c->try.target->account->id.v, log_str(upstream_id));
    call_blame(c);
    call_try_end(c, TRY_OK, "not_kept", STR("The provider has taken the job, but it could not be kept here."));
    call_refuse(c, &p, CALL_OUTCOME_INTERNAL);
}

static void put_work(struct job *job, void *worker)
{
    struct call_video *v = container_of(job, struct call_video, job);

    (void)failpoint_hit("video.keep");
    v->outcome = worker ? video_job_put(worker, &v->row) : VIDEO_JOB_E_AWAY;
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

static void put_done(struct job *job)
{
    struct call_video *v = container_of(job, struct call_video, job);
    struct call *c = v->call;

    if (v->outcome != VIDEO_JOB_OK) {
        refuse(c, v->row.upstream_id);
        return;
    }
    (void)failpoint_hit("video.kept");
    call_serve(c);
    call_note(c, &v->report.llm);
    call_try_end(c, TRY_OK, NULL, STR_NONE);
    call_settle(c, c->try.status, CALL_OUTCOME_OK);
    if (c->client_there)
        answer(c, &v->row);
    call_end(c);
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

void call_video_keep(struct call *c, const struct wire_report *report)
{
    const struct video_dialect *d = leg_format(&c->leg)->video;
    struct call_video *v = arena_new0(c->r->arena, struct call_video);
    struct video_told told;

    if (!d || d->read_state(c->r->arena, buf_str(&c->try.got), &told) != VIDEO_OK || !told.id.n) {
        call_try_failed(c, TRY_BAD_REPLY, NULL, STR("The answer is no job that makes a video."));
        return;
    }
    video_told_clip(&told);
    if (!v) {
        refuse(c, told.id);
        return;
    }
    *v = (struct call_video){
        .job = {.reply_to = c->g->loop, .work = put_work, .done = put_done},
        .call = c,
        .report = *report,
        .row = row_of(c, report, &told),
    };
    if (jobs_submit(c->g->services->responses, &v->job) == JOBS_OK)
        call_enter(c, CALL_VIDEO);
    else
        refuse(c, told.id);
}
