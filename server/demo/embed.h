/* embed.h: POST /v1/embeddings of the demo upstream. Loop thread.
 *
 * A text's vector is the sum of those of its words' runs of three letters, scaled to length 1, so that texts
 * which share words, or nearly do, point in similar directions. */
#pragma once

#include "http/request.h"

void demo_embed(struct request *r);
