/* findings.h: the checks of the books: running them, and what they found, until a person closes it.
 *
 * The rules are ledger_findings() in migrations/0006_checks.sql. Worker threads; DB_E_AWAY and other
 * outcomes of the database are fatal here (db_fatal). */
#pragma once

#include "db/db.h"

enum integrity_form {
    INTEGRITY_WINDOW, /* what was posted lately; due each minute */
    INTEGRITY_FULL,   /* everything; due each night, and when wanted */
};
struct integrity_outcome {
    bool ran; /* false: it is not due, or another node is at it */
    bool more; /* a window's calls are still to be read: integrity_step() */
    int32_t found, opened;
};
/* Own transaction. In full it takes minutes at millions of calls: where it is due it sets the time limits of the
 * connection, which stay for integrity_step() and until db_limit_usual(). */
int integrity_run(struct db *db, enum integrity_form form, struct integrity_outcome *ret) _must_use_;
/* Reads some of the window's calls, in a short transaction of its own; ret->ran is untouched, and what
 * it finds is added to ret. Whoever repeats it rests in between: settling comes first. */
int integrity_step(struct db *db, struct integrity_outcome *ret) _must_use_;
/* The full form as soon as a node looks. Operator scope. */
int integrity_want(struct db *db) _must_use_;

struct integrity_last {
    int64_t started_us, ended_us; /* 0: never */
    int32_t found;
    bool wanted;
};
/* By enum integrity_form. */
int integrity_read(struct db *db, struct integrity_last ret[2]) _must_use_;

struct finding {
    int64_t id, found_us, seen_us, seen;
    struct str form, invariant, subject, detail; /* form: "window", "full", "node" */
    struct team_id team;                         /* v 0: none */
    struct str team_name;
    int64_t closed_us; /* 0: it is open */
    struct str closed_by, closed_reason;
    bool accepted;
};
struct finding_page {
    struct finding *v;
    size_t n;
};
/* Newest first (closed ones: closed last), at most 100. Operator scope. */
int finding_list(struct db *db, struct arena *a, bool closed, struct finding_page *ret) _must_use_;
int finding_count(struct db *db, int64_t *ret_open) _must_use_;

/* The node found something about itself. System scope; *ret_new: it was not known. */
int finding_report(struct db *db, struct str invariant, struct str subject, struct str detail,
                   bool *ret_new) _must_use_;

/* FINDING_E_NONE: no such open finding. FINDING_E_REFUSED: without a reason (3 characters or more).
 * accept: exactly the same is not told again. *ret_row is the row as JSON, for the audit log. Operator
 * scope. */
enum { FINDING_OK = 0, FINDING_E_NONE = 1, FINDING_E_REFUSED = 2 };
int finding_close(struct db *db, struct arena *a, int64_t id, struct str by, struct str reason,
                  bool accept, struct str *ret_row) _must_use_;
