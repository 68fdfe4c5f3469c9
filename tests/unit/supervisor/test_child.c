/* Children: environment, passed descriptor, restarts, endings, and dying with their parent. */
#include "patience.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "supervisor/child.h"

static const char *const nothing[] = {NULL};

static struct child shell(const char *const *argv)
{
    return (struct child){.name = "test", .exe = "/bin/sh", .argv = argv, .environment = nothing,
                          .pass_fd = -1};
}

static bool never(void *ctx)
{
    (void)ctx;
    return false;
}

static bool at_once(void *ctx)
{
    (void)ctx;
    return true;
}

static int wait_status(struct child *c)
{
    int status = -1;

    wait_until(child_ended(c, &status));
    return status;
}

/* What the child writes to the descriptor it was passed. */
static void read_from(struct child *c, char *out, size_t size)
{
    size_t n = 0;
    int ends[2];

    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    c->pass_fd = ends[1];
    assert_int_equal(child_start(c), 0);
    close(ends[1]);
    for (ssize_t got = 1; got > 0 && n + 1 < size; n += (size_t)MAX(got, 0))
        got = read(ends[0], out + n, size - 1 - n);
    out[n] = '\0';
    close(ends[0]);
}

static void environment_and_descriptor_arrive(void **state)
{
    const char *const argv[] = {"sh", "-c", "echo \"$GIVEN,${TAKEN-gone}\" >&3; exit 7", NULL};
    const char *const changes[] = {"GIVEN=yes", "TAKEN", NULL};
    struct child c = shell(argv);
    char said[64];

    setenv("TAKEN", "still there", 1);
    c.environment = changes;
    read_from(&c, said, sizeof(said));
    assert_string_equal(said, "yes,gone\n");
    int status = wait_status(&c);

    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 7);
    assert_int_equal(c.pid, 0);
}

static void it_starts_again_after_growing_pauses(void **state)
{
    const char *const argv[] = {"sh", "-c", "exit 1", NULL};
    struct child c = shell(argv);
    int64_t pauses[3];

    test_clock_stop();
    assert_int_equal(child_start(&c), 0);
    for (int i = 0; i < 3; i++) {
        wait_status(&c);
        pauses[i] = c.again_ms - clock_mono_ms();
        child_tend(&c);
        assert_int_equal(c.pid, 0); /* not yet due */
        test_clock_step(pauses[i] - 1);
        child_tend(&c);
        assert_int_equal(c.pid, 0);
        test_clock_step(1);
        child_tend(&c);
        assert_true(c.pid > 0);
    }
    wait_status(&c);
    assert_true(pauses[1] > pauses[0]);
    assert_true(pauses[2] > pauses[1]);
    assert_int_equal(c.failures, 4);
    test_clock_go_on();
}

static void a_stubborn_one_is_killed(void **state)
{
    const char *const argv[] = {"sh", "-c", "trap '' TERM; echo >&3; while :; do sleep 0.05; done", NULL};
    struct child c = shell(argv);
    char byte[2];
    int ends[2];

    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    c.pass_fd = ends[1];
    assert_int_equal(child_start(&c), 0);
    close(ends[1]);
    assert_int_equal(read(ends[0], byte, 1), 1); /* the trap is set */
    close(ends[0]);
    pid_t pid = c.pid;

    child_stop(&c, 100, never, NULL);
    assert_int_equal(c.pid, 0);
    assert_int_equal(kill(pid, 0), -1);
    assert_int_equal(errno, ESRCH);
}

static void hurry_does_not_wait(void **state)
{
    const char *const argv[] = {"sh", "-c", "trap '' TERM; while :; do sleep 0.05; done", NULL};
    struct child c = shell(argv);

    assert_int_equal(child_start(&c), 0);
    child_stop(&c, 24 * 3600 * 1000, at_once, NULL); /* a day, which this test does not take */
    assert_int_equal(c.pid, 0);
}

static void it_dies_with_its_parent(void **state)
{
    const char *const argv[] = {"sh", "-c", "echo $$ >&3; exec sleep 60", NULL};
    struct child c = shell(argv);
    int ends[2];
    pid_t orphan = 0;

    assert_int_equal(pipe(ends), 0);
    pid_t parent = fork();

    if (parent == 0) {
        c.pass_fd = ends[1];
        if (child_start(&c) == 0)
            pause();
        _exit(1);
    }
    FILE *f = fdopen(ends[0], "r");

    assert_non_null(f);
    assert_int_equal(fscanf(f, "%d", &orphan), 1);
    close(ends[1]);
    assert_int_equal(kill(parent, SIGKILL), 0);
    assert_int_equal(waitpid(parent, NULL, 0), parent);
    /* The pipe's other end closes when the grandchild is gone. */
    assert_int_equal(fgetc(f), '\n');
    assert_int_equal(fgetc(f), EOF);
    fclose(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(environment_and_descriptor_arrive),
        cmocka_unit_test(it_starts_again_after_growing_pauses),
        cmocka_unit_test(a_stubborn_one_is_killed),
        cmocka_unit_test(hurry_does_not_wait),
        cmocka_unit_test(it_dies_with_its_parent),
    };

    log_set_level(LOG_ERROR);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
