/* sound_flac.c: FLAC (RFC 9639): every frame says how many samples it has (9.1), and is known by the check
 * of its header. The samples that STREAMINFO claims are nobody's measure. */
#include "translation/openai_media/sound_parts.h"

enum { STREAMINFO_END = 42, US = 1000000 };

struct flac_frame {
    uint64_t samples, rate;
};

/* x^8 + x^2 + x + 1, from 0; four bits at a time. */
static unsigned check(const char *p, size_t n)
{
    static const unsigned char of[16] = {0x00, 0x07, 0x0e, 0x09, 0x1c, 0x1b, 0x12, 0x15,
                                         0x38, 0x3f, 0x36, 0x31, 0x24, 0x23, 0x2a, 0x2d};
    unsigned crc = 0;

    for (size_t i = 0; i < n; i++) {
        crc ^= (unsigned char)p[i];
        crc = (crc << 4 & 0xff) ^ of[crc >> 4];
        crc = (crc << 4 & 0xff) ^ of[crc >> 4];
    }
    return crc;
}

/* The bytes of a number that is coded as UTF-8 has it, and on to 36 bits; 0: there is none. */
static size_t number_bytes(unsigned first)
{
    size_t n = 0;

    while (n < 7 && (first & 0x80 >> n))
        n++;
    return n == 0 ? 1 : n == 1 ? 0 : n;
}

/* Of the bytes behind the coded number, *n of them so far. */
static uint64_t next_number(struct str s, size_t bytes, size_t *n)
{
    uint64_t v = *n + bytes < s.n ? sound_big(s.p + *n, bytes) : 0;

    *n += bytes;
    return v;
}

static uint64_t block_size(struct str s, unsigned code, size_t *n)
{
    if (code == 1)
        return 192;
    if (code < 6)
        return UINT64_C(144) << code;
    if (code < 8)
        return next_number(s, code - 5, n) + 1;
    return UINT64_C(1) << code;
}

static uint64_t sample_rate(struct str s, unsigned code, uint64_t streaminfo, size_t *n)
{
    static const uint64_t rates[12] = {0,     88200, 176400, 192000, 8000,  16000,
                                       22050, 24000, 32000,  44100,  48000, 96000};

    if (code == 0)
        return streaminfo;
    if (code < 12)
        return rates[code];
    if (code == 12)
        return next_number(s, 1, n) * 1000;
    return next_number(s, 2, n) * (code == 14 ? 10 : 1);
}

static bool read_header(struct str s, uint64_t streaminfo, struct flac_frame *ret)
{
    unsigned codes, form;
    size_t n;

    if (s.n < 6 || ((unsigned char)s.p[1] & 0xfe) != 0xf8)
        return false;
    codes = (unsigned char)s.p[2];
    form = (unsigned char)s.p[3];
    n = number_bytes((unsigned char)s.p[4]);
    if (codes >> 4 == 0 || (codes & 15) == 15 || form >> 4 > 10 || (form >> 1 & 7) == 3 || form & 1 || !n)
        return false;
    n += 4;
    ret->samples = block_size(s, codes >> 4, &n);
    ret->rate = sample_rate(s, codes & 15, streaminfo, &n);
    return n < s.n && ret->rate && check(s.p, n) == (unsigned char)s.p[n];
}

struct sound_length sound_of_flac(struct str s)
{
    uint64_t rate, us = 0;
    struct flac_frame f;
    const char *at;
    int64_t ms;

    if (s.n < STREAMINFO_END || ((unsigned char)s.p[4] & 0x7f) != 0)
        return SOUND_UNKNOWN;
    rate = sound_big(s.p + 18, 3) >> 4;
    for (s = sound_after(s, STREAMINFO_END); (at = memchr(s.p, 0xff, s.n)); s = sound_after(s, 1)) {
        s = sound_after(s, (size_t)(at - s.p));
        if (read_header(s, rate, &f))
            us += (f.samples * US + f.rate - 1) / f.rate;
    }
    ms = sound_samples_ms(us, US);
    return (struct sound_length){ms, ms};
}
