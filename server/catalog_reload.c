/* catalog_reload.c: see catalog_reload.h. */
#include "catalog_reload.h"

#include "base/log.h"
#include "catalog/holder.h"
#include "gateway/gateway.h"

#define RETRY "at the next change or poll"

void catalog_reload_init(struct catalog_reload *c, const struct services *services)
{
    c->services = services;
    pthread_mutex_init(&c->lock, NULL);
}

void catalog_reload_done(struct catalog_reload *c)
{
    pthread_mutex_destroy(&c->lock);
}

static bool begins(struct catalog_reload *c)
{
    bool first;

    pthread_mutex_lock(&c->lock);
    first = !c->under_way;
    c->again = !first;
    c->under_way = true;
    pthread_mutex_unlock(&c->lock);
    return first;
}

/* True: another is wanted. */
static bool ended(struct catalog_reload *c, bool loaded)
{
    bool again;

    pthread_mutex_lock(&c->lock);
    c->failed = !loaded;
    again = c->again;
    c->again = false;
    c->under_way = again;
    pthread_mutex_unlock(&c->lock);
    return again;
}

static void submit(struct catalog_reload *c)
{
    if (jobs_submit(c->services->pages, &c->job) == JOBS_OK)
        return;
    log_warn("catalogue_not_reloaded", "reason=%s retry=%s", "lane_full", RETRY);
    /* Whoever has asked for another meanwhile waits for that as well: nobody is under way. */
    pthread_mutex_lock(&c->lock);
    c->under_way = c->again = false;
    c->failed = true;
    pthread_mutex_unlock(&c->lock);
}

static void work(struct job *job, void *worker)
{
    struct catalog_reload *c = container_of(job, struct catalog_reload, job);
    const struct services *v = c->services;
    struct catalog_options options = {.seal_key = v->seal_key, .demo_port = v->demo_port};
    bool loaded = worker && catalog_holder_reload(v->catalog, worker, &options) == CATALOG_OK;

    if (loaded)
        gateways_changed(v->gateways, STR("catalogue"));
    else
        log_warn("catalogue_not_reloaded", "retry=%s", RETRY);
    if (ended(c, loaded))
        submit(c);
}

void catalog_reload_changed(struct catalog_reload *c)
{
    if (!begins(c))
        return;
    c->job.work = work;
    submit(c);
}

void catalog_reload_polled(struct catalog_reload *c)
{
    bool wanted;

    pthread_mutex_lock(&c->lock);
    wanted = c->failed && !c->under_way;
    pthread_mutex_unlock(&c->lock);
    if (wanted)
        catalog_reload_changed(c);
}
