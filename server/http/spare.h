/* spare.h: a descriptor kept for the moment when all others are taken.
 *
 * libmicrohttpd stops accepting then, and clients would wait in the kernel's queue without a word.
 * The spare is given up for a moment to take each of them, say 503 and close. On the listener's
 * loop. */
#pragma once

#include "base/base.h"

struct spare {
    int fd; /* -1: none */
};

void spare_init(struct spare *s);
void spare_done(struct spare *s);
/* Answers those who wait at listen_fd when no descriptor is left; how many there were. */
unsigned spare_turn_away(struct spare *s, int listen_fd);
/* Says 503 to the other side of a socket, whatever it asks for, and that nothing follows. */
void spare_answer(int fd);
