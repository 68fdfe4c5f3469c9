/* operator_calls.h: the calls of all teams. */
#pragma once

#include "web/web.h"

int page_operator_calls(struct web *w) _must_use_; /* GET /operator/calls */
int page_operator_call(struct web *w) _must_use_;  /* GET /operator/calls/{id} */
