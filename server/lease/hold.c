/* hold.c: see hold.h. Asks are answered one at a time per node (the ask lock), so that two of them
 * never hold a part each of what would be enough for one. */
#include "lease/hold.h"

#include "base/clock.h"
#include "base/err.h"
#include "lease/inside.h"
#include "lease/lease_sql.h"

#include <errno.h>
#include <time.h>



/* After a refusal while other nodes hold slack: they look for recalls every 50 ms. */
static const int recall_waits_ms[] = {60, 100, 160};

static void put(struct hold *h, struct cell *c, uint64_t epoch, int64_t amount, int64_t window_us)
{
    for (size_t i = 0; i < h->n; i++)
        if (h->cell[i] == c) {
            h->amount[i] += amount;
            h->window_us[i] = window_us;
            return;
        }
    assert(h->n < BOUND_HOLD_PURSES);
    h->epoch = epoch;
    h->cell[h->n] = cell_ref(c);
    h->amount[h->n] = amount;
    h->window_us[h->n] = window_us;
    h->n++;
}

static int take_all(struct node *n, struct hold *hold, const struct hold_want *wants,
                    size_t n_wants)
{
    uint64_t epoch = node_epoch(n);

    if (!node_admits(n) || (hold->n && hold->epoch != epoch))
        return HOLD_E_SHORT;
    for (size_t i = 0; i < n_wants; i++) {
        if (cell_take(wants[i].cell, epoch, wants[i].amount))
            continue;
        while (i-- > 0)
            cell_give(wants[i].cell, epoch, atomic_load(&wants[i].cell->window_us),
                      wants[i].amount);
        return HOLD_E_SHORT;
    }
    for (size_t i = 0; i < n_wants; i++)
        put(hold, wants[i].cell, epoch, wants[i].amount, atomic_load(&wants[i].cell->window_us));
    return HOLD_OK;
}

int hold_take(struct node *n, struct hold *hold, const struct hold_want *wants, size_t n_wants)
{
    assert(hold->n == 0);
    return take_all(n, hold, wants, n_wants);
}

int hold_extend(struct node *n, struct hold *hold, const struct hold_want *wants, size_t n_wants)
{
    return take_all(n, hold, wants, n_wants);
}

/* --- asking, on a worker --- */

struct part {
    int64_t got;       /* taken from the cell already */
    int64_t window_us; /* of what was taken */
};

static void give_back(struct hold_ask *ask, uint64_t epoch, const struct part *parts)
{
    for (size_t i = 0; i < ask->n_wants; i++)
        cell_give(ask->wants[i].cell, epoch, parts[i].window_us, parts[i].got);
}

static void note_refusal(struct hold_ask *ask, const struct grant_answer *answer, size_t which)
{
    ask->refusal = (struct hold_refusal){
        .which = which, .capacity = answer->capacity, .used = answer->spoken_for};
    if (answer->left_us >= 0)
        ask->refusal.resets_at_us = clock_wall_us() + answer->left_us;
}

static void accept(struct hold_ask *ask, uint64_t epoch, const struct part *parts,
                   const size_t *index, const struct grant_answer *answers, size_t n)
{
    int64_t windows[BOUND_HOLD_PURSES];

    for (size_t i = 0; i < ask->n_wants; i++)
        windows[i] = parts[i].window_us;
    for (size_t k = 0; k < n; k++) {
        struct cell *c = ask->wants[index[k]].cell;
        int64_t need = ask->wants[index[k]].amount - parts[index[k]].got;

        cell_granted(c, epoch, answers[k].window_us, answers[k].left_us,
                     answers[k].granted - need);
        atomic_store(&c->capacity, answers[k].capacity);
        atomic_store(&c->spoken_for, answers[k].spoken_for);
        windows[index[k]] = answers[k].window_us;
    }
    for (size_t i = 0; i < ask->n_wants; i++)
        put(ask->hold, ask->wants[i].cell, epoch, ask->wants[i].amount, windows[i]);
}

/* Which of the answers was short; a window that turned under a part counts as all of it missing. */
static int one_round(struct hold_ask *ask, struct db *db, struct arena *a, bool *ret_elsewhere)
{
    struct node *node = ask->node_;
    uint64_t epoch = node_epoch(node);
    struct part parts[BOUND_HOLD_PURSES] = {0};
    struct grant_ask asks[BOUND_HOLD_PURSES];
    struct grant_answer answers[BOUND_HOLD_PURSES];
    size_t index[BOUND_HOLD_PURSES], n = 0;
    int r;

    *ret_elsewhere = false;
    for (size_t i = 0; i < ask->n_wants; i++) {
        const struct hold_want *w = &ask->wants[i];

        parts[i].window_us = atomic_load(&w->cell->window_us);
        parts[i].got = cell_take_some(w->cell, epoch, w->amount);
        if (parts[i].got == w->amount)
            continue;
        index[n] = i;
        asks[n++] = (struct grant_ask){.team = w->cell->team,
                                       .purse = w->cell->purse,
                                       .need = w->amount - parts[i].got,
                                       .want = MAX(w->lease, w->amount - parts[i].got)};
    }
    r = n ? lease_sql_grant(db, a, node_session(node), asks, n, answers) : GRANT_OK;
    if (r || epoch != node_epoch(node)) {
        give_back(ask, epoch, parts);
        if (r == GRANT_E_FENCED)
            node_fenced(node);
        return HOLD_E_AWAY;
    }
    for (size_t k = 0; k < n; k++)
        if (answers[k].shorted) {
            give_back(ask, epoch, parts);
            note_refusal(ask, &answers[k], index[k]);
            for (; k < n; k++)
                *ret_elsewhere = *ret_elsewhere || (answers[k].shorted && answers[k].elsewhere);
            return HOLD_E_REFUSED;
        }
    accept(ask, epoch, parts, index, answers, n);
    return HOLD_OK;
}

static void ask_work(struct job *job, void *worker)
{
    struct hold_ask *ask = container_of(job, struct hold_ask, job_);
    struct db *db = worker;
    struct arena *a = arena_new(KIB(64));
    bool elsewhere = false;

    ask->outcome_ = HOLD_E_AWAY;
    if (!a || !db || db_ensure(db) || !node_session(ask->node_)) {
        arena_free(a);
        return;
    }
    for (size_t round = 0;; round++) {
        node_ask_lock(ask->node_);
        ask->outcome_ = one_round(ask, db, a, &elsewhere);
        node_ask_unlock(ask->node_);
        if (ask->outcome_ != HOLD_E_REFUSED || !elsewhere || round == ARRAY_LEN(recall_waits_ms))
            break;
        nanosleep(&(struct timespec){0, recall_waits_ms[round] * 1000000L}, NULL);
    }
    node_count(ask->node_, ask->outcome_ == HOLD_OK, ask->outcome_ == HOLD_E_REFUSED);
    arena_free(a);
}

static void ask_done(struct job *job)
{
    struct hold_ask *ask = container_of(job, struct hold_ask, job_);

    ask->answered(ask, ask->outcome_);
}

int hold_ask(struct node *n, struct loop *loop, struct hold_ask *ask)
{
    assert(ask->n_wants <= BOUND_HOLD_PURSES);
    ask->node_ = n;
    ask->job_ = (struct job){.reply_to = loop, .work = ask_work, .done = ask_done};
    return jobs_submit(node_lane(n), &ask->job_) ? HOLD_E_BUSY : HOLD_OK;
}

/* --- the end --- */

void hold_end(struct node *n, struct hold *hold, const int64_t *used)
{
    (void)n;
    for (size_t i = 0; i < hold->n; i++) {
        int64_t back = hold->amount[i] - (used ? used[i] : 0);

        cell_give(hold->cell[i], hold->epoch, hold->window_us[i], back);
        cell_unref(hold->cell[i]);
    }
    hold->n = 0;
}

void hold_release(struct node *n, struct hold *hold)
{
    hold_end(n, hold, NULL);
}
