/* Amazon's frames: the same events whatever the cuts, from bytes as they are and from frames whose sums
 * are right around any headers and payload. */
#include "fuzz.h"

#include <zlib.h>

#include "base/bounds.h"
#include "translation/bedrock_converse/frames.h"

static void put_big32(struct buf *out, uint32_t v)
{
    for (int shift = 24; shift >= 0; shift -= 8)
        buf_putc(out, (char)(v >> shift));
}

static void put_sum(struct buf *out, size_t from)
{
    put_big32(out, (uint32_t)crc32(0, (const unsigned char *)out->p + from, (unsigned)(out->n - from)));
}

/* A frame around what comes next of the input. */
static void put_frame(struct buf *out, struct str *in)
{
    size_t from = out->n, headers_n = fuzz_byte(in), payload_n = fuzz_byte(in);
    struct str headers = fuzz_take(in, headers_n), payload = fuzz_take(in, payload_n);

    put_big32(out, (uint32_t)(16 + headers.n + payload.n));
    put_big32(out, (uint32_t)headers.n);
    put_sum(out, from);
    buf_put_str(out, headers);
    buf_put_str(out, payload);
    put_sum(out, from);
}

static void slice(struct buf *out, char tag, struct str s)
{
    buf_putc(out, s.p ? tag : '-');
    buf_put_str(out, s);
    buf_putc(out, '|');
}

/* How the reading ended. */
static int read_in_pieces(struct str doc, size_t piece, struct buf *events)
{
    struct frames f;
    int r = FRAMES_E_MORE;

    frames_init(&f);
    for (size_t at = 0; at < doc.n && r == FRAMES_E_MORE; at += piece) {
        struct str part = str_n(doc.p + at, MIN(piece, doc.n - at));
        char *copy = fuzz_copy(part);
        struct sse_event e;
        bool exception;

        HOLDS(frames_push(&f, str_n(copy, part.n)) == FRAMES_OK);
        free(copy);
        while ((r = frames_next(&f, &e, &exception)) == FRAMES_OK) {
            slice(events, exception ? 'x' : 't', e.type);
            slice(events, 'd', e.data);
            HOLDS(e.raw.n >= 16 + e.data.n);
        }
    }
    frames_done(&f);
    return r;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str in = {(const char *)data, size};
    bool built = fuzz_byte(&in) & 1;
    size_t piece = 1 + fuzz_byte(&in);
    struct buf doc, whole, cut;
    int r;

    buf_init(&doc, MIB(1));
    buf_init(&whole, MIB(1));
    buf_init(&cut, MIB(1));
    while (built && in.n)
        put_frame(&doc, &in);
    buf_put_str(&doc, in);
    r = read_in_pieces(buf_str(&doc), doc.n + 1, &whole);
    HOLDS(read_in_pieces(buf_str(&doc), piece, &cut) == r);
    HOLDS(str_eq(buf_str(&whole), buf_str(&cut)));
    buf_done(&doc);
    buf_done(&whole);
    buf_done(&cut);
    return 0;
}
