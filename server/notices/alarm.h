/* alarm.h: what operators are told of: books that do not agree, provider accounts that fail, calls that cannot
 * be written down or settled, mail that stays, models without a price that are asked for, an outage of the
 * database. Each is raised once for its cause, on whichever replica, and told again when it is over
 * (migrations/0014_alarm.sql).
 * All are written down; the settings say which are told, and to whom. */
#pragma once

#include "identity/audit.h"
#include "notices/outbox.h"

enum alarm_kind {
    ALARM_BOOKS,    /* a finding of the checks is open */
    ALARM_ACCOUNT,  /* a node leaves a provider account alone, for longer than a while */
    ALARM_DATABASE, /* nodes could not reach it */
    ALARM_JOURNAL,  /* a node has calls that it cannot settle, or admits none since its disk takes no records */
    ALARM_MAIL,     /* mail waits, or alerts to an address are given up */
    ALARM_PRICE,    /* requests for a model are refused, since it has no price */
};
#define ALARM_KINDS 6
const char *alarm_kind_name(enum alarm_kind kind); /* "books", as in the column */
const char *alarm_kind_says(enum alarm_kind kind); /* for a form */

struct alarm {
    int64_t id;
    struct str kind, subject, name, detail;
    int64_t raised_at_us, ended_at_us; /* ended: 0 while it stands */
};
struct alarm_page {
    struct alarm *v;
    size_t n;
};
/* Those that stand first, then the newest. Operator scope. */
int alarm_list(struct db *db, struct arena *a, int32_t limit, struct alarm_page *ret) _must_use_;

/* "Provider account openai 2 fails", and what is known of it. Pure. */
struct str alarm_title(struct arena *a, const struct alarm *v) _must_use_;
/* "alarm.raised", "alarm.ended": what of it is told now. */
const char *alarm_event(const struct alarm *v);

struct alarm_operator {
    int64_t id;
    struct str name, email;
    bool mailed;
};
#define ALARM_AFTER_MAX_S 86400
struct alarm_settings {
    bool kinds[ALARM_KINDS];
    int32_t account_after_s; /* so long an account fails until it is told */
    struct alarm_operator *operators; /* all who can sign in; only as read */
    size_t n_operators;
};
/* Operator or system scope. */
int alarm_settings_read(struct db *db, struct arena *a, struct alarm_settings *ret) _must_use_;
/* recipients: user ids of operators. Fields: account_after_seconds, recipients. Operator scope. */
int alarm_settings_save(struct db *db, struct arena *a, const struct actor *actor,
                        const struct alarm_settings *settings, const int64_t *recipients, size_t n,
                        struct identity_fault *fault) _must_use_;

/* What a node sees amiss of itself; another node may be the one to tell of it. */
struct alarm_report {
    enum alarm_kind kind; /* ALARM_ACCOUNT or ALARM_JOURNAL */
    struct str subject, name, detail;
    int64_t since_us;
};
/* What of these is told now, as one letter. Pure. */
int alarm_letter(struct arena *a, const struct notices *n, const struct alarm *v, size_t count,
                 struct letter *ret) _must_use_;

/* All that this run of a node sees, in the place of what it reported before. Own transaction. */
int alarms_report(struct db *db, int64_t session, const struct alarm_report *v, size_t n) _must_use_;
/* Raises what holds now and ends what does not, where no node has within most of poll_ms, and writes the mails
 * and events that tell of it, in one transaction, with a line in the log. */
int alarms_judge(struct db *db, const struct notices *n, int poll_ms) _must_use_;
/* The database was away since then, and is back. Own transaction. */
int alarms_outage(struct db *db, const struct notices *n, int64_t began_us) _must_use_;
