/* sound_mp4.c: MP4 (ISO 14496-12), by its tracks of sound: `stts` says how long its samples last in the scale
 * of `mdhd`, `stsz` how many there are and of what size, which is what a decoder gets.
 *
 * What they last is a claim, and one sample may have several frames in it, so nothing but their number and
 * their bytes bounds it. The movie's own header is not asked, and of a file in fragments, or with a second
 * table that a decoder might take, nothing is believed. */
#include "translation/openai_media/sound_parts.h"

/* Of AAC: samples of a frame; its rates (ISO 14496-3). 192 kHz, 24 bits, two channels. */
enum { AAC_FRAME = 1024, AAC_RATE_LEAST = 7350, AAC_RATE_MOST = 96000, RAW_BYTES_PER_S = 1152000 };

/* The next box of s, which moves on; false: there is none. */
static bool next_box(struct str *s, struct str *ret_name, struct str *ret_inside)
{
    uint64_t size, head = 8;

    if (s->n < 8)
        return false;
    size = sound_big(s->p, 4);
    if (size == 1 && s->n >= 16) {
        size = sound_big(s->p + 8, 8);
        head = 16;
    }
    if (size == 0)
        size = s->n;
    if (size < head || size > s->n)
        return false;
    *ret_name = str_n(s->p + 4, 4);
    *ret_inside = str_n(s->p + head, (size_t)(size - head));
    *s = sound_after(*s, (size_t)size);
    return true;
}

/* The first box of that name that has at least so many bytes in it; p NULL: there is none. */
static struct str box_in(struct str s, const char *name, size_t least)
{
    struct str at, inside;

    while (s.p && next_box(&s, &at, &inside))
        if (str_eq_c(at, name))
            return inside.n >= least ? inside : STR_NONE;
    return STR_NONE;
}

/* Those are drawn or read, whatever else is said of the track. */
static bool is_silent(struct str handler, struct str format)
{
    static const char *const formats[] = {"text", "tx3g", "tmcd", "stpp", "wvtt", "c608",
                                          "mebx", "mett", "metx", "mp4s", "rtp "};

    for (size_t i = 0; i < ARRAY_LEN(formats); i++)
        if (str_eq_c(format, formats[i]))
            return true;
    return str_eq_c(handler, "vide");
}

struct track {
    bool aac;
    uint64_t samples, bytes;
    int64_t claimed_ms;
};

static uint64_t sizes_of(struct str stsz, uint64_t samples)
{
    uint64_t all = sound_big(stsz.p + 4, 4), sum = 0;

    if (all)
        return all * samples;
    for (size_t i = 0; i < samples; i++)
        sum += sound_big(stsz.p + 12 + 4 * i, 4);
    return sum;
}

static uint64_t time_of(struct str stts)
{
    uint64_t sum = 0, entries = sound_big(stts.p + 4, 4);

    for (size_t i = 0; i < entries && 16 + 8 * i <= stts.n; i++)
        if (__builtin_add_overflow(sum, sound_big(stts.p + 8 + 8 * i, 4) * sound_big(stts.p + 12 + 8 * i, 4),
                                   &sum))
            return UINT64_MAX;
    return sum;
}

/* False: it cannot be understood. */
static bool read_track(struct str mdia, struct str stsd, struct track *ret)
{
    struct str mdhd = box_in(mdia, "mdhd", 24), stbl = box_in(box_in(mdia, "minf", 0), "stbl", 0);
    struct str stts = box_in(stbl, "stts", 8), stsz = box_in(stbl, "stsz", 12);

    if (!mdhd.p || !stts.p || !stsz.p || sound_big(stsd.p + 4, 4) != 1)
        return false;
    ret->aac = str_eq_c(str_n(stsd.p + 12, 4), "mp4a");
    ret->samples = sound_big(stsz.p + 8, 4);
    if (!sound_big(stsz.p + 4, 4) && ret->samples > (stsz.n - 12) / 4)
        return false;
    ret->bytes = sizes_of(stsz, ret->samples);
    ret->claimed_ms = sound_samples_ms(time_of(stts), sound_big(mdhd.p + (mdhd.p[0] == 1 ? 20 : 12), 4));
    return true;
}

static struct sound_length track_length(const struct track *t)
{
    int64_t ms = sound_samples_ms(t->bytes, RAW_BYTES_PER_S), most = sound_bytes_ms(t->bytes);

    if (t->claimed_ms < 0)
        return (struct sound_length){-1, -1};
    if (t->aac) {
        ms = MAX(ms, sound_samples_ms(t->samples * AAC_FRAME, AAC_RATE_MOST));
        most = MAX(most, sound_samples_ms(t->samples * AAC_FRAME, AAC_RATE_LEAST));
    }
    ms = MAX(ms, t->claimed_ms);
    return (struct sound_length){ms, MAX(ms, most)};
}

/* The length of a track of the movie; ms 0: it has no sound. */
static struct sound_length length_of(struct str trak)
{
    struct str mdia = box_in(trak, "mdia", 0), hdlr = box_in(mdia, "hdlr", 12);
    struct str stsd = box_in(box_in(box_in(mdia, "minf", 0), "stbl", 0), "stsd", 16);
    struct track t;

    if (!hdlr.p || !stsd.p)
        return SOUND_UNKNOWN;
    if (is_silent(str_n(hdlr.p + 8, 4), str_n(stsd.p + 12, 4)))
        return (struct sound_length){0, 0};
    return read_track(mdia, stsd, &t) ? track_length(&t) : SOUND_UNKNOWN;
}

/* One table, and no fragments: wherever else these letters stand, somebody may read on there. */
static bool has_one_table(struct str file)
{
    const char *at = sound_find(file, "moov", 4);

    return at && !sound_find(sound_after(file, (size_t)(at - file.p) + 4), "moov", 4) &&
           !sound_find(file, "moof", 4);
}

struct sound_length sound_of_mp4(struct str file)
{
    struct str moov = box_in(file, "moov", 0), name, inside;
    struct sound_length l = {0, 0};

    if (!moov.p || !has_one_table(file))
        return SOUND_UNKNOWN;
    while (next_box(&moov, &name, &inside)) {
        struct sound_length track;

        if (!str_eq_c(name, "trak"))
            continue;
        track = length_of(inside);
        if (track.ms < 0)
            return SOUND_UNKNOWN;
        l.ms = MAX(l.ms, track.ms);
        l.most_ms = MAX(l.most_ms, track.most_ms);
    }
    return l.ms > 0 ? l : SOUND_UNKNOWN;
}
