/* A lane of workers: replies, fullness, closing, workers that cannot be made. */
#include "unit.h"

#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>

#include "loop/jobs.h"

struct worker {
    int number;
};

static atomic_int made, freed, refuse_first, worked;

static void *worker_new(void *ctx)
{
    struct worker *w;

    if (atomic_fetch_sub(&refuse_first, 1) > 0)
        return NULL;
    w = calloc(1, sizeof(*w));
    w->number = atomic_fetch_add(&made, 1) + 1;
    return w;
}

static void worker_free(void *worker)
{
    atomic_fetch_add(&freed, 1);
    free(worker);
}

static int reset(void **state)
{
    made = freed = refuse_first = worked = 0;
    return 0;
}

static struct jobs *lane(unsigned threads, unsigned queue_max)
{
    const struct jobs_config config = {.name = "a-lane-with-a-long-name",
                                       .threads = threads,
                                       .queue_max = queue_max,
                                       .worker_new = worker_new,
                                       .worker_free = worker_free};
    struct jobs *j = NULL;

    assert_int_equal(jobs_new(&config, &j), 0);
    return j;
}

struct task {
    struct job job;
    pthread_t worked_on, done_on;
    int *left;
    bool had_worker;
    sem_t *gate;
};

static void task_work(struct job *job, void *worker)
{
    struct task *t = container_of(job, struct task, job);

    if (t->gate)
        (void)sem_wait(t->gate);
    t->had_worker = worker != NULL;
    t->worked_on = pthread_self();
    atomic_fetch_add(&worked, 1);
}

static void task_done(struct job *job)
{
    struct task *t = container_of(job, struct task, job);

    t->done_on = pthread_self();
    if (--*t->left == 0)
        loop_stop(job->reply_to);
}

static void done_runs_on_the_loop_that_asked(void **state)
{
    enum { TASKS = 200 };
    static struct task tasks[TASKS];
    struct loop *l = loop_new("test");
    struct jobs *j = lane(3, TASKS);
    struct jobs_stats stats;
    int left = TASKS;

    for (int i = 0; i < TASKS; i++) {
        tasks[i] = (struct task){.job = {.reply_to = l, .work = task_work, .done = task_done},
                                 .left = &left};
        assert_int_equal(jobs_submit(j, &tasks[i].job), JOBS_OK);
    }
    assert_int_equal(loop_run(l), 0);
    assert_int_equal(left, 0);
    for (int i = 0; i < TASKS; i++) {
        assert_false(pthread_equal(tasks[i].worked_on, pthread_self()));
        assert_true(pthread_equal(tasks[i].done_on, pthread_self()));
        assert_true(tasks[i].had_worker);
    }
    jobs_read_stats(j, &stats);
    assert_int_equal(stats.finished, TASKS);
    assert_int_equal(stats.queued + stats.running + stats.refused, 0);
    assert_int_equal(stats.threads, 3);
    jobs_free(j);
    assert_in_range(made, 1, 3);
    assert_int_equal(freed, made);
    loop_free(l);
}

static void a_lane_without_jobs_makes_no_worker(void **state)
{
    jobs_free(lane(3, 4));
    assert_int_equal(made, 0);
}

static void full_lane_refuses(void **state)
{
    struct jobs *j = lane(1, 2);
    struct task tasks[4] = {0};
    struct jobs_stats stats;
    sem_t gate;

    (void)sem_init(&gate, 0, 0);
    for (int i = 0; i < 4; i++)
        tasks[i] = (struct task){.job.work = task_work, .gate = &gate};
    assert_int_equal(jobs_submit(j, &tasks[0].job), JOBS_OK);
    do /* until the worker holds the first */
        jobs_read_stats(j, &stats);
    while (stats.running == 0);
    assert_int_equal(jobs_submit(j, &tasks[1].job), JOBS_OK);
    assert_int_equal(jobs_submit(j, &tasks[2].job), JOBS_OK);
    assert_int_equal(jobs_submit(j, &tasks[3].job), JOBS_E_FULL);
    jobs_read_stats(j, &stats);
    assert_int_equal(stats.queued, 2);
    assert_int_equal(stats.refused, 1);
    for (int i = 0; i < 3; i++)
        (void)sem_post(&gate);
    jobs_free(j);
    assert_int_equal(worked, 3);
    (void)sem_destroy(&gate);
}

static void free_finishes_what_is_queued(void **state)
{
    enum { TASKS = 100 };
    static struct task tasks[TASKS];
    struct jobs *j = lane(2, TASKS);

    for (int i = 0; i < TASKS; i++) {
        tasks[i] = (struct task){.job.work = task_work};
        assert_int_equal(jobs_submit(j, &tasks[i].job), JOBS_OK);
    }
    jobs_free(j);
    assert_int_equal(worked, TASKS);
    assert_int_equal(made, freed);
    jobs_free(NULL);
}

static void worker_that_cannot_be_made_is_tried_again(void **state)
{
    struct task tasks[4] = {0};
    struct jobs *j;
    int with = 0;

    refuse_first = 2;
    j = lane(1, 4);
    for (int i = 0; i < 4; i++) {
        tasks[i] = (struct task){.job.work = task_work};
        assert_int_equal(jobs_submit(j, &tasks[i].job), JOBS_OK);
    }
    jobs_free(j);
    for (int i = 0; i < 4; i++)
        with += tasks[i].had_worker;
    assert_int_equal(with, 2);
    assert_false(tasks[1].had_worker);
    assert_true(tasks[2].had_worker);
    assert_int_equal(made, 1);
    assert_int_equal(freed, 1);
}

static struct jobs *closing;

/* Runs while jobs_free() waits for this very worker, with the queue full. */
static void submit_until_closed(struct job *job, void *worker)
{
    struct task *t = container_of(job, struct task, job);
    struct task late = {.job.work = task_work};

    (void)sem_wait(t->gate);
    do
        *t->left = jobs_submit(closing, &late.job);
    while (*t->left == JOBS_E_FULL);
}

static void closed_lane_refuses(void **state)
{
    int outcome = -1;
    sem_t gate;
    struct task first = {.job.work = submit_until_closed, .left = &outcome, .gate = &gate};
    struct task second = {.job.work = task_work};
    struct jobs_stats stats;

    (void)sem_init(&gate, 0, 0);
    closing = lane(1, 1);
    assert_int_equal(jobs_submit(closing, &first.job), JOBS_OK);
    do
        jobs_read_stats(closing, &stats);
    while (stats.running == 0);
    assert_int_equal(jobs_submit(closing, &second.job), JOBS_OK);
    (void)sem_post(&gate);
    jobs_free(closing);
    assert_int_equal(outcome, JOBS_E_CLOSED);
    (void)sem_destroy(&gate);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(done_runs_on_the_loop_that_asked, reset),
        cmocka_unit_test_setup(full_lane_refuses, reset),
        cmocka_unit_test_setup(free_finishes_what_is_queued, reset),
        cmocka_unit_test_setup(a_lane_without_jobs_makes_no_worker, reset),
        cmocka_unit_test_setup(worker_that_cannot_be_made_is_tried_again, reset),
        cmocka_unit_test_setup(closed_lane_refuses, reset),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
