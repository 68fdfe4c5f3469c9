/* shadow.h: what shadows (gateway/call_shadow.h) may cost within a day: see migrations/0015_shadow.sql.
 * Worker threads, each in a transaction of its own. */
#pragma once

#include "base/id.h"
#include "base/money.h"

struct db;

/* The part of a day that one shadow has taken. */
struct shadow_part {
    struct model_id model; /* whose calls are shadowed */
    int64_t at_us;         /* when the shadow began, which is the day that it counts for */
    struct money most;
};
/* SHADOW_E_CEILING: the day has not as much left, or the model is shadowed no more. Below 0: it cannot be
 * told, and nothing is known to be taken. */
enum { SHADOW_OK = 0, SHADOW_E_CEILING = 1 };
int shadow_take(struct db *db, const struct shadow_part *part) _must_use_;
/* Of a shadow that was not sent: settlement does it for the others. */
int shadow_give_back(struct db *db, const struct shadow_part *part) _must_use_;
