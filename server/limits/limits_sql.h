/* limits_sql.h: the purses of a key's limits; for this room only. */
#pragma once

#include "limits/limits.h"

/* Ids of the purses, 0 where there is no limit; how much each takes in all, and has left. */
struct limits_opened {
    struct purse_id id[LIMITS];
    int64_t capacity[LIMITS], left[LIMITS];
};
/* LIMITS_* outcomes. */
int limits_sql_open(struct db *db, const struct key_limits *limits,
                    struct limits_opened *ret) _must_use_;
