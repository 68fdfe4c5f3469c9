/* sigv4.c: see sigv4.h. */
#include "providers/sigv4.h"

#include <errno.h>
#include <time.h>

#include "base/buf.h"
#include "base/digest.h"
#include "base/err.h"
#include "base/secret.h"

enum {
    DATE_SIZE = 17, /* "20261128T091500Z" */
    DAY_LENGTH = 8,
    QUERY_MAX = 16,
    CANONICAL_MAX = 32768,
    SECRET_MAX = 4096,
};
static const char algorithm[] = "AWS4-HMAC-SHA256";

/* A URL taken apart. */
struct parts {
    struct str host, path, query;
};

static struct parts take_apart(struct str url)
{
    struct parts p = {.path = STR("/"), .query = STR("")};
    bool tls = str_starts(url, STR("https://"));
    struct str rest = url, port = tls ? STR(":443") : STR(":80");
    ssize_t at = str_find(rest, ':');

    if (at >= 0 && str_starts(str_n(rest.p + at, rest.n - (size_t)at), STR("://")))
        rest = str_n(rest.p + at + 3, rest.n - (size_t)at - 3);
    at = str_find(rest, '?');
    if (at >= 0) {
        p.query = str_n(rest.p + at + 1, rest.n - (size_t)at - 1);
        rest.n = (size_t)at;
    }
    at = str_find(rest, '/');
    if (at >= 0) {
        p.path = str_n(rest.p + at, rest.n - (size_t)at);
        rest.n = (size_t)at;
    }
    if (str_ends(rest, port)) /* libcurl leaves the usual port out of Host */
        rest.n -= port.n;
    p.host = rest;
    return p;
}

static bool is_plain(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
           c == '-' || c == '.' || c == '_' || c == '~' || c == '/';
}

/* Encoded once more: what is percent-encoded already gets its sign of percent encoded. */
static void put_path(struct buf *out, struct str path)
{
    for (size_t i = 0; i < path.n; i++)
        if (is_plain(path.p[i]))
            buf_putc(out, path.p[i]);
        else
            buf_printf(out, "%%%02X", (unsigned)(unsigned char)path.p[i]);
}

static int compare(const void *a, const void *b)
{
    return str_cmp(*(const struct str *)a, *(const struct str *)b);
}

/* The pairs in order, each with a sign of equality. They are encoded already. */
static void put_query(struct buf *out, struct str query)
{
    struct str pair[QUERY_MAX];
    size_t n = 0;

    while (n < QUERY_MAX && str_split(&query, '&', &pair[n]))
        n += pair[n].n > 0;
    qsort(pair, n, sizeof(pair[0]), compare);
    for (size_t i = 0; i < n; i++) {
        if (i)
            buf_putc(out, '&');
        buf_put_str(out, pair[i]);
        if (str_find(pair[i], '=') < 0)
            buf_putc(out, '=');
    }
}

static void put_hex(struct buf *out, const struct digest *d)
{
    char hex[65];

    digest_hex(d, hex);
    buf_puts(out, hex);
}

static const char *signed_names(const struct sigv4_key *key)
{
    return key->session.n ? "host;x-amz-date;x-amz-security-token" : "host;x-amz-date";
}

static struct digest canonical(const struct sigv4_key *key, const struct sigv4_request *request,
                               const char *date, struct buf *out)
{
    struct parts url = take_apart(request->url);
    struct digest body = digest_sha256(request->body);

    buf_printf(out, "%s\n", request->method);
    put_path(out, url.path);
    buf_putc(out, '\n');
    put_query(out, url.query);
    buf_printf(out, "\nhost:%.*s\nx-amz-date:%s\n", STR_FMT(url.host), date);
    if (key->session.n)
        buf_printf(out, "x-amz-security-token:%.*s\n", STR_FMT(key->session));
    buf_printf(out, "\n%s\n", signed_names(key));
    put_hex(out, &body);
    return digest_sha256(buf_str(out));
}

static struct digest chained(const struct digest *under, struct str s)
{
    return digest_hmac_sha256(str_n((const char *)under->b, sizeof(under->b)), s);
}

/* The key of one day, region and service. */
static struct digest day_key(const struct sigv4_key *key, struct str day)
{
    char secret[SECRET_MAX + 4] = "AWS4";
    size_t n = MIN(key->secret.n, (size_t)SECRET_MAX);
    struct digest d;

    memcpy(secret + 4, key->secret.p, n);
    d = digest_hmac_sha256(str_n(secret, n + 4), day);
    secret_wipe(secret, sizeof(secret));
    d = chained(&d, key->region);
    d = chained(&d, key->service);
    return chained(&d, STR("aws4_request"));
}

static void date_of(int64_t now_us, char out[DATE_SIZE])
{
    time_t s = (time_t)(now_us / 1000000);
    struct tm tm = {0};

    (void)gmtime_r(&s, &tm);
    (void)strftime(out, DATE_SIZE, "%Y%m%dT%H%M%SZ", &tm);
}

int sigv4_sign(struct arena *a, const struct sigv4_key *key, const struct sigv4_request *request,
               struct sigv4_headers *ret)
{
    char date[DATE_SIZE], hex[65];
    struct digest of_request, under, signature;
    struct sigv4_headers h;
    struct str scope, text;
    struct buf out;

    date_of(request->now_us, date);
    scope = arena_strf(a, "%.*s/%.*s/%.*s/aws4_request", DAY_LENGTH, date, STR_FMT(key->region),
                       STR_FMT(key->service));
    buf_init(&out, CANONICAL_MAX);
    of_request = canonical(key, request, date, &out);
    if (!scope.p || buf_finish(&out) < 0) {
        buf_done(&out);
        return err_origin(-ENOMEM);
    }
    buf_done(&out);
    digest_hex(&of_request, hex);
    text = arena_strf(a, "%s\n%s\n%.*s\n%s", algorithm, date, STR_FMT(scope), hex);
    under = day_key(key, str_n(date, DAY_LENGTH));
    signature = chained(&under, text);
    secret_wipe(&under, sizeof(under));
    digest_hex(&signature, hex);
    h.date = arena_str(a, str_c(date));
    h.authorization =
        arena_strf(a, "%s Credential=%.*s/%.*s, SignedHeaders=%s, Signature=%s", algorithm,
                   STR_FMT(key->id), STR_FMT(scope), signed_names(key), hex);
    if (!text.p || !h.date.p || !h.authorization.p)
        return err_origin(-ENOMEM);
    *ret = h;
    return 0;
}
