/* operator_probe.h: trying a provider account while the operator waits. */
#pragma once

#include "web/web.h"

int page_operator_account_test(struct web *w) _must_use_; /* POST .../{id}/test; long lane */
