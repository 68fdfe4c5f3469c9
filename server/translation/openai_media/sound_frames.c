/* sound_frames.c: MPEG audio (ISO 11172-3 and 13818-3) and AAC in ADTS (ISO 14496-3), frame after frame.
 *
 * As a decoder does it, a frame is one that joins another of its kind, and the first kind is that of the
 * file; else a large frame that nobody plays could hide small ones. A Xing header's claim is not asked. */
#include "translation/openai_media/sound_parts.h"

#define TIME_RATE UINT64_C(28224000) /* a multiple of all that frames of MPEG and AAC can have */

struct frame {
    size_t bytes;
    unsigned samples, rate;
    uint32_t kind; /* what all frames of a stream have in common; never 0 */
};
typedef bool read_frame(struct str s, struct frame *ret);

static bool read_mpeg(struct str s, struct frame *ret)
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
    h = (unsigned)sound_big(s.p, 4);
    version = h >> 19 & 3; /* 3: 1, 2: 2, 0: 2.5 */
    layer = 4 - (h >> 17 & 3);
    if (version == 1 || layer == 4 || (h >> 10 & 3) == 3)
        return false;
    kbits = kbit[version != 3][layer - 1][h >> 12 & 15];
    if (!kbits)
        return false;
    rate = rates[h >> 10 & 3] >> (version == 3 ? 0 : version == 2 ? 1 : 2);
    ret->rate = rate;
    ret->samples = layer == 1 ? 384 : layer == 3 && version != 3 ? 576 : 1152;
    ret->bytes = layer == 1 ? (size_t)(12 * kbits * 1000 / rate + (h >> 9 & 1)) * 4
                            : ret->samples / 8 * kbits * 1000 / rate + (h >> 9 & 1);
    ret->kind = h & 0xfffe0c00; /* version, layer, rate */
    return ret->bytes >= 4;
}

static bool read_adts(struct str s, struct frame *ret)
{
    static const unsigned rates[16] = {96000, 88200, 64000, 48000, 44100, 32000, 24000,
                                       22050, 16000, 12000, 11025, 8000,  7350};

    if (s.n < 7 || (unsigned char)s.p[0] != 0xff || ((unsigned char)s.p[1] & 0xf6) != 0xf0)
        return false;
    ret->rate = rates[(unsigned char)s.p[2] >> 2 & 15];
    ret->bytes = sound_big(s.p + 3, 3) >> 5 & 0x1fff;
    ret->samples = 1024 * (((unsigned char)s.p[6] & 3) + 1);
    ret->kind = (uint32_t)sound_big(s.p, 4) & 0xfffffdc0; /* profile, rate, channels */
    return ret->rate && ret->bytes >= 7;
}

struct walk {
    uint64_t time; /* in parts of a second that all rates divide */
    size_t frames, other; /* bytes that are none of them */
};

/* Does one of its kind come next, or the end? */
static bool goes_on(struct str s, const struct frame *f, read_frame *read)
{
    struct frame next;

    return f->bytes >= s.n || (read(sound_after(s, f->bytes), &next) && next.kind == f->kind);
}

static size_t to_next(struct str s)
{
    const char *at = memchr(s.p + 1, 0xff, s.n - 1);

    return at ? (size_t)(at - s.p) : s.n;
}

static struct walk walk_over(struct str s, read_frame *read)
{
    uint32_t first = 0, before = 0; /* the kinds of the first frame, and of one that ends here */
    struct walk w = {0};
    struct frame f;
    size_t step;

    for (; s.n > 0; s = sound_after(s, step)) {
        bool joins = read(s, &f) && (f.kind == before || goes_on(s, &f, read));

        before = joins ? f.kind : 0;
        step = joins ? MIN(f.bytes, s.n) : to_next(s);
        first = first ? first : before;
        if (!joins || f.kind != first) {
            w.other += step;
            continue;
        }
        w.time += f.samples * (TIME_RATE / f.rate);
        w.frames++;
    }
    return w;
}

/* Frames are the best figure where they are most of the file. */
static struct sound_length length_of(struct str s, const struct walk *w)
{
    int64_t ms = sound_samples_ms(w->time, TIME_RATE);

    if (ms < 0)
        return SOUND_UNKNOWN;
    return (struct sound_length){w->other > s.n / 4 ? -1 : ms, ms + sound_bytes_ms(w->other)};
}

/* One frame of AAC may have more in it than its header says, which decoders go on with. */
static struct sound_length length_of_adts(struct str s, const struct walk *w)
{
    struct sound_length l = length_of(s, w);

    if (l.most_ms >= 0)
        l.most_ms = MAX(l.most_ms, sound_bytes_ms(s.n));
    return l;
}

enum { ALSO_FRAMES = 4 }; /* in a row are no accident */

struct sound_length sound_of_frames(struct str s)
{
    struct frame f;
    bool is_adts = read_adts(s, &f);
    struct walk mpeg, adts;
    struct sound_length a, b;

    if (!is_adts && !read_mpeg(s, &f))
        return SOUND_UNKNOWN; /* it is something else */
    mpeg = walk_over(s, read_mpeg);
    adts = walk_over(s, read_adts);
    a = is_adts ? length_of_adts(s, &adts) : length_of(s, &mpeg);
    if ((is_adts ? mpeg.frames : adts.frames) < ALSO_FRAMES)
        return a;
    b = is_adts ? length_of(s, &mpeg) : length_of_adts(s, &adts); /* it can be played as either */
    a.ms = a.ms < 0 || b.ms < 0 ? -1 : MAX(a.ms, b.ms);
    a.most_ms = a.most_ms < 0 || b.most_ms < 0 ? -1 : MAX(a.most_ms, b.most_ms);
    return a;
}
