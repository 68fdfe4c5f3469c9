/* err.h: how a function says that it failed.
 *
 * int results: 0 ok; < 0 fatal (a negated errno), forwarded by every caller with err_trace() and
 * turned into a 500 at the edge; > 0 a documented outcome of that one function, handled by its
 * caller and never forwarded. Any thread. */
#pragma once

#include "base/base.h"

/* The place where a fatal error is born: logs it once with file and line, returns r (< 0). */
#define err_origin(r) err_origin_at((r), __FILE__, __LINE__, __func__)
/* The place where it passes through: one debug line, returns r. */
#define err_trace(r) err_trace_at((r), __FILE__, __LINE__, __func__)

int err_origin_at(int r, const char *file, int line, const char *func);
int err_trace_at(int r, const char *file, int line, const char *func);
