/* heap.h: how malloc treats the kernel. At start, before there are threads. */
#pragma once

#include "base/base.h"

/* Bodies come and go with each call. What the heap of a loop has at its end is kept for the next ones, up
 * to a bound: given back to the kernel at once it would come again page by page, zeroed, which costs more
 * than reading the body. The largest blocks have pages of their own, and those go back. */
void heap_keep_pages(void);
