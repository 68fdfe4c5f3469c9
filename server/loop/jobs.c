/* jobs.c: see jobs.h. */
#include "loop/jobs.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>

#include "base/err.h"
#include "base/failpoint.h"

struct jobs {
    struct jobs_config config;
    char name[12]; /* leaves room for the thread's number */
    pthread_mutex_t lock;
    pthread_cond_t wanted;
    struct job *first, **end; /* under lock */
    bool closed;              /* under lock */
    atomic_uint queued, running;
    atomic_uint_fast64_t finished, refused;
    unsigned n_threads;
    pthread_t threads[];
};

static void deliver(struct loop_msg *m)
{
    struct job *job = container_of(m, struct job, msg_);

    job->done(job);
}

/* The next job, or NULL when the lane is closed and empty. */
static struct job *take(struct jobs *j)
{
    struct job *job;

    (void)pthread_mutex_lock(&j->lock);
    while (!j->first && !j->closed)
        (void)pthread_cond_wait(&j->wanted, &j->lock);
    job = j->first;
    if (job) {
        j->first = job->next;
        if (!j->first)
            j->end = &j->first;
        job->next = NULL;
        atomic_fetch_sub(&j->queued, 1);
        atomic_fetch_add(&j->running, 1);
    }
    (void)pthread_mutex_unlock(&j->lock);
    return job;
}

static void *make_worker(const struct jobs *j)
{
    return j->config.worker_new ? j->config.worker_new(j->config.ctx) : NULL;
}

static void *work(void *arg)
{
    struct jobs *j = arg;
    void *worker = NULL; /* a lane that nobody needs takes no connection */
    struct job *job;

    while ((job = take(j))) {
        struct loop *reply_to = job->reply_to;

        if (!worker)
            worker = make_worker(j);
        job->work(job, worker); /* without reply_to the job may be gone now */
        atomic_fetch_sub(&j->running, 1);
        atomic_fetch_add(&j->finished, 1);
        if (reply_to) {
            job->msg_.fn = deliver;
            loop_post(reply_to, &job->msg_);
        }
    }
    if (worker && j->config.worker_free)
        j->config.worker_free(worker);
    return NULL;
}

/* Signals are for the main thread: a worker starts with all of them blocked. */
static int start_threads(struct jobs *j)
{
    sigset_t all, before;
    int r = 0;

    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    while (j->n_threads < j->config.threads && r == 0) {
        char name[16];

        r = pthread_create(&j->threads[j->n_threads], NULL, work, j);
        if (r == 0) {
            (void)snprintf(name, sizeof(name), "%s-%u", j->name, j->n_threads % 100);
            (void)pthread_setname_np(j->threads[j->n_threads], name);
            j->n_threads++;
        }
    }
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    return r ? err_origin(-r) : 0;
}

int jobs_new(const struct jobs_config *config, struct jobs **ret)
{
    struct jobs *j;
    int r;

    assert(config->threads > 0);
    assert(config->queue_max > 0);
    j = calloc(1, sizeof(*j) + config->threads * sizeof(j->threads[0]));
    if (!j)
        return err_origin(-ENOMEM);
    j->config = *config;
    j->end = &j->first;
    memcpy(j->name, config->name, MIN(strlen(config->name), sizeof(j->name) - 1));
    (void)pthread_mutex_init(&j->lock, NULL);
    (void)pthread_cond_init(&j->wanted, NULL);
    r = start_threads(j);
    if (r < 0) {
        jobs_free(j);
        return err_trace(r);
    }
    *ret = j;
    return 0;
}

void jobs_free(struct jobs *j)
{
    if (!j)
        return;
    (void)pthread_mutex_lock(&j->lock);
    j->closed = true;
    (void)pthread_cond_broadcast(&j->wanted);
    (void)pthread_mutex_unlock(&j->lock);
    for (unsigned i = 0; i < j->n_threads; i++)
        (void)pthread_join(j->threads[i], NULL);
    assert(!j->first);
    (void)pthread_cond_destroy(&j->wanted);
    (void)pthread_mutex_destroy(&j->lock);
    free(j);
}

int jobs_submit(struct jobs *j, struct job *job)
{
    int r = JOBS_OK;

    assert(!job->reply_to || job->done);
    (void)pthread_mutex_lock(&j->lock);
    if (j->closed) {
        r = JOBS_E_CLOSED;
    } else if (atomic_load(&j->queued) >= j->config.queue_max || failpoint_hit("jobs.submit")) {
        r = JOBS_E_FULL;
    } else {
        job->next = NULL;
        *j->end = job;
        j->end = &job->next;
        atomic_fetch_add(&j->queued, 1);
        (void)pthread_cond_signal(&j->wanted);
    }
    (void)pthread_mutex_unlock(&j->lock);
    if (r)
        atomic_fetch_add(&j->refused, 1);
    return r;
}

void jobs_read_stats(const struct jobs *j, struct jobs_stats *ret)
{
    *ret = (struct jobs_stats){
        .queued = atomic_load(&j->queued),
        .running = atomic_load(&j->running),
        .threads = j->n_threads,
        .queue_max = j->config.queue_max,
        .finished = atomic_load(&j->finished),
        .refused = atomic_load(&j->refused),
    };
}
