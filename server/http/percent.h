/* percent.h: percent-encoding as it stands in URLs and forms. Pure. */
#pragma once

#include "base/arena.h"

/* The decoded copy; p is NULL when the encoding is broken, when the result has a NUL or is no
 * UTF-8. plus_is_space: as in query strings and forms. */
struct str percent_decode(struct arena *a, struct str s, bool plus_is_space) _must_use_;
/* Everything that is not unreserved (RFC 3986 2.3) escaped, '/' and ':' too; p NULL: out of memory. */
struct str percent_encode(struct arena *a, struct str s) _must_use_;
