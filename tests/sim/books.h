/* books.h: the model of PostgreSQL: what lease_grant, lease_return, session_*, settle_batch and the
 * transfers of migrations/0004_ledger.sql do, in plain C.
 *
 * Each function is one committed transaction at the database's clock `at_us` (Unix time). It takes
 * the port's own call structs and answers in them; of a cell only purse, team and seen_no are read.
 * That the model is right is checked against the real functions (pg.h). */
#pragma once

#include "lease/cell.h"
#include "lease/port.h"
#include "model/record.h"

#define BOOK_TEAMS 2
#define BOOK_PURSES 20
#define BOOK_LEASES 64  /* of one purse at a time */
#define BOOK_DAYS 32    /* rows of the roll-up: two keys and a few days */
#define NEVER_US INT64_MIN
#define FOREVER_US INT64_MAX

enum purse_kind { PURSE_WALLET, PURSE_BUDGET, PURSE_REQUESTS, PURSE_TOKENS, PURSE_PERMITS };
enum purse_turns { TURNS_NEVER, TURNS_MINUTE, TURNS_DAY };
enum session_state { SESSION_LIVE, SESSION_CLOSED, SESSION_REAPED };

struct book_lease {
    int64_t session, remaining, window_us, grant_no, grant_amount, return_no;
};
struct book_purse {
    struct team_id team;
    struct purse_id id;
    struct key_id key; /* 0: the team's */
    enum purse_kind kind;
    enum purse_turns turns;
    bool in_database; /* it has its id there; see pg.h */
    int64_t capacity, used, leased;
    int64_t starts_us, ends_us; /* NEVER_US and FOREVER_US: -infinity and infinity */
    int64_t recall_until_us;
    struct book_lease lease[BOOK_LEASES];
    size_t n_leases;
};
struct book_session {
    int64_t id, hb, exposed_nano;
    enum session_state state;
};
struct book_team {
    struct team_id id;
    bool frozen;
    int64_t credits_nano, debits_nano; /* of the wallet's account */
    int64_t usage_nano, late_nano;     /* transfers of these codes */
};
struct book_day {
    struct team_id team;
    struct key_id key;
    int64_t day, charge_nano;
};
/* A row of `call`, by the number in its id. */
struct book_call {
    bool booked, late;
    int64_t charge_nano;
};

/* What whoever keeps the rules wants to hear. */
struct books_watch {
    void *ctx;
    void (*reaped)(void *ctx, const struct book_purse *p, const struct book_lease *l);
    void (*booked)(void *ctx, size_t call, const struct book_call *row,
                   const struct settle_entry *entry);
    /* A draw on a lease that does not have it. */
    void (*overdrawn)(void *ctx, size_t call, const struct book_purse *p, int64_t taken,
                      int64_t remaining);
};

struct books {
    struct book_team team[BOOK_TEAMS];
    size_t n_teams;
    struct book_purse purse[BOOK_PURSES];
    size_t n_purses;
    struct book_session *session;
    size_t n_sessions, cap_sessions;
    struct book_day day[BOOK_DAYS];
    size_t n_days;
    struct book_call *call;
    size_t n_calls;
    struct books_watch watch;
};

void books_init(struct books *b);
void books_done(struct books *b);
struct book_team *books_team_add(struct books *b, struct team_id id);
struct book_purse *books_purse_add(struct books *b, struct book_team *t, struct purse_id id,
                                   struct key_id key, enum purse_kind kind, enum purse_turns turns,
                                   int64_t capacity);
struct book_team *books_team(struct books *b, struct team_id id);
struct book_purse *books_purse(struct books *b, struct purse_id id);
struct book_session *books_session(struct books *b, int64_t id); /* NULL: none */
unsigned books_live(const struct books *b);
/* NULL: none. */
struct book_lease *books_lease(struct book_purse *p, int64_t session);

/* Into the window that runs. */
void books_turn(const struct books *b, struct book_purse *p, int64_t at_us);

/* A call's id says its number; see client.c. */
size_t books_call_number(struct call_id id);

/* PORT_* outcomes. */
int books_open(struct books *b, struct session_call *c);
int books_heartbeat(struct books *b, struct session_call *c);
int books_close(struct books *b, struct session_call *c);
int books_reap(struct books *b, struct reap_call *c);
int books_look(struct books *b, int64_t at_us, struct look_call *c);
int books_grant(struct books *b, int64_t at_us, struct grant_call *c);
int books_back(struct books *b, struct back_call *c);
int books_settle(struct books *b, int64_t at_us, struct settle_call *c);

/* Money into the wallet, or out of it. */
void books_transfer(struct books *b, struct book_team *t, int64_t nano);
/* A limit is changed; it turns as before. */
void books_capacity(struct book_purse *p, int64_t capacity);

/* The rules of ledger_findings() that the model can break; the first that is broken, or NULL. */
const char *books_finding(const struct books *b);
