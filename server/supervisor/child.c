/* child.c: see child.h.
 *
 * The death signal is asked for between fork and exec and bound to the thread that forked, which is
 * the supervisor's only one; a parent that died before the asking is seen by its changed pid. */
#include "supervisor/child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"

#define AGAIN_MIN_MS 200
#define AGAIN_MAX_MS 10000
/* A child that ran this long was healthy: the next failure counts as the first. */
#define HEALTHY_MS 30000
#define STOP_POLL_MS 20
#define PASSED_FD 3

static void child_environment(const char *const *changes)
{
    for (; *changes; changes++) {
        char *equals = strchr(*changes, '=');
        if (equals)
            putenv((char *)*changes);
        else
            unsetenv(*changes);
    }
}

_noreturn_ static void child_become(const struct child *c, pid_t parent)
{
    int in = open("/dev/null", O_RDONLY | O_CLOEXEC);
    sigset_t none;

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(0);
    setpgid(0, 0);
    for (int sig = 1; sig < NSIG; sig++)
        signal(sig, SIG_DFL);
    signal(SIGHUP, SIG_IGN); /* one that is passed on before it is waited for must not end it */
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    if (in >= 0)
        dup2(in, 0);
    if (c->pass_fd == PASSED_FD)
        fcntl(PASSED_FD, F_SETFD, 0);
    else if (c->pass_fd >= 0)
        dup2(c->pass_fd, PASSED_FD);
    child_environment(c->environment);
    execv(c->exe, (char *const *)c->argv);
    fprintf(stderr, "tollgate: cannot start %s: %s\n", c->exe, strerror(errno));
    _exit(127);
}

int child_start(struct child *c)
{
    pid_t parent = getpid(), pid = fork();

    if (pid < 0)
        return err_origin(-errno);
    if (pid == 0)
        child_become(c, parent);
    c->pid = pid;
    c->started_ms = clock_mono_ms();
    c->again_ms = 0;
    return 0;
}

static void plan_again(struct child *c)
{
    int64_t now = clock_mono_ms();

    c->failures = now - c->started_ms > HEALTHY_MS ? 1 : c->failures + 1;
    unsigned doublings = MIN(c->failures - 1, 10U);

    c->again_ms = now + MIN(AGAIN_MIN_MS << doublings, AGAIN_MAX_MS);
}

bool child_ended(struct child *c, int *ret_status)
{
    int status = 0;

    if (c->pid == 0 || waitpid(c->pid, &status, WNOHANG) != c->pid)
        return false;
    c->pid = 0;
    plan_again(c);
    if (WIFSIGNALED(status))
        log_warn("child_ended", "child=%s signal=%d", c->name, WTERMSIG(status));
    else
        log_warn("child_ended", "child=%s status=%d", c->name, WEXITSTATUS(status));
    *ret_status = status;
    return true;
}

void child_tend(struct child *c)
{
    if (c->pid != 0 || c->again_ms == 0 || clock_mono_ms() < c->again_ms)
        return;
    log_info("child_again", "child=%s failures=%u", c->name, c->failures);
    if (child_start(c) < 0)
        plan_again(c);
}

static bool wait_end(struct child *c, int wait_ms, bool (*hurry)(void *), void *ctx)
{
    int64_t end = clock_mono_ms() + wait_ms;

    while (waitpid(c->pid, NULL, WNOHANG) == 0) {
        if (clock_mono_ms() > end || hurry(ctx))
            return false;
        nanosleep(&(struct timespec){.tv_nsec = STOP_POLL_MS * 1000000}, NULL);
    }
    c->pid = 0;
    return true;
}

void child_stop(struct child *c, int wait_ms, bool (*hurry)(void *ctx), void *ctx)
{
    c->again_ms = 0;
    if (c->pid == 0)
        return;
    kill(c->pid, SIGTERM);
    if (wait_end(c, wait_ms, hurry, ctx))
        return;
    log_warn("child_killed", "child=%s", c->name);
    kill(c->pid, SIGKILL);
    waitpid(c->pid, NULL, 0);
    c->pid = 0;
}
