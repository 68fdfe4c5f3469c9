/* slots.c: see slots.h. An id's slot is the first one, from where its hash points, that is free or its own. */
#include "providers/slots.h"

#include <stdatomic.h>

void *slot_of(void *slots, size_t n, size_t size, int64_t id, bool claim)
{
    size_t at = (size_t)((uint64_t)id * UINT64_C(0x9e3779b97f4a7c15) >> 40);

    assert(id > 0);
    assert((n & (n - 1)) == 0);
    for (size_t i = 0; i < n; i++) {
        char *slot = (char *)slots + ((at + i) & (n - 1)) * size;
        _Atomic int64_t *owner = (_Atomic int64_t *)(void *)slot;
        int64_t seen = atomic_load_explicit(owner, memory_order_relaxed);

        if (seen == 0 && !claim)
            return NULL;
        if (seen == id || (seen == 0 && (atomic_compare_exchange_strong(owner, &seen, id) || seen == id)))
            return slot;
    }
    return NULL;
}
