/* operator_system.h: the home of the operator area: replicas, database, this node's work, findings.
 */
#pragma once

#include "web/web.h"

int page_operator_system(struct web *w) _must_use_; /* GET /operator */
