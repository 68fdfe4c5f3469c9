/* id.h: one-field structs, so that a team cannot pass for a key.
 *
 * Rows have bigint ids; a call has a 128-bit time-ordered id (UUID version 7, RFC 9562 5.7), made
 * on the node, printed as "call_" and 32 hex digits. */
#pragma once

#include "base/str.h"

struct user_id { int64_t v; };
struct team_id { int64_t v; };
struct project_id { int64_t v; };
struct key_id { int64_t v; };
struct account_id { int64_t v; };  /* provider account */
struct model_id { int64_t v; };
struct target_id { int64_t v; };
struct rule_id { int64_t v; };     /* of a model's route */
struct price_id { int64_t v; };
struct purse_id { int64_t v; };
struct lease_id { int64_t v; };
struct call_id { uint8_t b[16]; };

#define CALL_ID_TEXT 38 /* "call_" + 32 + NUL */
struct call_id call_id_new(void); /* wall clock and random */
void call_id_text(struct call_id id, char out[CALL_ID_TEXT]);
bool call_id_parse(struct str s, struct call_id *ret); /* with or without "call_" and dashes */
bool call_id_eq(struct call_id a, struct call_id b);
bool call_id_given(struct call_id id); /* all zero stands for none */
/* Milliseconds of Unix time that the id carries. */
int64_t call_id_ms(struct call_id id);
/* The 36-character UUID form PostgreSQL prints. */
#define UUID_TEXT 37
void call_id_uuid(struct call_id id, char out[UUID_TEXT]);
