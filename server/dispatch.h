/* dispatch.h: pages and the management API, which run on the lane that their route names and answer on
 * the loop. What a listener is given (see listener.h); ctx is its loop's gateway. Loop thread. */
#pragma once

#include "http/router.h"

void dispatch_to_lane(struct request *req, void *ctx);
void dispatch_problem_page(struct request *req, const struct problem *p, struct response *out,
                           void *ctx);
