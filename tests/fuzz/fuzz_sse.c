/* Server-sent events: the same events whatever the cuts, and every byte given back. */
#include "fuzz.h"

#include "base/bounds.h"
#include "translation/sse.h"

static void slice(struct buf *out, char tag, struct str s)
{
    buf_putc(out, s.p ? tag : '-');
    buf_put_str(out, s);
    buf_putc(out, '|');
}

static void take(struct sse *s, struct buf *events, struct buf *raw)
{
    struct sse_event e;

    while (sse_next(s, &e) == SSE_OK) {
        slice(events, 't', e.type);
        slice(events, 'd', e.data);
        buf_put_str(raw, e.raw);
    }
}

static void read_in_pieces(struct str doc, size_t piece, struct buf *events, struct buf *raw)
{
    struct sse s;

    sse_init(&s);
    for (size_t at = 0; at < doc.n; at += piece) {
        char *copy = fuzz_copy(str_n(doc.p + at, MIN(piece, doc.n - at)));

        HOLDS(sse_push(&s, str_n(copy, MIN(piece, doc.n - at))) == SSE_OK);
        free(copy);
        take(&s, events, raw);
    }
    sse_end(&s);
    take(&s, events, raw);
    sse_done(&s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str in = {(const char *)data, size};
    size_t piece = 1 + fuzz_byte(&in);
    struct buf whole, cut, raw;

    buf_init(&whole, MIB(32));
    buf_init(&cut, MIB(32));
    buf_init(&raw, MIB(32));
    read_in_pieces(in, in.n + 1, &whole, &raw);
    HOLDS(str_eq(buf_str(&raw), in));
    buf_reset(&raw);
    read_in_pieces(in, piece, &cut, &raw);
    HOLDS(str_eq(buf_str(&raw), in));
    HOLDS(str_eq(buf_str(&whole), buf_str(&cut)));
    buf_done(&whole);
    buf_done(&cut);
    buf_done(&raw);
    return 0;
}
