/* heap.h: how malloc treats the kernel.
 *
 * Where mimalloc is installed the program is linked with it (meson.build): the blocks of a call of 1 KB cost
 * 3,400 instructions with it and 20,000 with the C library, whose cache is too small for the fifty of an
 * answer's headers that are freed at once. What is set here holds for whichever it is. */
#pragma once

#include "base/base.h"

/* At start, before there are threads: what is freed on the way goes back to the kernel. */
void heap_begin(void);
/* Bodies come and go with each call. What the heap of a loop has at its end is kept for the next ones, up
 * to a bound: given back to the kernel at once it would come again page by page, zeroed, which costs more
 * than reading the body. The largest blocks have pages of their own, and those go back. By the thread that
 * has started the program, when it has. */
void heap_keep_pages(void);
/* Before free(p), of n bytes, for blocks that may end by the thousand: a large one's pages go back to the
 * kernel now, some 10 us of work. Else the C library's heap, once all of them are free, gives 64 MB back in
 * one piece, which stops this thread for 5 to 10 ms and whoever needs a new page with it. What stood there is gone. */
void heap_let_go(void *p, size_t n);
