/* tokens.h: bearer tokens that accounts are lent for a while, per node.
 *
 * Written by whoever got one, under a lock of the writers; read on every loop without one: a reader
 * that meets a writer reads again. An account whose credential was replaced has no token until there
 * is one of the new credential. */
#pragma once

#include "base/arena.h"
#include "base/id.h"

struct token_board;

/* Of a token; Google's have at most 2,048. */
#define TOKEN_BYTES 4096
/* Accounts with tokens at the same time; more than these are not served. */
#define TOKEN_SLOTS 256

int token_board_new(struct token_board **ret) _must_use_;
void token_board_free(struct token_board *b); /* NULL is fine; wipes */

/* credential: a mark of what it was lent for. TOKEN_E_FULL: no room for the account, or for bytes so
 * many. */
enum { TOKEN_OK = 0, TOKEN_E_NONE = 1, TOKEN_E_FULL = 2 };
int token_put(struct token_board *b, struct account_id account, uint64_t credential,
              struct str token, int64_t expires_us) _must_use_;
/* Wipes the tokens of all accounts but those that are kept, which makes room for others. */
void token_keep(struct token_board *b, bool (*is_kept)(const void *ctx, struct account_id account),
                const void *ctx);
/* "Bearer TOKEN" in the arena. TOKEN_E_NONE: there is none that is good now. */
int token_get(struct token_board *b, struct account_id account, uint64_t credential,
              int64_t now_us, struct arena *a, struct str *ret) _must_use_;
/* Unix time; 0: there is none. */
int64_t token_expires_us(struct token_board *b, struct account_id account, uint64_t credential);
