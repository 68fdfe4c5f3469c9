/* pg.h: a real PostgreSQL beside the model: it does the same, statement for statement, through the
 * server's own *_sql.c, with its clock in the world's hands; whatever it answers otherwise than the
 * model ends the run, and so does any difference in the end. */
#pragma once

#include "books.h"

struct world;
struct pg;

struct pg *pg_new(void);
void pg_free(struct pg *pg); /* NULL is fine */
/* Teams, keys and purses of the world's books are made in the database, and get its ids. */
void pg_setup(struct world *w);

/* Before the model: PostgreSQL numbers sessions. */
void pg_open(struct world *w, struct session_call *c);
/* After the model: the same again. asked: as it was before the model answered in it. */
void pg_check_heartbeat(struct world *w, const struct session_call *ours, int outcome);
void pg_check_close(struct world *w, int64_t session);
void pg_check_reap(struct world *w, const struct reap_call *ours);
void pg_check_look(struct world *w, const struct look_call *ours);
void pg_check_grant(struct world *w, const struct grant_call *asked, const struct grant_call *ours,
                    int outcome);
void pg_check_back(struct world *w, const struct back_call *asked, int outcome);
void pg_check_settle(struct world *w, const struct settle_call *asked, int outcome);
void pg_transfer(struct world *w, struct team_id team, int64_t nano);
void pg_freeze(struct world *w, struct team_id team, bool frozen);
void pg_capacity(struct world *w, const struct book_purse *p);
/* Everything is compared. */
void pg_compare(struct world *w);
