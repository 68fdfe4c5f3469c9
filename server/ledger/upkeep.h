/* upkeep.h: what the ledger's tables need from time to time. Worker, own transactions. */
#pragma once

#include "db/db.h"

/* Makes partitions for the weeks ahead. */
int ledger_upkeep(struct db *db) _must_use_;
