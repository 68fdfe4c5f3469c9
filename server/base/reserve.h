/* reserve.h: memory kept back for the moment when there is none.
 *
 * Trees of pages and builders of text cannot give up in the middle. When an allocation fails they ask
 * here once: the reserve goes back to the heap, and the allocation is tried again. Any thread. */
#pragma once

#include "base/base.h"

/* True when something was given back, so that trying again makes sense. */
bool reserve_use(void);
/* The call's memory, asked for once more when there was none; without it there is no going on. */
#define reserve_must(call)           \
    ({                               \
        void *made_ = (call);        \
                                     \
        if (!made_ && reserve_use()) \
            made_ = (call);          \
        assert(made_);               \
        made_;                       \
    })
/* Makes the reserve again if it was used and there is room; from time to time. */
void reserve_keep(void);
