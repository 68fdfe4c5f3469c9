/* torture.c: fails one call of a process, for LD_PRELOAD: an allocation, a read, a write or a call of
 * libpq, of the program itself or of the libraries that serve it.
 *
 * TORTURE_FILE is mapped and shared with the test: it says which kind fails, after how many more calls of
 * it, and hears how many there have been. Reads and writes fail on sockets and plain files only: what
 * wakes a thread up (eventfd, pipes) does not fail in this world. Inside of libraries memory is out only
 * where they bear it: glib, under pango, ends the process, libcurl 7.88 divides by zero, and libpq 15
 * may wait for ever for the end of an answer that it had no room for. Of these two it is the functions
 * that we call that fail. */
#include <curl/curl.h>
#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <libpq-fe.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

enum kind { NONE, MEMORY, READ, WRITE, LIBPQ, KINDS };

static struct control {
    atomic_uint armed; /* enum kind; NONE again once it has fired */
    atomic_int left;   /* so many more calls, then it fires */
    atomic_uint fired;
    atomic_uint seen[KINDS];
} *control;

enum { RANGES = 64 };
static struct range {
    uintptr_t from, to;
    bool spared; /* its memory does not run out */
} ranges[RANGES];
static int n_ranges;

static bool is_ours(const char *line)
{
    static const char *const names[] = {"/tollgate", "/libmicrohttpd.", "/libcurl.", "/libpq.", "/libjson-c."};
    const char *slash = strrchr(line, '/');

    for (size_t i = 0; slash && i < sizeof(names) / sizeof(*names); i++)
        if (strncmp(slash, names[i], strlen(names[i])) == 0)
            return true;
    return false;
}

static void note_range(char *line)
{
    char *rest, *perms;
    struct range r = {.spared = strstr(line, "/libcurl.") || strstr(line, "/libpq.")};

    r.from = strtoul(line, &rest, 16);
    r.to = strtoul(rest + 1, &perms, 16);
    if (n_ranges < RANGES && perms[3] == 'x' && is_ours(perms))
        ranges[n_ranges++] = r;
}

/* Without the heap: this runs before anything else does. */
static void read_maps(void)
{
    static char text[1 << 18];
    int fd = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
    size_t n = 0;
    ssize_t got;

    while (fd >= 0 && n < sizeof(text) - 1 && (got = read(fd, text + n, sizeof(text) - 1 - n)) > 0)
        n += (size_t)got;
    if (fd >= 0)
        close(fd);
    for (char *line = text, *end; (end = strchr(line, '\n')); line = end + 1) {
        *end = '\0';
        note_range(line);
    }
}

/* Where it was when it died, as a dump of its memory is not to be had. */
static void say_where(int signal)
{
    void *frames[64];

    backtrace_symbols_fd(frames, backtrace(frames, 64), 2);
    (void)raise(signal);
}

static void catch_deaths(void)
{
    static const int signals[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};
    const struct sigaction action = {.sa_handler = say_where, .sa_flags = (int)SA_RESETHAND};
    void *frame;

    (void)backtrace(&frame, 1); /* loads what it needs, now that the heap is whole */
    for (size_t i = 0; i < sizeof(signals) / sizeof(*signals); i++)
        (void)sigaction(signals[i], &action, NULL);
}

__attribute__((constructor)) static void begin(void)
{
    const char *path = getenv("TORTURE_FILE");
    int fd = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
    void *p = fd < 0 ? MAP_FAILED : mmap(NULL, sizeof(*control), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

    if (fd >= 0)
        close(fd);
    read_maps();
    catch_deaths();
    if (p != MAP_FAILED)
        control = p;
}

static bool called_by_us(enum kind kind, const void *from)
{
    for (int i = 0; i < n_ranges; i++)
        if ((uintptr_t)from >= ranges[i].from && (uintptr_t)from < ranges[i].to)
            return kind != MEMORY || !ranges[i].spared;
    return false;
}

static bool fails(enum kind kind, const void *from)
{
    unsigned expected = kind;

    if (!control || !called_by_us(kind, from))
        return false;
    atomic_fetch_add(&control->seen[kind], 1);
    if (atomic_load(&control->armed) != kind || atomic_fetch_sub(&control->left, 1) != 1)
        return false;
    if (!atomic_compare_exchange_strong(&control->armed, &expected, NONE))
        return false;
    atomic_store(&control->fired, 1);
    return true;
}

#define CALLER __builtin_return_address(0)

#define REAL(name)                              \
    static __typeof__(&name) real;              \
    if (!real)                                  \
        real = (__typeof__(&name))dlsym(RTLD_NEXT, #name)

/* --- memory --- */

/* Blocks come from what the program was linked with, as it frees them there. */
void *malloc(size_t n)
{
    REAL(malloc);
    if (fails(MEMORY, CALLER)) {
        errno = ENOMEM;
        return NULL;
    }
    return real(n);
}

void *calloc(size_t n, size_t size)
{
    REAL(calloc);
    if (fails(MEMORY, CALLER)) {
        errno = ENOMEM;
        return NULL;
    }
    return real(n, size);
}

void *realloc(void *p, size_t n)
{
    REAL(realloc);
    if (n && fails(MEMORY, CALLER)) {
        errno = ENOMEM;
        return NULL;
    }
    return real(p, n);
}

void *reallocarray(void *p, size_t n, size_t size)
{
    size_t bytes;

    REAL(realloc);
    if (__builtin_mul_overflow(n, size, &bytes) || (bytes && fails(MEMORY, CALLER))) {
        errno = ENOMEM;
        return NULL;
    }
    return real(p, bytes);
}

static char *copy(const char *s, size_t n)
{
    char *z;

    REAL(malloc);
    z = real(n + 1);
    if (z) {
        memcpy(z, s, n);
        z[n] = '\0';
    }
    return z;
}

char *strdup(const char *s)
{
    if (fails(MEMORY, CALLER)) {
        errno = ENOMEM;
        return NULL;
    }
    return copy(s, strlen(s));
}

char *strndup(const char *s, size_t n)
{
    if (fails(MEMORY, CALLER)) {
        errno = ENOMEM;
        return NULL;
    }
    return copy(s, strnlen(s, n));
}

/* --- reads and writes --- */

/* 0: it does not; else the errno that it fails with. */
static int io_fails(enum kind kind, int fd, const void *from)
{
    struct stat st;

    if (!control || fd < 3 || !called_by_us(kind, from) || fstat(fd, &st) < 0)
        return 0;
    if (S_ISSOCK(st.st_mode) && fails(kind, from)) {
        (void)shutdown(fd, SHUT_RDWR); /* it is gone for good, for whoever asks next */
        return ECONNRESET;
    }
    if (S_ISREG(st.st_mode))
        return fails(kind, from) ? EIO : 0;
    return 0;
}

#define IO(kind, name, arguments, ...)                      \
    ssize_t name arguments                                  \
    {                                                       \
        REAL(name);                                         \
        int error = io_fails(kind, fd, CALLER);             \
                                                            \
        if (error) {                                        \
            errno = error;                                  \
            return -1;                                      \
        }                                                   \
        return real(__VA_ARGS__);                           \
    }

IO(READ, read, (int fd, void *p, size_t n), fd, p, n)
IO(READ, pread, (int fd, void *p, size_t n, off_t at), fd, p, n, at)
IO(READ, recv, (int fd, void *p, size_t n, int flags), fd, p, n, flags)
IO(READ, recvmsg, (int fd, struct msghdr *m, int flags), fd, m, flags)
IO(WRITE, write, (int fd, const void *p, size_t n), fd, p, n)
IO(WRITE, pwrite, (int fd, const void *p, size_t n, off_t at), fd, p, n, at)
IO(WRITE, writev, (int fd, const struct iovec *v, int n), fd, v, n)
IO(WRITE, send, (int fd, const void *p, size_t n, int flags), fd, p, n, flags)
IO(WRITE, sendmsg, (int fd, const struct msghdr *m, int flags), fd, m, flags)

/* --- libcurl, when it has no memory --- */

CURL *curl_easy_init(void)
{
    REAL(curl_easy_init);
    return fails(MEMORY, CALLER) ? NULL : real();
}

struct curl_slist *curl_slist_append(struct curl_slist *list, const char *line)
{
    REAL(curl_slist_append);
    return fails(MEMORY, CALLER) ? NULL : real(list, line);
}

CURLMcode curl_multi_add_handle(CURLM *multi, CURL *easy)
{
    REAL(curl_multi_add_handle);
    return fails(MEMORY, CALLER) ? CURLM_OUT_OF_MEMORY : real(multi, easy);
}

CURLM *curl_multi_init(void)
{
    REAL(curl_multi_init);
    return fails(MEMORY, CALLER) ? NULL : real();
}

CURLU *curl_url(void)
{
    REAL(curl_url);
    return fails(MEMORY, CALLER) ? NULL : real();
}

CURLUcode curl_url_set(CURLU *url, CURLUPart part, const char *text, unsigned flags)
{
    REAL(curl_url_set);
    return fails(MEMORY, CALLER) ? CURLUE_OUT_OF_MEMORY : real(url, part, text, flags);
}

CURLUcode curl_url_get(CURLU *url, CURLUPart part, char **text, unsigned flags)
{
    REAL(curl_url_get);
    return fails(MEMORY, CALLER) ? CURLUE_OUT_OF_MEMORY : real(url, part, text, flags);
}

/* Every option takes one word. */
#undef curl_easy_setopt
CURLcode curl_easy_setopt(CURL *easy, CURLoption option, ...)
{
    REAL(curl_easy_setopt);
    va_list args;
    void *value;

    va_start(args, option);
    value = va_arg(args, void *);
    va_end(args);
    return fails(MEMORY, CALLER) ? CURLE_OUT_OF_MEMORY : real(easy, option, value);
}

/* --- libpq: as it fails itself when memory is out or the connection is gone --- */

#define PQ(type, failed, name, arguments, ...) \
    type name arguments                        \
    {                                          \
        REAL(name);                            \
        if (fails(LIBPQ, CALLER))              \
            return failed;                     \
        return real(__VA_ARGS__);              \
    }

PQ(PGconn *, NULL, PQconnectdb, (const char *info), info)
PQ(PGconn *, NULL, PQconnectdbParams, (const char *const *k, const char *const *v, int expand), k, v, expand)
PQ(PGresult *, NULL, PQexec, (PGconn *c, const char *sql), c, sql)
PQ(int, 0, PQsendQuery, (PGconn *c, const char *sql), c, sql)
PQ(int, 0, PQsendPrepare, (PGconn *c, const char *name, const char *sql, int n, const Oid *types), c, name, sql, n, types)
PQ(int, 0, PQsendDescribePrepared, (PGconn *c, const char *name), c, name)
PQ(int, -1, PQflush, (PGconn *c), c)
PQ(PGcancel *, NULL, PQgetCancel, (PGconn *c), c)
PQ(int, 0, PQsendQueryPrepared,
   (PGconn *c, const char *name, int n, const char *const *v, const int *lengths, const int *formats, int format),
   c, name, n, v, lengths, formats, format)
PQ(int, 0, PQsetSingleRowMode, (PGconn *c), c)
PQ(int, 0, PQconsumeInput, (PGconn *c), c)

/* What has come is lost, and nobody says so. */
PGresult *PQgetResult(PGconn *c)
{
    REAL(PQgetResult);
    PGresult *r = real(c);

    if (!r || !fails(LIBPQ, CALLER))
        return r;
    PQclear(r);
    return NULL;
}
