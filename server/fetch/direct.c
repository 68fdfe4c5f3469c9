/* direct.c: see direct.h.
 *
 * A request is one sendmsg of head and body where the kernel takes it whole; an answer is read into the
 * fetcher's buffer and told from there, so its bytes are copied by nobody. */
#include "fetch/direct.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/uio.h>

#include "base/bounds.h"
#include "base/clock.h"
#include "base/err.h"
#include "fetch/line.h"

enum {
    READS_PER_TURN = 8, /* of one line, before others get the loop */
    HEAD_BYTES = 768,   /* most heads are shorter */
};

#define SCHEME "http://"

bool direct_is_for(const struct fetcher *f, const struct fetch_request *request)
{
    return !f->through_libcurl && strncasecmp(request->url, SCHEME, strlen(SCHEME)) == 0;
}

const char *direct_origin(const struct fetch *f)
{
    return f->out.p + f->head_n;
}

static bool names(const struct fetch_request *request, const char *name)
{
    for (size_t i = 0; i < request->header_count; i++)
        if (strcasecmp(request->headers[i].name, name) == 0)
            return true;
    return false;
}

static char *append(char *to, const char *p, size_t n)
{
    memcpy(to, p, n);
    return to + n;
}

static void put_line(struct buf *out, struct str name, struct str value)
{
    size_t most = name.n + strlen(": ") + value.n + strlen("\r\n");
    char *start = buf_reserve(out, most), *to;

    if (!start)
        return;
    to = append(start, name.p, name.n);
    to = append(to, ": ", value.n ? 2 : 1);
    if (value.n)
        to = append(to, value.p, value.n);
    to = append(to, "\r\n", 2);
    out->n += (size_t)(to - start);
}

/* The request's head and, behind it, the origin: what lines are known by. */
static void put_head(struct fetch *f, const struct fetch_request *request)
{
    const char *host = request->url + strlen(SCHEME);
    struct str authority = str_n(host, strcspn(host, "/?"));
    struct str target = str_c(authority.p + authority.n);

    buf_puts(&f->out, request->method);
    buf_puts(&f->out, target.n && target.p[0] == '/' ? " " : " /");
    buf_put_str(&f->out, target);
    buf_puts(&f->out, " HTTP/1.1\r\n");
    put_line(&f->out, STR("Host"), str_ends(authority, STR(":80")) ? str_n(host, authority.n - 3) : authority);
    if (!names(request, "user-agent"))
        put_line(&f->out, STR("User-Agent"), STR("tollgate/" TOLLGATE_VERSION));
    if (!names(request, "accept"))
        put_line(&f->out, STR("Accept"), STR("*/*"));
    for (size_t i = 0; i < request->header_count; i++)
        put_line(&f->out, str_c(request->headers[i].name), request->headers[i].value);
    if (f->n_body || strcmp(request->method, "POST") == 0) {
        buf_puts(&f->out, "Content-Length: ");
        buf_put_u64(&f->out, f->body_bytes);
        buf_puts(&f->out, "\r\n");
    }
    buf_puts(&f->out, "\r\n");
    f->head_n = f->out.n;
    buf_puts(&f->out, SCHEME);
    buf_put_str(&f->out, authority);
    buf_putc(&f->out, '\0');
}

static void add_body(struct fetch *f, struct str piece)
{
    assert(f->n_body < ARRAY_LEN(f->body));
    f->body[f->n_body++] = piece;
    f->body_bytes += piece.n;
}

static void take_body_of(struct fetch *f, const struct fetch_request *request)
{
    if (request->body.p)
        add_body(f, request->body);
    for (size_t i = 0; i < request->n_pieces; i++)
        add_body(f, request->pieces[i]);
}

int direct_prepare(struct fetch *f, const struct fetch_request *request)
{
    f->direct = true;
    take_body_of(f, request);
    f->to_head = strcmp(request->method, "HEAD") == 0;
    buf_init(&f->out, BOUND_HEAD_BYTES + 2 * BOUND_URL_BYTES);
    (void)buf_reserve(&f->out, HEAD_BYTES);
    put_head(f, request);
    if (buf_finish(&f->out) == -EMSGSIZE)
        return FETCH_START_E_HEADER;
    return buf_finish(&f->out) < 0 ? err_origin(-ENOMEM) : FETCH_START_OK;
}

/* --- out --- */

static bool all_sent(const struct fetch *f)
{
    return f->out_at == f->head_n + f->body_bytes;
}

static void connect_anew(struct fetch *f)
{
    f->phase = TRANSFER_CONNECTING;
    f->phase_ms = loop_now_ms(f->fetcher->loop);
    transfer_arm(f);
    if (line_connect(f) < 0)
        transfer_finish(f, FETCH_E_CONNECT);
}

/* The connection is gone, or makes no sense. The upstream may have closed a kept one before it saw the
 * request: then, when no byte of an answer has come, the request goes out again on a new one, once. */
static void lose(struct fetch *f, enum fetch_fault fault)
{
    bool again = f->line->used && f->phase == TRANSFER_WAITING && !f->again &&
                 fault == FETCH_E_RESET;

    line_close(f->line);
    if (!again) {
        transfer_finish(f, fault);
        return;
    }
    f->again = true;
    f->out_at = 0;
    f->stopped_sending = false;
    connect_anew(f);
}

enum { PARTS_MAX = BUF_PIECES_MAX + 1 };

/* What of head and body has not gone out yet. */
static size_t rest_of(const struct fetch *f, struct iovec parts[PARTS_MAX])
{
    size_t n = 0, sent = f->out_at;

    for (size_t i = 0; i <= f->n_body; i++) {
        struct str s = i ? f->body[i - 1] : str_n(f->out.p, f->head_n);
        size_t gone = MIN(sent, s.n);

        sent -= gone;
        if (gone < s.n)
            parts[n++] = (struct iovec){(char *)(uintptr_t)s.p + gone, s.n - gone};
    }
    return n;
}

static ssize_t send_rest(const struct fetch *f)
{
    struct iovec parts[PARTS_MAX];
    struct msghdr message = {.msg_iov = parts, .msg_iovlen = rest_of(f, parts)};

    return sendmsg(f->line->fd.fd, &message, MSG_NOSIGNAL);
}

/* An upstream that answers before it has read everything, and closes, fails the sending: its answer may
 * be there all the same, so that only reading tells what has come of it. */
static void send_on(struct fetch *f)
{
    while (!all_sent(f) && !f->stopped_sending) {
        ssize_t n = send_rest(f);

        if (n >= 0)
            f->out_at += (size_t)n;
        else if (errno == EAGAIN)
            break;
        else if (errno != EINTR)
            f->stopped_sending = true;
    }
    if (loop_fd_mod(&f->line->fd, all_sent(f) || f->stopped_sending ? EPOLLIN : EPOLLIN | EPOLLOUT) < 0)
        lose(f, FETCH_E_RESET);
}

static void go_out(struct fetch *f)
{
    f->answer = (struct answer){.to_head = f->to_head};
    transfer_sent(f);
    send_on(f);
}

void direct_start(struct fetch *f)
{
    if (!line_take(f, direct_origin(f))) {
        connect_anew(f);
        return;
    }
    f->fetcher->reused++;
    go_out(f);
}

void direct_connected(struct fetch *f, CURLcode code)
{
    if (code == CURLE_OK && line_made(f) == 0)
        go_out(f);
    else
        transfer_finish(f, transfer_fault(f, code == CURLE_OK ? CURLE_COULDNT_CONNECT : code));
}

/* --- in --- */

/* The answer is whole; more than it on the line means that the two sides do not understand each other. */
static void end_well(struct fetch *f, bool more)
{
    if (f->answer.keep && all_sent(f) && !more)
        line_keep(f->line);
    else
        line_close(f->line);
    transfer_finish(f, FETCH_DONE);
}

/* False: the fetch is over. */
static bool tell_body(struct fetch *f, struct str bytes)
{
    if (!bytes.n)
        return true;
    if (bytes.n > f->reply_max - f->reply_bytes) {
        transfer_finish(f, FETCH_E_TOO_LARGE);
        return false;
    }
    f->reply_bytes += bytes.n;
    f->pausing = !f->callbacks.chunk(f, bytes, f->ctx);
    return !f->over;
}

static bool take_body(struct fetch *f, char *p, size_t n)
{
    size_t body = 0, used = 0;
    int r = f->answer.state == ANSWER_WHOLE ? ANSWER_OK
                                            : answer_body(&f->answer, p, n, &body, &used);

    if (!tell_body(f, str_n(p, body)))
        return false;
    if (r == ANSWER_E_MORE)
        return true;
    if (r == ANSWER_OK)
        end_well(f, used < n);
    else
        lose(f, FETCH_E_PROTOCOL);
    return false;
}

/* Heads up to the one that counts. False: the fetch is over. */
static bool take_heads(struct fetch *f, char *p, size_t n, size_t *ret_used)
{
    struct fetch_header headers[ANSWER_HEADERS_MAX];
    struct fetch_head head;
    size_t at = 0, used;

    while (f->answer.state == ANSWER_HEAD) {
        int r = at == n ? ANSWER_E_MORE
                        : answer_head(&f->answer, p + at, n - at, headers, &head, &used);

        if (r == ANSWER_E_BAD || (r == ANSWER_E_MORE && n - at >= TRANSFER_HEAD_BYTES_MAX)) {
            lose(f, FETCH_E_PROTOCOL);
            return false;
        }
        if (r == ANSWER_E_MORE)
            break;
        at += used;
        if (head.status < 200)
            continue;
        f->head_done = true;
        f->callbacks.head(f, &head, f->ctx);
        if (f->over)
            return false;
    }
    *ret_used = at;
    if (f->head_done && all_sent(f))
        buf_done(&f->out); /* it goes out no more, and the answer may take long */
    return true;
}

/* The head came in pieces: it is put together in head_text. */
static bool take_gathered(struct fetch *f, struct str bytes)
{
    size_t used;

    buf_put_str(&f->head_text, bytes);
    if (buf_finish(&f->head_text)) {
        lose(f, FETCH_E_PROTOCOL);
        return false;
    }
    if (!take_heads(f, f->head_text.p, f->head_text.n, &used))
        return false;
    if (f->answer.state == ANSWER_HEAD) {
        buf_consume(&f->head_text, used);
        return true;
    }
    if (!take_body(f, f->head_text.p + used, f->head_text.n - used))
        return false;
    buf_done(&f->head_text);
    return true;
}

/* False: the fetch is over. */
static bool take(struct fetch *f, char *p, size_t n)
{
    size_t used;

    if (f->answer.state != ANSWER_HEAD)
        return take_body(f, p, n);
    if (f->head_text.n)
        return take_gathered(f, str_n(p, n));
    if (!take_heads(f, p, n, &used))
        return false;
    if (f->answer.state != ANSWER_HEAD)
        return take_body(f, p + used, n - used);
    return used == n || take_gathered(f, str_n(p + used, n - used));
}

/* The upstream has closed its side, or the connection has failed. */
static void ended(struct fetch *f, bool failed)
{
    if (!failed && answer_ends(&f->answer))
        end_well(f, false);
    else if (failed || f->phase == TRANSFER_WAITING)
        lose(f, FETCH_E_RESET);
    else
        lose(f, FETCH_E_PROTOCOL);
}

/* False: nothing more for now, or the fetch is over. */
static bool read_some(struct fetch *f)
{
    struct fetcher *fetcher = f->fetcher;
    ssize_t n = recv(f->line->fd.fd, fetcher->bytes, TRANSFER_READ_BYTES, 0);

    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return false;
    if (n <= 0) {
        ended(f, n < 0);
        return false;
    }
    transfer_heard(f);
    return take(f, fetcher->bytes, (size_t)n) && n == TRANSFER_READ_BYTES;
}

void direct_ready(struct fetch *f, uint32_t events)
{
    if (events & EPOLLOUT)
        send_on(f);
    if (f->over || !f->line || !(events & ~(uint32_t)EPOLLOUT))
        return;
    for (int i = 0; i < READS_PER_TURN && read_some(f); i++)
        if (f->pausing)
            break;
    if (f->over || !f->line || !f->pausing)
        return;
    f->paused = true; /* out of epoll altogether, which would tell of a closed peer again and again */
    loop_fd_del(&f->line->fd);
}

void direct_resume(struct fetch *f)
{
    if (loop_fd_add(f->fetcher->loop, &f->line->fd) < 0)
        lose(f, FETCH_E_RESET);
}
