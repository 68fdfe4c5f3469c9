/* alert.h: a team hears that its balance runs low or a budget is spent to a part, before requests are
 * refused. Each is raised once for each window and threshold (migrations/0011_notice.sql). */
#pragma once

#include "identity/audit.h"
#include "identity/key.h"
#include "notices/outbox.h"

/* The thresholds of budgets, in percent. */
#define ALERT_MARKS 3
extern const int32_t alert_marks[ALERT_MARKS];

struct alert_settings {
    struct money balance_below; /* 0: nothing is said of the balance */
    bool marks[ALERT_MARKS];
    int64_t *recipients; /* user ids of members; only as read: without settings of the team the owners */
    size_t n_recipients;
};
/* Team scope. */
int alert_settings_read(struct db *db, struct arena *a, struct team_id team,
                        struct alert_settings *ret) _must_use_;
/* Fields: balance_below, recipients. Team scope. */
int alert_settings_save(struct db *db, struct arena *a, const struct actor *actor,
                        struct team_id team, const struct alert_settings *settings,
                        struct identity_fault *fault) _must_use_;

struct alert {
    int64_t id;
    struct team_id team;
    struct str team_name;
    struct str kind;  /* "budget", "balance" */
    struct str scope; /* "team", "project", "user", "key" */
    int64_t scope_id;
    struct str name;           /* of the team, project, person or key */
    int32_t mark;              /* percent of a budget */
    struct money amount, used; /* the budget and what was spent; the limit and the balance */
    struct str window;         /* "day", "week", "month", "lifetime"; of a budget */
    int64_t raised_at_us, ended_at_us; /* ended: 0 while it stands */
};
struct alert_page {
    struct alert *v;
    size_t n;
};
/* The newest first; standing: those only that have not ended. Team scope. */
int alert_list(struct db *db, struct arena *a, struct team_id team, bool standing, int32_t limit,
               struct alert_page *ret) _must_use_;

/* "Budget of project web: 80 % spent", and a sentence with the figures. Pure. */
struct str alert_title(struct arena *a, const struct alert *v) _must_use_;
struct str alert_sentence(struct arena *a, const struct alert *v) _must_use_;

/* Judges all teams, where no node has within the minute, and writes what is raised and the mails that tell
 * of it, in one transaction, with a line in the log. */
int alerts_judge(struct db *db, const struct notices *n) _must_use_;
