/* random.h: every random byte goes through here. */
#pragma once

#include "base/base.h"

void random_bytes(void *p, size_t n); /* cryptographic (libsodium) unless driven */
uint64_t random_u64(void);
uint32_t random_below(uint32_t bound);
/* From now on all of the above come from a generator with this seed. Tests only. */
void random_drive(uint64_t seed);
void random_undrive(void);
