/* columns.h: the columns of a call as the statements of this room read them, written out from
 * record.def, so that a field added there is read here. Used by *_sql.c of this room only. */
#pragma once

#include "logs/search.h"

/* What an absent value becomes on the way out: 0 for ids and numbers, NULL for the rest. */
#define SELECT_UUID(name) name
#define SELECT_ID(name) "coalesce(" name ", 0)"
#define SELECT_TIME(name) name
#define SELECT_I64(name) "coalesce(" name ", 0)"
#define SELECT_I32(name) "coalesce(" name ", 0)"
#define SELECT_BOOL(name) name
#define SELECT_MONEY(name) name
#define SELECT_TEXT(name) name
#define SELECT_JSON(name) name "::text"

#define COL_UUID db_col_uuid
#define COL_ID db_col_i64
#define COL_TIME db_col_time_us
#define COL_I64 db_col_i64
#define COL_I32 db_col_i32
#define COL_BOOL db_col_bool
#define COL_MONEY db_col_money
#define COL_TEXT db_col_text
#define COL_JSON db_col_text

#define SELECT_CALL(name, kind, bound, label) SELECT_##kind("c." #name) " AS " #name ", "
#define SELECT_ATTEMPT(name, kind, bound, label) SELECT_##kind("a." #name) " AS " #name ", "
#define COL_CALL(name, kind, bound, label) COL_##kind(#name, &row->call.name),
#define COL_ATTEMPT(name, kind, bound, label) COL_##kind(#name, &attempt->name),

#define CALL_COLUMNS                                                                               \
    RECORD_CALL(SELECT_CALL)                                                                       \
    "c.posted_at AS posted_at, coalesce(c.transfer_id, 0) AS transfer_id,"                         \
    " t.name AS team_name, k.name AS key_name, p.name AS project_name "
#define CALL_FROM                                                                                  \
    " FROM call c JOIN team t ON t.id = c.team_id"                                                 \
    " LEFT JOIN api_key k ON k.team_id = c.team_id AND k.id = c.key_id"                            \
    " LEFT JOIN project p ON p.team_id = c.team_id AND p.id = c.project_id "

#define LOG_COLS 72
/* Fills out with the columns of CALL_COLUMNS, which are read into row; how many. */
size_t log_columns(struct log_row *row, struct db_col out[LOG_COLS]);
