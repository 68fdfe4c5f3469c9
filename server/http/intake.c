/* intake.c: see intake.h. */
#include "http/intake.h"

#include <dlfcn.h>
#include <sys/socket.h>

#include "base/bounds.h"
#include "http/exchange.h"

#define AT_ONCE KIB(64) /* of one body, before others are read */

static _Thread_local struct listener *running;

void intake_run(struct listener *l)
{
    running = l;
}

/* --- which bodies --- */

static struct exchange **place_of(struct intakes *all, int fd)
{
    size_t n = MAX(all->n * 2, (size_t)fd + 1);
    struct exchange **v;

    if ((size_t)fd < all->n)
        return &all->v[fd];
    v = reallocarray(all->v, n, sizeof(*v));
    if (!v)
        return NULL;
    memset(v + all->n, 0, (n - all->n) * sizeof(*v));
    all->v = v;
    all->n = n;
    return &v[fd];
}

static struct exchange *coming_by(int fd)
{
    struct intakes *all = running ? &running->intakes : NULL;

    return all && (size_t)fd < all->n ? all->v[fd] : NULL;
}

void intake_begin(struct exchange *x, size_t bytes)
{
    struct intake *in = &x->intake;
    struct exchange **place;

    in->left -= MIN(in->left, (uint64_t)bytes);
    if (!in->left || x->conn->listener->certificate || x->body.cap - x->body.n < in->left)
        return;
    place = place_of(&x->conn->listener->intakes, x->conn->watch.fd);
    if (place)
        *place = x;
}

void intake_end(struct exchange *x)
{
    struct intakes *all = &x->conn->listener->intakes;
    size_t fd = (size_t)x->conn->watch.fd;

    if (fd < all->n && all->v[fd] == x)
        all->v[fd] = NULL;
}

bool intake_counts(struct exchange *x, size_t bytes)
{
    struct intake *in = &x->intake;

    if (bytes > in->told)
        return false;
    in->told -= bytes;
    in->ahead -= bytes;
    x->body.n += bytes;
    if (!in->left && !in->ahead)
        intake_end(x);
    return true;
}

/* --- the socket --- */

typedef ssize_t recv_function(int fd, void *to, size_t n, int flags);

/* Whose recv() this one stands in front of: the C library's, or of what watches the program in a test. */
static ssize_t read_socket(int fd, void *to, size_t n, int flags)
{
    static recv_function *_Atomic next;
    recv_function *f = atomic_load_explicit(&next, memory_order_relaxed);

    if (!f) {
        f = (recv_function *)dlsym(RTLD_NEXT, "recv");
        atomic_store_explicit(&next, f, memory_order_relaxed);
    }
    return f(fd, to, n, flags);
}

/* More of the body, at least as much as libmicrohttpd wants if the socket has it. As recv(). */
static ssize_t fill(struct exchange *x, int fd, size_t wanted, int flags)
{
    struct intake *in = &x->intake;
    size_t most = (size_t)MIN(in->left, (uint64_t)MAX(AT_ONCE, wanted));
    ssize_t got = read_socket(fd, x->body.p + x->body.n + in->ahead, most, flags);

    if (got > 0) {
        in->ahead += (size_t)got;
        in->left -= (uint64_t)got;
        x->conn->listener->intakes.bytes += (uint64_t)got;
    }
    return got;
}

/* As recv() for libmicrohttpd. Fewer than n bytes tell it that the socket is empty, so that is what they have to
 * mean. */
static ssize_t take_in(struct exchange *x, int fd, char *to, size_t n, int flags)
{
    struct intake *in = &x->intake;
    ssize_t got = in->left && in->ahead - in->told < n ? fill(x, fd, n, flags) : 0;
    size_t more = MIN(in->ahead - in->told, n);

    in->told += more;
    if (in->left || more == n)
        return more ? (ssize_t)more : got;
    got = read_socket(fd, to + more, n - more, flags); /* what follows the body is libmicrohttpd's */
    return more ? (ssize_t)more + MAX(got, (ssize_t)0) : got;
}

/* For the whole program. */
ssize_t recv(int fd, void *to, size_t n, int flags)
{
    struct exchange *x = coming_by(fd);

    return x ? take_in(x, fd, to, n, flags) : read_socket(fd, to, n, flags);
}
