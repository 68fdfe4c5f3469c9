/* Base URLs and the addresses behind them: a public URL is https without user, path tricks or odd
 * port; an address that stands for a private one in any form is not public. */
#include "fuzz.h"

#include <netinet/in.h>

#include "fetch/guard.h"

static void addresses(struct str in)
{
    struct sockaddr_in6 six = {.sin6_family = AF_INET6};
    struct sockaddr_in four = {.sin_family = AF_INET};
    struct str bytes = fuzz_take(&in, 16);
    const unsigned char *b = six.sin6_addr.s6_addr;

    memcpy(&six.sin6_addr, bytes.p, bytes.n);
    memcpy(&four.sin_addr, bytes.p, MIN(bytes.n, sizeof(four.sin_addr)));
    if (guard_address(GUARD_PUBLIC, (struct sockaddr *)&six))
        HOLDS((b[0] & 0xe0) == 0x20 || IN6_IS_ADDR_V4MAPPED(&six.sin6_addr) || b[1] == 0x64);
    if (guard_address(GUARD_PUBLIC, (struct sockaddr *)&four))
        HOLDS(b[0] != 0 && b[0] != 10 && b[0] != 127 && b[0] < 224 && !(b[0] == 169 && b[1] == 254) &&
              !(b[0] == 192 && b[1] == 168) && !(b[0] == 172 && (b[1] & 0xf0) == 16));
    if (!guard_address(GUARD_PRIVATE, (struct sockaddr *)&four))
        HOLDS(!guard_address(GUARD_PUBLIC, (struct sockaddr *)&four));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *copy = fuzz_copy(str_n((const char *)data, size));
    struct str in = {copy, size};
    int outcome = guard_url(GUARD_PUBLIC, in);

    if (outcome == GUARD_OK) {
        HOLDS(str_ieq(str_n(in.p, MIN(in.n, (size_t)8)), STR("https://")));
        struct str rest = {in.p + 8, in.n - 8}, path, host;

        str_split(&rest, '?', &path);
        str_split(&path, '/', &host);
        HOLDS(str_find(host, '@') < 0);
        HOLDS(str_find(in, '\\') < 0 && str_find(in, '#') < 0);
        HOLDS(!path.p || !memmem(path.p, path.n, "/../", 4));
        HOLDS(guard_url(GUARD_PRIVATE, in) == GUARD_OK);
    } else {
        HOLDS(guard_reason(outcome));
    }
    addresses(in);
    free(copy);
    return 0;
}
