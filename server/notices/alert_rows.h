/* alert_rows.h: what judging asks of the database; for alert.c. System scope. */
#pragma once

#include "notices/alert.h"

struct alert_addresses {
    struct str *v;
    size_t n;
};
int alert_recipients(struct db *db, struct arena *a, struct team_id team,
                     struct alert_addresses *ret) _must_use_;
/* What was raised now, by team. */
int alerts_raise_due(struct db *db, struct arena *a, struct alert_page *ret) _must_use_;
