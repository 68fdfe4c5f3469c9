/* token_keeper.h: the tokens that service accounts are lent, got ahead of their end.
 *
 * A chore of every node asks for an account that has none, and some minutes before one ends; it looks
 * when one is due, and when the catalogue is another. A call only reads the board (providers/tokens.h) and waits for nothing. */
#pragma once

#include "catalog/snapshot.h"
#include "gateway/services.h"

struct token_keeper;

int token_keeper_new(struct token_keeper **ret) _must_use_;
void token_keeper_free(struct token_keeper *k); /* NULL is fine */
/* Gets what is wanting of the current catalogue, notes what went wrong on the accounts. The chore's
 * thread; blocks up to some seconds per account that wants one. Outcomes of the database. */
int token_keeper_look(struct token_keeper *k, const struct services *services,
                      struct db *db) _must_use_;

/* When there is something to look for next, on the monotonic clock, as long as the catalogue is the
 * same; INT64_MAX: never. The chore's thread. */
int64_t token_keeper_due_ms(const struct token_keeper *k);

/* Gets one now and puts it on the board. TOKEN_ASK_REFUSED: *ret_sentence, in the arena, says why.
 * Worker. */
enum { TOKEN_ASK_OK = 0, TOKEN_ASK_REFUSED = 1 };
int token_ask(const struct services *services, const struct catalog_account *account,
              struct arena *a, struct str *ret_sentence) _must_use_;
