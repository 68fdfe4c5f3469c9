/* guard.c: see guard.h. Addresses are judged as 128 bits, IPv4 as ::ffff:a.b.c.d, against tables of
 * blocks; the IANA special-purpose registries (RFC 6890) are the source of the tables. */
#include "fetch/guard.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "base/bounds.h"
#include "base/err.h"

struct block {
    uint8_t ip[16];
    uint8_t bits;
};

#define V4(a, b, c, d, n)                                                \
    {                                                                    \
        {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, a, b, c, d}, 96 + (n) \
    }
#define V6(a, b, c, d, n)                                                                     \
    {                                                                                         \
        {(a) >> 8, (a)&0xff, (b) >> 8, (b)&0xff, (c) >> 8, (c)&0xff, (d) >> 8, (d)&0xff}, (n) \
    }

/* Never reached, whoever asks: this host by no address, link-local with the metadata services, the
 * clouds' metadata services that stand elsewhere, multicast and reserved, tunnels that would carry
 * an IPv4 address past the rules. */
static const struct block always_denied[] = {
    V4(0, 0, 0, 0, 8),
    V4(169, 254, 0, 0, 16),
    V4(100, 100, 100, 200, 32), /* Alibaba */
    V4(168, 63, 129, 16, 32),   /* Azure */
    V4(192, 0, 0, 192, 32),     /* Oracle */
    V4(224, 0, 0, 0, 3),
    V6(0xfe80, 0, 0, 0, 10),
    V6(0xff00, 0, 0, 0, 8),
    V6(0x2002, 0, 0, 0, 16),                                   /* 6to4 */
    V6(0x2001, 0, 0, 0, 32),                                   /* Teredo */
    {{0xfd, 0x00, 0x0e, 0xc2, [15] = 0x54, [14] = 0x02}, 128}, /* AWS, fd00:ec2::254 */
    {{0xfd, 0x20, 0x00, 0xce, [15] = 0x54, [14] = 0x02}, 128}, /* Google, fd20:ce::254 */
};

/* Not globally routable; only an operator's own account may go there. */
static const struct block private_v4[] = {
    V4(10, 0, 0, 0, 8),    V4(100, 64, 0, 0, 10),   V4(127, 0, 0, 0, 8),    V4(172, 16, 0, 0, 12),
    V4(192, 0, 0, 0, 24),  V4(192, 0, 2, 0, 24),    V4(192, 88, 99, 0, 24), V4(192, 168, 0, 0, 16),
    V4(198, 18, 0, 0, 15), V4(198, 51, 100, 0, 24), V4(203, 0, 113, 0, 24),
};
static const struct block mapped_v4[] = {V4(0, 0, 0, 0, 0)};
static const struct block nat64[] = {{{0x00, 0x64, 0xff, 0x9b}, 96}};
static const struct block loopback_v4[] = {V4(127, 0, 0, 0, 8)};
static const struct block loopback_v6[] = {{{[15] = 1}, 128}};
/* IPv6 below ::/8 holds the unspecified address and the old IPv4-compatible forms. */
static const struct block low_v6[] = {{{0}, 8}};
static const struct block global_v6[] = {V6(0x2000, 0, 0, 0, 3)};
static const struct block special_v6[] = {
    V6(0x2001, 0, 0, 0, 23),
    V6(0x2001, 0x0db8, 0, 0, 32),
    V6(0x3fff, 0, 0, 0, 20),
};

struct forbidden {
    uint8_t ip[16];
    unsigned port;
};
/* Written by guard_forbid before the loops run, only read after. */
static struct forbidden forbidden[BOUND_FORBIDDEN_ADDRESSES];
static size_t n_forbidden;

static bool block_has(const struct block *b, const uint8_t ip[16])
{
    size_t whole = b->bits / 8;
    unsigned rest = b->bits % 8;

    if (memcmp(b->ip, ip, whole) != 0)
        return false;
    return !rest || (b->ip[whole] ^ ip[whole]) >> (8 - rest) == 0;
}

#define IN(blocks, ip) in_blocks((blocks), ARRAY_LEN(blocks), (ip))
static bool in_blocks(const struct block *blocks, size_t n, const uint8_t ip[16])
{
    for (size_t i = 0; i < n; i++)
        if (block_has(&blocks[i], ip))
            return true;
    return false;
}

/* False for anything but IPv4 and IPv6. */
static bool address_bytes(const struct sockaddr *address, uint8_t ret_ip[16], unsigned *ret_port)
{
    if (address->sa_family == AF_INET) {
        const struct sockaddr_in *in = (const struct sockaddr_in *)address;

        memset(ret_ip, 0, 10);
        memset(ret_ip + 10, 0xff, 2);
        memcpy(ret_ip + 12, &in->sin_addr, 4);
        *ret_port = ntohs(in->sin_port);
        return true;
    }
    if (address->sa_family == AF_INET6) {
        const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)address;

        memcpy(ret_ip, &in6->sin6_addr, 16);
        *ret_port = ntohs(in6->sin6_port);
        return true;
    }
    return false;
}

static bool is_loopback(const uint8_t ip[16])
{
    return IN(loopback_v6, ip) || IN(loopback_v4, ip);
}

/* All of 127/8 and ::1 count as one: a server that listens on every address answers on each. */
static bool is_forbidden(const uint8_t ip[16], unsigned port)
{
    for (size_t i = 0; i < n_forbidden; i++) {
        if (forbidden[i].port != port)
            continue;
        if (memcmp(forbidden[i].ip, ip, 16) == 0 ||
            (is_loopback(forbidden[i].ip) && is_loopback(ip)))
            return true;
    }
    return false;
}

static bool allowed(enum guard_network network, const uint8_t ip[16])
{
    if (IN(always_denied, ip))
        return false;
    if (IN(mapped_v4, ip))
        return network == GUARD_PRIVATE || !IN(private_v4, ip);
    if (IN(nat64, ip)) { /* RFC 6052: the IPv4 address stands in the last 32 bits */
        uint8_t inner[16] = {[10] = 0xff, [11] = 0xff};

        memcpy(inner + 12, ip + 12, 4);
        return !IN(always_denied, inner) && (network == GUARD_PRIVATE || !IN(private_v4, inner));
    }
    if (network == GUARD_PRIVATE)
        return IN(loopback_v6, ip) || !IN(low_v6, ip);
    return IN(global_v6, ip) && !IN(special_v6, ip);
}

bool guard_address(enum guard_network network, const struct sockaddr *address)
{
    uint8_t ip[16];
    unsigned port;

    if (!address_bytes(address, ip, &port))
        return false;
    return !is_forbidden(ip, port) && allowed(network, ip);
}

int guard_forbid(const char *host, unsigned port)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    struct addrinfo *found;
    int r = 0;

    if (host[0] == '/' || host[0] == '@' || host[0] == '\0')
        return GUARD_FORBID_OK;
    if (getaddrinfo(host, NULL, &hints, &found) != 0)
        return GUARD_FORBID_E_HOST;
    for (struct addrinfo *a = found; a; a = a->ai_next) {
        struct forbidden one = {.port = port};
        unsigned unused;

        if (!address_bytes(a->ai_addr, one.ip, &unused) || is_forbidden(one.ip, port))
            continue;
        if (n_forbidden == ARRAY_LEN(forbidden)) {
            r = err_origin(-ENOSPC);
            break;
        }
        forbidden[n_forbidden++] = one;
    }
    freeaddrinfo(found);
    return r;
}

static void url_freep(CURLU **u)
{
    curl_url_cleanup(*u);
}

static void text_freep(char **p)
{
    curl_free(*p);
}

static int check_scheme(CURLU *u, enum guard_network network)
{
    _cleanup_(text_freep) char *scheme = NULL;

    if (curl_url_get(u, CURLUPART_SCHEME, &scheme, 0) != CURLUE_OK)
        return GUARD_E_SYNTAX;
    if (strcmp(scheme, "https") == 0)
        return GUARD_OK;
    return network == GUARD_PRIVATE && strcmp(scheme, "http") == 0 ? GUARD_OK : GUARD_E_SCHEME;
}

static int check_port(CURLU *u, enum guard_network network)
{
    _cleanup_(text_freep) char *text = NULL;
    uint64_t port;

    if (curl_url_get(u, CURLUPART_PORT, &text, CURLU_DEFAULT_PORT) != CURLUE_OK ||
        str_u64(str_c(text), &port) != STR_OK || port == 0)
        return GUARD_E_PORT;
    if (network == GUARD_PRIVATE || port == 443 || (port >= 8000 && port <= 9999))
        return GUARD_OK;
    return GUARD_E_PORT;
}

/* True for a segment "." or "..", also where its points are percent-encoded. */
static bool dots_only(struct str segment)
{
    size_t dots = 0;

    while (segment.n) {
        size_t n = segment.p[0] == '.' ? 1 : 3;

        if (n == 3 && !(segment.n >= 3 && str_ieq(str_n(segment.p, 3), STR("%2e"))))
            return false;
        segment.p += n;
        segment.n -= n;
        dots++;
    }
    return dots == 1 || dots == 2;
}

static bool path_is_plain(struct str path)
{
    struct str segment;

    while (str_split(&path, '/', &segment))
        if (dots_only(segment))
            return false;
    return true;
}

static bool has_part(CURLU *u, CURLUPart part)
{
    _cleanup_(text_freep) char *text = NULL;

    return curl_url_get(u, part, &text, 0) == CURLUE_OK;
}

static int check_path(CURLU *u)
{
    _cleanup_(text_freep) char *path = NULL;

    if (curl_url_get(u, CURLUPART_PATH, &path, 0) != CURLUE_OK)
        return GUARD_E_SYNTAX;
    return path_is_plain(str_c(path)) ? GUARD_OK : GUARD_E_PATH;
}

static int check_bytes(struct str url)
{
    if (url.n == 0 || url.n > BOUND_URL_BYTES)
        return GUARD_E_SYNTAX;
    for (size_t i = 0; i < url.n; i++) {
        unsigned char c = (unsigned char)url.p[i];

        if (c == '\\' || c == '#') /* also an empty fragment, which libcurl does not tell */
            return GUARD_E_PATH;
        if (c <= ' ' || c >= 0x7f)
            return GUARD_E_SYNTAX;
    }
    return GUARD_OK;
}

/* libcurl takes one slash or three behind the scheme for two; here a URL is spelled as it is meant. */
static bool spelled_out(struct str url)
{
    ssize_t colon = str_find(url, ':');
    struct str rest = str_n(url.p + colon + 1, url.n - (size_t)(colon + 1));

    return colon > 0 && str_starts(rest, STR("//")) && !str_starts(rest, STR("///"));
}

int guard_url(enum guard_network network, struct str url)
{
    _cleanup_(url_freep) CURLU *u = curl_url();
    _cleanup_(freep) char *text = strndup(url.p ? url.p : "", url.n);
    int r = check_bytes(url);

    if (!u || !text)
        return err_origin(-ENOMEM);
    if (r != GUARD_OK)
        return r;
    if (curl_url_set(u, CURLUPART_URL, text, CURLU_PATH_AS_IS | CURLU_NON_SUPPORT_SCHEME) !=
        CURLUE_OK)
        return GUARD_E_SYNTAX;
    r = check_scheme(u, network);
    if (r == GUARD_OK && !spelled_out(url))
        r = GUARD_E_SYNTAX;
    if (r == GUARD_OK && (has_part(u, CURLUPART_USER) || has_part(u, CURLUPART_PASSWORD)))
        r = GUARD_E_USERINFO;
    if (r == GUARD_OK)
        r = check_port(u, network);
    return r == GUARD_OK ? check_path(u) : r;
}

const char *guard_reason(int outcome)
{
    static const char *const sentences[] = {
        [GUARD_OK] = "The address is fine.",
        [GUARD_E_SYNTAX] = "This is not a URL.",
        [GUARD_E_SCHEME] = "The URL must begin with https:// (http:// only for a private network).",
        [GUARD_E_USERINFO] = "The URL must not hold a user name or password.",
        [GUARD_E_PORT] = "The port must be 443 or 8000 to 9999 (others for a private network).",
        [GUARD_E_PATH] = "The URL must not hold '..', a backslash or a fragment.",
    };

    assert(outcome >= 0);
    assert((size_t)outcome < ARRAY_LEN(sentences));
    return sentences[outcome];
}
