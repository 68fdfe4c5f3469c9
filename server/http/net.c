/* net.c: addresses and blocks of request.h. IPv4 lives in ::ffff:0:0/96, so one comparison serves
 * both families. */
#include <arpa/inet.h>
#include <netinet/in.h>

#include "http/request.h"

static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};

static bool parse_ip(struct str text, uint8_t ret_ip[16])
{
    char z[NET_ADDRESS_TEXT];
    struct in_addr v4;

    if (text.n == 0 || text.n >= sizeof(z) || memchr(text.p, '\0', text.n))
        return false;
    memcpy(z, text.p, text.n);
    z[text.n] = '\0';
    if (inet_pton(AF_INET, z, &v4) == 1) {
        memcpy(ret_ip, mapped, sizeof(mapped));
        memcpy(ret_ip + 12, &v4, 4);
        return true;
    }
    return inet_pton(AF_INET6, z, ret_ip) == 1;
}

static bool parse_port(struct str text, uint16_t *ret)
{
    uint32_t port;

    if (str_u32(text, &port) != STR_OK || port > UINT16_MAX)
        return false;
    *ret = (uint16_t)port;
    return true;
}

/* "[v6]" or "[v6]:port" */
static bool parse_bracketed(struct str text, struct net_address *ret)
{
    ssize_t close = str_find(text, ']');

    if (close < 0 || !parse_ip(str_n(text.p + 1, (size_t)close - 1), ret->ip))
        return false;
    text.p += close + 1;
    text.n -= (size_t)close + 1;
    if (!text.n)
        return true;
    return text.p[0] == ':' && parse_port(str_n(text.p + 1, text.n - 1), &ret->port);
}

bool net_address_parse(struct str text, struct net_address *ret)
{
    struct net_address address = {0};
    ssize_t colon = str_find(text, ':');
    bool ok;

    if (text.n && text.p[0] == '[')
        ok = parse_bracketed(text, &address);
    else if (colon >= 0 && !memchr(text.p + colon + 1, ':', text.n - (size_t)colon - 1))
        ok = parse_ip(str_n(text.p, (size_t)colon), address.ip) &&
             parse_port(str_n(text.p + colon + 1, text.n - (size_t)colon - 1), &address.port);
    else
        ok = parse_ip(text, address.ip);
    if (ok)
        *ret = address;
    return ok;
}

/* Digits of a byte; returns the end. */
static char *put_byte(char *to, unsigned v)
{
    if (v >= 100)
        *to++ = (char)('0' + v / 100);
    if (v >= 10)
        *to++ = (char)('0' + v / 10 % 10);
    *to++ = (char)('0' + v % 10);
    return to;
}

/* As inet_ntop() writes it: each call's record has one, and printf is slow. */
static void put_v4(const uint8_t ip[4], char *to)
{
    for (int i = 0; i < 4; i++) {
        to = put_byte(to, ip[i]);
        *to++ = i < 3 ? '.' : '\0';
    }
}

void net_address_text(const struct net_address *a, char out[NET_ADDRESS_TEXT])
{
    const char *z = out;

    if (memcmp(a->ip, mapped, sizeof(mapped)) == 0)
        put_v4(a->ip + 12, out);
    else
        z = inet_ntop(AF_INET6, a->ip, out, NET_ADDRESS_TEXT);
    assert(z);
}

/* Bits below the prefix are cut off, so that "10.1.2.3/8" is the block of 10.0.0.0. */
static void clear_host_bits(struct net_block *b)
{
    for (unsigned bit = b->bits; bit < 128; bit++)
        b->ip[bit / 8] &= (uint8_t) ~(0x80u >> bit % 8);
}

bool net_block_parse(struct str text, struct net_block *ret)
{
    ssize_t slash = str_find(text, '/');
    struct str ip = slash < 0 ? text : str_n(text.p, (size_t)slash);
    struct net_block block;
    uint32_t bits, most;

    if (!parse_ip(ip, block.ip))
        return false;
    most = str_find(ip, ':') < 0 ? 32 : 128;
    bits = most;
    if (slash >= 0 &&
        (str_u32(str_n(text.p + slash + 1, text.n - (size_t)slash - 1), &bits) || bits > most))
        return false;
    block.bits = (uint8_t)(128 - most + bits);
    clear_host_bits(&block);
    *ret = block;
    return true;
}

bool net_block_has(const struct net_block *b, const struct net_address *a)
{
    size_t whole = b->bits / 8;
    unsigned rest = b->bits % 8;

    if (memcmp(b->ip, a->ip, whole) != 0)
        return false;
    return !rest || (b->ip[whole] ^ a->ip[whole]) >> (8 - rest) == 0;
}
