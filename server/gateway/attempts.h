/* attempts.h: the attempts of a call as its client may see them. */
#pragma once

#include "base/arena.h"
#include "model/record.h"

/* A JSON array in the arena, one object per attempt; p NULL when memory is out. */
struct str attempts_json(struct arena *a, const struct call_record *r);
