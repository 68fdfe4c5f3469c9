/* sound_ogg.c: Ogg (RFC 3533) with Opus (RFC 7845, 6716) or Vorbis (the Vorbis I specification).
 *
 * An Opus packet says how long it is in its first two bytes (RFC 6716, 3.1), and one of Vorbis is half a
 * long block at most, and half a short one at least. Pages say where they stand, which is asked of Vorbis
 * only, within these bounds. A page within another counts too: who takes the outer one for
 * damaged finds it. */
#include "translation/openai_media/sound_parts.h"

enum {
    OPUS_RATE = 48000,
    OPUS_MOST = 5760, /* samples of a packet: 120 ms */
    PAGE_HEAD = 27,
    CONTINUED = 1,
    BEGINS = 2,
};

struct ogg {
    bool vorbis;
    bool open; /* the last page's last packet goes on */
    uint64_t samples, packets, position;
    size_t pages_begun, segments;
};

/* p: of at least one byte. */
static uint64_t opus_samples(struct str p)
{
    unsigned toc = (unsigned char)p.p[0], config = toc >> 3, frames = toc & 3;
    uint64_t one = config >= 16   ? UINT64_C(120) << (config & 3)
                   : config >= 12 ? UINT64_C(480) << (config & 1)
                   : (config & 3) == 3 ? 2880
                                       : UINT64_C(480) << (config & 3);

    frames = frames == 0 ? 1 : frames < 3 ? 2 : p.n > 1 ? (unsigned char)p.p[1] & 63 : 0;
    return MIN(one * frames, (uint64_t)OPUS_MOST);
}

/* The packet that begins here, or as much of it as its first segment has. */
static void packet(struct ogg *o, struct str p)
{
    if (!p.n || (o->vorbis && p.p[0] & 1) || (!o->vorbis && str_starts(p, STR("OpusHead"))) ||
        (!o->vorbis && str_starts(p, STR("OpusTags"))))
        return; /* a header */
    o->packets++;
    if (!o->vorbis)
        o->samples += opus_samples(p);
}

/* The page that begins here; false: it is none. */
static bool page(struct ogg *o, struct str s)
{
    size_t n = s.n > PAGE_HEAD ? (unsigned char)s.p[26] : 0, at = PAGE_HEAD + n;
    bool starts;

    if (!n || s.n < at || s.p[4] != 0)
        return false;
    starts = !(s.p[5] & CONTINUED) || !o->open;
    o->pages_begun += (s.p[5] & BEGINS) != 0;
    o->segments += n;
    if (sound_little(s.p + 6, 8) < UINT64_MAX >> 1)
        o->position = MAX(o->position, sound_little(s.p + 6, 8));
    for (size_t i = 0; i < n && at < s.n; i++) {
        size_t bytes = (unsigned char)s.p[PAGE_HEAD + i];

        if (starts)
            packet(o, str_n(s.p + at, MIN(bytes, s.n - at)));
        at += bytes;
        starts = bytes < 255;
    }
    o->open = !starts;
    return true;
}

/* False: it is no single stream of pages one after the other. */
static bool read_pages(struct ogg *o, struct str s)
{
    size_t most = s.n;
    const char *at;

    while ((at = sound_find(s, "OggS", 4))) {
        s = sound_after(s, (size_t)(at - s.p));
        (void)page(o, s);
        if (o->pages_begun > 1 || o->segments > most)
            return false;
        s = sound_after(s, 4);
    }
    return o->packets > 0;
}

static struct sound_length vorbis_length(const struct ogg *o, struct str s)
{
    uint64_t rate = sound_little(s.p + 40, 4);
    unsigned sizes = (unsigned char)s.p[56], small = sizes & 15, large = sizes >> 4;
    uint64_t least, most;

    if (small < 6 || large > 13 || small > large) /* 64 to 8,192 samples */
        return SOUND_UNKNOWN;
    least = o->packets << (small - 1);
    most = o->packets << (large - 1);
    return (struct sound_length){sound_samples_ms(MIN(MAX(o->position, least), most), rate),
                                 sound_samples_ms(most, rate)};
}

struct sound_length sound_of_ogg(struct str s)
{
    struct ogg o = {0};
    int64_t ms;

    if (s.n < 58)
        return SOUND_UNKNOWN;
    o.vorbis = memcmp(s.p + 28, "\x01vorbis", 7) == 0;
    if ((!o.vorbis && memcmp(s.p + 28, "OpusHead", 8) != 0) || !read_pages(&o, s))
        return SOUND_UNKNOWN;
    if (o.vorbis)
        return vorbis_length(&o, s);
    ms = sound_samples_ms(o.samples, OPUS_RATE);
    return (struct sound_length){ms, ms};
}
