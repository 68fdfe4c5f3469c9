/* sound.c: see sound.h.
 *
 * Sources: RIFF/WAVE (the Multimedia Programming Interface of 1991, and Microsoft's WAVEFORMATEXTENSIBLE);
 * its nAvgBytesPerSec is for buffers, and who plays samples of a fixed size does not look at it. */
#include "translation/openai_media/sound_parts.h"

#include "base/bounds.h"

/* 192 kHz, 24 bits, two channels: the most that recorders write. */
enum { RAW_BYTES_PER_S = 1152000 };

uint64_t sound_big(const char *p, size_t n)
{
    uint64_t v = 0;

    for (size_t i = 0; i < n; i++)
        v = v << 8 | (unsigned char)p[i];
    return v;
}

uint64_t sound_little(const char *p, size_t n)
{
    uint64_t v = 0;

    for (size_t i = n; i > 0; i--)
        v = v << 8 | (unsigned char)p[i - 1];
    return v;
}

int64_t sound_samples_ms(uint64_t samples, uint64_t rate)
{
    uint64_t most = (uint64_t)BOUND_USAGE_QUANTITY;

    if (!samples || !rate || samples / rate >= most)
        return -1;
    return (int64_t)(samples / rate * 1000 + (samples % rate * 1000 + rate - 1) / rate);
}

int64_t sound_bytes_ms(uint64_t bytes)
{
    return (int64_t)(MIN(bytes, (uint64_t)BOUND_USAGE_QUANTITY) * 1000 / SOUND_BYTES_PER_S_LEAST);
}

const char *sound_find(struct str s, const char *bytes, size_t n)
{
    return s.n < n ? NULL : memmem(s.p, s.n, bytes, n);
}

/* The fmt chunk, which has at least 16 bytes: what a second of its samples takes. 0: they have no fixed size. */
static uint64_t wav_rate(struct str fmt)
{
    enum { PCM = 1, MS_ADPCM = 2, FLOATS = 3, A_LAW = 6, MU_LAW = 7, IMA_ADPCM = 17, EXTENSIBLE = 0xfffe };
    uint64_t kind = sound_little(fmt.p, 2), channels = sound_little(fmt.p + 2, 2);
    uint64_t rate = sound_little(fmt.p + 4, 4), bits = sound_little(fmt.p + 14, 2);

    if (kind == EXTENSIBLE && fmt.n >= 26)
        kind = sound_little(fmt.p + 24, 2); /* of its GUID */
    if (kind == PCM || kind == FLOATS)
        return rate * channels * ((bits + 7) / 8);
    if (kind == A_LAW || kind == MU_LAW)
        return rate * channels;
    return kind == MS_ADPCM || kind == IMA_ADPCM ? rate * channels / 2 : 0; /* four bits and a little more */
}

static struct sound_length wav_of(struct str fmt, uint64_t bytes)
{
    uint64_t rate = fmt.p ? wav_rate(fmt) : 0, said = fmt.p ? sound_little(fmt.p + 8, 4) : 0;
    int64_t ms = sound_samples_ms(bytes, rate ? rate : MIN(said, (uint64_t)RAW_BYTES_PER_S));

    if (rate)
        return (struct sound_length){ms, ms};
    return (struct sound_length){ms > sound_bytes_ms(bytes) ? -1 : ms, -1};
}

static struct sound_length of_wav(struct str s)
{
    struct str fmt = STR_NONE;

    if (s.n < 12 || memcmp(s.p + 8, "WAVE", 4) != 0)
        return SOUND_UNKNOWN;
    for (s = sound_after(s, 12); s.n >= 8;) {
        uint64_t size = sound_little(s.p + 4, 4);

        if (memcmp(s.p, "data", 4) == 0) /* a stream's says 0 or all ones */
            return wav_of(fmt, s.n - 8);
        if (size > s.n - 8)
            return SOUND_UNKNOWN;
        if (memcmp(s.p, "fmt ", 4) == 0 && size >= 16)
            fmt = str_n(s.p + 8, (size_t)size);
        s = sound_after(s, 8 + (size_t)MIN(size + (size & 1), (uint64_t)(s.n - 8)));
    }
    return SOUND_UNKNOWN;
}

/* ID3v2 tags, which hold titles and pictures; decoders of any format step over them. */
static struct str without_tag(struct str s)
{
    size_t size;

    if (s.n < 10 || memcmp(s.p, "ID3", 3) != 0)
        return s;
    size = 10 + (sound_big(s.p + 6, 1) << 21 | sound_big(s.p + 7, 1) << 14 | sound_big(s.p + 8, 1) << 7 |
                 sound_big(s.p + 9, 1));
    return sound_after(s, MIN(size, s.n));
}

struct sound_length sound_length(struct str file)
{
    struct str s = without_tag(file);

    if (s.n < 12)
        return SOUND_UNKNOWN;
    if (memcmp(s.p, "RIFF", 4) == 0)
        return of_wav(s);
    if (memcmp(s.p, "fLaC", 4) == 0)
        return sound_of_flac(s);
    if (memcmp(s.p, "OggS", 4) == 0)
        return sound_of_ogg(s);
    if (memcmp(s.p + 4, "ftyp", 4) == 0)
        return sound_of_mp4(s);
    return sound_of_frames(s);
}
