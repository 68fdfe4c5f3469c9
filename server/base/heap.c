/* heap.c: see heap.h. */
#include "base/heap.h"

#include <malloc.h>

#include "base/bounds.h"

void heap_keep_pages(void)
{
    (void)mallopt(M_TRIM_THRESHOLD, (int)MIB(8));
    (void)mallopt(M_MMAP_THRESHOLD, (int)MIB(4));
}
