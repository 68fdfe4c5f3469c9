/* cluster.c: see cluster.h.
 *
 * initdb writes into a directory of another name, which is renamed when it is whole, so that a
 * first start that is killed leaves nothing half made. */
#include "db/cluster.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/digest.h"
#include "base/err.h"
#include "base/log.h"

/* The oldest that has all we use, and one that is surely not out yet. */
#define PG_OLDEST 15
#define PG_NEWEST 40
/* A log that is larger at start is put aside. */
#define LOG_BYTES (16 * 1024 * 1024)
#define LOG_TAIL_BYTES 2000
#define SOCKET_NAME "/.s.PGSQL.5432"

static const char *const postgres_settings[] = {
    "listen_addresses=",     "unix_socket_permissions=0700",         "port=5432",
    "max_connections=100",   "log_parameter_max_length_on_error=0",  "logging_collector=off",
    "jit=off",               "password_encryption=scram-sha-256",    "log_destination=stderr",
    "timezone=UTC",          "log_timezone=UTC",
};
static const char *const throwaway_settings[] = {
    "fsync=off", "synchronous_commit=off", "full_page_writes=off", "shared_buffers=16MB",
    "autovacuum=off",
};

static int join(char out[PATH_MAX], const char *a, const char *b)
{
    int n = snprintf(out, PATH_MAX, "%s%s", a, b);

    return n < 0 || n >= PATH_MAX ? err_origin(-ENAMETOOLONG) : 0;
}

int cluster_paths(const char *data_dir, struct cluster *ret)
{
    memset(ret, 0, sizeof(*ret));
    if (!realpath(data_dir, ret->home))
        return err_origin(-errno);
    int r = join(ret->dir, ret->home, "/postgres");

    if (r == 0)
        r = join(ret->log, ret->home, "/postgres.log");
    return r;
}

/* The major version of the cluster on disk; 0: there is none. */
static int cluster_version(const struct cluster *c)
{
    char path[PATH_MAX];
    int version = 0;

    if (join(path, c->dir, "/PG_VERSION") < 0)
        return 0;
    FILE *f = fopen(path, "re");

    if (!f)
        return 0;
    if (fscanf(f, "%d", &version) != 1)
        version = 0;
    fclose(f);
    return version;
}

static bool has_programs(const char *directory)
{
    char path[PATH_MAX];

    return join(path, directory, "/postgres") == 0 && access(path, X_OK) == 0 &&
           join(path, directory, "/initdb") == 0 && access(path, X_OK) == 0;
}

int cluster_find_programs(struct cluster *c)
{
    /* Debian keeps one directory per version; images and builds by hand have only one. */
    static const char *const others[] = {"/usr/local/bin", "/usr/local/pgsql/bin", "/usr/bin"};
    int wanted = cluster_version(c);
    bool any = false;

    for (int v = PG_NEWEST; v >= PG_OLDEST; v--) {
        snprintf(c->programs, sizeof(c->programs), "/usr/lib/postgresql/%d/bin", v);
        if (!has_programs(c->programs))
            continue;
        if (wanted == 0 || wanted == v)
            return 0;
        any = true;
    }
    if (any) {
        log_error("postgres_version", "cluster=%d", wanted);
        return EMBEDDED_E_VERSION;
    }
    for (size_t i = 0; i < ARRAY_LEN(others); i++) {
        snprintf(c->programs, sizeof(c->programs), "%s", others[i]);
        if (has_programs(c->programs))
            return 0;
    }
    return EMBEDDED_E_NO_POSTGRES;
}

static int remove_entry(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
    (void)st;
    (void)kind;
    (void)ftw;
    return remove(path);
}

/* In the child between fork and exec: nothing of ours but the log. */
_noreturn_ static void become(const struct cluster *c, char *const *argv)
{
    int in = open("/dev/null", O_RDONLY | O_CLOEXEC);
    int out = open(c->log, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    sigset_t none;

    setsid(); /* a terminal's Ctrl-C is for the supervisor, which stops us in order */
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    for (int sig = 1; sig < NSIG; sig++)
        signal(sig, SIG_DFL);
    if (in >= 0 && out >= 0 && dup2(in, 0) == 0 && dup2(out, 1) == 1 && dup2(out, 2) == 2) {
        close_range(3, ~0U, 0);
        execv(argv[0], argv);
    }
    _exit(127);
}

static int run_initdb(const struct cluster *c, char *const *argv)
{
    int status = 0;
    pid_t pid = fork();

    if (pid < 0)
        return err_origin(-errno);
    if (pid == 0)
        become(c, argv);
    while (waitpid(pid, &status, 0) < 0) {
        if (errno != EINTR)
            return err_origin(-errno);
    }
    return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : EMBEDDED_E_START;
}

int cluster_make(const struct cluster *c, unsigned flags)
{
    char initdb[PATH_MAX], fresh[PATH_MAX];
    bool throwaway = flags & EMBEDDED_THROWAWAY;

    if (cluster_version(c) != 0)
        return 0;
    int r = join(initdb, c->programs, "/initdb");

    if (r == 0)
        r = join(fresh, c->dir, ".new");
    if (r < 0)
        return err_trace(r);
    nftw(fresh, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
    /* Whoever can reach the socket may come in: its directory lets in only this user. */
    char *argv[] = {initdb, (char *)"-D", fresh, (char *)"--username=postgres",
                    (char *)"--auth-local=trust", (char *)"--auth-host=reject",
                    (char *)"--encoding=UTF8", (char *)"--locale=C.UTF-8",
                    (char *)"--no-instructions",
                    (char *)(throwaway ? "--wal-segsize=1" : "--data-checksums"),
                    (char *)(throwaway ? "--no-sync" : NULL), NULL};

    r = run_initdb(c, argv);
    if (r != 0) {
        cluster_log_tail(c);
        return r;
    }
    if (rename(fresh, c->dir) < 0)
        return err_origin(-errno);
    return 0;
}

int cluster_socket_dir(struct cluster *c)
{
    struct stat st;
    char hex[65];
    int r = join(c->socket_dir, c->home, "/run");

    if (r < 0)
        return err_trace(r);
    /* PostgreSQL writes SOCKET_NAME.lock beside it */
    if (strlen(c->socket_dir) + strlen(SOCKET_NAME ".lock") >=
        sizeof(((struct sockaddr_un *)NULL)->sun_path)) {
        struct digest d = digest_plain(str_c(c->home));
        digest_hex(&d, hex);
        snprintf(c->socket_dir, sizeof(c->socket_dir), "/tmp/tg-%u-%.16s", (unsigned)geteuid(),
                 hex);
    }
    if (mkdir(c->socket_dir, 0700) < 0 && errno != EEXIST)
        return err_origin(-errno);
    if (lstat(c->socket_dir, &st) < 0)
        return err_origin(-errno);
    if (!S_ISDIR(st.st_mode) || st.st_uid != geteuid() || (st.st_mode & 077) != 0) {
        log_error("socket_directory", "path=%s reason=\"not a private directory of this user\"",
                  c->socket_dir);
        return err_origin(-EPERM);
    }
    return 0;
}

/* postmaster.pid: line 1 the pid, line 5 the first socket directory (PostgreSQL, 73.1). */
static bool read_pid_file(const char *path, pid_t *ret_pid, char ret_socket[PATH_MAX])
{
    char line[PATH_MAX];
    FILE *f = fopen(path, "re");
    intmax_t pid = 0;

    if (!f)
        return false;
    ret_socket[0] = '\0';
    for (int n = 1; n <= 5 && fgets(line, sizeof(line), f); n++) {
        line[strcspn(line, "\n")] = '\0';
        if (n == 1)
            pid = strtoimax(line, NULL, 10);
        if (n == 5)
            snprintf(ret_socket, PATH_MAX, "%s", line);
    }
    fclose(f);
    *ret_pid = (pid_t)pid;
    return pid > 0;
}

bool cluster_is_postmaster(const struct cluster *c, pid_t pid)
{
    char link[64], cwd[PATH_MAX];

    snprintf(link, sizeof(link), "/proc/%d/cwd", (int)pid);
    ssize_t n = readlink(link, cwd, sizeof(cwd) - 1);

    if (n < 0)
        return false;
    cwd[n] = '\0';
    return strcmp(cwd, c->dir) == 0;
}

int cluster_running(struct cluster *c, pid_t *ret_pid)
{
    char path[PATH_MAX], socket_dir[PATH_MAX];
    pid_t pid;
    int r = join(path, c->dir, "/postmaster.pid");

    if (r < 0)
        return err_trace(r);
    *ret_pid = 0;
    if (!read_pid_file(path, &pid, socket_dir))
        return 0;
    if (kill(pid, 0) < 0 && errno == ESRCH)
        return 0; /* postgres removes it itself, after looking for backends left behind */
    if (!cluster_is_postmaster(c, pid)) {
        struct stat st;
        if (stat(path, &st) == 0 && st.st_uid != geteuid())
            return EMBEDDED_E_BUSY;
        log_warn("postgres_stale_pid_file", "pid=%d", (int)pid);
        return unlink(path) < 0 ? err_origin(-errno) : 0;
    }
    if (socket_dir[0])
        snprintf(c->socket_dir, sizeof(c->socket_dir), "%s", socket_dir);
    *ret_pid = pid;
    return 0;
}

static void put_aside_log(const struct cluster *c)
{
    char old[PATH_MAX];
    struct stat st;

    if (stat(c->log, &st) == 0 && st.st_size > LOG_BYTES && join(old, c->log, ".1") == 0)
        rename(c->log, old);
}

/* unix_socket_directories is a list of identifiers, so the path stands in double quotes. */
static void socket_setting(const struct cluster *c, char *out, size_t size)
{
    size_t n = (size_t)snprintf(out, size, "unix_socket_directories=\"");

    for (const char *p = c->socket_dir; *p && n + 4 < size; p++) {
        if (*p == '"')
            out[n++] = '"';
        out[n++] = *p;
    }
    out[n++] = '"';
    out[n] = '\0';
}

int cluster_spawn(const struct cluster *c, unsigned flags, pid_t *ret_pid)
{
    char program[PATH_MAX], socket[PATH_MAX + 64];
    size_t n_settings = ARRAY_LEN(postgres_settings), n = 0;
    char *argv[3 + 2 * (ARRAY_LEN(postgres_settings) + ARRAY_LEN(throwaway_settings) + 1) + 1];
    int r = join(program, c->programs, "/postgres");

    if (r < 0)
        return err_trace(r);
    socket_setting(c, socket, sizeof(socket));
    put_aside_log(c);
    argv[n++] = program;
    argv[n++] = (char *)"-D";
    argv[n++] = (char *)c->dir;
    argv[n++] = (char *)"-c";
    argv[n++] = socket;
    for (size_t i = 0; i < n_settings; i++) {
        argv[n++] = (char *)"-c";
        argv[n++] = (char *)postgres_settings[i];
    }
    for (size_t i = 0; i < ARRAY_LEN(throwaway_settings) && (flags & EMBEDDED_THROWAWAY); i++) {
        argv[n++] = (char *)"-c";
        argv[n++] = (char *)throwaway_settings[i];
    }
    argv[n] = NULL;
    pid_t pid = fork();

    if (pid < 0)
        return err_origin(-errno);
    if (pid == 0)
        become(c, argv);
    *ret_pid = pid;
    return 0;
}

void cluster_log_tail(const struct cluster *c)
{
    char text[LOG_TAIL_BYTES + 1];
    FILE *f = fopen(c->log, "re");

    if (!f)
        return;
    if (fseek(f, -LOG_TAIL_BYTES, SEEK_END) < 0)
        rewind(f);
    size_t n = fread(text, 1, LOG_TAIL_BYTES, f);
    struct str rest = str_n(text, n), line;

    fclose(f);
    while (str_split(&rest, '\n', &line)) {
        if (line.n > 0)
            log_error("postgres_said", "line=%s", log_str(line));
    }
}
