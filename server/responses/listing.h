/* listing.h: the items of a kept conversation as GET /v1/responses/{id}/input_items lists them. Pure.
 *
 * Source: OpenAI API reference, "List input items". Items that a client gave without an id get one
 * that is made of the response's own and their place, the same each time they are listed. */
#pragma once

#include "base/arena.h"
#include "base/buf.h"
#include "base/id.h"

struct listing_want {
    int64_t limit;    /* 1 to 100 */
    bool oldest_first;
    struct str after; /* the id of the item before the first; p NULL: from the beginning */
};
enum { LISTING_LIMIT = 20, LISTING_LIMIT_MAX = 100 };

enum { LISTING_OK = 0, LISTING_E_AFTER = 1 };
/* Appends the list object. input: the array of the items, which json_scan has accepted. LISTING_OK;
 * LISTING_E_AFTER: no item has that id; < 0. */
int listing_put(struct arena *a, struct str input, struct call_id call,
                const struct listing_want *want, struct buf *out) _must_use_;
