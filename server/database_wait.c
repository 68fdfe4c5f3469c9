/* database_wait.c: see database_wait.h. */
#include "database_wait.h"

#include <time.h>

#include "base/clock.h"
#include "base/log.h"

#define WAIT_MIN_MS 100
#define WAIT_MAX_MS 5000
/* Between two lines in the log. */
#define TELL_MS 10000

static bool end_wanted(const sigset_t *signals, int wait_ms)
{
    struct timespec pause = {wait_ms / 1000, (wait_ms % 1000) * 1000000L};
    int signal = sigtimedwait(signals, NULL, &pause);

    return signal == SIGTERM || signal == SIGINT;
}

int database_wait(const char *conninfo, const sigset_t *signals, struct db **ret)
{
    int64_t told_ms = 0;

    for (int wait_ms = WAIT_MIN_MS;; wait_ms = MIN(wait_ms * 2, WAIT_MAX_MS)) {
        int r = db_open(conninfo, "tollgate start", ret);

        if (r != DB_E_AWAY)
            return r ? DATABASE_WAIT_UNUSABLE : DATABASE_WAIT_OK;
        if (clock_mono_ms() - told_ms > TELL_MS) {
            log_warn("database_away", "waiting=%dms", wait_ms);
            told_ms = clock_mono_ms();
        }
        if (end_wanted(signals, wait_ms))
            return DATABASE_WAIT_ENDED;
    }
}
