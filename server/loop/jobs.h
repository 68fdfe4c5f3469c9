/* jobs.h: lanes of worker threads for what blocks (SQL, password hashing, PDFs).
 *
 * A lane has its own threads and a bounded queue and never borrows from another. Each worker owns
 * one state (made by worker_new on its own thread, with its first job), in this program its database
 * connection. */
#pragma once

#include "loop/loop.h"

struct jobs;

struct job {
    struct job *next;
    struct loop *reply_to;                      /* done runs there; NULL: no done */
    void (*work)(struct job *, void *worker);   /* on a worker thread */
    void (*done)(struct job *);                 /* on reply_to's thread */
    struct loop_msg msg_;
};

struct jobs_config {
    const char *name;
    unsigned threads;
    unsigned queue_max;
    /* May return NULL: work() gets NULL then, and the worker tries again at its next job. NULL
     * here: the lane has no worker state. */
    void *(*worker_new)(void *ctx);
    void (*worker_free)(void *worker);
    void *ctx;
};

int jobs_new(const struct jobs_config *config, struct jobs **ret) _must_use_;
/* Refuses new jobs, finishes queued ones, joins the threads. */
void jobs_free(struct jobs *j);

enum { JOBS_OK = 0, JOBS_E_FULL = 1, JOBS_E_CLOSED = 2 };
/* The job is the lane's until done (or work, when there is no done) has been called. Any thread. */
int jobs_submit(struct jobs *j, struct job *job) _must_use_;

struct jobs_stats {
    unsigned queued, running, threads, queue_max;
    uint64_t finished, refused;
};
void jobs_read_stats(const struct jobs *j, struct jobs_stats *ret); /* any thread */
