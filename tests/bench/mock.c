/* mock.c: an upstream that costs next to nothing: chat completions that are fixed texts, on one thread.
 *
 *   bench-mock           prints the port it has taken on 127.0.0.1, then answers until it is ended
 *
 * The beginning of the path says how it answers; a request's body is read and not looked at.
 *
 *   /plain/...   one chat completion of some 700 bytes
 *   /burst/...   a stream of 100 chunks without a pause, one write each
 *   /first/...   a stream of 5 chunks, 2 ms apart
 *   /paced/...   a stream of 100 chunks, 20 ms apart
 *   /events/...  as /burst/, in the format of Anthropic's messages
 *   /hold/...    a stream of one chunk, and then nothing until the client leaves
 *
 * Each chunk carries the time at which it was written (CLOCK_MONOTONIC), so that whoever reads it on
 * the same machine knows how long it was on its way. */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "wire.h"

enum { READY_MAX = 512, READ_BYTES = 262144, CHUNK_BYTES = 1024, PARTS = 3, ACCEPTS = 256 };

enum { PLAIN = -1, HOLD = -2 };

/* A stream with a pause between its chunks: all of a kind have the same, so who waits stands in the
 * order of being due. */
struct pace {
    const char *path;
    int chunks, pause_ms; /* 0: none */
    bool messages;        /* Anthropic's events, not OpenAI's chunks */
    struct conn *first, *last;
};

struct conn {
    int fd, kind; /* of paces, PLAIN or HOLD */
    bool gone, writing;
    int chunks_left;
    uint64_t due_ns;
    struct conn *next, *before;
    char rest[PARTS * CHUNK_BYTES]; /* what the socket did not take */
    size_t rest_at, rest_n;
    struct wire wire; /* last: its buffer need not be zero */
};

static struct pace paces[] = {{.path = "/burst/", .chunks = 100},
                              {.path = "/events/", .chunks = 100, .messages = true},
                              {.path = "/first/", .chunks = 5, .pause_ms = 2},
                              {.path = "/paced/", .chunks = 100, .pause_ms = 20}};
enum { PACES = sizeof(paces) / sizeof(paces[0]) };

static int epoll;
static char plain[2048];
static size_t plain_n;
static struct conn *dead;

static const char stream_head[] = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\n"
                                  "Cache-Control: no-cache\r\nTransfer-Encoding: chunked\r\n\r\n";

static void make_plain(void)
{
    static const char body[] =
        "{\"id\":\"chatcmpl-mock0123456789abcdef\",\"object\":\"chat.completion\",\"created\":1760000000,"
        "\"model\":\"mock-model\",\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":"
        "\"Hello! How can I assist you today?\",\"refusal\":null,\"annotations\":[]},\"logprobs\":null,"
        "\"finish_reason\":\"stop\"}],\"usage\":{\"prompt_tokens\":19,\"completion_tokens\":10,"
        "\"total_tokens\":29,\"prompt_tokens_details\":{\"cached_tokens\":0,\"audio_tokens\":0},"
        "\"completion_tokens_details\":{\"reasoning_tokens\":0,\"audio_tokens\":0,"
        "\"accepted_prediction_tokens\":0,\"rejected_prediction_tokens\":0}},\"service_tier\":\"default\","
        "\"system_fingerprint\":\"fp_mock\"}";

    plain_n = (size_t)snprintf(plain, sizeof(plain),
                               "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
                               "Content-Length: %zu\r\nx-request-id: req_mock\r\n\r\n%s",
                               sizeof(body) - 1, body);
}

static void unqueue(struct conn *c)
{
    struct pace *p = c->kind >= 0 ? &paces[c->kind] : NULL;

    if (!p || (!c->before && p->first != c))
        return;
    *(c->before ? &c->before->next : &p->first) = c->next;
    *(c->next ? &c->next->before : &p->last) = c->before;
    c->next = c->before = NULL;
}

static void queue(struct conn *c, uint64_t now_ns)
{
    struct pace *p = &paces[c->kind];

    c->due_ns = (c->due_ns ? c->due_ns : now_ns) + (uint64_t)p->pause_ms * 1000000;
    c->before = p->last;
    c->next = NULL;
    *(p->last ? &p->last->next : &p->first) = c;
    p->last = c;
}

static void leave(struct conn *c)
{
    if (c->gone)
        return;
    unqueue(c);
    c->gone = true;
    close(c->fd);
    c->next = dead;
    dead = c;
}

static void want_out(struct conn *c, bool writing)
{
    struct epoll_event e = {.events = EPOLLIN | EPOLLRDHUP | (writing ? EPOLLOUT : 0),
                            .data.ptr = c};

    if (c->writing != writing && epoll_ctl(epoll, EPOLL_CTL_MOD, c->fd, &e) < 0)
        leave(c);
    c->writing = writing;
}

/* True: all of it went out. What does not is kept, at most one chunk. */
static bool put(struct conn *c, const char *p, size_t n)
{
    ssize_t sent = write(c->fd, p, n);

    if (sent < 0 && errno != EAGAIN) {
        leave(c);
        return false;
    }
    sent = sent < 0 ? 0 : sent;
    if ((size_t)sent == n)
        return true;
    c->rest_n = n - (size_t)sent;
    c->rest_at = 0;
    memcpy(c->rest, p + sent, c->rest_n);
    want_out(c, true);
    return false;
}

/* out has room for a chunk, as everywhere below. */
static int put_event(char *out, const char *data, int n)
{
    return snprintf(out, CHUNK_BYTES, "%x\r\ndata: %.*s\n\n\r\n", n + 8, n, data);
}

static int put_chunk(char *out, const char *content, const char *finish)
{
    char json[512];
    int n = snprintf(json, sizeof(json),
                     "{\"id\":\"chatcmpl-mock0123456789abcdef\",\"object\":\"chat.completion.chunk\","
                     "\"created\":1760000000,\"model\":\"mock-model\",\"system_fingerprint\":\"fp_mock\","
                     "\"choices\":[{\"index\":0,\"delta\":{\"content\":\"%s\"},\"logprobs\":null,"
                     "\"finish_reason\":%s}]}",
                     content, finish);

    return put_event(out, json, n);
}

static int put_typed(char *out, const char *type, const char *members)
{
    char event[640];
    int n = snprintf(event, sizeof(event), "event: %s\ndata: {\"type\":\"%s\"%s}\n\n", type, type,
                     members);

    return snprintf(out, CHUNK_BYTES, "%x\r\n%s\r\n", n, event);
}

static bool is_messages(const struct conn *c)
{
    return c->kind >= 0 && paces[c->kind].messages;
}

static int put_stamped(const struct conn *c, char *out)
{
    char stamp[32], members[128];

    snprintf(stamp, sizeof(stamp), "T%020llu", (unsigned long long)wire_now_ns());
    if (!is_messages(c))
        return put_chunk(out, stamp, "null");
    snprintf(members, sizeof(members),
             ",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\"%s\"}", stamp);
    return put_typed(out, "content_block_delta", members);
}

/* What stands before the first piece of text. */
static int put_begin(const struct conn *c, char *out)
{
    int n;

    if (!is_messages(c))
        return 0;
    n = put_typed(out, "message_start",
                  ",\"message\":{\"id\":\"msg_mock\",\"type\":\"message\",\"role\":\"assistant\","
                  "\"model\":\"mock-model\",\"content\":[],\"stop_reason\":null,\"stop_sequence\":null,"
                  "\"usage\":{\"input_tokens\":12,\"output_tokens\":1}}");
    return n + put_typed(out + n, "content_block_start",
                         ",\"index\":0,\"content_block\":{\"type\":\"text\",\"text\":\"\"}");
}

static int put_messages_end(char *out)
{
    int n = put_typed(out, "content_block_stop", ",\"index\":0");

    n += put_typed(out + n, "message_delta",
                   ",\"delta\":{\"stop_reason\":\"end_turn\",\"stop_sequence\":null},"
                   "\"usage\":{\"output_tokens\":100}");
    n += put_typed(out + n, "message_stop", "");
    memcpy(out + n, "0\r\n\r\n", 5);
    return n + 5;
}

static int put_chat_end(char *out)
{
    static const char usage[] =
        "{\"id\":\"chatcmpl-mock0123456789abcdef\",\"object\":\"chat.completion.chunk\",\"created\":"
        "1760000000,\"model\":\"mock-model\",\"choices\":[],\"usage\":{\"prompt_tokens\":12,"
        "\"completion_tokens\":100,\"total_tokens\":112}}";
    int n = put_chunk(out, "", "\"stop\"");

    n += put_event(out + n, usage, sizeof(usage) - 1);
    n += put_event(out + n, "[DONE]", 6);
    memcpy(out + n, "0\r\n\r\n", 5);
    return n + 5;
}

static int put_end(const struct conn *c, char *out)
{
    return is_messages(c) ? put_messages_end(out) : put_chat_end(out);
}

/* Chunks until there is a pause, the socket is full, or the stream ends. */
static void go_on(struct conn *c, uint64_t now_ns)
{
    char out[PARTS * CHUNK_BYTES];
    struct pace *p = &paces[c->kind];

    while (c->chunks_left > 0 && !c->rest_n && !c->gone) {
        int n = --c->chunks_left ? put_stamped(c, out) : put_end(c, out);

        if (!put(c, out, (size_t)n))
            return;
        if (p->pause_ms && c->chunks_left) {
            queue(c, now_ns);
            return;
        }
    }
}

static void answer(struct conn *c)
{
    char out[PARTS * CHUNK_BYTES];
    size_t n = sizeof(stream_head) - 1;

    if (c->kind == PLAIN) {
        (void)put(c, plain, plain_n);
        return;
    }
    memcpy(out, stream_head, n);
    n += (size_t)put_begin(c, out + n);
    n += (size_t)put_stamped(c, out + n);
    c->due_ns = 0;
    c->chunks_left = c->kind == HOLD ? 0 : paces[c->kind].chunks;
    if (!put(c, out, n) || c->kind == HOLD)
        return;
    if (paces[c->kind].pause_ms)
        queue(c, wire_now_ns());
    else
        go_on(c, 0);
}

static int kind_of(const char *head)
{
    const char *path = strchr(head, ' ');

    path = path ? path + 1 : head;
    for (int i = 0; i < PACES; i++)
        if (strncmp(path, paces[i].path, strlen(paces[i].path)) == 0)
            return i;
    return strncmp(path, "/hold/", 6) == 0 ? HOLD : PLAIN;
}

static void read_from(struct conn *c)
{
    static char bytes[READ_BYTES];
    ssize_t n = read(c->fd, bytes, sizeof(bytes));

    if (n < 0 && errno == EAGAIN)
        return;
    if (n <= 0) {
        leave(c);
        return;
    }
    for (size_t at = 0; at < (size_t)n && !c->gone;) {
        bool done;

        at += wire_feed(&c->wire, bytes + at, (size_t)n - at, &done);
        if (c->wire.bad)
            leave(c);
        if (!done)
            continue;
        c->kind = kind_of(c->wire.head);
        answer(c);
    }
}

static void write_on(struct conn *c)
{
    ssize_t n = write(c->fd, c->rest + c->rest_at, c->rest_n);

    if (n < 0 && errno != EAGAIN)
        leave(c);
    if (n <= 0)
        return;
    c->rest_at += (size_t)n;
    c->rest_n -= (size_t)n;
    if (c->rest_n)
        return;
    want_out(c, false);
    if (c->kind >= 0 && !c->gone)
        go_on(c, wire_now_ns());
}

static void accept_some(int listening)
{
    for (int i = 0; i < ACCEPTS; i++) {
        int fd = accept4(listening, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC), one = 1;
        struct conn *c = fd >= 0 ? calloc(1, sizeof(*c)) : NULL;
        struct epoll_event e = {.events = EPOLLIN | EPOLLRDHUP, .data.ptr = c};

        if (!c)
            return;
        c->fd = fd;
        (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
        if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &e) < 0)
            leave(c);
    }
}

/* How long until somebody is due; NULL: nobody waits. */
static const struct timespec *run_due(void)
{
    static struct timespec wait;
    uint64_t now_ns = wire_now_ns(), next_ns = 0;

    for (int i = 0; i < PACES; i++) {
        while (paces[i].first && paces[i].first->due_ns <= now_ns) {
            struct conn *c = paces[i].first;

            unqueue(c);
            go_on(c, now_ns);
        }
        if (paces[i].first && (!next_ns || paces[i].first->due_ns < next_ns))
            next_ns = paces[i].first->due_ns;
    }
    wait.tv_sec = 0;
    wait.tv_nsec = (long)(next_ns - now_ns);
    return next_ns ? &wait : NULL;
}

static int listen_here(void)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof(a);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    struct epoll_event e = {.events = EPOLLIN};

    if (fd < 0 || bind(fd, (struct sockaddr *)&a, n) < 0 || listen(fd, 4096) < 0 ||
        getsockname(fd, (struct sockaddr *)&a, &n) < 0 ||
        epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &e) < 0) {
        perror("bench-mock");
        exit(1);
    }
    printf("%u\n", ntohs(a.sin_port));
    fflush(stdout);
    return fd;
}

static void run_ready(const struct epoll_event *e, int listening)
{
    struct conn *c = e->data.ptr;

    if (!c) {
        accept_some(listening);
        return;
    }
    if (!c->gone && (e->events & EPOLLOUT))
        write_on(c);
    if (!c->gone && (e->events & (EPOLLIN | EPOLLHUP | EPOLLERR)))
        read_from(c);
}

int main(void)
{
    static struct epoll_event ready[READY_MAX];
    struct rlimit files;
    int listening;

    signal(SIGPIPE, SIG_IGN);
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    make_plain();
    epoll = epoll_create1(EPOLL_CLOEXEC);
    listening = listen_here();
    for (;;) {
        int n = epoll_pwait2(epoll, ready, READY_MAX, run_due(), NULL);

        for (int i = 0; i < n; i++)
            run_ready(&ready[i], listening);
        while (dead) {
            struct conn *c = dead;

            dead = c->next;
            free(c);
        }
    }
}
