/* memory.h: what a simulated process has allocated, so that a kill -9 frees it and a clean end can be
 * asked what it left behind.
 *
 * The simulator is linked with malloc and its like wrapped: while a region is entered the real code
 * allocates there, at addresses that are the same in every run. The simulator's own memory is the
 * keep_ functions'; it uses no others. One thread. */
#pragma once

#include "base/base.h"

#define MEMORY_REGIONS 4

/* Allocations go to this region from now on; -1: to nobody's. The region before is returned. */
int memory_enter(int region);
/* All of it is gone. */
void memory_forget(int region);
/* How many allocations are not freed. */
size_t memory_live(int region);

/* Grown memory is zeroed; fails never (the simulator ends then). p NULL: new. */
void *keep_grow(void *p, size_t old_bytes, size_t new_bytes);
void keep_free(void *p);
