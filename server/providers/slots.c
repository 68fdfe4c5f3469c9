/* slots.c: see slots.h. An id's slot is the first one, from where its hash points, that is free or its own. */
#include "providers/slots.h"

#include <stdatomic.h>

/* The i-th that is looked at for id; its first member says whose it is. */
static _Atomic int64_t *owner_at(void *slots, size_t n, size_t size, int64_t id, size_t i)
{
    size_t at = (size_t)((uint64_t)id * UINT64_C(0x9e3779b97f4a7c15) >> 40);

    return (_Atomic int64_t *)(void *)((char *)slots + ((at + i) & (n - 1)) * size);
}

void *slot_of(void *slots, size_t n, size_t size, int64_t id, bool claim)
{
    assert(id > 0);
    assert((n & (n - 1)) == 0);
    for (size_t i = 0; i < n; i++) {
        _Atomic int64_t *owner = owner_at(slots, n, size, id, i);
        int64_t seen = atomic_load_explicit(owner, memory_order_relaxed);

        if (seen == 0 && !claim)
            return NULL;
        if (seen == id || (seen == 0 && (atomic_compare_exchange_strong(owner, &seen, id) || seen == id)))
            return owner;
    }
    return NULL;
}

void *slot_take_over(void *slots, size_t n, size_t size, int64_t id, bool (*is_idle)(const void *slot, int64_t now),
                     int64_t now)
{
    assert(id > 0);
    assert((n & (n - 1)) == 0);
    for (size_t i = 0; i < n; i++) {
        _Atomic int64_t *owner = owner_at(slots, n, size, id, i);
        int64_t seen = atomic_load_explicit(owner, memory_order_relaxed);

        if (is_idle(owner, now) && atomic_compare_exchange_strong(owner, &seen, id))
            return owner;
    }
    return NULL;
}
