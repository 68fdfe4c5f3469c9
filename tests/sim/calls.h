/* calls.h: the clients: calls that come, hold, are journalled, run, end, as the gateway does it. */
#pragma once

#include "process.h"

/* Wallet, budget, requests, tokens, permits. */
#define CALL_WANTS 5

enum call_state {
    CALL_COMING,  /* not yet let in */
    CALL_ASKING,  /* waits for the database */
    CALL_RUNNING, /* its upstream answers */
    CALL_ENDED,   /* END is written, its client has everything */
    CALL_REFUSED, /* 402 or 429 */
    CALL_AWAY,    /* 503 */
    CALL_CUT_OFF, /* its process died */
};

struct sim_call {
    size_t number;
    struct call_id id;
    enum call_state state;
    struct process *process;
    uint32_t life;
    struct team_id team;
    struct key_id key;
    struct hold_want wants[CALL_WANTS];
    enum purse_kind kind[CALL_WANTS];
    size_t n_wants;
    int64_t cost_nano, tokens_used; /* in the end */
    int64_t so_far_nano;            /* as counted while it runs */
    unsigned steps;                 /* left */
    bool extending, poisoned;

    struct hold hold;
    struct hold_ask ask;
    struct journal_mark mark;

    /* The last of its records that is on the disk. */
    struct {
        int type; /* enum entry_type; 0: none */
        int64_t charge_nano;
        unsigned serial;
        size_t end;
    } disk;
    bool in_doubt;  /* what the disk kept of it is not what was written last */
    bool lost;      /* the disk kept nothing */
    bool unwritten; /* the disk refused its END */
    bool set_aside; /* refused by the database for good */
    int64_t held_nano; /* when it ended */

    /* The judge's: what of each purse it keeps from others until it is booked. */
    struct {
        struct purse_id purse;
        int64_t window_us, amount;
    } kept[CALL_WANTS];
    size_t n_kept;
    int64_t session;            /* whose leases it holds, */
    int64_t leased[CALL_WANTS]; /* and how much of each */
    int64_t asked_us;
    int64_t seen_free[CALL_WANTS]; /* the least that was free while it asked */
    struct sim_call *next_asking;
};

struct sim_call *calls_get(struct world *w, size_t number);
/* The first call comes; each brings the next. */
void calls_start(struct world *w);
/* The process died. */
void calls_lost(struct process *p);
/* From within: the calls that run end as they stand. */
void calls_cut(struct process *p);
/* From within: what the process knows of purses is forgotten. */
void calls_forget_cells(struct process *p);
/* From within: this node's cell of a purse, or NULL if it has none. */
struct cell *calls_cell(struct process *p, size_t purse);
