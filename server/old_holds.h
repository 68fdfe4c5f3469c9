/* old_holds.h: reports a hold of this node that has outlived the longest call, as a finding. */
#pragma once

#include "gateway/services.h"

/* Own transaction, where there is one. */
int old_holds_report(struct db *db, const struct services *s) _must_use_;
