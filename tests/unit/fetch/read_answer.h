/* read_answer.h: reads an answer that comes in pieces, as direct.c does; for tests and the fuzz target. */
#pragma once

#include "base/bounds.h"
#include "base/buf.h"
#include "fetch/answer.h"

struct reading {
    int outcome; /* ANSWER_* at the end of the bytes */
    int status;  /* of the last head; 0: none */
    bool keep;
    size_t used;
    struct buf headers, body; /* "name=value|" */
};

static inline void reading_done(struct reading *r)
{
    buf_done(&r->headers);
    buf_done(&r->body);
}

static inline int read_heads(struct answer *a, struct buf *gathered, struct reading *r)
{
    struct fetch_header headers[ANSWER_HEADERS_MAX];
    int outcome = ANSWER_E_MORE;

    while (a->state == ANSWER_HEAD && gathered->n) {
        struct fetch_head head;
        size_t used = 0;

        outcome = answer_head(a, gathered->p, gathered->n, headers, &head, &used);
        if (outcome != ANSWER_OK)
            return outcome;
        r->status = head.status;
        r->used += used;
        buf_reset(&r->headers);
        for (size_t i = 0; i < head.header_count; i++) {
            buf_puts(&r->headers, headers[i].name);
            buf_putc(&r->headers, '=');
            buf_put_str(&r->headers, headers[i].value);
            buf_putc(&r->headers, '|');
        }
        buf_consume(gathered, used);
        outcome = ANSWER_E_MORE;
    }
    return outcome;
}

static inline int read_body(struct answer *a, char *p, size_t n, struct reading *r)
{
    size_t body = 0, used = 0;
    int outcome = ANSWER_OK;

    if (a->state != ANSWER_WHOLE)
        outcome = answer_body(a, p, n, &body, &used);
    buf_put(&r->body, p, body);
    r->used += used;
    return outcome;
}

/* ends: the connection ends behind the bytes. */
static inline void read_answer(struct str bytes, size_t piece, bool to_head, bool ends,
                               struct reading *r)
{
    struct answer a = {.to_head = to_head};
    struct buf gathered, now;

    *r = (struct reading){.outcome = ANSWER_E_MORE};
    buf_init(&r->headers, MIB(1));
    buf_init(&r->body, MIB(1));
    buf_init(&gathered, MIB(1));
    buf_init(&now, MIB(1));
    for (size_t at = 0; at < bytes.n && r->outcome == ANSWER_E_MORE; at += piece) {
        struct buf *in = a.state == ANSWER_HEAD ? &gathered : &now;

        buf_put(in, bytes.p + at, MIN(piece, bytes.n - at));
        if (a.state == ANSWER_HEAD)
            r->outcome = read_heads(&a, in, r);
        if (a.state != ANSWER_HEAD)
            r->outcome = read_body(&a, in->p, in->n, r);
        buf_reset(&now);
    }
    if (r->outcome == ANSWER_E_MORE && ends && answer_ends(&a))
        r->outcome = ANSWER_OK;
    r->keep = r->outcome == ANSWER_OK && a.keep;
    buf_done(&gathered);
    buf_done(&now);
}
