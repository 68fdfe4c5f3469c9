/* film.c: see film.h. */
#include "demo/film.h"

enum {
    BLOCKS = FILM_EDGE / 16, /* macroblocks along an edge */
    CHROMA = 64,             /* samples of each colour in a macroblock */
    NAL_LENGTH = 4,
};

/* --- the stream --- */

/* Bits into bytes; what is written here never has two zero bytes in a row, so nothing is escaped. */
struct bits {
    struct buf *out;
    unsigned byte, n;
};

static void put_bits(struct bits *b, unsigned value, unsigned n)
{
    while (n--) {
        b->byte = b->byte << 1 | ((value >> n) & 1);
        if (++b->n == 8) {
            buf_putc(b->out, (char)b->byte);
            b->byte = b->n = 0;
        }
    }
}

/* ue(v) of H.264 9.1; se(0) is the same bit as ue(0). */
static void put_ue(struct bits *b, unsigned value)
{
    unsigned width = 1;

    while (value + 1 >= 1u << width)
        width++;
    put_bits(b, 0, width - 1);
    put_bits(b, value + 1, width);
}

static void align(struct bits *b, unsigned first)
{
    if (first)
        put_bits(b, 1, 1);
    while (b->n)
        put_bits(b, 0, 1);
}

/* Baseline, level 1.0; the order of pictures is that of decoding. */
static void put_sps(struct buf *out)
{
    struct bits b = {.out = out};

    put_bits(&b, 0x6742c00a, 32);
    put_ue(&b, 0); /* its id */
    put_ue(&b, 0); /* log2_max_frame_num_minus4 */
    put_ue(&b, 2); /* pic_order_cnt_type */
    put_ue(&b, 0); /* no reference frames */
    put_bits(&b, 0, 1);
    put_ue(&b, BLOCKS - 1);
    put_ue(&b, BLOCKS - 1);
    put_bits(&b, 0xc, 4); /* frames, 8x8 inference; no cropping, no VUI */
    align(&b, 1);
}

static void put_pps(struct buf *out)
{
    struct bits b = {.out = out};

    put_bits(&b, 0x68, 8);
    put_ue(&b, 0); /* its id */
    put_ue(&b, 0); /* the other's */
    put_bits(&b, 0, 2);
    for (int i = 0; i < 3; i++)
        put_ue(&b, 0); /* one slice group, one reference each way */
    put_bits(&b, 0, 3);
    for (int i = 0; i < 3; i++)
        put_ue(&b, 0); /* quantisers, which I_PCM has none of */
    put_bits(&b, 0x4, 3); /* a slice says how it is deblocked: not at all */
    align(&b, 1);
}

static void put_block(struct bits *b, unsigned second, unsigned x, unsigned y)
{
    put_ue(b, 25); /* I_PCM */
    align(b, 0);
    for (unsigned i = 0; i < 256; i++)
        put_bits(b, 40 + (x * 16 + i % 16 + y * 16 + i / 16) * 3 / 2 + second % 4 * 16, 8);
    for (unsigned i = 0; i < CHROMA; i++)
        put_bits(b, 64 + second * 37 % 128, 8);
    for (unsigned i = 0; i < CHROMA; i++)
        put_bits(b, 64 + second * 59 % 128, 8);
}

static void put_picture(unsigned second, struct buf *out)
{
    struct bits b = {.out = out};

    put_bits(&b, 0x65, 8); /* an IDR picture */
    put_ue(&b, 0);
    put_ue(&b, 7); /* all of it is intra */
    put_ue(&b, 0);
    put_bits(&b, 0, 4); /* frame_num */
    put_ue(&b, second % 2); /* two that follow differ in their idr_pic_id */
    put_bits(&b, 0, 2);
    put_ue(&b, 0);
    put_ue(&b, 1); /* no deblocking */
    for (unsigned i = 0; i < BLOCKS * BLOCKS; i++)
        put_block(&b, second, i % BLOCKS, i / BLOCKS);
    align(&b, 1);
}

/* --- the boxes --- */

static void put_u32(struct buf *out, uint32_t v)
{
    for (int shift = 24; shift >= 0; shift -= 8)
        buf_putc(out, (char)(v >> shift));
}

static void put_u16(struct buf *out, unsigned v)
{
    buf_putc(out, (char)(v >> 8));
    buf_putc(out, (char)v);
}

static void put_zeros(struct buf *out, size_t n)
{
    while (n--)
        buf_putc(out, 0);
}

/* The length is filled in by the end. */
static size_t open_box(struct buf *out, const char *name)
{
    size_t at = out->n;

    put_u32(out, 0);
    buf_puts(out, name);
    return at;
}

static void fill_u32(struct buf *out, size_t at, size_t v)
{
    for (size_t i = 0; i < 4 && at + 4 <= out->n; i++)
        out->p[at + i] = (char)(v >> (24 - 8 * i));
}

static void close_box(struct buf *out, size_t at)
{
    fill_u32(out, at, out->n - at);
}

static void put_matrix(struct buf *out)
{
    static const uint32_t matrix[9] = {0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000};

    for (size_t i = 0; i < 9; i++)
        put_u32(out, matrix[i]);
}

static void put_movie_header(unsigned seconds, struct buf *out)
{
    size_t box = open_box(out, "mvhd");

    put_zeros(out, 12);
    put_u32(out, 1); /* ticks a second */
    put_u32(out, seconds);
    put_u32(out, 0x10000); /* speed */
    put_u16(out, 0x100);   /* volume */
    put_zeros(out, 10);
    put_matrix(out);
    put_zeros(out, 24);
    put_u32(out, 2); /* the next track's id */
    close_box(out, box);
}

static void put_track_header(unsigned seconds, struct buf *out)
{
    size_t box = open_box(out, "tkhd");

    put_u32(out, 3); /* enabled, in the movie */
    put_zeros(out, 8);
    put_u32(out, 1);
    put_zeros(out, 4);
    put_u32(out, seconds);
    put_zeros(out, 16);
    put_matrix(out);
    put_u32(out, FILM_EDGE << 16);
    put_u32(out, FILM_EDGE << 16);
    close_box(out, box);
}

static void put_media_headers(unsigned seconds, struct buf *out)
{
    size_t box = open_box(out, "mdhd");

    put_zeros(out, 12);
    put_u32(out, 1);
    put_u32(out, seconds);
    put_u32(out, 0x55c40000); /* of no language */
    close_box(out, box);
    box = open_box(out, "hdlr");
    put_zeros(out, 8);
    buf_puts(out, "vide");
    put_zeros(out, 13);
    close_box(out, box);
}

static void put_parameters(struct buf *out, void (*put)(struct buf *))
{
    size_t at = out->n;

    put_u16(out, 0);
    put(out);
    if (out->n > at + 1)
        out->p[at + 1] = (char)(out->n - at - 2);
}

static void put_description(struct buf *out)
{
    size_t list = open_box(out, "stsd"), entry, box;

    put_zeros(out, 4);
    put_u32(out, 1);
    entry = open_box(out, "avc1");
    put_zeros(out, 6);
    put_u16(out, 1);
    put_zeros(out, 16);
    put_u16(out, FILM_EDGE);
    put_u16(out, FILM_EDGE);
    put_u32(out, 0x480000); /* 72 dpi */
    put_u32(out, 0x480000);
    put_zeros(out, 4);
    put_u16(out, 1);
    put_zeros(out, 32);
    put_u16(out, 24);
    put_u16(out, 0xffff);
    box = open_box(out, "avcC");
    put_u32(out, 0x0142c00a);
    buf_putc(out, (char)(0xfc | (NAL_LENGTH - 1)));
    buf_putc(out, (char)0xe1);
    put_parameters(out, put_sps);
    buf_putc(out, 1);
    put_parameters(out, put_pps);
    close_box(out, box);
    close_box(out, entry);
    close_box(out, list);
}

/* A table of rows of numbers behind their count; FullBox. */
static void put_table(struct buf *out, const char *name, uint32_t rows, const uint32_t *v, size_t n)
{
    size_t box = open_box(out, name);

    put_zeros(out, 4);
    put_u32(out, rows);
    for (size_t i = 0; i < n; i++)
        put_u32(out, v[i]);
    close_box(out, box);
}

static void put_samples(unsigned seconds, size_t at, size_t picture, struct buf *out)
{
    size_t box = open_box(out, "stbl");
    const uint32_t sizes[] = {seconds};

    put_description(out);
    put_table(out, "stts", 1, (const uint32_t[]){seconds, 1}, 2);
    put_table(out, "stsc", 1, (const uint32_t[]){1, seconds, 1}, 3);
    put_table(out, "stsz", (uint32_t)picture, sizes, 1);
    put_table(out, "stco", 1, (const uint32_t[]){(uint32_t)at}, 1);
    close_box(out, box);
}

static void put_media(unsigned seconds, size_t at, size_t picture, struct buf *out)
{
    size_t media = open_box(out, "mdia"), info, data, box;

    put_media_headers(seconds, out);
    info = open_box(out, "minf");
    box = open_box(out, "vmhd");
    put_u32(out, 1);
    put_zeros(out, 8);
    close_box(out, box);
    data = open_box(out, "dinf");
    box = open_box(out, "dref");
    put_zeros(out, 4);
    put_u32(out, 1);
    put_u32(out, 12);
    buf_puts(out, "url ");
    put_u32(out, 1); /* in this file */
    close_box(out, box);
    close_box(out, data);
    put_samples(seconds, at, picture, out);
    close_box(out, info);
    close_box(out, media);
}

void film_put(unsigned seconds, struct buf *out)
{
    size_t start = out->n, box = open_box(out, "ftyp"), track, first, length = 0;

    buf_puts(out, "isom");
    put_u32(out, 0x200);
    buf_puts(out, "isomavc1mp41");
    close_box(out, box);
    box = open_box(out, "mdat");
    first = out->n;
    for (unsigned i = 0; i < seconds; i++) {
        size_t at = out->n;

        put_u32(out, 0);
        put_picture(i, out);
        length = out->n - at;
        fill_u32(out, at, length - NAL_LENGTH);
    }
    close_box(out, box);
    box = open_box(out, "moov");
    put_movie_header(seconds, out);
    track = open_box(out, "trak");
    put_track_header(seconds, out);
    put_media(seconds, first - start, length, out);
    close_box(out, track);
    close_box(out, box);
}
