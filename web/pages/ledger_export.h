/* ledger_export.h: the ledger as rows, with the filter of the screen and every amount at full
 * precision. */
#pragma once

#include "web/web.h"

int page_ledger_export(struct web *w) _must_use_;        /* GET /billing/ledger/export */
int page_operator_team_ledger(struct web *w) _must_use_; /* GET /operator/teams/{id}/ledger */
