/* slots.h: tables of a fixed size that all loops share without a lock: each slot belongs to an id, which
 * claims it with one compare-and-swap and never gives it back, since others are found behind it; once none is
 * free, those that are idle are taken over. For this room only. */
#pragma once

#include "base/base.h"

/* The slot of id, above 0, in a table of n slots of so many bytes, n a power of two, whose first member is an
 * `_Atomic int64_t`, 0 while the slot is free. NULL: it has none, and with claim, there is no room. */
void *slot_of(void *slots, size_t n, size_t size, int64_t id, bool claim);
/* For an id that has none in a table without a free one: a slot that is idle, and id's from now on, with what
 * its last owner left in it. Who holds it for that one still may write to it. NULL: none is idle. */
void *slot_take_over(void *slots, size_t n, size_t size, int64_t id, bool (*is_idle)(const void *slot, int64_t now),
                     int64_t now);
