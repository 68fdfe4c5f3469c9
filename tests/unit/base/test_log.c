/* Log lines as they leave the process: one write each, no line forged, errors and failed assertions
 * among them. Standard error is a pipe of datagrams here, so that each write arrives by itself. */
#include "unit.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/err.h"
#include "base/log.h"

static int real_stderr = -1, reader = -1;
static char line[8192];

static int capture(void **state)
{
    int fds[2];

    if (socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, fds) != 0)
        return -1;
    real_stderr = dup(STDERR_FILENO);
    reader = fds[0];
    if (dup2(fds[1], STDERR_FILENO) < 0)
        return -1;
    return close(fds[1]);
}

static int release(void **state)
{
    log_set_level(LOG_INFO);
    log_set_name(NULL);
    if (dup2(real_stderr, STDERR_FILENO) < 0)
        return -1;
    return close(real_stderr) | close(reader);
}

/* The next write to standard error behind its time stamp; NULL when there was none. */
static const char *next_write(void)
{
    ssize_t n = recv(reader, line, sizeof(line) - 1, MSG_DONTWAIT);

    if (n < 0)
        return NULL;
    line[n] = '\0';
    assert_true(n > 28);
    assert_int_equal(line[10], 'T');
    assert_int_equal(line[26], 'Z');
    return line + 28;
}

static void line_has_level_event_and_values(void **state)
{
    log_info("call_done", "status=%d model=%s", 200, log_str(STR("a \"b\"")));
    assert_string_equal(next_write(), "info call_done status=200 model=\"a \\\"b\\\"\"\n");
    log_set_name("serve");
    log_error("bad", "x=%d", 1);
    assert_string_equal(next_write(), "serve error bad x=1\n");
    assert_null(next_write());
}

static void lines_below_the_level_are_not_written(void **state)
{
    log_debug("quiet", "x=%d", 1);
    assert_null(next_write());
    assert_false(log_enabled(LOG_DEBUG));
    log_set_level(LOG_DEBUG);
    log_debug("loud", "x=%d", 1);
    assert_string_equal(next_write(), "debug loud x=1\n");
    log_set_level(LOG_ERROR);
    log_warn("quiet", "x=%d", 1);
    assert_null(next_write());
}

static void value_cannot_forge_a_line(void **state)
{
    log_warn("odd", "x=%s", "a\n2026-01-01T00:00:00.000000Z info forged\x1b[31m\x7f");
    assert_string_equal(next_write(),
                        "warn odd x=a?2026-01-01T00:00:00.000000Z info forged?[31m?\n");
}

static void long_line_is_cut_and_marked(void **state)
{
    static char text[10000];
    const char *written;

    memset(text, 'x', sizeof(text) - 1);
    log_info("long", "x=%s", text);
    written = next_write();
    assert_non_null(written);
    assert_in_range(strlen(line), 4000, 4096);
    assert_string_equal(line + strlen(line) - 4, "...\n");
    assert_null(next_write());
}

static void errno_survives(void **state)
{
    errno = EXDEV;
    log_info("x", "y=%d", 1);
    assert_int_equal(errno, EXDEV);
}

static void error_is_logged_where_it_is_born_and_traced_behind(void **state)
{
    const char *written;

    assert_int_equal(err_trace(err_origin(-ENOSPC)), -ENOSPC);
    written = next_write();
    assert_non_null(strstr(written, "error fatal error=ENOSPC at="));
    assert_non_null(strstr(written, "test_log.c:"));
    assert_non_null(strstr(written, " in=error_is_logged_where"));
    assert_null(next_write()); /* the trace is for debugging */
    log_set_level(LOG_DEBUG);
    assert_int_equal(err_trace(-EIO), -EIO);
    assert_non_null(strstr(next_write(), "debug trace error=EIO"));
}

static void failed_assertion_says_so_and_aborts(void **state)
{
    pid_t child = fork();
    int status;

    if (child == 0) {
        (void)signal(SIGABRT, SIG_DFL);
        base_assert_fail("1 == 2", "file.c", 7);
    }
    assert_true(child > 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGABRT);
    assert_string_equal(next_write(), "error assertion_failed at=file.c:7 expr=\"1 == 2\"\n");
}

static void *chatter(void *arg)
{
    for (int i = 0; i < 20; i++)
        log_info("chat", "who=%s say=%s", log_str(str_c(arg)), log_str(STR("something longer")));
    return NULL;
}

static void lines_of_threads_do_not_mix(void **state)
{
    char names[4][2] = {"a", "b", "c", "d"};
    int counts[4] = {0};
    pthread_t threads[4];

    for (int i = 0; i < 4; i++) {
        const int bytes = 1 << 20; /* room for all, or a writer would wait */

        (void)setsockopt(STDERR_FILENO, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes));
        assert_int_equal(pthread_create(&threads[i], NULL, chatter, names[i]), 0);
    }
    for (int got = 0; got < 80;) {
        const char *written = next_write();
        char who;

        if (!written) {
            (void)usleep(1000);
            continue;
        }
        assert_int_equal(sscanf(written, "info chat who=\"%c\" say=\"something longer\"", &who), 1);
        counts[who - 'a']++;
        got++;
    }
    for (int i = 0; i < 4; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_int_equal(counts[i], 20);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(line_has_level_event_and_values, capture, release),
        cmocka_unit_test_setup_teardown(lines_below_the_level_are_not_written, capture, release),
        cmocka_unit_test_setup_teardown(value_cannot_forge_a_line, capture, release),
        cmocka_unit_test_setup_teardown(long_line_is_cut_and_marked, capture, release),
        cmocka_unit_test_setup_teardown(errno_survives, capture, release),
        cmocka_unit_test_setup_teardown(error_is_logged_where_it_is_born_and_traced_behind, capture,
                                        release),
        cmocka_unit_test_setup_teardown(failed_assertion_says_so_and_aborts, capture, release),
        cmocka_unit_test_setup_teardown(lines_of_threads_do_not_mix, capture, release),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
