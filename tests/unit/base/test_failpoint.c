/* Failpoints, each case in a child of its own because the environment is read once. In a build
 * without them the environment must have no effect. */
#include "unit.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/failpoint.h"
#include "base/log.h"

#ifdef TOLLGATE_FAILPOINTS
static const bool built_in = true;
#else
static const bool built_in = false;
#endif

/* The child's exit status, or the negated signal that ended it. */
static int in_child(const char *armed, int (*body)(void))
{
    pid_t child = fork();
    int status;

    if (child == 0) {
        (void)signal(SIGABRT, SIG_DFL);
        log_set_level(LOG_ERROR);
        (void)close(STDERR_FILENO);
        (void)setenv("TOLLGATE_FAILPOINTS", armed, 1);
        _exit(body());
    }
    assert_true(child > 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

/* Which of five passages failed, as bits. */
static int five_passages(void)
{
    int failed = 0;

    for (int i = 0; i < 5; i++)
        if (failpoint_hit("journal_append") == -ENOSPC)
            failed |= 1 << i;
    return failed;
}

static int one_passage(void)
{
    return -failpoint_hit("journal_append");
}

static int timed_passage(void)
{
    int64_t start = clock_mono_ms();

    return failpoint_hit("journal_append") == 0 && clock_mono_ms() - start >= 30;
}

static void error_is_returned_at_each_passage(void **state)
{
    assert_int_equal(in_child("journal_append=error:ENOSPC", five_passages), built_in ? 31 : 0);
    assert_int_equal(in_child("journal_append=error:28", five_passages), built_in ? 31 : 0);
}

static void error_is_returned_at_the_nth_passage_only(void **state)
{
    assert_int_equal(in_child("x=kill,journal_append=error:ENOSPC*3", five_passages),
                     built_in ? 4 : 0);
}

static void other_names_pass(void **state)
{
    assert_int_equal(in_child("journal=error:EIO,journal_append_2=error:EIO", one_passage), 0);
    assert_int_equal(in_child("", one_passage), 0);
}

static void kill_and_abort_end_the_process(void **state)
{
    assert_int_equal(in_child("journal_append=kill", one_passage), built_in ? -SIGKILL : 0);
    assert_int_equal(in_child("journal_append=abort", one_passage), built_in ? -SIGABRT : 0);
    assert_int_equal(in_child("journal_append=kill*2", one_passage), 0);
}

static void pause_waits(void **state)
{
    assert_int_equal(in_child("journal_append=pause:30", timed_passage), built_in);
}

/* How much of ten bytes is written at each of two passages, as tens and ones. */
static int two_writes(void)
{
    return (int)(failpoint_size("journal_write", 10) * 11 + failpoint_size("journal_write", 10));
}

static void a_write_is_cut_short(void **state)
{
    assert_int_equal(in_child("journal_write=short:3*1", two_writes), built_in ? 43 : 120);
    assert_int_equal(in_child("journal_write=short:0", two_writes), built_in ? 0 : 120);
    assert_int_equal(in_child("journal_write=short:99", two_writes), 120);
}

static void write_file(const char *path, const char *text)
{
    FILE *f = fopen(path, "w");

    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    assert_int_equal(fclose(f), 0);
}

/* Armed, armed otherwise, and disarmed while it runs: 3 where each was noticed. */
static int file_that_changes(void)
{
    char path[] = "/tmp/tg-failpoints-XXXXXX";
    int fd = mkstemp(path), passed = 0;

    close(fd);
    write_file(path, "other=kill,journal_append=error:EIO\n");
    (void)setenv("TOLLGATE_FAILPOINTS_FILE", path, 1);
    passed += failpoint_hit("journal_append") == -EIO;
    write_file(path, "journal_append=error:ENOSPC*2");
    passed += failpoint_hit("journal_append") == 0 && failpoint_hit("journal_append") == -ENOSPC;
    (void)unlink(path);
    passed += failpoint_hit("journal_append") == 0;
    return passed;
}

static void file_is_read_again_when_it_changes(void **state)
{
    assert_int_equal(in_child("", file_that_changes), built_in ? 3 : 1);
}

/* A child arms a pause; it goes on when the file is gone. */
static int paused_until_disarmed(void)
{
    char path[] = "/tmp/tg-failpoints-XXXXXX";
    int64_t start = clock_mono_ms();
    int fd = mkstemp(path);

    close(fd);
    write_file(path, "journal_append=pause");
    (void)setenv("TOLLGATE_FAILPOINTS_FILE", path, 1);
    if (fork() == 0) {
        (void)usleep(40000);
        (void)unlink(path);
        _exit(0);
    }
    (void)failpoint_hit("journal_append");
    (void)wait(NULL);
    return clock_mono_ms() - start >= 40 && access(path, F_OK) != 0;
}

static void pause_without_a_time_waits_to_be_disarmed(void **state)
{
    assert_int_equal(in_child("", paused_until_disarmed), 1);
}

static void nonsense_is_not_overlooked(void **state)
{
    static const char *const wrong[] = {
        "journal_append", "=kill",    "a=nothing", "a=error:EWHAT", "a=error:0",
        "a=pause:x",      "a=kill*0", "a=kill*x",  "a=kill,",  "a=pause:0", "a=kill:1",
        "a=short",        "a=short:x", "a=error",
    };

    for (size_t i = 0; i < ARRAY_LEN(wrong); i++)
        assert_int_equal(in_child(wrong[i], one_passage), built_in ? -SIGABRT : 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(error_is_returned_at_each_passage),
        cmocka_unit_test(error_is_returned_at_the_nth_passage_only),
        cmocka_unit_test(other_names_pass),
        cmocka_unit_test(kill_and_abort_end_the_process),
        cmocka_unit_test(pause_waits),
        cmocka_unit_test(a_write_is_cut_short),
        cmocka_unit_test(file_is_read_again_when_it_changes),
        cmocka_unit_test(pause_without_a_time_waits_to_be_disarmed),
        cmocka_unit_test(nonsense_is_not_overlooked),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
