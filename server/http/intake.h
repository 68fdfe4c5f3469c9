/* intake.h: the way of a long body around libmicrohttpd; private to this room.
 *
 * libmicrohttpd reads a body into what its pool has free, with a recv() each time, and hands it on to be
 * copied. Once it has handed on the first piece of a body whose length was announced, the rest goes from the
 * socket to where the body will stand, with as few calls as it takes. libmicrohttpd cannot be told that; but
 * it reads by recv(), which this program has for itself: for the socket of such a body it fills the body, and
 * says that as many bytes were read as libmicrohttpd had room for. It does not look at them, it counts them
 * and hands them on (process_request_body() of 0.9.75), and here they are only counted once more.
 *
 * Not with TLS, where others read the socket, nor for chunks, which libmicrohttpd has to read. Were it ever
 * to read by another call, bodies would come through its pool again. On the listener's loop, except recv(),
 * which everybody may call. */
#pragma once

#include <stdatomic.h>

#include "base/base.h"

struct exchange;
struct listener;

/* One for each exchange. */
struct intake {
    uint64_t left; /* bytes of the body that nobody has read */
    size_t ahead;  /* bytes that stand behind the end of the body, and are not handed on yet */
    size_t told;   /* how many of these libmicrohttpd believes to have read */
};

/* Which bodies, by the descriptor that they come by; NULL: none. */
struct intakes {
    struct exchange **v;
    size_t n;
    atomic_uint_fast64_t bytes; /* that have come this way; any thread may look */
};

/* Libmicrohttpd runs for this listener, in this thread, from now on; NULL: for nobody. */
void intake_run(struct listener *l);
/* A piece was handed on. True: it was here before, and has been counted. */
bool intake_counts(struct exchange *x, size_t bytes) _must_use_;
/* A piece was handed on and is part of the body now: the rest may come this way. */
void intake_begin(struct exchange *x, size_t bytes);
/* No more of it comes; safe twice. */
void intake_end(struct exchange *x);
