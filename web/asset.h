/* asset.h: the route of the files that browsers fetch. */
#pragma once

#include "http/request.h"

void web_asset(struct request *req); /* GET /assets/{version}/{name}, on the loop */
