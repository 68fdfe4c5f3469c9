/* integrity_test.h: a healthy past, broken on purpose as the owner of the tables with the guards off, and
 * what the checks have open. */
#pragma once

#include "lease/money.h"
#include "log_past.h"

#include "logs/findings.h"

#define PAST_ROWS 2000

static struct money_test t;

static inline int setup(void **state)
{
    struct integrity_outcome o;

    money_start(&t, 1);
    log_past_write(t.p.owner, PAST_ROWS, 1);
    assert_int_equal(integrity_run(t.p.db, INTEGRITY_FULL, &o), 0);
    assert_true(o.ran);
    assert_int_equal(o.found, 0);
    return 0;
}

static inline int teardown(void **state)
{
    money_stop(&t);
    return 0;
}

/* --- a script as the owner, with the guards of posted rows off --- */

static const char *const guarded[] = {"call", "transfer"};

static inline void owner_does(const char *sql)
{
    char text[2048];

    snprintf(text, sizeof(text), "BEGIN; SET LOCAL app.scope = 'system'; %s; COMMIT", sql);
    if (db_script(t.p.owner, text) != 0)
        fail_msg("%s: %s", sql, db_last_error(t.p.owner));
}

static inline void guards(const char *state)
{
    for (size_t i = 0; i < ARRAY_LEN(guarded); i++) {
        char sql[100];

        snprintf(sql, sizeof(sql), "ALTER TABLE %s %s TRIGGER append_only", guarded[i], state);
        owner_does(sql);
    }
}

static inline void owner_forces(const char *sql)
{
    guards("DISABLE");
    owner_does(sql);
    guards("ENABLE");
}

/* --- the runs --- */

DB_QUERY(integrity_open,
         "SELECT count(*) AS n, coalesce(max(id), 0) AS id, coalesce(max(seen), 0) AS seen"
         "  FROM recon_finding WHERE closed_at IS NULL AND invariant = $1")

struct open_findings {
    int64_t n, id, seen;
};

static inline struct open_findings open_of(const char *invariant)
{
    struct open_findings o;

    people_begin(&t.p, DB_OPERATOR);
    assert_int_equal(db_one(t.p.db, &integrity_open, NULL, DB_ARGS(db_cstr(invariant)),
                            DB_COLS(db_col_i64("n", &o.n), db_col_i64("id", &o.id),
                                    db_col_i64("seen", &o.seen))),
                     0);
    people_commit(&t.p);
    return o;
}
