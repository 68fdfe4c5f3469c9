/* admission.c: see admission.h. */
#include "http/admission.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/bounds.h"
#include "base/err.h"
#include "base/log.h"
#include "http/backlog.h"
#include "http/exchange.h"

enum {
    READ_EVERY_MS = 100,
    SMALL_BODY_BYTES = KIB(64), /* not accounted for: a hundred of them are one image */
    /* A body stands in memory as it came, as it is sent on, and once more while its buffer grows. */
    COPIES = 3,
    GROWTH_BYTES = KIB(256), /* how often a body of unknown length is asked for again */
    /* Of the database, files, libmicrohttpd, name look-ups: what is no client nor its upstream. */
    DESCRIPTORS_KEPT = 256,
    LARGE_PERCENT = 80,
    ANY_PERCENT = 90,
};

struct memory_guard {
    int statm;
    atomic_uint_fast64_t limit_bytes, used_bytes, promised_bytes;
    atomic_int_fast64_t read_ms;
};

/* The number that a file begins with; UINT64_MAX when there is none, as in "max". */
static uint64_t number_in(const char *path)
{
    char text[64];
    uint64_t n;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t got = fd < 0 ? -1 : read(fd, text, sizeof(text));

    if (fd >= 0)
        (void)close(fd);
    if (got <= 0 || str_u64(str_trim(str_n(text, (size_t)got)), &n) != STR_OK)
        return UINT64_MAX;
    return n;
}

static uint64_t machine_limit(void)
{
    uint64_t pages = (uint64_t)MAX(sysconf(_SC_PHYS_PAGES), 1L);
    uint64_t half = pages * (uint64_t)sysconf(_SC_PAGESIZE) / 2;
    uint64_t group = number_in("/sys/fs/cgroup/memory.max");

    if (group == UINT64_MAX)
        return half;
    return MIN(half, group / 10 * 9);
}

/* Resident pages are the second number of statm. */
static void read_used(struct memory_guard *g)
{
    char text[128];
    struct str rest, field = STR_NONE;
    uint64_t pages;
    ssize_t n = pread(g->statm, text, sizeof(text), 0);

    if (n <= 0)
        return;
    rest = str_n(text, (size_t)n);
    if (str_split(&rest, ' ', &field) && str_split(&rest, ' ', &field) &&
        str_u64(field, &pages) == STR_OK)
        atomic_store_explicit(&g->used_bytes, pages * (uint64_t)sysconf(_SC_PAGESIZE),
                              memory_order_relaxed);
}

void memory_guard_limit(struct memory_guard *g, uint64_t limit_bytes)
{
    atomic_store_explicit(&g->limit_bytes, limit_bytes ? limit_bytes : machine_limit(),
                          memory_order_relaxed);
}

int memory_guard_new(uint64_t limit_bytes, struct memory_guard **ret)
{
    struct memory_guard *g = calloc(1, sizeof(*g));

    if (!g)
        return err_origin(-ENOMEM);
    memory_guard_limit(g, limit_bytes);
    g->statm = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
    if (g->statm < 0) {
        free(g);
        return err_origin(-errno);
    }
    read_used(g);
    *ret = g;
    return 0;
}

void memory_guard_free(struct memory_guard *g)
{
    if (!g)
        return;
    (void)close(g->statm);
    free(g);
}

void memory_guard_read(const struct memory_guard *g, struct memory_view *ret)
{
    *ret = (struct memory_view){
        .limit_bytes = atomic_load_explicit(&g->limit_bytes, memory_order_relaxed),
        .used_bytes = atomic_load_explicit(&g->used_bytes, memory_order_relaxed),
        .promised_bytes = atomic_load_explicit(&g->promised_bytes, memory_order_relaxed),
    };
}

unsigned admission_connections(unsigned wanted)
{
    struct rlimit files;
    rlim_t most;

    if (getrlimit(RLIMIT_NOFILE, &files) < 0 || files.rlim_cur == RLIM_INFINITY)
        return wanted;
    /* A client may need a second one, for its upstream. */
    most = files.rlim_cur > DESCRIPTORS_KEPT ? (files.rlim_cur - DESCRIPTORS_KEPT) / 2 : 1;
    if (most >= wanted)
        return wanted;
    log_warn("connections_bounded", "by=descriptors wanted=%u allowed=%u", wanted, (unsigned)most);
    return (unsigned)MAX(most, (rlim_t)1);
}

static void refresh(struct memory_guard *g, int64_t now_ms)
{
    int64_t last_ms = atomic_load_explicit(&g->read_ms, memory_order_relaxed);

    if (now_ms - last_ms >= READ_EVERY_MS &&
        atomic_compare_exchange_strong(&g->read_ms, &last_ms, now_ms))
        read_used(g);
}

/* Room for so many bytes more, up to this share of the limit? */
static bool has_room(const struct memory_guard *g, uint64_t bytes, unsigned percent)
{
    struct memory_view v;

    memory_guard_read(g, &v);
    return v.used_bytes + v.promised_bytes + bytes <= v.limit_bytes / 100 * percent;
}

/* What machines that look after this one ask for. */
static bool is_vital(const struct route *route)
{
    return route->auth == AUTH_NONE && route->runs == RUNS_ON_LOOP && !route->body_max;
}

static void promise(struct exchange *x, uint64_t bytes)
{
    x->promised_bytes += bytes;
    atomic_fetch_add_explicit(&x->request.listener->config.memory->promised_bytes, bytes,
                              memory_order_relaxed);
}

void admission_end(struct exchange *x)
{
    if (!x->promised_bytes)
        return;
    atomic_fetch_sub_explicit(&x->request.listener->config.memory->promised_bytes,
                              x->promised_bytes, memory_order_relaxed);
    x->promised_bytes = 0;
}

bool admission_head(struct exchange *x, const struct gate_body *body)
{
    struct listener *l = x->request.listener;
    struct memory_guard *g = l->config.memory;
    uint64_t bytes = body->kind == GATE_SIZED ? body->length : 0;

    if (is_vital(x->request.route))
        return true;
    if (x->request.route->auth == AUTH_KEY && backlog_refuses(l))
        return false;
    if (!g)
        return true;
    refresh(g, loop_now_ms(l->config.loop));
    if (!has_room(g, 0, ANY_PERCENT) ||
        (bytes > SMALL_BODY_BYTES && !has_room(g, bytes * COPIES, LARGE_PERCENT))) {
        l->refused_by_memory++;
        return false;
    }
    if (bytes > SMALL_BODY_BYTES)
        promise(x, bytes * COPIES);
    return true;
}

/* What a body of unknown length may still grow by is asked for step by step. */
bool admission_body(struct exchange *x, size_t n)
{
    const uint64_t step = (uint64_t)GROWTH_BYTES * COPIES;
    struct listener *l = x->request.listener;
    size_t had = x->body.n;

    if (!l->config.memory || x->sized || had / GROWTH_BYTES == (had + n) / GROWTH_BYTES)
        return true;
    refresh(l->config.memory, loop_now_ms(l->config.loop));
    if (!has_room(l->config.memory, step, LARGE_PERCENT)) {
        l->refused_by_memory++;
        return false;
    }
    promise(x, step);
    return true;
}
