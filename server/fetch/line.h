/* line.h: a plain TCP connection to an upstream, open for one request after another; private to this
 * room.
 *
 * libcurl makes it (look-up, addresses in turn, time-outs) and hands its socket over, so that reading
 * and writing cost what the kernel takes for them. It belongs to the fetch whose request is on it, else
 * it is kept; a kept one that says anything or is closed by the upstream goes at once, as does one that
 * has been idle for longer than balancers keep theirs. All on the loop. */
#pragma once

#include <netinet/in.h>

#include "fetch/transfer.h"

struct line {
    struct fetcher *fetcher;
    struct fetch *fetch; /* NULL: kept */
    struct loop_fd fd;
    struct list link; /* of fetcher->kept or just_kept, the latest first */
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    } peer;
    bool used; /* has carried a whole exchange */
    int64_t kept_since_ms;
    char origin[]; /* http://host:port, as in the URLs that it serves */
};

/* A kept line to the origin that the fetch may use; it is the fetch's then. False: there is none. */
bool line_take(struct fetch *f, const char *origin);
/* Begins to connect for the fetch; transfers_read_done() hears of the end. */
int line_connect(struct fetch *f) _must_use_;
/* libcurl has connected: the socket becomes the fetch's line. */
int line_made(struct fetch *f) _must_use_;
/* The fetch's line goes back to be kept, or is closed. */
void line_keep(struct line *l);
/* The turn is over: before the next one is at work epoll will have told of what the kept ones say. */
void lines_turn_over(struct fetcher *f);
void line_close(struct line *l);
void lines_done(struct fetcher *f);
