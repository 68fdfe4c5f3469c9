/* failpoint.c: see failpoint.h. The environment is read once; entries count their own passages. */
#include "base/failpoint.h"

#ifdef TOLLGATE_FAILPOINTS

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <unistd.h>

#include "base/log.h"

enum { FAILPOINT_MAX = 16, ERRNO_MAX = 133 };

enum action { ACTION_KILL, ACTION_ERROR, ACTION_PAUSE, ACTION_ABORT };

struct failpoint {
    struct str name;
    enum action action;
    uint32_t value; /* errno or milliseconds */
    uint32_t nth;   /* fire at this passage only; 0: at each */
    atomic_uint seen;
};

static struct failpoint armed[FAILPOINT_MAX];
static size_t armed_count;

static bool read_errno(struct str s, uint32_t *ret)
{
    for (int e = 1; e <= ERRNO_MAX; e++) {
        const char *known = strerrorname_np(e);

        if (known && str_eq_c(s, known)) {
            *ret = (uint32_t)e;
            return true;
        }
    }
    return str_u32(s, ret) == STR_OK && *ret > 0;
}

static bool read_action(struct str s, struct failpoint *f)
{
    if (str_eq_c(s, "kill"))
        f->action = ACTION_KILL;
    else if (str_eq_c(s, "abort"))
        f->action = ACTION_ABORT;
    else if (str_starts(s, STR("error:")))
        return f->action = ACTION_ERROR, read_errno(str_n(s.p + 6, s.n - 6), &f->value);
    else if (str_starts(s, STR("pause:")))
        return f->action = ACTION_PAUSE, str_u32(str_n(s.p + 6, s.n - 6), &f->value) == STR_OK;
    else
        return false;
    return true;
}

static bool read_entry(struct str entry, struct failpoint *f)
{
    struct str action = entry, nth;

    if (!str_split(&action, '=', &f->name) || f->name.n == 0 || !action.p)
        return false;
    nth = action;
    if (!str_split(&nth, '*', &action))
        return false;
    if (nth.p && (str_u32(nth, &f->nth) != STR_OK || f->nth == 0))
        return false;
    return read_action(action, f);
}

static void arm(void)
{
    struct str rest = str_c(getenv("TOLLGATE_FAILPOINTS")), entry;

    if (rest.n == 0)
        return;
    while (str_split(&rest, ',', &entry)) {
        bool ok = armed_count < FAILPOINT_MAX && read_entry(entry, &armed[armed_count]);

        if (!ok) {
            log_error("failpoint_refused", "entry=%s", log_str(entry));
            abort(); /* a test that arms nothing would pass for the wrong reason */
        }
        armed_count++;
    }
}

static int fire(struct failpoint *f)
{
    log_warn("failpoint", "name=%s", log_str(f->name));
    if (f->action == ACTION_KILL)
        (void)kill(getpid(), SIGKILL);
    if (f->action == ACTION_ABORT)
        abort();
    if (f->action == ACTION_PAUSE)
        (void)usleep(f->value * 1000);
    return f->action == ACTION_ERROR ? -(int)f->value : 0;
}

int failpoint_hit(const char *name)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    (void)pthread_once(&once, arm);
    for (size_t i = 0; i < armed_count; i++) {
        struct failpoint *f = &armed[i];

        if (!str_eq_c(f->name, name))
            continue;
        if (atomic_fetch_add(&f->seen, 1) + 1 == f->nth || f->nth == 0)
            return fire(f);
    }
    return 0;
}

#endif
