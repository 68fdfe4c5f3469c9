/* failpoint.c: see failpoint.h. What is armed stands in a table under a lock; entries count their own
 * passages, and a file that has changed begins a new table. */
#include "base/failpoint.h"

#ifdef TOLLGATE_FAILPOINTS

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"

enum { FAILPOINT_MAX = 64, ERRNO_MAX = 133, FILE_BYTES = 4096, LOOK_US = 5000 };

enum action { ACTION_NONE, ACTION_KILL, ACTION_ERROR, ACTION_SHORT, ACTION_PAUSE, ACTION_ABORT };

struct failpoint {
    struct str name;
    enum action action;
    uint32_t value; /* errno, bytes or milliseconds; 0 of a pause: until disarmed */
    uint32_t nth;   /* fire at this passage only; 0: at each */
    uint32_t seen;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* of all below */
static struct failpoint armed[FAILPOINT_MAX];
static size_t armed_count;
static bool environment_read;
static char file_text[FILE_BYTES];
static struct timespec file_at;
static ino_t file_inode;
static off_t file_size;

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
    static const struct {
        const char *word;
        enum action action;
    } words[] = {{"kill", ACTION_KILL},   {"abort", ACTION_ABORT}, {"error", ACTION_ERROR},
                 {"short", ACTION_SHORT}, {"pause", ACTION_PAUSE}};
    struct str value = s, word;

    f->action = ACTION_NONE;
    if (!str_split(&value, ':', &word))
        return false;
    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        if (str_eq_c(word, words[i].word))
            f->action = words[i].action;
    switch (f->action) {
    case ACTION_ERROR:
        return value.p && read_errno(value, &f->value);
    case ACTION_SHORT:
        return value.p && str_u32(value, &f->value) == STR_OK;
    case ACTION_PAUSE:
        return !value.p || (str_u32(value, &f->value) == STR_OK && f->value > 0);
    case ACTION_KILL:
    case ACTION_ABORT:
        return !value.p;
    case ACTION_NONE:
        break;
    }
    return false;
}

static bool read_entry(struct str entry, struct failpoint *f)
{
    struct str action = entry, nth;

    *f = (struct failpoint){.value = 0};
    if (!str_split(&action, '=', &f->name) || f->name.n == 0 || !action.p)
        return false;
    nth = action;
    if (!str_split(&nth, '*', &action))
        return false;
    if (nth.p && (str_u32(nth, &f->nth) != STR_OK || f->nth == 0))
        return false;
    return read_action(action, f);
}

static void arm(struct str rest)
{
    struct str entry;

    while (rest.n && str_split(&rest, ',', &entry)) {
        bool ok = armed_count < FAILPOINT_MAX && read_entry(entry, &armed[armed_count]);

        if (!ok || (rest.p && !rest.n)) {
            log_error("failpoint_refused", "entry=%s", log_str(entry));
            abort(); /* a test that arms nothing would pass for the wrong reason */
        }
        armed_count++;
    }
}

/* A file that is not there arms nothing. */
static void look_at_file(void)
{
    const char *path = getenv("TOLLGATE_FAILPOINTS_FILE");
    struct stat st = {0};
    ssize_t n = 0;
    int fd;

    if (!path)
        return;
    (void)stat(path, &st);
    if (st.st_ino == file_inode && st.st_size == file_size && st.st_mtim.tv_sec == file_at.tv_sec &&
        st.st_mtim.tv_nsec == file_at.tv_nsec)
        return;
    file_inode = st.st_ino;
    file_size = st.st_size;
    file_at = st.st_mtim;
    armed_count = 0;
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd >= 0) {
        n = read(fd, file_text, sizeof(file_text));
        close(fd);
    }
    arm(str_trim(str_n(file_text, n > 0 ? (size_t)n : 0)));
}

static struct failpoint *find(const char *name)
{
    if (!environment_read) {
        environment_read = true;
        arm(str_c(getenv("TOLLGATE_FAILPOINTS")));
    }
    look_at_file();
    for (size_t i = 0; i < armed_count; i++)
        if (str_eq_c(armed[i].name, name))
            return &armed[i];
    return NULL;
}

/* What happens at this passage; its name is not to be read any more. */
static struct failpoint pass(const char *name)
{
    struct failpoint now = {.action = ACTION_NONE}, *f;

    pthread_mutex_lock(&lock);
    f = find(name);
    if (f && (++f->seen == f->nth || f->nth == 0)) {
        now = *f;
        log_warn("failpoint", "name=%s passage=%u", name, f->seen);
    }
    pthread_mutex_unlock(&lock);
    return now;
}

static void wait_until_disarmed(const char *name)
{
    bool there = true;

    while (there) {
        (void)usleep(LOOK_US);
        pthread_mutex_lock(&lock);
        there = find(name) != NULL;
        pthread_mutex_unlock(&lock);
    }
}

int failpoint_hit(const char *name)
{
    struct failpoint f = pass(name);

    if (f.action == ACTION_KILL)
        (void)kill(getpid(), SIGKILL);
    if (f.action == ACTION_ABORT)
        abort();
    if (f.action == ACTION_PAUSE && f.value)
        (void)usleep(f.value * 1000);
    else if (f.action == ACTION_PAUSE)
        wait_until_disarmed(name);
    return f.action == ACTION_ERROR ? -(int)f.value : 0;
}

size_t failpoint_size(const char *name, size_t n)
{
    struct failpoint f = pass(name);

    return f.action == ACTION_SHORT ? MIN((size_t)f.value, n) : n;
}

#endif
