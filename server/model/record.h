/* record.h: what is written down about a call and about each attempt within it.
 *
 * The fields stand in record.def. A call has exactly one record, filled on its loop and carried by
 * the journal's END record to the settle batch. Absent values are 0 and slices with p NULL; in SQL
 * an absent ID, TIME or TEXT is NULL. `basis` holds usage_basis_name()'s words. Slices live in the
 * call's arena (or in the decoder's). */
#pragma once

#include "base/bounds.h"
#include "base/id.h"
#include "base/money.h"
#include "model/record.def"
#include "model/usage.h"

/* KIND: C type, SQL type, array element type in SQL.
 *   ID     a row's id, 0 absent        TIME   Unix microseconds, 0 absent
 *   TEXT   UTF-8, p NULL absent        JSON   one JSON object as text, p NULL absent */
#define RECORD_C_UUID struct call_id
#define RECORD_C_ID int64_t
#define RECORD_C_TIME int64_t
#define RECORD_C_I64 int64_t
#define RECORD_C_I32 int32_t
#define RECORD_C_BOOL bool
#define RECORD_C_MONEY struct money
#define RECORD_C_TEXT struct str
#define RECORD_C_JSON struct str

#define RECORD_SQL_UUID "uuid"
#define RECORD_SQL_ID "bigint"
#define RECORD_SQL_TIME "timestamptz"
#define RECORD_SQL_I64 "bigint"
#define RECORD_SQL_I32 "integer"
#define RECORD_SQL_BOOL "boolean"
#define RECORD_SQL_MONEY "bigint"
#define RECORD_SQL_TEXT "text"
#define RECORD_SQL_JSON "json"

/* What the operator owes a provider is not shown to teams: their CSV and answers leave it out. */
#define RECORD_IS_OPERATORS(name) (strcmp(#name, "cost_nano") == 0)

#define RECORD_MEMBER(name, kind, bound, label) RECORD_C_##kind name;

struct attempt_record {
    RECORD_ATTEMPT(RECORD_MEMBER)
};

/* The texts are within their bounds: see video_record_clip(). */
struct video_record {
    RECORD_VIDEO(RECORD_MEMBER)
};

struct call_record {
    RECORD_CALL(RECORD_MEMBER)
    RECORD_SHADOW(RECORD_MEMBER)
    const struct video_record *video; /* of the same call; NULL: it made no job */
    /* `attempts` of them; the attempt's team and call are the call's. */
    struct attempt_record attempt[BOUND_ATTEMPTS];
};

/* How a call ended, as stored in `outcome`. */
enum call_outcome {
    CALL_OUTCOME_OK,
    CALL_OUTCOME_BLOCKED,        /* refused here: key, model, limit or money */
    CALL_OUTCOME_CLIENT_ERROR,   /* the request was wrong (4xx of ours or of the provider) */
    CALL_OUTCOME_UPSTREAM_ERROR, /* no provider answered well */
    CALL_OUTCOME_CLIENT_GONE,    /* the client left before the end */
    CALL_OUTCOME_CUT,            /* the provider or this node died after the first byte */
    CALL_OUTCOME_INTERNAL,       /* our fault */
};
const char *call_outcome_name(enum call_outcome o); /* "ok", "blocked", "client_error", ... */

/* The classes of usage.def to and from the record's fields. */
void call_record_set_usage(struct call_record *r, const struct usage *u);
void call_record_usage(const struct call_record *r, struct usage *ret);
/* Tokens of the whole prompt, or of the whole answer. */
int64_t call_record_tokens(const struct call_record *r, enum usage_covers side);

/* Is it a shadow of another call? Then it is no call of its team's, and is written apart from them. */
bool call_record_is_shadow(const struct call_record *r);

/* Cuts every TEXT to its bound at a character's edge and drops a JSON that is longer than its own,
 * leaving {"cut":true} in its place. */
void call_record_clip(struct call_record *r);
void video_record_clip(struct video_record *v);
