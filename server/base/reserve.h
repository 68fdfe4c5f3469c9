/* reserve.h: memory kept back for the moment when there is none.
 *
 * Trees of pages and builders of text cannot give up in the middle. When an allocation fails they ask
 * here once: the reserve goes back to the heap, and the allocation is tried again. Any thread. */
#pragma once

#include "base/base.h"

/* True when something was given back, so that trying again makes sense. */
bool reserve_use(void);
/* Makes the reserve again if it was used and there is room; from time to time. */
void reserve_keep(void);
