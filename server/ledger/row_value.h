/* row_value.h: values in PostgreSQL's binary form, as they stand in a row that is sent (record_recv in
 * its src/backend/utils/adt/rowtypes.c): each with its length in front, absent ones with -1. The kinds
 * are those of model/record.h, read from where the record has them. Pure; the buf keeps the errors. */
#pragma once

#include "base/buf.h"

enum row_value {
    VALUE_UUID,
    VALUE_ID,
    VALUE_TIME,
    VALUE_I64,
    VALUE_I32,
    VALUE_BOOL,
    VALUE_MONEY,
    VALUE_TEXT,
    VALUE_JSON,
    VALUE_WINDOW, /* a time that is always there */
    VALUE_ROWS    /* rows within the row: none of these functions knows them */
};

/* None, or 0: whoever reads it takes it for that, and the sums take no notice. */
bool row_value_absent(enum row_value kind, const void *p) _must_use_;
/* Of a kind that two records have under one name: texts, 32 and 64 bits; false for the others. */
bool row_value_same(enum row_value kind, const void *a, const void *b) _must_use_;

void row_put_u32(struct buf *out, uint32_t v);
void row_put_absent(struct buf *out);
/* A text's or a JSON's NULs, and what is not UTF-8, become U+FFFD: the database holds neither. */
void row_put_value(struct buf *out, enum row_value kind, const void *p);
/* Sets the length in front of what was put since: `at` is where its row_put_u32(out, 0) stands. */
void row_close(struct buf *out, size_t at);
