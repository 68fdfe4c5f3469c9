/* seed.h: one seed from beginning to end. */
#pragma once

#include "world.h"

/* Ends the program with 1 when a rule is broken. pg NULL: the model alone. */
void seed_run(struct world *w, uint64_t seed, struct pg *pg);
/* What all seeds share is given back. */
void seed_done(struct world *w);
