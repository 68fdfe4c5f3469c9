/* heap.c: see heap.h. */
#include "base/heap.h"

#include <malloc.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/bounds.h"

#define LET_GO_LEAST KIB(128)

void heap_keep_pages(void)
{
    (void)mallopt(M_TRIM_THRESHOLD, (int)MIB(8));
    (void)mallopt(M_MMAP_THRESHOLD, (int)MIB(4));
}

void heap_let_go(void *p, size_t n)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE), skip = -(uintptr_t)p & (page - 1);

    if (!p || n < LET_GO_LEAST)
        return;
    (void)madvise((char *)p + skip, (n - skip) & ~(page - 1), MADV_DONTNEED);
}
