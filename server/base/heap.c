/* heap.c: see heap.h. */
#include "base/heap.h"

#include <malloc.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/bounds.h"

/* There when the program was linked with mimalloc. Its header need not be, so the option is told by the number
 * that it has in 2.0, which is Debian's (mi_option_decommit_delay). */
extern __attribute__((weak)) void mi_option_set(int option, long value);
extern __attribute__((weak)) void mi_collect(bool force);
enum { DECOMMIT_DELAY = 15 };

/* Freed pages go back when nobody has wanted them for so long. mimalloc's own 25 ms are less than the pauses
 * of a loop: a call of 50 KB took 0.5 page faults then, and takes 0.2. */
enum { PAGES_KEPT_MS = 1000 };

#define LET_GO_LEAST KIB(128)

void heap_begin(void)
{
    if (mi_option_set)
        mi_option_set(DECOMMIT_DELAY, 0);
}

void heap_keep_pages(void)
{
    if (mi_collect && mi_option_set) {
        mi_collect(true);
        mi_option_set(DECOMMIT_DELAY, PAGES_KEPT_MS);
    }
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
