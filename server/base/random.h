/* random.h: every random byte goes through here. */
#pragma once

#include "base/base.h"

void random_bytes(void *p, size_t n); /* cryptographic (libsodium) unless driven */
/* The same for names that need only be unlike each other: from a stock that each thread draws in bulk.
 * Not for secrets: what comes next is in memory. */
void random_name(void *p, size_t n);
uint64_t random_u64(void);
uint32_t random_below(uint32_t bound); /* uniform in [0, bound); 0 when bound < 2 */
/* libsodium is initialised; the files of this room call it before they use that library. */
void random_ready(void);
/* From now on all of the above come from a generator with this seed. Tests only. */
void random_drive(uint64_t seed);
void random_undrive(void);
