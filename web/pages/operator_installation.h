/* operator_installation.h: what this installation is: seller of the invoices, time zone. */
#pragma once

#include "web/web.h"

int page_operator_installation(struct web *w) _must_use_;        /* GET /operator/installation */
int page_operator_installation_update(struct web *w) _must_use_; /* POST /operator/installation */
