/* crc.c: CRC-32C (RFC 3720 12.1), declared in digest.h: by the processor's own instruction where it has
 * one, else eight bytes at a time over eight tables that are made at first use. */
#include <pthread.h>

#include "base/digest.h"

#if defined(__x86_64__)
#include <immintrin.h>

static bool has_instruction(void)
{
    return __builtin_cpu_supports("sse4.2");
}

__attribute__((target("sse4.2"))) static uint32_t by_instruction(uint32_t crc, const uint8_t *b,
                                                                 size_t n)
{
    uint64_t eight, sum = crc;

    for (; n >= sizeof(eight); n -= sizeof(eight), b += sizeof(eight)) {
        memcpy(&eight, b, sizeof(eight));
        sum = _mm_crc32_u64(sum, eight);
    }
    for (crc = (uint32_t)sum; n; n--, b++)
        crc = _mm_crc32_u8(crc, *b);
    return crc;
}

#else

static bool has_instruction(void)
{
    return false;
}

static uint32_t by_instruction(uint32_t crc, const uint8_t *b, size_t n)
{
    (void)b, (void)n;
    return crc;
}

#endif

enum { CRC32C_POLYNOMIAL = 0x82f63b78 }; /* reflected */

/* crc_table[k][v]: the remainder of byte v followed by k zero bytes. Written once, then read. */
static uint32_t crc_table[8][256];

static void make_crc_table(void)
{
    for (uint32_t v = 0; v < 256; v++) {
        uint32_t crc = v;

        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? (uint32_t)CRC32C_POLYNOMIAL : 0);
        crc_table[0][v] = crc;
    }
    for (size_t k = 1; k < 8; k++)
        for (size_t v = 0; v < 256; v++) {
            uint32_t before = crc_table[k - 1][v];

            crc_table[k][v] = before >> 8 ^ crc_table[0][before & 255];
        }
}

static uint32_t crc_eight(uint32_t crc, const uint8_t *p)
{
    return crc_table[7][p[0] ^ (crc & 255)] ^ crc_table[6][p[1] ^ (crc >> 8 & 255)] ^
           crc_table[5][p[2] ^ (crc >> 16 & 255)] ^ crc_table[4][p[3] ^ crc >> 24] ^
           crc_table[3][p[4]] ^ crc_table[2][p[5]] ^ crc_table[1][p[6]] ^ crc_table[0][p[7]];
}

uint32_t digest_crc32c_by_tables(uint32_t crc, const void *p, size_t n)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    const uint8_t *b = p;
    int r = pthread_once(&once, make_crc_table);

    assert(r == 0);
    crc = ~crc;
    for (; n >= 8; n -= 8, b += 8)
        crc = crc_eight(crc, b);
    for (; n; n--, b++)
        crc = crc >> 8 ^ crc_table[0][(crc ^ *b) & 255];
    return ~crc;
}

uint32_t digest_crc32c(uint32_t crc, const void *p, size_t n)
{
    return has_instruction() ? ~by_instruction(~crc, p, n) : digest_crc32c_by_tables(crc, p, n);
}
