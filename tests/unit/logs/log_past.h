/* log_past.h: a database with the past that tests/bench/log_rows.sql makes, for the tests of what
 * reads the log. */
#pragma once

#include "unit.h"

#include "base/bounds.h"
#include "base/buf.h"
#include "db/db.h"

#define LOG_PAST_FILE_MAX MIB(1)

static inline void log_past_script(struct buf *out, int64_t rows, int weeks)
{
    FILE *f = fopen("tests/bench/log_rows.sql", "r");
    char block[4096];
    size_t n;

    assert_non_null(f);
    buf_printf(out, "BEGIN; SET LOCAL bench.rows = %lld; SET LOCAL bench.weeks = %d;", (long long)rows,
               weeks);
    while ((n = fread(block, 1, sizeof(block), f)) > 0)
        buf_put(out, block, n);
    fclose(f);
    buf_puts(out, "COMMIT; ANALYZE");
    buf_putc(out, '\0');
    assert_int_equal(buf_finish(out), 0);
}

/* rows of the first team, a two-hundredth of them of twenty others, over so many weeks until now. */
static inline void log_past_write(struct db *owner, int64_t rows, int weeks)
{
    struct buf sql;

    buf_init(&sql, LOG_PAST_FILE_MAX);
    log_past_script(&sql, rows, weeks);
    assert_int_equal(db_limit(owner, 0, 0), 0);
    if (db_script(owner, sql.p) != 0)
        fail_msg("%s", db_last_error(owner));
    buf_done(&sql);
}
