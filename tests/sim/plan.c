/* plan.c: see plan.h. */
#include "plan.h"

#include "world.h"

/* Long enough that a session is given up and its successor works for a while, several times. */
#define LENGTH_US (240 * SECOND_US)
#define LENGTH_REAL_US (50 * SECOND_US)
#define CENT_NANO ((int64_t)10000000)

static int64_t pick(const int64_t *values, size_t n)
{
    return values[dice_between(0, (int64_t)n - 1)];
}

static const struct plan_faults everything = {
    .kill = 8,
    .drain = 3,
    .lost_disk = 2,
    .power = 2,
    .pause = 6,
    .outage = 4,
    .jump = 4,
    .disk_full = 1,
    .inner = 500,
    .lost_request = 60,
    .lost_reply = 60,
    .straggler = 200,
    .slow = 60,
    .busy = 300,
    .poisoned = 300,
    .gone = 6,
    .every_us = 10 * SECOND_US,
};

/* One kind alone: what it costs, and what it does not, shows. */
static struct plan_faults one_kind(void)
{
    struct plan_faults f = {.every_us = 10 * SECOND_US};

    switch (dice_between(0, 7)) {
    case 0:
        f.kill = 1;
        break;
    case 1:
        f.pause = 1;
        f.inner = 200;
        break;
    case 2:
        f.outage = 1;
        break;
    case 3:
        f.jump = 1;
        break;
    case 4:
        f.drain = 1;
        break;
    case 5:
        f.lost_reply = f.lost_request = 20;
        break;
    case 6:
        f.kill = f.inner = 100;
        break;
    default:
        f.straggler = f.slow = 30;
        break;
    }
    return f;
}

void plan_make(struct plan *ret, bool real)
{
    static const int64_t wallets[] = {2 * CENT_NANO, 20 * CENT_NANO, 100 * CENT_NANO,
                                      400 * CENT_NANO, 2000 * CENT_NANO};
    static const int64_t holds[] = {CENT_NANO / 10, CENT_NANO, 5 * CENT_NANO};
    static const int64_t durations[] = {2 * SECOND_US, 10 * SECOND_US, 40 * SECOND_US};
    int64_t kind = dice_between(0, 9);

    *ret = (struct plan){
        .nodes = (unsigned)dice_between(2, PLAN_NODES),
        .teams = (unsigned)dice_between(1, PLAN_TEAMS),
        .keys = (unsigned)dice_between(1, PLAN_KEYS),
        .length_us = real ? LENGTH_REAL_US : LENGTH_US,
        .between_us = dice_between(200 * MS_US, 800 * MS_US),
        .hold_nano = pick(holds, ARRAY_LEN(holds)),
        .duration_us = pick(durations, ARRAY_LEN(durations)),
        .wallet_nano = pick(wallets, ARRAY_LEN(wallets)),
        .shortfall = 40,
    };
    if (kind <= 6) {
        ret->faults = everything;
    } else if (kind == 7) {
        ret->faults = one_kind();
    } else if (kind == 8) { /* nothing goes wrong: exact, and nobody is refused without need */
        ret->shortfall = 0;
    } else { /* the same, and B / R calls go in */
        ret->shortfall = 0;
        ret->even = true;
        ret->keys = 1;
        ret->between_us = 300 * MS_US;
        ret->duration_us = ret->length_us * 4;
        ret->wallet_nano = ret->hold_nano * dice_between(0, 100);
    }
    if (real)
        ret->faults.every_us /= 3;
}
