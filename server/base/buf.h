/* buf.h: a growing byte builder with a mandatory maximum and a sticky failure.
 *
 * Puts return nothing; one buf_finish() at the end tells whether all of them fitted. After a
 * failure further puts do nothing. The buffer is heap memory owned by the struct. */
#pragma once

#include "base/str.h"

enum { BUF_LENT_MAX = 3, BUF_PIECES_MAX = 2 * BUF_LENT_MAX + 1 };

/* Parts of a text that are not copied into its buffer: where they belong, and whose they are. */
struct buf_lent {
    size_t n, bytes;
    struct {
        size_t at; /* in front of this byte of the buffer */
        struct str bytes;
    } v[BUF_LENT_MAX];
};

struct buf {
    char *p;
    size_t n, cap, max;
    int err; /* 0, -ENOMEM or -EMSGSIZE (maximum passed) */
    struct buf_lent *lent; /* NULL: everything is copied; else set behind buf_init() */
};

void buf_init(struct buf *b, size_t max);
void buf_done(struct buf *b); /* frees; the struct may be init'ed again */
void buf_reset(struct buf *b); /* empties, keeps memory, clears the failure */
/* Removes n <= b->n bytes from the front; an emptied buffer gives back what it has above 64 KiB. */
void buf_consume(struct buf *b, size_t n);

void buf_put(struct buf *b, const void *p, size_t n);
void buf_put_str(struct buf *b, struct str s);
void buf_puts(struct buf *b, const char *z);
void buf_putc(struct buf *b, char c);
void buf_put_u64(struct buf *b, uint64_t v);
void buf_put_i64(struct buf *b, int64_t v);
void buf_printf(struct buf *b, const char *fmt, ...) _printf_(2, 3);
/* Appends bytes that outlive the buffer. Where it has a list for them, and they are many, they are only
 * noted: buf_str() lacks them then, buf_pieces() has everything. */
void buf_lend(struct buf *b, struct str s);
/* The whole text in order; returns how many pieces. */
size_t buf_pieces(const struct buf *b, struct str ret[BUF_PIECES_MAX]);
/* Copies what was lent, so that buf_str() is the whole text. */
void buf_join(struct buf *b);
/* Room for n more bytes; the caller writes them and counts them by b->n += used. NULL on failure. */
char *buf_reserve(struct buf *b, size_t n);

static inline struct str buf_str(const struct buf *b)
{
    return (struct str){b->p ? b->p : "", b->n};
}
/* 0, or the sticky failure. */
int buf_finish(const struct buf *b) _must_use_;
