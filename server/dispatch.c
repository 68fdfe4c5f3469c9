/* dispatch.c: see dispatch.h. */
#include "dispatch.h"

#include "admin/admin.h"
#include "gateway/gateway.h"
#include "web/web.h"

struct work {
    struct job job;
    struct request *req;
    const struct services *services;
    struct response out;
    bool answer; /* false: the handler streams its answer */
};

static void work_run(struct job *job, void *worker)
{
    struct work *w = container_of(job, struct work, job);

    w->answer = true;
    if (w->req->route->manage)
        admin_serve(w->req, worker, w->services, &w->out);
    else
        w->answer = web_serve(w->services, w->req, worker, &w->out);
}

static void work_done(struct job *job)
{
    struct work *w = container_of(job, struct work, job);
    struct request *req = w->req;

    if (w->answer)
        request_reply(req, &w->out);
    request_release(req);
}

static struct jobs *lane_of(const struct services *s, enum route_runs runs)
{
    switch (runs) {
    case RUNS_ON_PASSWORDS:
        return s->passwords;
    case RUNS_ON_LONG:
        return s->long_jobs;
    case RUNS_ON_WAITING:
        return s->waiting;
    case RUNS_ON_PAGES:
    case RUNS_ON_LOOP:
        break;
    }
    return s->pages;
}

void dispatch_to_lane(struct request *req, void *ctx)
{
    const struct gateway *g = ctx;
    struct work *w = arena_new0(req->arena, struct work);
    struct problem busy = problem_of(PROBLEM_BUSY);

    busy.retry_after_s = 1;
    if (!w) {
        request_fail(req, &busy);
        return;
    }
    *w = (struct work){.job = {.reply_to = req->loop, .work = work_run, .done = work_done},
                       .req = req,
                       .services = g->services};
    request_hold(req);
    if (jobs_submit(lane_of(g->services, req->route->runs), &w->job)) {
        request_fail(req, &busy);
        request_release(req);
    }
}

void dispatch_problem_page(struct request *req, const struct problem *p, struct response *out,
                           void *ctx)
{
    const struct gateway *g = ctx;

    web_problem_page(req, p, out, (void *)(uintptr_t)g->services);
}
