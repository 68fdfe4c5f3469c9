/* wire.h: HTTP/1.1 messages as the measuring programs read them: just enough of it, and fast, so that
 * what is measured is the other side. Used by the mock upstream for requests and by the load generator
 * for answers. Not strict; the peers are programs under test that have tests of their own. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#define WIRE_HEAD_BYTES 8192

enum wire_state { WIRE_HEAD, WIRE_BODY, WIRE_SIZE, WIRE_CHUNK, WIRE_CHUNK_END, WIRE_TRAILER };

struct wire {
    enum wire_state state;
    int64_t left; /* of the body or the chunk */
    size_t n;     /* of head */
    int status;   /* of an answer */
    bool bad;
    char head[WIRE_HEAD_BYTES]; /* NUL-terminated once it is whole; then lines of chunked framing */
    /* Body bytes, as they come; may be NULL. */
    void (*body)(struct wire *, const char *p, size_t n);
};

static inline uint64_t wire_now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static inline void wire_start(struct wire *w)
{
    w->state = WIRE_HEAD;
    w->n = 0;
    w->left = 0;
}

static inline const char *wire_header(const struct wire *w, const char *name)
{
    size_t n = strlen(name);

    for (const char *line = strchr(w->head, '\n'); line; line = strchr(line + 1, '\n'))
        if (strncasecmp(line + 1, name, n) == 0 && line[1 + n] == ':')
            return line + 1 + n + 1 + strspn(line + 1 + n + 1, " ");
    return NULL;
}

/* Takes bytes until `end` is in w->head; how many. */
static inline size_t wire_until(struct wire *w, const char *p, size_t n, const char *end,
                                bool *ret_found)
{
    size_t room = WIRE_HEAD_BYTES - 1 - w->n, k = n < room ? n : room, len = strlen(end);
    size_t from = w->n < len ? 0 : w->n - len + 1;
    char *at;

    memcpy(w->head + w->n, p, k);
    at = memmem(w->head + from, w->n + k - from, end, len);
    *ret_found = at != NULL;
    if (at) {
        k = (size_t)(at + len - w->head) - w->n;
        *at = '\0';
        w->n = 0;
        return k;
    }
    w->n += k;
    w->bad = w->bad || w->n == WIRE_HEAD_BYTES - 1;
    return k;
}

/* True when the message has no body. */
static inline bool wire_after_head(struct wire *w)
{
    const char *length = wire_header(w, "content-length");
    const char *coding = wire_header(w, "transfer-encoding");

    w->status = strncmp(w->head, "HTTP/1.1 ", 9) == 0 ? (int)strtol(w->head + 9, NULL, 10) : 0;
    w->left = length ? strtoll(length, NULL, 10) : 0;
    w->state = coding && strncasecmp(coding, "chunked", 7) == 0 ? WIRE_SIZE : WIRE_BODY;
    return w->state == WIRE_BODY && w->left == 0;
}

static inline size_t wire_take_body(struct wire *w, const char *p, size_t n)
{
    size_t k = n < (size_t)w->left ? n : (size_t)w->left;

    if (w->body)
        w->body(w, p, k);
    w->left -= (int64_t)k;
    return k;
}

/* A line of chunked framing is whole. True: it was the last of the message. */
static inline bool wire_after_line(struct wire *w)
{
    if (w->state == WIRE_SIZE) {
        w->left = strtoll(w->head, NULL, 16);
        w->state = w->left ? WIRE_CHUNK : WIRE_TRAILER;
        return false;
    }
    if (w->state == WIRE_CHUNK_END) {
        w->state = WIRE_SIZE;
        return false;
    }
    return !w->head[0];
}

/* Takes bytes of one message; how many. *ret_done: it is whole. */
static inline size_t wire_feed(struct wire *w, const char *p, size_t n, bool *ret_done)
{
    size_t at = 0;
    bool found;

    *ret_done = false;
    while (at < n && !w->bad && !*ret_done) {
        if (w->state == WIRE_BODY) {
            at += wire_take_body(w, p + at, n - at);
            *ret_done = w->left == 0;
        } else if (w->state == WIRE_CHUNK) {
            at += wire_take_body(w, p + at, n - at);
            if (w->left == 0)
                w->state = WIRE_CHUNK_END;
        } else {
            bool head = w->state == WIRE_HEAD;

            at += wire_until(w, p + at, n - at, head ? "\r\n\r\n" : "\r\n", &found);
            if (found)
                *ret_done = head ? wire_after_head(w) : wire_after_line(w);
        }
    }
    if (*ret_done)
        wire_start(w);
    return at;
}
