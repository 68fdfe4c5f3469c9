/* embed.h: POST /v1/embeddings of the demo upstream. Loop thread.
 *
 * A text's vector is the sum of its tokens' vectors, scaled to length 1, so that texts which share
 * words point in similar directions. */
#pragma once

#include "http/request.h"

void demo_embed(struct request *r);
