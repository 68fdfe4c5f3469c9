/* admission.h: what a node turns away with 503 so that it does not break under what it is sent.
 *
 * Memory: the process's resident bytes, read again every 100 ms, and what the bodies need that are on
 * their way. Above 80 % of the limit bodies beyond 64 KiB are refused, above 90 % everything is. Time:
 * see backlog.h. What looks after the machine (/livez, /metrics) is always answered, pages are unless
 * memory is out. */
#pragma once

#include <stdatomic.h>

#include "base/base.h"

struct exchange;
struct gate_body;
struct memory_guard;

/* limit_bytes 0: half of the machine's memory, or all but a tenth of the control group's.
 * One for a process, shared by its listeners, which it outlives. */
int memory_guard_new(uint64_t limit_bytes, struct memory_guard **ret) _must_use_;
void memory_guard_free(struct memory_guard *g); /* NULL is fine */
/* Another limit from now on, 0 as above; any thread. */
void memory_guard_limit(struct memory_guard *g, uint64_t limit_bytes);

struct memory_view {
    uint64_t limit_bytes, used_bytes, promised_bytes;
};
/* As last read; any thread. */
void memory_guard_read(const struct memory_guard *g, struct memory_view *ret);

/* So many of the connections wanted as this process has descriptors for; says so when it is fewer. */
unsigned admission_connections(unsigned wanted);

/* Inside this room, on the exchange's loop. */

/* For a head whose route is known: false when it is to be answered with PROBLEM_BUSY. Bytes of a
 * long body are promised from here on. */
bool admission_head(struct exchange *x, const struct gate_body *body) _must_use_;
/* So many more bytes of the body have come. False: a chunked one that grew beyond what there is. */
bool admission_body(struct exchange *x, size_t n) _must_use_;
/* The body has come whole, and counts as resident, or never will; safe twice. */
void admission_end(struct exchange *x);
