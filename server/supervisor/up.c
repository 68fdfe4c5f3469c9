/* up.c: the order in which things start, and the reverse in which they end.
 *
 * One thread, signals blocked and taken one at a time with sigtimedwait(). What a person has done
 * wrong is said in a sentence with its remedy, before anything has started. A server that refuses
 * to start (it ends by itself, soon, having never stayed up) takes everything down again, since
 * another try would not change its mind; one that crashes is started again. */
#include "supervisor/up.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "base/secret.h"
#include "db/embedded.h"
#include "db/migrate.h"
#include "supervisor/child.h"
#include "supervisor/claim.h"

#define WATCH_MS 500
/* A server that ends by itself within this time has refused to start. */
#define REFUSAL_MS 10000
#define DEMO_READY_MS 10000
#define DEMO_STOP_MS 3000
/* Beyond its own draining, for a server to settle and close. */
#define SERVE_STOP_MS 15000
#define POSTGRES_AGAIN_MS 1000
#define VARIABLE_SIZE 8192

struct supervisor {
    const struct config *config;
    const struct config_source *source;
    int drain_seconds; /* as the server has it */
    bool terminal;     /* started from one */
    int lock_fd;
    struct embedded *postgres;
    struct child serve, demo;
    char *variables[16]; /* NAME=VALUE for the server */
    size_t n_variables;
    char demo_port[8], demo_port_option[16];
    const char *demo_argv[6], *serve_argv[3];
    int64_t postgres_again_ms;
};

_printf_(1, 2) static int say(const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    fputs("tollgate: ", stderr);
    vfprintf(stderr, fmt, ap);
    fputc('\n', stderr);
    va_end(ap);
    return 1;
}

static int claim_data(struct supervisor *s)
{
    const char *dir = s->config->data_dir;
    pid_t holder = 0;

    switch (claim_directory(dir, &s->lock_fd, &holder)) {
    case CLAIM_OK:
        return 0;
    case CLAIM_E_HELD:
        return say("another tollgate (pid %d) runs on %s; stop it with `kill %d`, or choose "
                   "another directory with --data",
                   (int)holder, dir, (int)holder);
    default:
        return say("cannot use %s as the data directory: %s; choose another with --data", dir,
                   strerror(errno));
    }
}

static int claim_listen(const struct config *c)
{
    switch (claim_port(c->listen, (uint16_t)c->port)) {
    case PORT_OK:
        return 0;
    case PORT_E_TAKEN:
        return say("port %d on %s is in use by another program; stop that one, or choose another "
                   "port with --port",
                   c->port, c->listen);
    case PORT_E_PRIVILEGED:
        return say("port %d may be opened by root only; choose one above 1023 with --port, and put "
                   "a proxy before it",
                   c->port);
    default:
        return say("%s is no address of this machine; choose another with --listen", c->listen);
    }
}

static int make_secret(const struct config *c)
{
    int r = master_create(c->secret_file);

    if (r < 0)
        return say("cannot write the secret file %s: %s", c->secret_file, strerror(-r));
    return 0;
}

static int refuse_root(const struct config *c)
{
    if (geteuid() != 0 || c->database_url[0])
        return 0;
    return say("PostgreSQL refuses to run as root; start with ./run, which makes a user for it, or "
               "run `tollgate up` as another user");
}

static int start_postgres(struct supervisor *s)
{
    int r = embedded_start(s->config->data_dir, 0, &s->postgres);

    return r == 0 ? 0 : say("%s", embedded_outcome_text(r));
}

static int migrate(const struct config *c, const char *owner, const char *app)
{
    unsigned applied = 0;
    int r = migrate_run(owner, c->migrations_dir, &applied);

    if (r == 0)
        r = migrate_app_login(owner, app);
    return r == 0 ? 0 : say("%s", migrate_outcome_text(r));
}

static int prepare_database(struct supervisor *s)
{
    const struct config *c = s->config;

    if (c->database_url[0]) {
        if (!c->secret_file[0])
            return say("with DATABASE_URL, set SECRET_FILE to a file of 32 random bytes, the same "
                       "for every replica: head -c 32 /dev/urandom > FILE && chmod 600 FILE");
        return c->database_owner_url[0] ? migrate(c, c->database_owner_url, c->database_url) : 0;
    }
    int r = make_secret(c);

    if (r == 0)
        r = start_postgres(s);
    if (r == 0)
        r = migrate(c, embedded_owner_conninfo(s->postgres), embedded_app_conninfo(s->postgres));
    return r;
}

_printf_(2, 3) static void variable(struct supervisor *s, const char *fmt, ...)
{
    char text[VARIABLE_SIZE];
    va_list ap;

    va_start(ap, fmt);
    int n = vsnprintf(text, sizeof(text), fmt, ap);

    va_end(ap);
    assert(n >= 0 && (size_t)n < sizeof(text));
    assert(s->n_variables + 1 < ARRAY_LEN(s->variables));
    s->variables[s->n_variables] = strdup(text);
    assert(s->variables[s->n_variables]);
    s->n_variables++;
}

/* What the server is told beyond what it would read itself: options given to us are not in its
 * environment, and it must not see the owner's database. */
static void make_variables(struct supervisor *s)
{
    const struct config *c = s->config;

    variable(s, "LISTEN=%s", c->listen);
    variable(s, "PORT=%d", c->port);
    variable(s, "DATA_DIR=%s", c->data_dir);
    variable(s, "SECRET_FILE=%s", c->secret_file);
    variable(s, "TOLLGATE_DEMO_PORT=%s", s->demo_port[0] ? s->demo_port : "0");
    variable(s, "DATABASE_OWNER_URL");
    if (c->file[0])
        variable(s, "TOLLGATE_CONFIG=%s", c->file);
    if (s->postgres) {
        variable(s, "DATABASE_URL=%s", embedded_app_conninfo(s->postgres));
        variable(s, "TOLLGATE_EMBEDDED=on");
    }
}

static bool never(void *ctx)
{
    (void)ctx;
    return false;
}

/* The demo upstream writes its port, in decimal, when it listens. */
static bool read_demo_port(struct supervisor *s, int fd)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};
    size_t n = 0;

    while (n + 1 < sizeof(s->demo_port) && poll(&p, 1, DEMO_READY_MS) > 0) {
        ssize_t got = read(fd, s->demo_port + n, sizeof(s->demo_port) - 1 - n);
        if (got <= 0)
            break;
        n += (size_t)got;
    }
    s->demo_port[n] = '\0';
    s->demo_port[strcspn(s->demo_port, "\n")] = '\0';
    return s->demo_port[0] != '\0';
}

/* Its first start finds a free port, which later ones keep: the server has been told. Without it
 * the rest is still of use, so that its failure is not ours. */
static void start_demo(struct supervisor *s)
{
    static const char *const changes[] = {"DATABASE_URL", "DATABASE_OWNER_URL", NULL};
    bool ready = false;
    int ends[2];

    if (s->config->demo != CONFIG_ON || pipe2(ends, O_CLOEXEC) < 0)
        return;
    s->demo_argv[0] = "tollgate";
    s->demo_argv[1] = "demo-upstream";
    s->demo_argv[2] = "--port=0";
    s->demo_argv[3] = "--ready-fd=3";
    s->demo = (struct child){.name = "demo-upstream", .exe = s->source->self_exe, .argv = s->demo_argv,
                             .environment = changes, .pass_fd = ends[1]};
    int r = child_start(&s->demo);

    close(ends[1]);
    if (r == 0)
        ready = read_demo_port(s, ends[0]);
    close(ends[0]);
    if (!ready) {
        say("the demo upstream does not start; going on without it");
        child_stop(&s->demo, DEMO_STOP_MS, never, NULL);
        return;
    }
    snprintf(s->demo_port_option, sizeof(s->demo_port_option), "--port=%s", s->demo_port);
    s->demo_argv[2] = s->demo_port_option;
    s->demo_argv[3] = NULL;
    s->demo.pass_fd = -1;
}

static int start_serve(struct supervisor *s)
{
    make_variables(s);
    s->serve_argv[0] = "tollgate";
    s->serve_argv[1] = "serve";
    s->serve = (struct child){.name = "serve", .exe = s->source->self_exe, .argv = s->serve_argv,
                              .environment = (const char *const *)s->variables, .pass_fd = -1};
    return child_start(&s->serve) < 0;
}

static int start_all(struct supervisor *s)
{
    int r = refuse_root(s->config);

    if (r == 0)
        r = claim_data(s);
    if (r == 0)
        r = claim_listen(s->config);
    if (r == 0)
        r = prepare_database(s);
    if (r != 0)
        return r;
    start_demo(s);
    return start_serve(s);
}

/* PostgreSQL that was killed; the server's workers wait for it meanwhile. */
static void tend_postgres(struct supervisor *s)
{
    int64_t now = clock_mono_ms();

    if (s->postgres && !embedded_alive(s->postgres)) {
        log_warn("postgres_ended", "pid=%d", (int)embedded_pid(s->postgres));
        embedded_stop(s->postgres);
        s->postgres = NULL;
        s->postgres_again_ms = now;
    }
    if (s->postgres_again_ms == 0 || now < s->postgres_again_ms)
        return;
    if (embedded_start(s->config->data_dir, 0, &s->postgres) == 0)
        s->postgres_again_ms = 0;
    else
        s->postgres_again_ms = clock_mono_ms() + POSTGRES_AGAIN_MS;
}

/* False: the server has refused to start. */
static bool tend_children(struct supervisor *s)
{
    bool young = s->serve.failures == 0 && clock_mono_ms() - s->serve.started_ms < REFUSAL_MS;
    int status;

    if (child_ended(&s->serve, &status) && young && WIFEXITED(status) && WEXITSTATUS(status) != 0)
        return false;
    (void)child_ended(&s->demo, &status);
    child_tend(&s->serve);
    child_tend(&s->demo);
    return true;
}

static void end_signals(sigset_t *ret)
{
    sigemptyset(ret);
    sigaddset(ret, SIGTERM);
    sigaddset(ret, SIGINT);
    sigaddset(ret, SIGHUP);
}

static bool has_terminal(void)
{
    int fd = open("/dev/tty", O_RDONLY | O_NOCTTY | O_CLOEXEC);

    if (fd >= 0)
        close(fd);
    return fd >= 0;
}

/* A SIGHUP that says that the terminal is gone: the kernel's, or the shell's, which passes it on to its jobs.
 * Any other was sent by somebody who wants the settings read again. */
static bool is_hang_up(const struct supervisor *s, const siginfo_t *info)
{
    if (info->si_code == SI_KERNEL)
        return true;
    return s->terminal && info->si_pid == getsid(0) && !has_terminal();
}

/* The server reads its settings and its certificate again, and says what is wrong with them. How long it
 * drains is ours to know, too. */
static void read_again(struct supervisor *s)
{
    const struct config_source *from = s->source;
    char fault[CONFIG_FAULT_SIZE];
    struct config fresh;

    log_info("settings_again", "server=%d", (int)s->serve.pid);
    if (s->serve.pid != 0)
        kill(s->serve.pid, SIGHUP);
    if (config_load(from->file, from->overrides, from->n_overrides, from->self_exe, &fresh, fault) != 0)
        return;
    s->drain_seconds = fresh.drain_seconds;
    config_done(&fresh);
}

static int watch(struct supervisor *s)
{
    const struct timespec tick = {.tv_nsec = WATCH_MS * 1000000};
    siginfo_t info;
    sigset_t all;
    int sig = SIGCHLD;

    end_signals(&all);
    sigaddset(&all, SIGCHLD);
    while (sig < 0 || sig == SIGCHLD) {
        if (!tend_children(s))
            return 1;
        tend_postgres(s);
        sig = sigtimedwait(&all, &info, &tick);
        if (sig == SIGHUP && !is_hang_up(s, &info)) {
            read_again(s);
            sig = SIGCHLD;
        }
    }
    log_info("stopping", "signal=%d drain_seconds=%d", sig, s->drain_seconds);
    return 0;
}

/* The second Ctrl-C; not a wish for the settings, which come to nothing now. */
static bool end_asked_again(void *ctx)
{
    sigset_t ends;

    (void)ctx;
    end_signals(&ends);
    sigdelset(&ends, SIGHUP);
    return sigtimedwait(&ends, NULL, &(struct timespec){0}) > 0;
}

static void stop_all(struct supervisor *s)
{
    child_stop(&s->serve, s->drain_seconds * 1000 + SERVE_STOP_MS, end_asked_again, NULL);
    child_stop(&s->demo, DEMO_STOP_MS, never, NULL);
    embedded_stop(s->postgres);
    for (size_t i = 0; i < s->n_variables; i++)
        free(s->variables[i]);
    if (s->lock_fd >= 0)
        close(s->lock_fd);
}

int supervisor_up(const struct config *config, const struct config_source *source)
{
    struct supervisor s = {.config = config, .source = source, .drain_seconds = config->drain_seconds,
                           .terminal = has_terminal(), .lock_fd = -1};
    sigset_t all;

    end_signals(&all);
    sigaddset(&all, SIGCHLD);
    sigprocmask(SIG_BLOCK, &all, NULL);
    signal(SIGPIPE, SIG_IGN);
    int r = start_all(&s);

    if (r == 0)
        r = watch(&s);
    stop_all(&s);
    return r != 0;
}
