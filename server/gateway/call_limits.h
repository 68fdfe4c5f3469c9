/* call_limits.h: limits as the client hears of them: problems and x-ratelimit-* headers. */
#pragma once

#include "http/request.h"
#include "limits/limits.h"

struct call;

/* The problem for a want that the database refused (DESIGN 7: money is 402, time is 429). Texts
 * live in the call's arena. */
struct problem call_limits_problem(struct call *c, enum limit limit,
                                   const struct hold_refusal *refusal);
/* The x-ratelimit-* headers of the key, where it has such limits. */
void call_limits_head(struct call *c, struct response *out);
