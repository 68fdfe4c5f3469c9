/* routes.h: everything this server answers, as one table. */
#pragma once

#include "http/router.h"

extern const struct route routes[];
extern const size_t routes_count;
