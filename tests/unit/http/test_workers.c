/* test_workers.c: answers made by worker threads, whole and through the pipe. */
#include "http/talk.h"

#include <stdatomic.h>

#include "base/bounds.h"
#include "http/stream.h"
#include "loop/jobs.h"

static struct served server;
static struct jobs *lane;

static atomic_int released, worker_outcome;
static atomic_size_t written;

/* The worker lanes' part of the program: a job per request. */
struct work {
    struct job job;
    struct request *request;
    struct response answer;
};

static void work_done(struct job *j)
{
    struct work *w = container_of(j, struct work, job);

    request_reply(w->request, &w->answer);
    request_release(w->request);
    free(w);
    released++;
}

static void plain_work(struct job *j, void *worker)
{
    struct work *w = container_of(j, struct work, job);

    usleep(20000);
    w->answer.status = 200;
    w->answer.body = arena_strf(w->request->arena, "worker saw %.*s]",
                                STR_FMT(request_header(w->request, "x-given")));
}

static void export_work(struct job *j, void *worker)
{
    struct work *w = container_of(j, struct work, job);
    const struct response head = {.status = 200, .content_type = "text/csv"};
    static char line[1001];
    struct stream *s;
    int outcome = 0;

    memset(line, 'c', 1000);
    assert_int_equal(stream_begin(w->request, &head, &s), 0);
    for (int i = 0; i < 4000 && !outcome; i++) {
        outcome = stream_write(s, str_n(line, 1000));
        written += 1000;
    }
    worker_outcome = outcome;
    stream_end(s, true);
    w->answer.stream = s;
}

static void dispatch(struct request *r, void *ctx)
{
    struct work *w = calloc(1, sizeof(*w));

    w->request = r;
    w->job.reply_to = r->loop;
    w->job.work = r->route->runs == RUNS_ON_LONG ? export_work : plain_work;
    w->job.done = work_done;
    request_hold(r);
    assert_int_equal(jobs_submit(lane, &w->job), JOBS_OK);
}

static const struct route routes[] = {
    {HTTP_GET, "/work", AUTH_NONE, 0, RUNS_ON_PAGES, PROBLEM_AS_OPENAI},
    {HTTP_GET, "/export", AUTH_NONE, 0, RUNS_ON_LONG, PROBLEM_AS_OPENAI},
};

static int start(void **state)
{
    const struct jobs_config config = {.name = "test", .threads = 2, .queue_max = 10};

    released = worker_outcome = 0;
    written = 0;
    served_init(&server);
    server.config.dispatch = dispatch;
    if (jobs_new(&config, &lane) < 0)
        return -1;
    served_start(&server, routes, ARRAY_LEN(routes));
    return 0;
}

static int stop(void **state)
{
    served_stop(&server);
    jobs_free(lane);
    return 0;
}

static void wait_for(atomic_int *counter, int value)
{
    wait_until(*counter >= value);
    assert_int_equal(*counter, value);
}

static void workers_answer(void **state)
{
    char *text;

    text =
        ask(&server, "GET /work HTTP/1.1\r\nHost: h\r\nX-Given: this\r\nConnection: close\r\n\r\n");
    assert_has(text, "200 OK");
    assert_has(text, "worker saw this]");
    free(text);
    wait_for(&released, 1);
}

static void a_client_may_leave_while_a_worker_is_busy(void **state)
{
    for (int i = 0; i < 5; i++) {
        int fd = dial(&server, 0);

        assert_true(say(fd, "GET /work HTTP/1.1\r\nHost: h\r\nX-Given: this\r\n\r\n"));
        usleep(5000);
        close(fd);
    }
    wait_for(&released, 5);
}

static void an_export_is_written_whole(void **state)
{
    char *text;

    text = ask(&server, "GET /export HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
    assert_has(text, "content-type: text/csv\r\n");
    assert_has(text, "\r\n0\r\n\r\n");
    assert_in_range(strlen(text), 4000000, 4100000);
    free(text);
    wait_for(&released, 1);
    assert_int_equal(worker_outcome, 0);
}

static void an_export_blocks_on_a_slow_client_and_ends_when_it_leaves(void **state)
{
    int fd;

    fd = dial(&server, 8192);
    assert_true(say(fd, "GET /export HTTP/1.1\r\nHost: h\r\n\r\n"));
    wait_until(written >= BOUND_STREAM_QUEUE_BYTES);
    for (size_t before = 0; before != written; usleep(100000))
        before = written;
    assert_true(written < 4000000);
    assert_int_equal(released, 0);
    close(fd);
    wait_for(&released, 1);
    assert_int_equal(worker_outcome, STREAM_E_GONE);
}

#define IN_EACH(test) cmocka_unit_test_setup_teardown(test, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_EACH(workers_answer),
        IN_EACH(a_client_may_leave_while_a_worker_is_busy),
        IN_EACH(an_export_is_written_whole),
        IN_EACH(an_export_blocks_on_a_slow_client_and_ends_when_it_leaves),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
