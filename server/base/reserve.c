/* reserve.c: see reserve.h. */
#include "base/reserve.h"

#include <stdatomic.h>

#include "base/bounds.h"
#include "base/log.h"

static _Atomic(void *) kept;

__attribute__((constructor)) void reserve_keep(void)
{
    void *none = NULL, *block;

    if (atomic_load_explicit(&kept, memory_order_relaxed))
        return;
    block = malloc(BOUND_RESERVE_BYTES);
    if (block && !atomic_compare_exchange_strong(&kept, &none, block))
        free(block);
}

bool reserve_use(void)
{
    void *block = atomic_exchange(&kept, NULL);

    log_error("memory_is_out", "reserve=%s", block ? "used" : "none");
    if (!block)
        block = malloc(BOUND_RESERVE_BYTES); /* there is memory again? */
    free(block);
    return block != NULL;
}
