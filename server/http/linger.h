/* linger.h: closing a connection whose request was refused before it was read.
 *
 * Closing a socket with unread bytes resets it, and the reset may overtake the answer on its way.
 * So a second descriptor of the socket is kept for a moment and what still comes is thrown away. */
#pragma once

#include "base/list.h"
#include "loop/loop.h"

struct lingers {
    struct list list;
    unsigned n;
};

void lingers_init(struct lingers *ls);
/* Takes a copy of fd, which the caller closes. Does nothing when too many linger already. */
void linger_start(struct lingers *ls, struct loop *loop, int fd);
/* Ends those that have lasted too long. */
void lingers_check(struct lingers *ls, int64_t now_ms);
void lingers_done(struct lingers *ls);
