/* load.c: the load generator: one thread, to 127.0.0.1 only, bounded in time. Prints one JSON object.
 *
 *   bench-load sat    PORT CONNECTIONS MS BODY PATH [HEADER]...        as fast as answers come
 *   bench-load rate   PORT CONNECTIONS MS BODY PATH RPS [HEADER]...    so many a second
 *   bench-load stream PORT STREAMS MS BODY PATH [HEADER]...            streams, one after another
 *   bench-load hold   PORT STREAMS 0 BODY PATH [HEADER]...                  opens streams, says so, and
 *                                                                 keeps them until its input ends
 *
 * BODY is a file. Latency is counted from the time at which a request was due, also when it had to
 * wait for a connection. In streams the mock's stamp in each chunk tells how long it was on its way.
 * While this runs processors do not go to sleep, if it may say so: waking one up costs more than what
 * is measured. */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "wire.h"

enum {
    READY_MAX = 512,
    READ_BYTES = 262144,
    STAMP = 21, /* T and twenty digits */
    MS_MAX = 7200000,
    ERRORS_MAX = 1000, /* then the run is broken */
    OPENING_MAX = 64,  /* of held streams at a time */
    HEAD_BYTES_MAX = 65536,
};
#define DRAIN_NS UINT64_C(60000000000) /* a busy machine is not a broken run */

enum mode { SAT, RATE, STREAM, HOLD };

struct conn {
    int fd;
    bool busy, first_seen;
    size_t sent;
    uint64_t due_ns, chunk_ns;
    struct conn *next_idle;
    char tail[STAMP]; /* of a chunk: a stamp may be cut in two */
    size_t tail_n;
    struct wire wire;
};

struct figures {
    uint32_t *v; /* nanoseconds; sorted when printed */
    size_t n, room;
};

static struct load {
    enum mode mode;
    int epoll, port;
    char *request;
    size_t request_n;
    struct conn *idle, *conns;
    size_t n_conns, n_busy, started, ok, refused, errors, opened;
    uint64_t chunks, bytes;
    uint64_t begin_ns, end_ns;
    uint64_t rate, n_due, now_ns;
    bool stopping;
    struct figures latency, first, lag, gap;
} load;

static void note(struct figures *f, uint64_t ns)
{
    if (f->n == f->room) {
        f->room = f->room ? f->room * 2 : 65536;
        f->v = realloc(f->v, f->room * sizeof(*f->v));
        if (!f->v)
            abort();
    }
    f->v[f->n++] = ns > UINT32_MAX ? UINT32_MAX : (uint32_t)ns;
}

static void connect_to(struct conn *c)
{
    struct sockaddr_in a = {.sin_family = AF_INET,
                            .sin_port = htons((uint16_t)load.port),
                            .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct epoll_event e = {.events = EPOLLIN | EPOLLOUT | EPOLLET, .data.ptr = c};
    int one = 1;

    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (c->fd < 0 || connect(c->fd, (struct sockaddr *)&a, sizeof(a)) < 0) {
        perror("bench-load: connect");
        exit(1);
    }
    (void)setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    (void)fcntl(c->fd, F_SETFL, O_NONBLOCK);
    if (epoll_ctl(load.epoll, EPOLL_CTL_ADD, c->fd, &e) < 0)
        exit(1);
}

static void rest(struct conn *c)
{
    c->busy = false;
    load.n_busy--;
    c->next_idle = load.idle;
    load.idle = c;
}

static void connect_anew(struct conn *c)
{
    close(c->fd);
    wire_start(&c->wire);
    c->wire.bad = false;
    connect_to(c);
}

/* The other side has closed, or made no sense: another connection, and the request is lost. */
static void broken(struct conn *c)
{
    load.errors++;
    if (load.errors > ERRORS_MAX) {
        fprintf(stderr, "bench-load: %zu requests failed\n", load.errors);
        exit(1);
    }
    connect_anew(c);
    if (c->busy)
        rest(c);
}

static void push(struct conn *c)
{
    while (c->busy && c->sent < load.request_n) {
        ssize_t n = write(c->fd, load.request + c->sent, load.request_n - c->sent);

        if (n < 0 && errno == EAGAIN)
            return;
        if (n <= 0) {
            broken(c);
            return;
        }
        c->sent += (size_t)n;
    }
}

static void send_on(struct conn *c, uint64_t due_ns)
{
    if (c->fd < 0)
        connect_to(c);
    c->busy = true;
    c->first_seen = false;
    c->sent = c->tail_n = 0;
    c->due_ns = due_ns;
    load.n_busy++;
    load.started++;
    push(c);
}

static void take_stamp(struct conn *c, const char *digits)
{
    uint64_t written_ns = strtoull(digits, NULL, 10), now_ns = load.now_ns;

    load.chunks++;
    if (!c->first_seen) {
        c->first_seen = true;
        load.opened++;
        note(&load.first, now_ns - c->due_ns);
    } else {
        note(&load.gap, now_ns - c->chunk_ns);
    }
    c->chunk_ns = now_ns;
    note(&load.lag, now_ns > written_ns ? now_ns - written_ns : 0);
}

static void on_body(struct wire *w, const char *p, size_t n)
{
    struct conn *c = (struct conn *)((char *)w - offsetof(struct conn, wire));
    char joint[2 * STAMP + 1];

    load.bytes += n;
    if (load.mode < STREAM)
        return;
    if (c->tail_n) { /* a stamp that began in the bytes before */
        size_t more = n < STAMP - c->tail_n ? n : STAMP - c->tail_n;

        memcpy(joint, c->tail, c->tail_n);
        memcpy(joint + c->tail_n, p, more);
        joint[c->tail_n + more] = '\0';
        c->tail_n = 0;
        if (strlen(joint) == STAMP)
            take_stamp(c, joint + 1);
    }
    for (const char *at = p; (at = memmem(at, (size_t)(p + n - at), "\"T", 2));) {
        at++;
        if (p + n - at < STAMP) {
            c->tail_n = (size_t)(p + n - at);
            memcpy(c->tail, at, c->tail_n);
            return;
        }
        if (at[1] != '0') /* a word of somebody's */
            continue;
        memcpy(joint, at, STAMP);
        joint[STAMP] = '\0';
        take_stamp(c, joint + 1);
    }
}

static void whole(struct conn *c)
{
    load.ok += c->wire.status == 200;
    load.refused += c->wire.status != 200;
    if (c->wire.status != 200 && load.refused <= 3)
        fprintf(stderr, "bench-load: answered %d\n", c->wire.status);
    if (load.mode != HOLD)
        note(&load.latency, load.now_ns - c->due_ns);
    rest(c);
}

/* False: the connection is gone. */
static bool read_some(struct conn *c)
{
    static char bytes[READ_BYTES];
    ssize_t n = read(c->fd, bytes, sizeof(bytes));
    bool done;

    if (n < 0 && errno == EAGAIN)
        return false;
    if (n == 0 && !c->busy) { /* it was idle for as long as the other side keeps one */
        connect_anew(c);
        return false;
    }
    if (n <= 0) {
        broken(c);
        return false;
    }
    load.now_ns = wire_now_ns();
    for (size_t at = 0; at < (size_t)n;) {
        at += wire_feed(&c->wire, bytes + at, (size_t)n - at, &done);
        if (c->wire.bad || (done && !c->busy)) {
            broken(c);
            return false;
        }
        if (done)
            whole(c);
    }
    return n == sizeof(bytes);
}

/* Requests that may go out now. */
static void start_some(void)
{
    uint64_t now_ns = wire_now_ns();

    load.stopping = load.stopping || (load.mode != HOLD && now_ns >= load.end_ns);
    while (load.idle && !load.stopping) {
        struct conn *c = load.idle;
        uint64_t due_ns = now_ns;

        if (load.mode == RATE) {
            due_ns = load.begin_ns + load.n_due * 1000000000 / load.rate;
            if (due_ns > now_ns)
                return;
            load.n_due++;
        }
        if (load.mode == HOLD && load.started - load.opened >= OPENING_MAX)
            return;
        load.idle = c->next_idle;
        send_on(c, due_ns);
    }
}

static const struct timespec *patience(void)
{
    static struct timespec wait = {.tv_nsec = 50000000};
    uint64_t due_ns, now_ns;

    wait.tv_nsec = 50000000;
    if (load.mode == RATE && load.idle && !load.stopping) {
        due_ns = load.begin_ns + load.n_due * 1000000000 / load.rate;
        now_ns = wire_now_ns();
        wait.tv_nsec = due_ns > now_ns ? (long)(due_ns - now_ns) : 0;
    }
    return &wait;
}

static bool over(void)
{
    if (load.mode == HOLD)
        return load.opened + load.refused + load.errors >= load.n_conns;
    return load.stopping && (!load.n_busy || wire_now_ns() > load.end_ns + DRAIN_NS);
}

static void run(void)
{
    static struct epoll_event ready[READY_MAX];

    load.begin_ns = wire_now_ns();
    load.end_ns += load.begin_ns;
    while (start_some(), !over()) {
        int n = epoll_pwait2(load.epoll, ready, READY_MAX, patience(), NULL);

        for (int i = 0; i < n; i++) {
            struct conn *c = ready[i].data.ptr;

            if (ready[i].events & EPOLLOUT)
                push(c);
            if (ready[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR))
                while (read_some(c))
                    continue;
        }
    }
}

static int compare(const void *a, const void *b)
{
    const uint32_t *x = a, *y = b;

    return *x < *y ? -1 : *x > *y;
}

static void print_figures(const char *name, struct figures *f)
{
    static const struct {
        const char *name;
        double at;
    } points[] = {{"p50", 0.5}, {"p90", 0.9}, {"p99", 0.99}, {"max", 1}};

    if (!f->n)
        return;
    qsort(f->v, f->n, sizeof(*f->v), compare);
    printf(",\"%s\":{", name);
    for (size_t i = 0; i < sizeof(points) / sizeof(points[0]); i++)
        printf("%s\"%s\":%.1f", i ? "," : "", points[i].name,
               f->v[(size_t)(points[i].at * (double)(f->n - 1))] / 1000.0);
    printf("}");
}

static void print(void)
{
    double seconds = (double)(wire_now_ns() - load.begin_ns) / 1e9;

    printf("{\"ok\":%zu,\"refused\":%zu,\"errors\":%zu,\"unanswered\":%zu,\"opened\":%zu,"
           "\"chunks\":%llu,\"bytes\":%llu,\"seconds\":%.3f",
           load.ok, load.refused, load.errors, load.n_busy, load.opened,
           (unsigned long long)load.chunks, (unsigned long long)load.bytes, seconds);
    print_figures("latency_us", &load.latency);
    print_figures("first_us", &load.first);
    print_figures("lag_us", &load.lag);
    print_figures("gap_us", &load.gap);
    printf("}\n");
    fflush(stdout);
}

/* A file, with room before it for a head. */
static char *read_file(const char *path, size_t room, size_t *ret_n)
{
    FILE *f = fopen(path, "re");
    char *bytes;

    if (!f || fseek(f, 0, SEEK_END) < 0) {
        perror(path);
        exit(1);
    }
    *ret_n = (size_t)ftell(f);
    rewind(f);
    bytes = malloc(room + *ret_n);
    if (!bytes || fread(bytes + room, 1, *ret_n, f) != *ret_n)
        exit(1);
    fclose(f);
    return bytes;
}

static void read_request(const char *file, const char *path, char **headers, int n_headers)
{
    size_t n, body_n;
    FILE *head;

    load.request = read_file(file, HEAD_BYTES_MAX, &body_n);
    head = fmemopen(load.request, HEAD_BYTES_MAX, "w");
    if (!head)
        exit(1);
    fprintf(head, "POST %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nContent-Type: application/json\r\n"
                  "Accept: */*\r\nUser-Agent: bench-load\r\n", path, load.port);
    for (int i = 0; i < n_headers; i++)
        fprintf(head, "%s\r\n", headers[i]);
    fprintf(head, "Content-Length: %zu\r\n\r\n", body_n);
    if (fflush(head) < 0 || (n = (size_t)ftell(head)) >= HEAD_BYTES_MAX)
        exit(1);
    fclose(head);
    memmove(load.request + n, load.request + HEAD_BYTES_MAX, body_n);
    load.request_n = n + body_n;
}

static void prepare(void)
{
    struct rlimit files;

    signal(SIGPIPE, SIG_IGN);
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    load.epoll = epoll_create1(EPOLL_CLOEXEC);
    load.conns = calloc(load.n_conns, sizeof(*load.conns));
    if (load.epoll < 0 || !load.conns)
        exit(1);
    for (size_t i = 0; i < load.n_conns; i++) {
        struct conn *c = &load.conns[i];

        c->wire.body = on_body;
        c->fd = -1;
        if (load.mode != HOLD) /* thousands that say nothing yet would be hung up on */
            connect_to(c);
        c->next_idle = load.idle;
        load.idle = c;
    }
}

static void keep_awake(void)
{
    static const int32_t none = 0;
    int fd = open("/dev/cpu_dma_latency", O_WRONLY | O_CLOEXEC);

    if (fd >= 0 && write(fd, &none, sizeof(none)) < 0)
        close(fd); /* else it holds for as long as the descriptor is open */
}

static void wait_for_input_end(void)
{
    char byte;

    while (read(STDIN_FILENO, &byte, 1) > 0)
        continue;
}

int main(int argc, char **argv)
{
    static const char *const modes[] = {"sat", "rate", "stream", "hold"};
    int at = 7;
    unsigned long ms = argc > 4 ? strtoul(argv[4], NULL, 10) : 0;

    for (load.mode = SAT; argc >= 7 && strcmp(argv[1], modes[load.mode]) != 0; load.mode++)
        if (load.mode == HOLD)
            argc = 0;
    if (argc < 7 || (load.mode == RATE && argc < 8) || ms > MS_MAX) {
        fprintf(stderr, "usage: see the head of load.c\n");
        return 2;
    }
    load.port = (int)strtol(argv[2], NULL, 10);
    load.n_conns = strtoul(argv[3], NULL, 10);
    load.end_ns = ms * 1000000;
    if (load.mode == RATE)
        load.rate = strtoul(argv[at++], NULL, 10);
    read_request(argv[5], argv[6], argv + at, argc - at);
    keep_awake();
    prepare();
    run();
    print();
    if (load.mode == HOLD)
        wait_for_input_end();
    return 0;
}
