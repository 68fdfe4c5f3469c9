/* notify.c: the listener thread.
 *
 * A message is "EPOCH PAYLOAD" (note_change() in 0001_foundation.sql). The thread remembers the
 * highest epoch it has told of; when the polled one is beyond it, a message was missed (or is still
 * under way, which does no harm) and everything is declared changed. */
#include "db/notify.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/failpoint.h"
#include "base/log.h"
#include "base/random.h"
#include "db/conn.h"

/* Between attempts to reconnect. */
#define NOTIFY_PAUSE_MIN_MS 100
#define NOTIFY_PAUSE_MAX_MS 5000

struct notify {
    struct notify_config config;
    char *conninfo, *channel;
    pthread_t thread;
    int stop_fd;
    struct db *db;
    int64_t epoch;
    _Atomic int64_t answered_ms;
};

DB_QUERY(change_epoch_read, "SELECT epoch FROM change_epoch");

static bool stop_wanted(const struct notify *n, int wait_ms)
{
    struct pollfd p = {.fd = n->stop_fd, .events = POLLIN};

    return poll(&p, 1, wait_ms) > 0;
}

static void tell(struct notify *n, struct str payload)
{
    n->config.changed(payload, n->config.ctx);
}

/* Takes what has arrived. False: the connection is gone. */
static bool take_messages(struct notify *n)
{
    if (PQconsumeInput(n->db->conn) == 0)
        return false;
    for (PGnotify *m = PQnotifies(n->db->conn); m; m = PQnotifies(n->db->conn)) {
        struct str rest = str_c(m->extra), number;
        int64_t epoch = 0;

        if (str_split(&rest, ' ', &number) && str_i64(number, &epoch) == STR_OK && rest.p) {
            n->epoch = MAX(n->epoch, epoch);
            tell(n, rest);
        } else {
            log_warn("notify_odd", "payload=%s", log_str(str_c(m->extra)));
            tell(n, STR("all"));
        }
        PQfreemem(m);
    }
    return db_alive(n->db);
}

/* Asks for the epoch. False: the connection is gone. */
static bool poll_epoch(struct notify *n)
{
    int64_t epoch = 0;
    int r = failpoint_hit("notify.poll");

    if (r == 0)
        r = db_one(n->db, &change_epoch_read, NULL, DB_NO_ARGS,
                   DB_COLS(db_col_i64("epoch", &epoch)));
    if (r != 0 || !take_messages(n))
        return false;
    atomic_store(&n->answered_ms, clock_mono_ms());
    if (epoch != n->epoch) {
        n->epoch = epoch;
        tell(n, STR("all"));
    }
    if (n->config.polled)
        n->config.polled(n->config.ctx);
    return true;
}

static bool listen_begin(struct notify *n)
{
    char sql[128];
    int r;

    snprintf(sql, sizeof(sql), "LISTEN %s", n->channel);
    if (failpoint_hit("notify.listen"))
        return false;
    if (n->db)
        r = db_ensure(n->db);
    else
        r = db_open(n->conninfo, "tollgate listener", &n->db);
    if (r == 0)
        r = db_script(n->db, sql);
    if (r != 0)
        return false;
    n->epoch = -1; /* so that everything is told as changed: nobody listened until now */
    return poll_epoch(n);
}

/* Until the connection is gone (false) or the thread is to stop (true). */
static bool listen_on(struct notify *n)
{
    int64_t next_ms = clock_mono_ms() + n->config.poll_ms;

    for (;;) {
        struct pollfd fds[] = {{.fd = PQsocket(n->db->conn), .events = POLLIN},
                               {.fd = n->stop_fd, .events = POLLIN}};
        int64_t wait_ms = next_ms - clock_mono_ms();

        if (wait_ms > 0 && poll(fds, ARRAY_LEN(fds), (int)wait_ms) < 0 && errno != EINTR)
            return false;
        if (fds[1].revents)
            return true;
        if (fds[0].revents && !take_messages(n))
            return false;
        if (clock_mono_ms() < next_ms)
            continue;
        if (!poll_epoch(n))
            return false;
        next_ms = clock_mono_ms() + n->config.poll_ms;
    }
}

static void *notify_main(void *arg)
{
    struct notify *n = arg;
    int pause_ms = NOTIFY_PAUSE_MIN_MS;

    for (;;) {
        if (listen_begin(n)) {
            pause_ms = NOTIFY_PAUSE_MIN_MS;
            if (listen_on(n))
                break;
            conn_drop(n->db);
        }
        if (stop_wanted(n, pause_ms + (int)random_below((uint32_t)pause_ms)))
            break;
        pause_ms = MIN(pause_ms * 2, NOTIFY_PAUSE_MAX_MS);
    }
    return NULL;
}

void notify_free(struct notify *n)
{
    if (!n)
        return;
    db_close(n->db);
    if (n->stop_fd >= 0)
        close(n->stop_fd);
    free(n->conninfo);
    free(n->channel);
    free(n);
}

int notify_start(const struct notify_config *config, struct notify **ret)
{
    struct notify *n = calloc(1, sizeof(*n));
    int r = 0;

    if (!n)
        return err_origin(-ENOMEM);
    n->config = *config;
    n->answered_ms = clock_mono_ms();
    n->conninfo = strdup(config->conninfo);
    n->channel = strdup(config->channel);
    n->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (!n->conninfo || !n->channel || n->stop_fd < 0)
        r = err_origin(-ENOMEM);
    if (r == 0)
        r = -pthread_create(&n->thread, NULL, notify_main, n);
    if (r < 0) {
        notify_free(n);
        return err_trace(r);
    }
    *ret = n;
    return 0;
}

void notify_stop(struct notify *n)
{
    uint64_t one = 1;

    if (!n)
        return;
    if (write(n->stop_fd, &one, sizeof(one)) < 0)
        log_error("notify_stop", "errno=%d", errno);
    pthread_join(n->thread, NULL);
}

int64_t notify_silence_ms(const struct notify *n)
{
    return clock_mono_ms() - atomic_load(&((struct notify *)n)->answered_ms);
}
