/* buf.c: see buf.h. Capacity doubles; small texts cost one allocation. */
#include "base/buf.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/reserve.h"

enum {
    BUF_FIRST_BYTES = 256,
    BUF_IDLE_BYTES = 65536, /* an emptied queue keeps this much */
    BUF_LENT_LEAST = 512,   /* fewer bytes are copied as soon as they are noted */
};

void buf_init(struct buf *b, size_t max)
{
    *b = (struct buf){.max = max};
}

void buf_done(struct buf *b)
{
    free(b->p);
    *b = (struct buf){.max = b->max};
}

void buf_reset(struct buf *b)
{
    b->n = 0;
    b->err = 0;
    if (b->lent)
        b->lent->n = b->lent->bytes = 0;
}

void buf_consume(struct buf *b, size_t n)
{
    assert(n <= b->n);
    b->n -= n;
    if (b->n) {
        memmove(b->p, b->p + n, b->n);
    } else if (b->cap > BUF_IDLE_BYTES) {
        free(b->p);
        b->p = NULL;
        b->cap = 0;
    }
}

char *buf_reserve(struct buf *b, size_t n)
{
    size_t cap = MAX(b->cap, (size_t)BUF_FIRST_BYTES);
    char *p;

    if (b->err)
        return NULL;
    if (n > b->max - b->n) {
        b->err = -EMSGSIZE;
        return NULL;
    }
    if (b->p && n <= b->cap - b->n)
        return b->p + b->n;
    while (cap - b->n < n)
        cap = cap <= SIZE_MAX / 2 ? cap * 2 : SIZE_MAX;
    cap = MIN(cap, b->max);
    p = realloc(b->p, MAX(cap, (size_t)1));
    if (!p && reserve_use())
        p = realloc(b->p, MAX(cap, (size_t)1));
    if (!p) {
        b->err = -ENOMEM;
        return NULL;
    }
    b->p = p;
    b->cap = cap;
    return b->p + b->n;
}

void buf_put(struct buf *b, const void *p, size_t n)
{
    bool fits = !b->err && b->p && n <= b->cap - b->n; /* its capacity is never above the maximum */
    char *to = fits ? b->p + b->n : buf_reserve(b, n);

    if (!to || !n)
        return;
    memcpy(to, p, n);
    b->n += n;
}

void buf_put_str(struct buf *b, struct str s)
{
    buf_put(b, s.p, s.n);
}

void buf_puts(struct buf *b, const char *z)
{
    buf_put(b, z, strlen(z));
}

void buf_putc(struct buf *b, char c)
{
    buf_put(b, &c, 1);
}

void buf_put_u64(struct buf *b, uint64_t v)
{
    char digits[20];
    size_t at = sizeof(digits);

    do {
        digits[--at] = (char)('0' + v % 10);
        v /= 10;
    } while (v);
    buf_put(b, digits + at, sizeof(digits) - at);
}

void buf_put_i64(struct buf *b, int64_t v)
{
    if (v < 0)
        buf_putc(b, '-');
    buf_put_u64(b, v < 0 ? 0 - (uint64_t)v : (uint64_t)v);
}

void buf_printf(struct buf *b, const char *fmt, ...)
{
    va_list args;
    char *to;
    int n;

    va_start(args, fmt);
    n = vsnprintf(NULL, 0, fmt, args);
    va_end(args);
    assert(n >= 0);
    if ((size_t)n > b->max - b->n && !b->err)
        b->err = -EMSGSIZE;
    to = b->err ? NULL : buf_reserve(b, MIN((size_t)n + 1, b->max - b->n));
    if (!to)
        return;
    if ((size_t)n < b->cap - b->n) {
        va_start(args, fmt);
        (void)vsnprintf(to, (size_t)n + 1, fmt, args);
        va_end(args);
        b->n += (size_t)n;
        return;
    }
    /* Exactly full: vsnprintf's NUL has no room, so the text takes a detour. */
    char *text = NULL;

    va_start(args, fmt);
    n = vasprintf(&text, fmt, args);
    va_end(args);
    if (n < 0) {
        b->err = -ENOMEM;
        return;
    }
    buf_put(b, text, (size_t)n);
    free(text);
}

void buf_lend(struct buf *b, struct str s)
{
    struct buf_lent *l = b->lent;

    if (!l || s.n < BUF_LENT_LEAST || l->n == BUF_LENT_MAX) {
        buf_put_str(b, s);
        return;
    }
    if (s.n > b->max - l->bytes - MIN(b->n, b->max - l->bytes) && !b->err)
        b->err = -EMSGSIZE;
    if (b->err)
        return;
    l->v[l->n].at = b->n;
    l->v[l->n++].bytes = s;
    l->bytes += s.n;
}

size_t buf_pieces(const struct buf *b, struct str ret[BUF_PIECES_MAX])
{
    size_t n = 0, at = 0;

    for (size_t i = 0; b->lent && i < b->lent->n; i++) {
        if (b->lent->v[i].at > at)
            ret[n++] = str_n(b->p + at, b->lent->v[i].at - at);
        ret[n++] = b->lent->v[i].bytes;
        at = b->lent->v[i].at;
    }
    if (b->n > at)
        ret[n++] = str_n(b->p + at, b->n - at);
    return n;
}

void buf_join(struct buf *b)
{
    struct str pieces[BUF_PIECES_MAX];
    struct buf whole;

    if (!b->lent || !b->lent->n || b->err)
        return;
    buf_init(&whole, b->max);
    (void)buf_reserve(&whole, b->n + b->lent->bytes);
    for (size_t i = 0, n = buf_pieces(b, pieces); i < n; i++)
        buf_put_str(&whole, pieces[i]);
    whole.lent = b->lent;
    whole.lent->n = whole.lent->bytes = 0;
    buf_done(b);
    *b = whole;
}

int buf_finish(const struct buf *b)
{
    return b->err;
}
