/* answer.h: an HTTP/1.1 answer read from its bytes, strictly; pure, for direct.c.
 *
 * What is not well-formed is refused rather than guessed at (reliability U7): a head that is folded or
 * has a line without a colon, lengths that differ, a transfer coding other than chunked, anything
 * between chunks. Lines of a head may end with a bare line feed, as libcurl reads them. Headers and body
 * bytes are slices of the caller's buffer, which is written to. */
#pragma once

#include "fetch/fetch.h"

enum {
    ANSWER_HEADERS_MAX = 128,
    ANSWER_INTERIM_MAX = 16, /* heads of 1xx before the one that counts */
};

enum answer_state {
    ANSWER_HEAD,  /* its head is awaited */
    ANSWER_SIZED, /* `left` bytes of body are to come */
    ANSWER_SIZE,  /* the digits of a chunk's size */
    ANSWER_EXTENSION,
    ANSWER_SIZE_LF,
    ANSWER_CHUNK, /* `left` bytes of this chunk are to come */
    ANSWER_CHUNK_CR,
    ANSWER_CHUNK_LF,
    ANSWER_TRAILER, /* at the beginning of a line behind the last chunk */
    ANSWER_TRAILER_LINE,
    ANSWER_END_LF,
    ANSWER_TO_END, /* the body ends with the connection */
    ANSWER_WHOLE,  /* nothing more belongs to it */
};

struct answer {
    enum answer_state state;
    bool to_head; /* of a HEAD request: no body, whatever its head says. Set by the caller. */
    bool keep;    /* the connection may carry another request once this one is whole */
    uint8_t interim;
    uint8_t digits;  /* of a chunk's size */
    uint32_t excess; /* bytes of extensions and trailers so far */
    size_t looked;   /* so much of an unfinished head has been searched for its end */
    uint64_t left;
};

/* ANSWER_E_MORE: not whole yet. */
enum { ANSWER_OK = 0, ANSWER_E_MORE = 1, ANSWER_E_BAD = 2 };

/* p has n bytes of the answer from its beginning. ANSWER_OK: the head takes *ret_used of them, and is in
 * *ret, its headers in `headers` (ANSWER_HEADERS_MAX of them); an interim one (1xx) has been passed over:
 * then ret->status is below 200 and another follows. */
int answer_head(struct answer *a, char *p, size_t n, struct fetch_header *headers,
                struct fetch_head *ret, size_t *ret_used) _must_use_;
/* Takes bytes behind the head. The body that is in them is moved together at p, *ret_body bytes of it;
 * *ret_used is less than n only when the answer is whole. */
int answer_body(struct answer *a, char *p, size_t n, size_t *ret_body, size_t *ret_used) _must_use_;
/* The connection has ended: is the answer whole with that? */
bool answer_ends(struct answer *a);
