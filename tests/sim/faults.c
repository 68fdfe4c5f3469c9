/* faults.c: see faults.h. */
#include "faults.h"

#include "judge.h"
#include "pg.h"
#include "wire.h"
#include "world.h"

#define HOUR_US (3600 * SECOND_US)
#define PEOPLE_US (40 * SECOND_US)
#define TOPUP_MAX_NANO ((int64_t)2000000000)

static int64_t one_of(const int64_t *values, size_t n)
{
    return values[dice_between(0, (int64_t)n - 1)];
}

/* --- coming back --- */

static void boot_event(struct world *w, struct event *e)
{
    if (e->process->state == PROCESS_DOWN && !w->ending)
        process_boot(e->process);
}

static bool others_stay(const struct world *w, const struct process *p)
{
    for (unsigned i = 0; i < w->plan.nodes; i++)
        if (&w->process[i] != p && !w->process[i].gone)
            return true;
    return false;
}

void faults_died(struct world *w, struct process *p)
{
    static const int64_t waits_us[] = {100 * MS_US, 2 * SECOND_US, 20 * SECOND_US, 100 * SECOND_US};

    world_disturb(w, w->now_us);
    if (w->ending)
        return;
    if (!w->stopping && dice_once_in(w->plan.faults.gone) && others_stay(w, p))
        p->gone = true;
    if (p->gone)
        world_trace(w, "node %u never comes back", p->index);
    else
        world_at(w, w->stopping ? 100 * MS_US : one_of(waits_us, ARRAY_LEN(waits_us)), boot_event,
                 p, NULL);
}

/* --- one fault --- */

static void kill_one(struct world *w, struct process *p)
{
    (void)w;
    process_kill(p);
}

static void drain_one(struct world *w, struct process *p)
{
    (void)w;
    process_drain(p);
}

static void lose_disk(struct world *w, struct process *p)
{
    world_trace(w, "node %u loses its disk", p->index);
    w->tally.lost_disks++;
    process_kill(p);
    disk_lose(&p->disk);
    judge_disk_lost(w, p);
}

static void lose_power(struct world *w, struct process *p)
{
    world_trace(w, "node %u loses power", p->index);
    w->tally.power++;
    process_kill(p);
    disk_lose_power(&p->disk, w->now_us);
    judge_power_lost(w, p);
}

static void pause_one(struct world *w, struct process *p)
{
    static const int64_t longest_us[] = {SECOND_US, 20 * SECOND_US, 60 * SECOND_US, 70 * SECOND_US,
                                         200 * SECOND_US};

    w->tally.pauses++;
    process_pause(p, dice_between(1, one_of(longest_us, ARRAY_LEN(longest_us))));
}

static void database_back(struct world *w, struct event *e)
{
    (void)e;
    if (w->faults.database_away && w->now_us >= w->faults.away_until_us) {
        world_trace(w, "the database is back");
        w->faults.database_away = false;
        world_disturb(w, w->now_us + 5 * SECOND_US); /* those that were turned away try again */
    }
}

static void outage(struct world *w, struct process *p)
{
    static const int64_t lengths_us[] = {SECOND_US / 2, 5 * SECOND_US, 40 * SECOND_US,
                                         120 * SECOND_US};
    int64_t length_us = one_of(lengths_us, ARRAY_LEN(lengths_us));

    (void)p;
    world_trace(w, "the database is away for %lld ms", (long long)length_us / 1000);
    w->tally.outages++;
    w->faults.database_away = true;
    w->faults.away_until_us = MAX(w->faults.away_until_us, w->now_us + length_us);
    world_disturb(w, w->faults.away_until_us);
    world_at(w, length_us, database_back, NULL, NULL);
}

static void jump(struct world *w, struct process *p)
{
    static const int64_t jumps_us[] = {-HOUR_US, -30 * SECOND_US, 30 * SECOND_US, 90 * SECOND_US,
                                       HOUR_US};
    int64_t by_us = one_of(jumps_us, ARRAY_LEN(jumps_us));
    bool database = dice_once_in(2);

    world_trace(w, "the clock of %s jumps by %lld s", database ? "the database" : "a node",
                (long long)(by_us / SECOND_US));
    w->tally.jumps++;
    if (!database) {
        p->wall_ahead_us += by_us;
        return;
    }
    w->jumped = true;
    w->faults.database_ahead_us += by_us;
    world_disturb(w, w->now_us); /* what a recall waited for may be over, or not at all */
}

static void fill_disk(struct world *w, struct process *p)
{
    w->tally.disk_full++;
    p->disk_full_until_us = w->now_us + dice_between(1, 20 * SECOND_US);
    world_disturb(w, p->disk_full_until_us);
}

static void next_fault(struct world *w, struct event *e)
{
    const struct plan_faults *f = &w->plan.faults;
    const struct {
        unsigned weight;
        void (*fn)(struct world *w, struct process *p);
    } kinds[] = {{f->kill, kill_one},   {f->drain, drain_one}, {f->lost_disk, lose_disk},
                 {f->power, lose_power}, {f->pause, pause_one}, {f->outage, outage},
                 {f->jump, jump},       {f->disk_full, fill_disk}};
    struct process *p = &w->process[dice_between(0, w->plan.nodes - 1)];
    int64_t sum = 0, at;

    (void)e;
    if (w->stopping || !f->every_us)
        return;
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
        sum += kinds[i].weight;
    at = sum ? dice_between(1, sum) : 0;
    for (size_t i = 0; at > 0 && i < ARRAY_LEN(kinds); i++) {
        at -= kinds[i].weight;
        if (at <= 0)
            kinds[i].fn(w, p);
    }
    world_at(w, dice_between(1, 2 * f->every_us), next_fault, NULL, NULL);
}

/* --- people --- */

static void topup(struct world *w, struct book_team *t, int64_t nano)
{
    books_transfer(&w->books, t, nano);
    if (w->pg)
        pg_transfer(w, t->id, nano);
    if (nano < 0)
        judge_withdrawn(w, t->id, -nano);
    for (size_t i = 0; i < w->books.n_purses; i++)
        judge_capacity(w, &w->books.purse[i]);
}

static void freeze(struct world *w, struct book_team *t)
{
    t->frozen = !t->frozen;
    if (w->pg)
        pg_freeze(w, t->id, t->frozen);
    world_disturb(w, w->now_us);
}

static void change_limit(struct world *w)
{
    struct book_purse *p =
        &w->books.purse[dice_between(0, (int64_t)w->books.n_purses - 1)];

    if (p->kind == PURSE_WALLET)
        return;
    books_capacity(p, dice_between(p->capacity / 2, p->capacity * 2));
    if (w->pg)
        pg_capacity(w, p);
    judge_capacity(w, p);
    world_disturb(w, w->now_us);
}

/* Whatever people do while calls run; the database is there, they would try again else. */
static void people(struct world *w, struct event *e)
{
    struct book_team *t = &w->books.team[dice_between(0, (int64_t)w->books.n_teams - 1)];

    (void)e;
    if (w->stopping)
        return;
    switch (dice_between(0, 6)) {
    case 0:
        topup(w, t, -dice_between(1, TOPUP_MAX_NANO / 8));
        break;
    case 1:
        change_limit(w);
        break;
    case 2:
        freeze(w, t);
        break;
    default:
        topup(w, t, dice_between(1, TOPUP_MAX_NANO));
        break;
    }
    world_at(w, dice_between(1, 2 * PEOPLE_US), people, NULL, NULL);
}

/* --- start and end --- */

void faults_start(struct world *w)
{
    w->faults = (struct faults){0};
    if (w->plan.faults.every_us)
        world_at(w, dice_between(1, 2 * w->plan.faults.every_us), next_fault, NULL, NULL);
    if (!w->plan.even)
        world_at(w, dice_between(1, 2 * PEOPLE_US), people, NULL, NULL);
}

void faults_stop(struct world *w)
{
    w->stopping = true;
    w->faults.away_until_us = w->now_us;
    if (w->faults.database_away)
        world_at(w, 1, database_back, NULL, NULL);
    for (unsigned i = 0; i < w->plan.nodes; i++) {
        struct process *p = &w->process[i];

        if (process_paused(p))
            process_wake(p);
        p->disk_full_until_us = 0;
        if (p->state == PROCESS_DOWN && !p->gone)
            world_at(w, 100 * MS_US, boot_event, p, NULL);
    }
}
