/* limits_sql.h: the purses of a key's limits; for this room only. */
#pragma once

#include "limits/limits.h"

/* Ids of the purses, 0 where there is no limit, and what each has left. LIMITS_* outcomes. */
int limits_sql_open(struct db *db, const struct key_limits *limits, struct purse_id ret[LIMITS],
                    int64_t ret_left[LIMITS]) _must_use_;
