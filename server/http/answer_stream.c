/* answer_stream.c: the streaming answers of request.h.
 *
 * Their head is libmicrohttpd's. When it has gone out, libmicrohttpd asks for the body; from then on
 * its connection is suspended and the chunks are framed and written to the socket here, each with one
 * system call, until the end, which is libmicrohttpd's again (the last chunk, and what the connection
 * is used for next). What the socket does not take waits in the queue for it to be writable. The head
 * is held back by the kernel until the first bytes are there, so that they leave in one packet.
 *
 * With TLS, and for clients of HTTP/1.0, the body is libmicrohttpd's too: it pulls bytes from the
 * queue; when the queue is empty the connection is suspended, and the next write resumes it. */
#include <errno.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/uio.h>

#include "base/bounds.h"
#include "http/exchange.h"

enum {
    OLD_CLIENT_BLOCK_BYTES = 4096, /* per read for HTTP/1.0, which has no chunks */
    QUEUE_LOW_BYTES = BOUND_STREAM_QUEUE_BYTES / 4,
    SIZE_LINE_BYTES = 18, /* of a chunk: 16 digits and the line's end */
};

/* --- the queue --- */

static size_t waiting_bytes(const struct exchange *x)
{
    return x->queue.n - x->queue_at;
}

/* Gives the memory of what was sent back, without moving much. Where the socket is written here most
 * chunks never see the queue. */
static void shrink_queue(struct exchange *x)
{
    if (x->chunked && !waiting_bytes(x)) {
        buf_done(&x->queue);
        x->queue_at = 0;
        return;
    }
    if (waiting_bytes(x) && x->queue_at < BOUND_STREAM_QUEUE_BYTES)
        return;
    buf_consume(&x->queue, x->queue_at);
    x->queue_at = 0;
}

static void queue_sent(struct exchange *x, size_t n)
{
    x->queue_at += n;
    shrink_queue(x);
    if (x->full && waiting_bytes(x) <= QUEUE_LOW_BYTES && !list_linked(&x->drained_link))
        list_add_tail(&x->request.listener->drained, &x->drained_link);
}

/* How a chunk of so many bytes begins. */
static struct str size_line(size_t bytes, char out[SIZE_LINE_BYTES])
{
    static const char digits[] = "0123456789abcdef";
    char *end = out + SIZE_LINE_BYTES, *at = end - strlen("\r\n");

    memcpy(at, "\r\n", strlen("\r\n"));
    for (size_t left = bytes; left; left >>= 4)
        *--at = digits[left & 15];
    return str_n(at, (size_t)(end - at));
}

/* Bytes as one chunk, in parts of which the first `skip` bytes are left out. How many parts. */
static size_t frame(struct str bytes, size_t skip, char line[SIZE_LINE_BYTES], struct iovec parts[3])
{
    const struct str whole[] = {size_line(bytes.n, line), bytes, STR("\r\n")};
    size_t n = 0;

    for (size_t i = 0; i < ARRAY_LEN(whole); i++) {
        size_t passed = MIN(skip, whole[i].n);

        skip -= passed;
        if (passed < whole[i].n)
            parts[n++] = (struct iovec){(char *)(uintptr_t)whole[i].p + passed, whole[i].n - passed};
    }
    return n;
}

/* False: there is no room for it. */
static bool put_in_queue(struct exchange *x, struct str bytes, size_t skip)
{
    char line[SIZE_LINE_BYTES];
    struct iovec parts[3];
    size_t n;

    if (!waiting_bytes(x))
        conn_enter(x->conn, CONN_WRITING);
    if (!x->chunked) {
        buf_put_str(&x->queue, bytes);
        return buf_finish(&x->queue) == 0;
    }
    n = frame(bytes, skip, line, parts);
    for (size_t i = 0; i < n; i++)
        buf_put(&x->queue, parts[i].iov_base, parts[i].iov_len);
    return buf_finish(&x->queue) == 0;
}

/* --- the socket --- */

static int socket_of(const struct exchange *x)
{
    return x->conn->watch.fd;
}

static void cork(struct exchange *x)
{
    const int on = 1;

    x->corked = setsockopt(socket_of(x), IPPROTO_TCP, TCP_CORK, &on, sizeof(on)) == 0;
}

void exchange_uncork(struct exchange *x)
{
    const int off = 0;

    if (x->corked)
        (void)setsockopt(socket_of(x), IPPROTO_TCP, TCP_CORK, &off, sizeof(off));
    x->corked = false;
}

/* How many bytes the socket has taken. A connection that has failed takes all: the loop hears of its
 * end and tells those whom it concerns, and not in the middle of their writing. */
static size_t send_parts(struct exchange *x, struct iovec *parts, size_t n_parts, size_t bytes,
                         int flags)
{
    struct msghdr message = {.msg_iov = parts, .msg_iovlen = n_parts};
    ssize_t n;

    do
        n = sendmsg(socket_of(x), &message, MSG_NOSIGNAL | MSG_DONTWAIT | flags);
    while (n < 0 && errno == EINTR);
    if (n >= 0)
        return (size_t)n;
    if (errno == EAGAIN)
        return 0;
    (void)shutdown(socket_of(x), SHUT_RDWR); /* epoll tells of it, whatever has failed */
    return bytes;
}

static void watch_room(struct exchange *x, bool wanted)
{
    if (loop_fd_mod(&x->conn->watch, wanted ? CONN_WATCHED | EPOLLOUT : CONN_WATCHED) < 0)
        (void)shutdown(socket_of(x), SHUT_RDWR);
}

/* Writes what waits; the socket's room is watched for the rest. */
static void flush(struct exchange *x)
{
    struct iovec rest = {x->queue.p + x->queue_at, waiting_bytes(x)};

    if (rest.iov_len)
        queue_sent(x, send_parts(x, &rest, 1, rest.iov_len, 0));
    watch_room(x, waiting_bytes(x) > 0);
    if (!waiting_bytes(x) && x->state == EXCHANGE_STREAMING)
        conn_enter(x->conn, CONN_WORKING);
}

void exchange_writable(struct exchange *x)
{
    if (!x->ours || !waiting_bytes(x))
        return;
    flush(x);
    if (!waiting_bytes(x) && x->state != EXCHANGE_STREAMING)
        conn_wake(x->conn);
}

/* False: there is no room for what the socket does not take. */
static bool write_chunk(struct exchange *x, struct str bytes, int flags)
{
    char line[SIZE_LINE_BYTES];
    struct iovec parts[3];
    size_t n, sent, whole = 0;

    if (waiting_bytes(x))
        return put_in_queue(x, bytes, 0);
    n = frame(bytes, 0, line, parts);
    for (size_t i = 0; i < n; i++)
        whole += parts[i].iov_len;
    sent = send_parts(x, parts, n, whole, flags);
    if (sent == whole)
        return true;
    watch_room(x, true);
    return put_in_queue(x, bytes, sent);
}

/* --- libmicrohttpd's side --- */

static ssize_t end_or_wait(struct exchange *x)
{
    if (!waiting_bytes(x) && x->broken)
        return MHD_CONTENT_READER_END_WITH_ERROR;
    if (!waiting_bytes(x) && x->state != EXCHANGE_STREAMING)
        return MHD_CONTENT_READER_END_OF_STREAM;
    exchange_uncork(x);
    if (!waiting_bytes(x))
        conn_enter(x->conn, CONN_WORKING);
    conn_suspend(x->conn);
    return 0;
}

/* Bytes for libmicrohttpd to frame and to send; 0: nothing now; < 0: its end codes. */
static ssize_t pull(void *cls, uint64_t pos, char *out, size_t max)
{
    struct exchange *x = cls;
    size_t n = MIN(waiting_bytes(x), max);

    (void)pos;
    if (!n)
        return end_or_wait(x);
    memcpy(out, x->queue.p + x->queue_at, n);
    queue_sent(x, n);
    return (ssize_t)n;
}

/* The head is out, nothing of libmicrohttpd's waits: it gets no byte, and is told only of the end. */
static ssize_t hand_over(void *cls, uint64_t pos, char *out, size_t max)
{
    struct exchange *x = cls;

    (void)pos, (void)out, (void)max;
    x->ours = true;
    if (waiting_bytes(x))
        flush(x);
    return end_or_wait(x);
}

/* --- what handlers call --- */

int request_stream_begin(struct request *r, const struct response *head)
{
    struct exchange *x = exchange_of(r);
    struct MHD_Response *m;

    if (!x->conn || x->broken)
        return STREAM_E_GONE;
    assert(x->state == EXCHANGE_HANDLING);
    x->state = EXCHANGE_STREAMING;
    buf_init(&x->queue, BOUND_UPSTREAM_REPLY_BYTES);
    x->chunked = x->chunked && r->method != HTTP_HEAD;
    if (x->chunked)
        cork(x);
    m = x->chunked ? MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, 1, hand_over, x, NULL)
                   : MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, OLD_CLIENT_BLOCK_BYTES, pull,
                                                       x, NULL);
    /* To a HEAD libmicrohttpd 0.9.75 would send the last chunk; what has no chunks it ends by closing. */
    if (m && r->method == HTTP_HEAD)
        (void)MHD_set_response_options(m, MHD_RF_HTTP_1_0_COMPATIBLE_STRICT, MHD_RO_END);
    exchange_queue_answer(x, head, m);
    return x->broken ? STREAM_E_GONE : STREAM_OK;
}

static int write_on(struct exchange *x, struct str bytes, int flags)
{
    bool fits;

    if (x->state != EXCHANGE_STREAMING || x->broken)
        return STREAM_E_GONE;
    if (!bytes.n)
        return x->full ? STREAM_E_FULL : STREAM_OK;
    fits = x->ours ? write_chunk(x, bytes, flags) : put_in_queue(x, bytes, 0);
    if (!fits) {
        exchange_gone(x);
        return STREAM_E_GONE;
    }
    if (!x->ours)
        conn_wake(x->conn);
    x->full = waiting_bytes(x) > BOUND_STREAM_QUEUE_BYTES;
    return x->full ? STREAM_E_FULL : STREAM_OK;
}

int request_stream_write(struct request *r, struct str bytes)
{
    return write_on(exchange_of(r), bytes, 0);
}

void request_stream_on_drained(struct request *r, void (*drained)(struct request *))
{
    exchange_of(r)->drained = drained;
}

void request_stream_end(struct request *r)
{
    struct exchange *x = exchange_of(r);

    if (x->state != EXCHANGE_STREAMING)
        return;
    x->state = EXCHANGE_LEAVING;
    conn_enter(x->conn, CONN_WRITING);
    if (!x->ours || !waiting_bytes(x))
        conn_wake(x->conn);
}

void request_stream_end_with(struct request *r, struct str bytes)
{
    /* The kernel holds them back for the last chunk, which libmicrohttpd writes in this turn. */
    (void)write_on(exchange_of(r), bytes, MSG_MORE);
    request_stream_end(r);
}

void request_stream_abort(struct request *r)
{
    struct exchange *x = exchange_of(r);

    x->broken = true;
    request_stream_end(r);
}

void exchange_run_drained(struct listener *l)
{
    while (!list_empty(&l->drained)) {
        struct exchange *x = container_of(l->drained.next, struct exchange, drained_link);

        list_del(&x->drained_link);
        x->full = false;
        if (x->state == EXCHANGE_STREAMING && x->drained)
            x->drained(&x->request);
    }
}
