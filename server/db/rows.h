/* rows.h: a whole result as one array in the arena.
 *
 *     struct db_rows rows = DB_ROWS(a, &row);
 *     r = db_each(db, &query, a, DB_ARGS(...), DB_COLS(db_col_i64("id", &row.id), ...),
 *                 db_rows_push, &rows);
 *     page->v = rows.v; page->n = rows.n;
 *
 * `row` is a struct that the columns point into; each row is copied to the end of the array. */
#pragma once

#include "db/db.h"

struct db_rows {
    struct arena *a;
    const void *row;
    size_t size; /* of one row */
    void *v;     /* NULL while n is 0 */
    size_t n, cap_;
};
#define DB_ROWS(arena, prow) \
    ((struct db_rows){.a = (arena), .row = (prow), .size = sizeof(*(prow))})

/* For db_each: ctx is the struct db_rows. */
int db_rows_push(void *ctx);
