/* frames.c: see frames.h. */
#include "translation/bedrock_converse/frames.h"

#include <zlib.h>

#include "base/bounds.h"

enum { PRELUDE = 12, TRAILER = 4, STRING_HEADER = 7 };

void frames_init(struct frames *f)
{
    *f = (struct frames){.at = 0};
    buf_init(&f->in, 2 * BOUND_SSE_EVENT_BYTES);
}

void frames_done(struct frames *f)
{
    buf_done(&f->in);
}

static uint32_t big32(const char *p)
{
    const unsigned char *b = (const unsigned char *)p;

    return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

static size_t big16(const char *p)
{
    const unsigned char *b = (const unsigned char *)p;

    return (size_t)b[0] << 8 | b[1];
}

static uint32_t sum_of(const char *p, size_t n)
{
    return (uint32_t)crc32(0, (const unsigned char *)p, (unsigned)n);
}

int frames_push(struct frames *f, struct str bytes)
{
    buf_consume(&f->in, f->at);
    f->at = 0;
    buf_put_str(&f->in, bytes);
    return buf_finish(&f->in) ? FRAMES_E_TOO_LARGE : FRAMES_OK;
}

/* Bytes of a header's value by its type; strings and byte arrays tell theirs. -1: no such type. */
static ssize_t value_size(unsigned type, struct str rest)
{
    static const ssize_t sizes[] = {0, 0, 1, 2, 4, 8, -1, -1, 8, 16};

    if (type == 6 || type == STRING_HEADER)
        return rest.n < 2 ? -1 : (ssize_t)(2 + big16(rest.p));
    return type < ARRAY_LEN(sizes) ? sizes[type] : -1;
}

/* The string headers that matter. False: the headers are broken. */
static bool read_headers(struct str rest, struct sse_event *ret, bool *ret_exception)
{
    while (rest.n) {
        size_t n = (unsigned char)rest.p[0];
        struct str name, value;
        ssize_t size;
        unsigned type;

        if (rest.n < n + 2)
            return false;
        name = str_n(rest.p + 1, n);
        type = (unsigned char)rest.p[n + 1];
        rest = str_n(rest.p + n + 2, rest.n - n - 2);
        size = value_size(type, rest);
        if (size < 0 || (size_t)size > rest.n)
            return false;
        value = type == STRING_HEADER ? str_n(rest.p + 2, (size_t)size - 2) : STR("");
        if (str_eq(name, STR(":event-type")) || str_eq(name, STR(":exception-type")))
            ret->type = value;
        else if (str_eq(name, STR(":message-type")))
            *ret_exception = !str_eq(value, STR("event"));
        rest = str_n(rest.p + size, rest.n - (size_t)size);
    }
    return true;
}

int frames_next(struct frames *f, struct sse_event *ret, bool *ret_exception)
{
    struct sse_event event = {.ended = true};
    size_t total, headers;
    bool exception = false;
    struct str in;

    if (f->in.n - f->at < PRELUDE)
        return FRAMES_E_MORE;
    in = str_n(f->in.p + f->at, f->in.n - f->at);
    total = big32(in.p);
    headers = big32(in.p + 4);
    if (big32(in.p + 8) != sum_of(in.p, 8) || total < PRELUDE + TRAILER ||
        headers > total - PRELUDE - TRAILER)
        return FRAMES_E_BROKEN;
    if (total > BOUND_SSE_EVENT_BYTES)
        return FRAMES_E_TOO_LARGE;
    if (in.n < total)
        return FRAMES_E_MORE;
    if (big32(in.p + total - TRAILER) != sum_of(in.p, total - TRAILER) ||
        !read_headers(str_n(in.p + PRELUDE, headers), &event, &exception))
        return FRAMES_E_BROKEN;
    event.raw = str_n(in.p, total);
    event.data = str_n(in.p + PRELUDE + headers, total - PRELUDE - TRAILER - headers);
    f->at += total;
    *ret = event;
    *ret_exception = exception;
    return FRAMES_OK;
}
