/* alarm_rows.h: what judging asks of the database; for alarm.c and alarm_watch.c. System scope. */
#pragma once

#include "notices/alarm.h"

/* What was raised or ended now, in the order of their ids; none where a node has judged within rest_ms. */
int alarms_judge_due(struct db *db, struct arena *a, int32_t rest_ms, struct alarm_page *ret) _must_use_;
int alarms_outage_over(struct db *db, struct arena *a, int64_t began_us,
                       struct alarm_page *ret) _must_use_;
int alarm_reports_write(struct db *db, int64_t session, const struct alarm_report *v,
                        size_t n) _must_use_;
/* Of the runs of nodes that live, is it the oldest? */
int alarm_session_is_first(struct db *db, int64_t session, bool *ret) _must_use_;
