/* free_copy.h: an answer's bytes as they are kept: what the client got, with a cost of 0.
 *
 * A kept answer costs nothing when it is given again, so it may not tell what the first one cost. The
 * usage stays as the provider told it: it is what the answer is of. Comments of a stream vanish, as
 * they told of waiting and of money. Pure. */
#pragma once

#include "base/buf.h"
#include "translation/dialect.h"

/* Appends the copy to out. False: the bytes are not understood, and out is of no use. */
bool free_copy_whole(const struct dialect *d, struct str answer, struct buf *out);
/* Whole events, in the client's format. told: its usage carries the cost. */
bool free_copy_stream(const struct dialect *d, struct str events, bool told, struct buf *out);
