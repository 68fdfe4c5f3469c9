/* heap.h: how malloc treats the kernel. At start, before there are threads.
 *
 * Where mimalloc is installed the program is linked with it (meson.build): the blocks of a call of 1 KB cost
 * 3,400 instructions with it and 20,000 with the C library, whose cache is too small for the fifty of an
 * answer's headers that are freed at once. It keeps pages by itself; what is set here is the C library's. */
#pragma once

#include "base/base.h"

/* Bodies come and go with each call. What the heap of a loop has at its end is kept for the next ones, up
 * to a bound: given back to the kernel at once it would come again page by page, zeroed, which costs more
 * than reading the body. The largest blocks have pages of their own, and those go back. */
void heap_keep_pages(void);
