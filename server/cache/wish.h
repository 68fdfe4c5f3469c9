/* wish.h: what a request says of kept answers, in its header `x-tollgate-cache`.
 *
 *   max-age=N   an answer that is at most so many seconds old, where the key does not want it younger
 *   no-cache    ask anew; the new answer is kept
 *   no-store    ask anew; the answer is not kept
 *
 * A header takes back what the key's setting gives, and never gives more. Pure. */
#pragma once

#include "base/str.h"

struct cache_wish {
    bool read, keep;
    int64_t max_age_ms; /* of an answer that is read */
};

enum { CACHE_WISH_OK = 0, CACHE_WISH_E_WORD = 1 };
/* header p NULL: as the key says, whose seconds are above 0. CACHE_WISH_E_WORD: it is none of these. */
int cache_wish_read(struct str header, int64_t key_seconds, struct cache_wish *ret) _must_use_;
