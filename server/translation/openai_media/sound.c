/* sound.c: see sound.h.
 *
 * Sources: RFC 9639 (FLAC), RFC 3533 and 7845 (Ogg, Opus), RIFF/WAVE, ISO 11172-3 and 13818-3 (MPEG
 * audio), ISO 14496-12 (MP4, `mvhd`), ISO 14496-3 (ADTS). */
#include "translation/openai_media/sound.h"

#include "base/bounds.h"

/* 192 kHz, 24 bits, two channels: the most that recorders write. */
enum { RAW_BYTES_PER_S = 1152000, OPUS_RATE = 48000 };
#define TIME_RATE UINT64_C(28224000) /* a multiple of all that frames of MPEG and AAC can have */

static uint64_t big(const char *p, size_t n)
{
    uint64_t v = 0;

    for (size_t i = 0; i < n; i++)
        v = v << 8 | (unsigned char)p[i];
    return v;
}

static uint64_t little(const char *p, size_t n)
{
    uint64_t v = 0;

    for (size_t i = n; i > 0; i--)
        v = v << 8 | (unsigned char)p[i - 1];
    return v;
}

static struct str after(struct str s, size_t n)
{
    return str_n(s.p + n, s.n - n);
}

/* samples / rate in milliseconds, rounded up; < 0: out of all bounds. */
static int64_t ms_of(uint64_t samples, uint64_t rate)
{
    uint64_t most = (uint64_t)BOUND_USAGE_QUANTITY;

    if (!rate || samples / rate >= most)
        return -1;
    return (int64_t)(samples / rate * 1000 + (samples % rate * 1000 + rate - 1) / rate);
}

static int64_t wav_ms(struct str s)
{
    uint64_t rate = 0;

    if (s.n < 12 || memcmp(s.p + 8, "WAVE", 4) != 0)
        return -1;
    for (s = after(s, 12); s.n >= 8;) {
        uint64_t size = little(s.p + 4, 4);

        if (memcmp(s.p, "fmt ", 4) == 0 && s.n >= 24)
            rate = little(s.p + 16, 4);
        if (memcmp(s.p, "data", 4) == 0) /* a stream's says 0 or all ones */
            return ms_of(s.n - 8, rate);
        size += size & 1;
        if (size > s.n - 8)
            return -1;
        s = after(s, 8 + (size_t)size);
    }
    return -1;
}

static int64_t flac_ms(struct str s)
{
    uint64_t samples;

    if (s.n < 42 || ((unsigned char)s.p[4] & 0x7f) != 0)
        return -1;
    samples = big(s.p + 21, 5) & ((UINT64_C(1) << 36) - 1);
    return samples ? ms_of(samples, big(s.p + 18, 3) >> 4) : -1;
}

/* The last page's position, in samples from the beginning. */
static bool ogg_position(struct str s, uint64_t *ret)
{
    for (size_t at = s.n < 14 ? 0 : s.n - 14; at > 0; at--)
        if (s.p[at] == 'O' && memcmp(s.p + at, "OggS", 4) == 0 &&
            big(s.p + at + 6, 8) != UINT64_MAX) {
            *ret = little(s.p + at + 6, 8);
            return true;
        }
    return false;
}

static int64_t ogg_ms(struct str s)
{
    uint64_t position, skip;

    if (s.n < 48 || !ogg_position(s, &position))
        return -1;
    if (memcmp(s.p + 28, "OpusHead", 8) == 0) {
        skip = little(s.p + 38, 2);
        return ms_of(position - MIN(position, skip), OPUS_RATE);
    }
    if (memcmp(s.p + 28, "\x01vorbis", 7) == 0)
        return ms_of(position, little(s.p + 40, 4));
    return -1;
}

/* An MPEG audio frame: its bytes, samples and rate. False: there is none here. */
static bool mpeg_frame(struct str s, size_t *ret_bytes, unsigned *ret_samples, unsigned *ret_rate)
{
    static const unsigned rates[3] = {44100, 48000, 32000};
    static const unsigned short kbit[2][3][16] = {
        {{0, 32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448, 0},
         {0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384, 0},
         {0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 0}},
        {{0, 32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256, 0},
         {0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160, 0},
         {0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160, 0}}};
    unsigned h, version, layer, kbits, rate;

    if (s.n < 4 || (unsigned char)s.p[0] != 0xff || ((unsigned char)s.p[1] & 0xe0) != 0xe0)
        return false;
    h = (unsigned)big(s.p, 4);
    version = h >> 19 & 3; /* 3: 1, 2: 2, 0: 2.5 */
    layer = 4 - (h >> 17 & 3);
    if (version == 1 || layer == 4 || (h >> 10 & 3) == 3)
        return false;
    kbits = kbit[version != 3][layer - 1][h >> 12 & 15];
    if (!kbits)
        return false;
    rate = rates[h >> 10 & 3] >> (version == 3 ? 0 : version == 2 ? 1 : 2);
    *ret_rate = rate;
    *ret_samples = layer == 1 ? 384 : layer == 3 && version != 3 ? 576 : 1152;
    *ret_bytes = layer == 1 ? (size_t)(12 * kbits * 1000 / rate + (h >> 9 & 1)) * 4
                            : *ret_samples / 8 * kbits * 1000 / rate + (h >> 9 & 1);
    return *ret_bytes >= 4;
}

static bool adts_frame(struct str s, size_t *ret_bytes, unsigned *ret_samples, unsigned *ret_rate)
{
    static const unsigned rates[16] = {96000, 88200, 64000, 48000, 44100, 32000, 24000,
                                       22050, 16000, 12000, 11025, 8000,  7350};

    if (s.n < 7 || (unsigned char)s.p[0] != 0xff || ((unsigned char)s.p[1] & 0xf6) != 0xf0)
        return false;
    *ret_rate = rates[(unsigned char)s.p[2] >> 2 & 15];
    *ret_bytes = big(s.p + 3, 3) >> 5 & 0x1fff;
    *ret_samples = 1024 * (((unsigned char)s.p[6] & 3) + 1);
    return *ret_rate && *ret_bytes >= 7;
}

/* ID3v2 tags, which hold titles and pictures. */
static struct str without_tag(struct str s)
{
    size_t size;

    if (s.n < 10 || memcmp(s.p, "ID3", 3) != 0)
        return s;
    size = 10 + (big(s.p + 6, 1) << 21 | big(s.p + 7, 1) << 14 | big(s.p + 8, 1) << 7 |
                 big(s.p + 9, 1));
    return after(s, MIN(size, s.n));
}

/* All frames, one after the other; what is none of them is stepped over byte by byte. */
static int64_t frames_ms(struct str s)
{
    uint64_t time = 0; /* in parts of a second that all rates divide */
    size_t frames = 0;

    for (s = without_tag(s); s.n >= 4;) {
        unsigned samples, rate;
        size_t bytes;

        if (!adts_frame(s, &bytes, &samples, &rate) && !mpeg_frame(s, &bytes, &samples, &rate)) {
            if (!frames)
                return -1; /* it is something else */
            s = after(s, 1);
            continue;
        }
        time += samples * (TIME_RATE / rate);
        frames++;
        s = after(s, MIN(bytes, s.n));
    }
    return frames ? ms_of(time, TIME_RATE) : -1;
}

/* The box of that name in s; its inside. p NULL: there is none. */
static struct str box_in(struct str s, const char *name)
{
    while (s.n >= 8) {
        uint64_t size = big(s.p, 4), head = 8;

        if (size == 1 && s.n >= 16) {
            size = big(s.p + 8, 8);
            head = 16;
        }
        if (size == 0)
            size = s.n;
        if (size < head || size > s.n)
            return STR_NONE;
        if (memcmp(s.p + 4, name, 4) == 0)
            return str_n(s.p + head, (size_t)(size - head));
        s = after(s, (size_t)size);
    }
    return STR_NONE;
}

static int64_t mp4_ms(struct str s)
{
    struct str moov = box_in(s, "moov"), head = moov.p ? box_in(moov, "mvhd") : STR_NONE;

    if (!head.p || head.n < 32)
        return -1;
    if (head.p[0] == 1)
        return ms_of(big(head.p + 24, 8), big(head.p + 20, 4));
    return ms_of(big(head.p + 16, 4), big(head.p + 12, 4));
}

static int64_t told_ms(struct str s)
{
    if (s.n < 12)
        return -1;
    if (memcmp(s.p, "RIFF", 4) == 0)
        return wav_ms(s);
    if (memcmp(s.p, "fLaC", 4) == 0)
        return flac_ms(s);
    if (memcmp(s.p, "OggS", 4) == 0)
        return ogg_ms(s);
    if (memcmp(s.p + 4, "ftyp", 4) == 0)
        return mp4_ms(s);
    return frames_ms(s);
}

int64_t sound_length_ms(struct str file)
{
    int64_t told = told_ms(file);

    return told <= 0 ? -1 : MAX(told, (int64_t)((uint64_t)file.n * 1000 / RAW_BYTES_PER_S));
}
