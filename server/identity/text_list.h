/* text_list.h: arrays of text as the queries of this room hand them out: joined by line feeds,
 * which no element may hold. Inside this room only. */
#pragma once

#include "base/arena.h"

struct text_list {
    const struct str *v; /* slices of the joined text */
    size_t n;
};
/* Empty text: no elements. -ENOMEM. */
int text_list_split(struct arena *a, struct str joined, struct text_list *ret) _must_use_;
