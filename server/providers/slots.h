/* slots.h: tables of a fixed size that all loops share without a lock: each slot belongs to an id, which
 * claims it with one compare-and-swap and never gives it back. For this room only. */
#pragma once

#include "base/base.h"

/* The slot of id, above 0, in a table of n slots of so many bytes, n a power of two, whose first member is an
 * `_Atomic int64_t`, 0 while the slot is free. NULL: it has none, and with claim, there is no room. */
void *slot_of(void *slots, size_t n, size_t size, int64_t id, bool claim);
