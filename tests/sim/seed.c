/* seed.c: see seed.h. */
#include "seed.h"

#include "memory.h"
#include "pg.h"
#include "wire.h"

/* 2026-11-21 00:00 UTC, and up to so much around a day's turn. */
#define EPOCH_US ((int64_t)1795219200 * SECOND_US)
#define AROUND_US (240 * SECOND_US)
/* A dead session is given up after 60 to 75 s; what was sent may straggle for 40 s. */
#define REST_US (150 * SECOND_US)
#define REST_LOOK_US (5 * SECOND_US)
#define END_US (60 * SECOND_US)

static void add_purse(struct world *w, size_t team, struct key_id key, enum purse_kind kind,
                      enum purse_turns turns, int64_t capacity)
{
    struct purse_id id = {(int64_t)w->books.n_purses + 1};

    (void)books_purse_add(&w->books, &w->books.team[team], id, key, kind, turns, capacity);
}

/* The limits of a key, each there or not. */
static void add_limits(struct world *w, size_t team, struct key_id key)
{
    const struct plan *plan = &w->plan;

    if (!plan->even && dice_once_in(2))
        add_purse(w, team, key, PURSE_PERMITS, TURNS_NEVER, dice_between(1, 20));
    if (!plan->even && dice_once_in(2))
        add_purse(w, team, key, PURSE_REQUESTS, TURNS_MINUTE, dice_between(5, 200));
    if (!plan->even && dice_once_in(2))
        add_purse(w, team, key, PURSE_TOKENS, TURNS_MINUTE, dice_between(5000, 200000));
    if (dice_once_in(2))
        add_purse(w, team, key, PURSE_BUDGET,
                  plan->even || dice_once_in(2) ? TURNS_NEVER : TURNS_DAY,
                  plan->hold_nano * dice_between(0, 400));
}

static void set_up(struct world *w)
{
    books_init(&w->books);
    for (size_t t = 0; t < w->plan.teams; t++) {
        (void)books_team_add(&w->books, (struct team_id){(int64_t)t + 1});
        for (size_t k = 0; k < w->plan.keys; k++) {
            w->key[t][k].v = (int64_t)(t * PLAN_KEYS + k) + 1;
            add_limits(w, t, w->key[t][k]);
        }
        add_purse(w, t, (struct key_id){0}, PURSE_WALLET, TURNS_NEVER, 0);
    }
    if (w->pg)
        pg_setup(w);
    for (size_t t = 0; t < w->plan.teams; t++) {
        if (!w->plan.wallet_nano)
            continue;
        books_transfer(&w->books, &w->books.team[t], w->plan.wallet_nano);
        if (w->pg)
            pg_transfer(w, w->books.team[t].id, w->plan.wallet_nano);
    }
    judge_init(w);
}

static void begin(struct world *w, uint64_t seed, struct pg *pg)
{
    w->seed = seed;
    w->pg = pg;
    random_drive(seed);
    plan_make(&w->plan, pg != NULL);
    w->now_us = 0;
    w->wall_us = EPOCH_US + dice_between(-AROUND_US, AROUND_US);
    w->n_queue = 0;
    w->next_no = 0;
    w->n_calls = 0;
    w->asking = NULL;
    w->stopping = w->ending = w->jumped = false;
    w->disturbed_us = SECOND_US; /* sessions are opened */
    process_drive_clock(w);
    set_up(w);
    for (unsigned i = 0; i < w->plan.nodes; i++)
        process_init(&w->process[i], w, i);
    for (unsigned i = 0; i < w->plan.nodes; i++)
        process_boot(&w->process[i]);
}

/* B/R calls are let in, no more and no less, where that many came. */
static void check_even(struct world *w)
{
    for (size_t t = 0; t < w->books.n_teams; t++) {
        int64_t fit = w->plan.wallet_nano / w->plan.hold_nano, came = 0, in = 0;

        for (size_t i = 0; i < w->books.n_purses; i++)
            if (w->books.purse[i].team.v == w->books.team[t].id.v &&
                w->books.purse[i].kind == PURSE_BUDGET)
                fit = MIN(fit, w->books.purse[i].capacity / w->plan.hold_nano);
        for (size_t i = 0; i < w->n_calls; i++)
            if (w->calls[i].team.v == w->books.team[t].id.v) {
                came += w->calls[i].state != CALL_AWAY;
                in += w->calls[i].state == CALL_RUNNING;
            }
        world_hold(w, in == MIN(fit, came), "team %zu: %lld calls are in, %lld came, %lld fit", t,
                   (long long)in, (long long)came, (long long)fit);
    }
}

static void run(struct world *w)
{
    calls_start(w);
    faults_start(w);
    world_run(w, w->plan.length_us);
    if (w->plan.even)
        check_even(w);
    judge_nodes(w);
    faults_stop(w);
    for (int64_t until_us = w->now_us + REST_US; w->now_us < until_us && !judge_is_at_rest(w);)
        world_run(w, w->now_us + REST_LOOK_US);
    judge_rest(w);
    w->ending = true;
    for (unsigned i = 0; i < w->plan.nodes; i++)
        process_drain(&w->process[i]);
    world_run(w, w->now_us + END_US);
    for (unsigned i = 0; i < w->plan.nodes; i++)
        world_hold(w, w->process[i].state == PROCESS_DOWN, "node %u does not end", i);
    judge_end(w);
    if (w->pg)
        pg_compare(w);
}

void seed_run(struct world *w, uint64_t seed, struct pg *pg)
{
    begin(w, seed, pg);
    run(w);
    for (unsigned i = 0; i < w->plan.nodes; i++)
        process_done(&w->process[i]);
    wire_reset(w);
    books_done(&w->books);
    process_drive_clock(NULL);
    random_undrive();
}

void seed_done(struct world *w)
{
    wire_done(w);
    keep_free(w->queue);
    keep_free(w->calls);
    for (unsigned i = 0; i < PLAN_NODES; i++)
        keep_free(w->process[i].step.stack);
    memset(w, 0, sizeof(*w));
}
