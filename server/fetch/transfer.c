/* transfer.c: one easy handle: what it is told, what it tells, and what its end means. */
#include "fetch/transfer.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "base/bounds.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "fetch/direct.h"

enum { READ_BYTES = KIB(16) };

/* libcurl hands on what OpenSSL found, as its X509_V_ERR codes. The first is what it puts there before:
 * names are compared before it asks OpenSSL. */
enum { CERT_NOT_ASKED = 1, CERT_NOT_YET_VALID = 9, CERT_EXPIRED = 10 };

/* What frames the message or steers the connection is libcurl's alone. */
static bool is_ours(const char *name)
{
    static const struct str names[] = {
        STR("host"),   STR("content-length"), STR("transfer-encoding"),
        STR("expect"), STR("connection"),     STR("upgrade"),
        STR("te"),     STR("trailer"),        STR("keep-alive"),
        STR("proxy-connection")};
    struct str s = str_c(name);

    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (s.n == names[i].n && str_ieq(s, names[i]))
            return true;
    return false;
}

static int check_headers(const struct fetch_request *request)
{
    for (size_t i = 0; i < request->header_count; i++) {
        const struct fetch_header *h = &request->headers[i];

        if (!str_is_token(str_c(h->name)) || is_ours(h->name) || !str_is_field(h->value) ||
            !str_is_ascii(h->value))
            return FETCH_START_E_HEADER;
    }
    return FETCH_START_OK;
}

static int add_line(struct fetch *f, const char *line)
{
    struct curl_slist *longer = curl_slist_append(f->headers, line);

    if (!longer)
        return err_origin(-ENOMEM);
    f->headers = longer;
    return 0;
}

static int add_header(struct fetch *f, const struct fetch_header *h)
{
    struct buf line;
    int r;

    buf_init(&line, BOUND_HEAD_BYTES);
    buf_puts(&line, h->name);
    buf_puts(&line, h->value.n ? ": " : ";"); /* libcurl's way to write an empty one */
    buf_put_str(&line, h->value);
    buf_putc(&line, '\0');
    r = buf_finish(&line) == -EMSGSIZE ? FETCH_START_E_HEADER : buf_finish(&line);
    if (!r)
        r = add_line(f, line.p);
    buf_done(&line);
    return r < 0 ? err_trace(r) : r;
}

static int add_headers(struct fetch *f, const struct fetch_request *request)
{
    bool has_type = false;
    int r = add_line(f, "Expect:");

    for (size_t i = 0; r == 0 && i < request->header_count; i++) {
        has_type = has_type || str_ieq(str_c(request->headers[i].name), STR("content-type"));
        r = add_header(f, &request->headers[i]);
    }
    if (r == 0 && !has_type)
        r = add_line(f, "Content-Type:"); /* libcurl would call any body a form */
    return r < 0 ? err_trace(r) : r;
}

/* One line of an answer's head, kept until the head is whole. False: too much of it. */
static bool keep_line(struct fetch *f, struct str line)
{
    if (!f->line_at)
        f->line_at = calloc(TRANSFER_HEADERS_MAX, sizeof(*f->line_at));
    if (!f->line_at || f->n_lines == TRANSFER_HEADERS_MAX)
        return false;
    f->line_at[f->n_lines++] = (uint32_t)f->head_text.n;
    buf_put_str(&f->head_text, line);
    buf_putc(&f->head_text, '\0');
    return buf_finish(&f->head_text) == 0;
}

/* Cuts "Name: value" into a lower-case name, NUL-terminated in place, and the value. */
static bool cut_header(char *line, struct fetch_header *ret)
{
    char *colon = strchr(line, ':');

    if (!colon)
        return false;
    *colon = '\0';
    for (char *c = line; c < colon; c++)
        if (*c >= 'A' && *c <= 'Z')
            *c = (char)(*c - 'A' + 'a');
    ret->name = line;
    ret->value = str_trim(str_c(colon + 1));
    return true;
}

static void deliver_head(struct fetch *f, int status)
{
    struct fetch_header headers[TRANSFER_HEADERS_MAX];
    struct fetch_head head = {.status = status, .headers = headers};

    for (size_t i = 0; i < f->n_lines; i++) {
        struct fetch_header *h = &headers[head.header_count];

        if (!cut_header(f->head_text.p + f->line_at[i], h))
            continue;
        if (strcmp(h->name, "content-type") == 0)
            head.content_type = h->value;
        head.header_count++;
    }
    f->head_done = true;
    f->callbacks.head(f, &head, f->ctx);
}

void transfer_sent(struct fetch *f)
{
    if (f->fault == FETCH_E_BLOCKED) /* another address of the name was refused before */
        f->fault = FETCH_DONE;
    f->phase = TRANSFER_WAITING;
    f->phase_ms = loop_now_ms(f->fetcher->loop);
    f->timing.sent_mono_ns = clock_mono_ns();
    transfer_arm(f);
}

void transfer_heard(struct fetch *f)
{
    f->phase_ms = loop_now_ms(f->fetcher->loop);
    if (f->phase == TRANSFER_READING)
        return;
    f->phase = TRANSFER_READING;
    f->timing.first_byte_mono_ns = clock_mono_ns();
    transfer_arm(f);
}

static size_t on_header(char *p, size_t size, size_t n, void *fetch)
{
    struct fetch *f = fetch;
    struct str line = str_n(p, size * n);
    long status = 0;

    if (f->over)
        return 0;
    transfer_heard(f);
    if (f->head_done) /* trailers */
        return line.n;
    if (str_starts(line, STR("HTTP/"))) {
        buf_reset(&f->head_text);
        f->n_lines = 0;
        return line.n;
    }
    if (str_trim(line).n) {
        if (keep_line(f, line))
            return line.n;
        f->fault = FETCH_E_PROTOCOL;
        return 0;
    }
    (void)curl_easy_getinfo(f->easy, CURLINFO_RESPONSE_CODE, &status);
    if (status >= 200)
        deliver_head(f, (int)status);
    return f->over ? 0 : line.n;
}

static size_t on_body(char *p, size_t size, size_t n, void *fetch)
{
    struct fetch *f = fetch;
    struct str bytes = str_n(p, size * n);

    if (f->over)
        return 0;
    if (f->pausing) {
        f->paused = true;
        return CURL_WRITEFUNC_PAUSE;
    }
    f->phase_ms = loop_now_ms(f->fetcher->loop);
    if (bytes.n > f->reply_max - f->reply_bytes) {
        f->fault = FETCH_E_TOO_LARGE;
        return 0;
    }
    f->reply_bytes += bytes.n;
    f->pausing = !f->callbacks.chunk(f, bytes, f->ctx);
    return f->over ? 0 : bytes.n;
}

/* The connection is ready. A kept one may have been opened under other rules than this fetch's. */
static int on_connected(void *fetch, char *remote_ip, char *local_ip, int remote_port,
                        int local_port)
{
    struct fetch *f = fetch;
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    } to = {0};
    bool known = true;

    (void)local_ip, (void)local_port;
    if (inet_pton(AF_INET, remote_ip, &to.v4.sin_addr) == 1) {
        to.v4.sin_family = AF_INET;
        to.v4.sin_port = htons((uint16_t)remote_port);
    } else if (inet_pton(AF_INET6, remote_ip, &to.v6.sin6_addr) == 1) {
        to.v6.sin6_family = AF_INET6;
        to.v6.sin6_port = htons((uint16_t)remote_port);
    } else {
        known = false;
    }
    if (!known || !guard_address(f->network, &to.any)) {
        f->fault = FETCH_E_BLOCKED;
        return CURL_PREREQFUNC_ABORT;
    }
    transfer_sent(f);
    return CURL_PREREQFUNC_OK;
}

#define SET(option, value) ok = ok && curl_easy_setopt(f->easy, (option), (value)) == CURLE_OK

static bool set_rules(struct fetch *f)
{
    const char *protocols = f->network == GUARD_PRIVATE ? "http,https" : "https";
    bool ok = true;

    SET(CURLOPT_PROTOCOLS_STR, protocols);
    SET(CURLOPT_REDIR_PROTOCOLS_STR, protocols);
    SET(CURLOPT_FOLLOWLOCATION, 0L);
    SET(CURLOPT_PROXY, "");
    SET(CURLOPT_NOPROXY, "*");
    SET(CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
    SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    SET(CURLOPT_SSL_VERIFYPEER, 1L);
    SET(CURLOPT_SSL_VERIFYHOST, 2L);
    SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    if (trust_file()) /* the directory of the system's stays in use */
        SET(CURLOPT_CAINFO, trust_file());
    SET(CURLOPT_NOSIGNAL, 1L);
    SET(CURLOPT_QUICK_EXIT, 1L); /* or a look-up under way would be waited for at its cancel */
    SET(CURLOPT_TCP_NODELAY, 1L);
    SET(CURLOPT_TCP_KEEPALIVE, 1L);
    SET(CURLOPT_MAXAGE_CONN, (long)TRANSFER_KEPT_S);
    SET(CURLOPT_BUFFERSIZE, (long)READ_BYTES);
    SET(CURLOPT_HTTP_CONTENT_DECODING, 0L);
    SET(CURLOPT_USERAGENT, "tollgate/" TOLLGATE_VERSION);
    return ok;
}

static bool set_callbacks(struct fetch *f)
{
    bool ok = true;

    SET(CURLOPT_PRIVATE, f);
    SET(CURLOPT_HEADERFUNCTION, on_header);
    SET(CURLOPT_HEADERDATA, f);
    SET(CURLOPT_WRITEFUNCTION, on_body);
    SET(CURLOPT_WRITEDATA, f);
    SET(CURLOPT_PREREQFUNCTION, on_connected);
    SET(CURLOPT_PREREQDATA, f);
    SET(CURLOPT_OPENSOCKETFUNCTION, watch_open);
    SET(CURLOPT_OPENSOCKETDATA, f);
    SET(CURLOPT_CLOSESOCKETFUNCTION, watch_close);
    SET(CURLOPT_CLOSESOCKETDATA, f->fetcher);
    return ok;
}

/* libcurl takes a body in one piece. */
static bool gather_body(struct fetch *f, const struct fetch_request *request, struct str *ret)
{
    *ret = request->body;
    if (!request->n_pieces)
        return true;
    buf_init(&f->out, SIZE_MAX);
    for (size_t i = 0; i < request->n_pieces; i++)
        buf_put_str(&f->out, request->pieces[i]);
    *ret = buf_str(&f->out);
    return !buf_finish(&f->out);
}

static bool set_request(struct fetch *f, const struct fetch_request *request)
{
    struct str body;
    bool ok = gather_body(f, request, &body);

    SET(CURLOPT_PATH_AS_IS, 1L);
    SET(CURLOPT_URL, request->url);
    SET(CURLOPT_HTTPHEADER, f->headers);
    if (request->connect_timeout_ms) /* so that libcurl goes on to a name's next address in time */
        SET(CURLOPT_CONNECTTIMEOUT_MS, (long)request->connect_timeout_ms);
    if (body.p || strcmp(request->method, "POST") == 0) {
        SET(CURLOPT_POST, 1L);
        SET(CURLOPT_POSTFIELDS, body.p ? body.p : "");
        SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body.n);
    } else if (strcmp(request->method, "HEAD") == 0) {
        SET(CURLOPT_NOBODY, 1L);
    }
    SET(CURLOPT_CUSTOMREQUEST, request->method);
    return ok;
}

static int set_all(struct fetch *f, const struct fetch_request *request)
{
    int r = add_headers(f, request);

    if (r)
        return r < 0 ? err_trace(r) : r;
    f->easy = transfer_take_easy(f->fetcher);
    if (!f->easy || !set_rules(f) || !set_callbacks(f) || !set_request(f, request))
        return err_origin(-ENOMEM);
    return FETCH_START_OK;
}

int transfer_connect_only(struct fetch *f, const char *url)
{
    bool ok = true;

    f->easy = transfer_take_easy(f->fetcher);
    if (!f->easy || !set_rules(f) || !set_callbacks(f))
        return err_origin(-ENOMEM);
    SET(CURLOPT_PREREQFUNCTION, NULL); /* line_made() looks at the address */
    SET(CURLOPT_CONNECT_ONLY, 1L);
    SET(CURLOPT_URL, url);
    if (f->connect_timeout_ms)
        SET(CURLOPT_CONNECTTIMEOUT_MS, (long)f->connect_timeout_ms);
    return ok ? 0 : err_origin(-ENOMEM);
}

static int check_url(struct fetcher *f, const struct fetch_request *request)
{
    struct approved *known;
    uint32_t sum = 0;
    int r;

    for (const char *c = request->url; *c; c++)
        sum = sum * 31 + (unsigned char)*c;
    known = &f->approved[sum % TRANSFER_URLS_KNOWN];
    if (known->url && known->network == request->network && strcmp(known->url, request->url) == 0)
        return GUARD_OK;
    r = guard_url(request->network, str_c(request->url));
    if (r)
        return r < 0 ? err_trace(r) : r;
    free(known->url);
    known->url = strdup(request->url);
    known->network = request->network;
    return GUARD_OK;
}

int transfer_prepare(struct fetch *f, const struct fetch_request *request)
{
    int r = check_url(f->fetcher, request);

    if (r)
        return r < 0 ? err_trace(r) : FETCH_START_E_URL;
    if (!str_is_token(str_c(request->method)) || check_headers(request))
        return FETCH_START_E_HEADER;
    f->network = request->network;
    f->connect_timeout_ms = request->connect_timeout_ms;
    f->first_byte_timeout_ms = request->first_byte_timeout_ms;
    f->idle_timeout_ms = request->idle_timeout_ms;
    f->total_timeout_ms = request->total_timeout_ms;
    f->reply_max = request->reply_max;
    buf_init(&f->head_text, TRANSFER_HEAD_BYTES_MAX);
    return direct_is_for(f->fetcher, request) ? direct_prepare(f, request) : set_all(f, request);
}

static enum fetch_fault certificate_fault(const struct fetch *f)
{
    long found = 0;

    (void)curl_easy_getinfo(f->easy, CURLINFO_SSL_VERIFYRESULT, &found);
    if (found == CERT_EXPIRED || found == CERT_NOT_YET_VALID)
        return FETCH_E_TLS_EXPIRED;
    return found == CERT_NOT_ASKED || !found ? FETCH_E_TLS_HOST : FETCH_E_TLS_UNTRUSTED;
}

enum fetch_fault transfer_fault(const struct fetch *f, CURLcode code)
{
    if (f->fault != FETCH_DONE)
        return f->fault;
    switch ((int)code) {
    case CURLE_OK:
        return f->head_done ? FETCH_DONE : FETCH_E_PROTOCOL;
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_CONNECT:
        return FETCH_E_CONNECT;
    case CURLE_OPERATION_TIMEDOUT:
        return FETCH_E_TIMEOUT_CONNECT;
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER:
        return FETCH_E_TLS;
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_INVALIDCERTSTATUS:
        return FETCH_E_TLS_UNTRUSTED;
    case CURLE_PEER_FAILED_VERIFICATION:
        return certificate_fault(f);
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
    case CURLE_GOT_NOTHING:
        return FETCH_E_RESET;
    default:
        return f->timing.sent_mono_ns ? FETCH_E_PROTOCOL : FETCH_E_CONNECT;
    }
}

int64_t transfer_deadline_ms(const struct fetch *f, enum fetch_fault *ret_fault)
{
    const struct {
        int timeout_ms;
        enum fetch_fault fault;
    } by_phase[] = {
        [TRANSFER_CONNECTING] = {f->connect_timeout_ms, FETCH_E_TIMEOUT_CONNECT},
        [TRANSFER_WAITING] = {f->first_byte_timeout_ms, FETCH_E_TIMEOUT_FIRST_BYTE},
        [TRANSFER_READING] = {f->pausing ? 0 : f->idle_timeout_ms, FETCH_E_TIMEOUT_IDLE},
    };
    int timeout_ms = by_phase[f->phase].timeout_ms;
    int64_t at_ms = timeout_ms ? f->phase_ms + timeout_ms : INT64_MAX;

    *ret_fault = by_phase[f->phase].fault;
    if (f->total_timeout_ms && f->start_ms + f->total_timeout_ms <= at_ms) {
        at_ms = f->start_ms + f->total_timeout_ms;
        *ret_fault = FETCH_E_TIMEOUT_TOTAL;
    }
    return at_ms;
}

void transfer_arm(struct fetch *f)
{
    enum fetch_fault unused;
    int64_t at_ms = transfer_deadline_ms(f, &unused);

    if (at_ms == INT64_MAX)
        loop_timer_clear(&f->deadline);
    else if (loop_timer_set(f->fetcher->loop, &f->deadline, at_ms) < 0)
        log_error("fetch_deadline_lost", "at_ms=%lld", (long long)at_ms);
}
