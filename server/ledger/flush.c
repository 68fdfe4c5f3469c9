/* flush.c: the journal of a running server: its files, the flusher's thread and connection, and the
 * port that joins them to journal.c and settle.c. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "ledger/journal_core.h"
#include "ledger/replay.h"
#include "ledger/settle_sql.h"
#include "ledger/store.h"

/* How much a loss of power may take: the files are synced this long after a write. */
#define SYNC_MS 20
/* How often it looks whether the node has another session, when nothing else happens, and whether a disk that took
 * no records takes them again. */
#define LOOK_MS 5000

struct flush {
    struct ledger_port port;
    struct journal_config config;
    struct journal *journal;
    struct store store;
    struct settle settle;
    struct db *db;
    struct settle_sql *sql;
    int wake;
    atomic_bool idle; /* nothing waits to be settled: what comes has to wake the thread */
    pthread_t thread;
    atomic_bool stop;
    int64_t sync_due_ms; /* 0: nothing was written */
    int64_t try_due_ms;  /* when a disk that takes no records is tried again */
    int64_t session;     /* whose name is in the slot */
    uint64_t replayed;
};

static void wake(struct flush *f)
{
    uint64_t one = 1;

    (void)!write(f->wake, &one, sizeof(one));
}

/* --- the port --- */

static int64_t port_now_ms(void *ctx)
{
    (void)ctx;
    return clock_mono_ms();
}

static int port_append(void *ctx, unsigned writer, struct str bytes, struct journal_segment **ret)
{
    struct flush *f = ctx;
    bool first = false;
    int r = store_append(&f->store, writer, bytes, ret, &first);

    if (first)
        wake(f);
    return r;
}

static int port_sync(void *ctx)
{
    struct flush *f = ctx;

    return store_sync(&f->store);
}

static void port_settle(void *ctx, struct settle_call *call)
{
    struct flush *f = ctx;
    bool there = f->db || db_open(f->config.conninfo, "tollgate flusher", &f->db) == DB_OK;

    call->done(call, there ? settle_sql(f->sql, f->db, call) : PORT_E_AWAY);
}

/* While calls are gathered into a batch the thread sleeps until that is due, and is left alone. */
static void arrived(struct settle *s)
{
    struct flush *f = container_of(s, struct flush, settle);

    atomic_thread_fence(memory_order_seq_cst); /* the call is on the stack before idle is read */
    if (atomic_load_explicit(&f->idle, memory_order_relaxed) && atomic_exchange(&f->idle, false))
        wake(f);
}

static void keep(struct journal_segment *segment)
{
    if (segment)
        atomic_store(&segment->keep, true);
}

/* A person has to look at it: nothing may be lost in silence. */
static void refused(struct settle *s, struct settle_item *item)
{
    struct flush *f = container_of(s, struct flush, settle);
    char path[PATH_MAX], id[CALL_ID_TEXT];
    int fd;

    call_id_text(item->entry.call, id);
    snprintf(path, sizeof(path), "%s/refused", f->config.dir);
    fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (fd < 0 || write(fd, item->bytes, item->size) != (ssize_t)item->size) {
        keep(item->begun);
        keep(item->ended);
    }
    if (fd >= 0)
        close(fd);
    log_error("call_not_settled", "call=%s kept_in=%s database=%s", id, log_str(str_c(path)),
              f->db ? log_str(str_c(db_last_error(f->db))) : "");
}

/* --- the thread --- */

static void wait_for_work(struct flush *f, int limit_ms)
{
    struct pollfd p = {.fd = f->wake, .events = POLLIN};
    uint64_t count;

    if (poll(&p, 1, limit_ms) > 0)
        (void)!read(f->wake, &count, sizeof(count));
}

/* Milliseconds until the next sync; -1: nothing was written. */
static int sync_when_due(struct flush *f, int64_t now_ms)
{
    if (!atomic_load(&f->store.dirty))
        return -1;
    if (!f->sync_due_ms)
        f->sync_due_ms = now_ms + SYNC_MS;
    if (now_ms < f->sync_due_ms)
        return (int)(f->sync_due_ms - now_ms);
    f->sync_due_ms = 0;
    if (f->port.sync(f->port.ctx))
        log_error("journal_not_synced", "dir=%s", log_str(str_c(f->config.dir)));
    return -1;
}

static void try_when_due(struct flush *f, int64_t now_ms)
{
    if (now_ms < f->try_due_ms)
        return;
    f->try_due_ms = now_ms + LOOK_MS;
    store_try(&f->store);
}

static int sooner(int a_ms, int b_ms)
{
    if (a_ms < 0 || b_ms < 0)
        return MAX(a_ms, b_ms);
    return MIN(a_ms, b_ms);
}

/* A session that replaced a reaped one is noted with the next thing that happens. */
static void note_session(struct flush *f)
{
    int64_t session = f->config.node ? node_session(f->config.node) : 0;

    if (!session || session == f->session)
        return;
    f->session = session;
    if (store_note_session(&f->store, session))
        log_warn("session_not_noted", "session=%lld", (long long)session);
}

static void *run(void *arg)
{
    struct flush *f = arg;

    while (!atomic_load(&f->stop)) {
        note_session(f);
        int sync_ms = sync_when_due(f, clock_mono_ms());
        int settle_ms;

        try_when_due(f, clock_mono_ms());
        atomic_store(&f->idle, true); /* before looking, so that nothing comes unnoticed */
        atomic_thread_fence(memory_order_seq_cst);
        settle_ms = settle_tick(&f->settle, clock_mono_ms(), false);
        if (settle_ms >= 0)
            atomic_store(&f->idle, false);
        wait_for_work(f, sooner(sooner(sync_ms, settle_ms), LOOK_MS));
    }
    return NULL;
}

/* --- life --- */

static int replay_all(struct flush *f)
{
    char slot[PATH_MAX];
    unsigned k = 0;
    size_t found = 0;
    int r = 0;

    while (!r && store_abandoned(&f->store, f->config.dir, &k, slot))
        r = replay_slot(slot, f->config.conninfo, &f->settle, &found);
    f->replayed = found;
    if (found)
        log_info("journal_replayed", "calls=%zu", found);
    if (r == REPLAY_E_FOREIGN)
        return JOURNAL_E_FOREIGN;
    return r == REPLAY_E_BROKEN ? JOURNAL_E_BROKEN : r;
}

static int start(struct flush *f)
{
    int r = store_open(&f->store, f->config.dir, f->config.writers);

    if (r == STORE_E_DIR)
        return JOURNAL_E_DIR;
    if (!r)
        r = replay_all(f);
    if (r)
        return r;
    note_session(f);
    f->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (f->wake < 0)
        return err_origin(-errno);
    f->settle.arrived = arrived;
    r = -pthread_create(&f->thread, NULL, run, f);
    if (r)
        return err_origin(r);
    (void)pthread_setname_np(f->thread, "flusher");
    return 0;
}

static void flush_free(struct flush *f)
{
    settle_done(&f->settle);
    store_close(&f->store);
    db_close(f->db);
    settle_sql_free(f->sql);
    if (f->wake >= 0)
        close(f->wake);
    if (f->journal)
        journal_core_free(f->journal);
    free(f);
}

int journal_new(const struct journal_config *config, struct journal **ret)
{
    struct flush *f = calloc(1, sizeof(*f));
    int r;

    if (!f)
        return err_origin(-ENOMEM);
    f->config = *config;
    f->wake = -1;
    f->store.lock = -1;
    f->port = (struct ledger_port){.ctx = f,
                                   .now_ms = port_now_ms,
                                   .settle = port_settle,
                                   .append = port_append,
                                   .sync = port_sync};
    settle_init(&f->settle, &f->port, config->node);
    f->settle.refused = refused;
    f->journal = journal_core_new(&f->port, config->node, &f->settle, config->writers);
    f->sql = settle_sql_new();
    r = f->journal && f->sql ? start(f) : err_origin(-ENOMEM);
    if (r) {
        flush_free(f);
        return r;
    }
    *ret = f->journal;
    return JOURNAL_OK;
}

void journal_free(struct journal *j, int limit_ms)
{
    struct flush *f;
    int64_t until_ms = clock_mono_ms() + limit_ms;

    if (!j)
        return;
    f = journal_port(j)->ctx;
    atomic_store(&f->stop, true);
    wake(f);
    (void)pthread_join(f->thread, NULL);
    for (int wait_ms = 0; wait_ms >= 0 && clock_mono_ms() <= until_ms;) {
        wait_ms = settle_tick(&f->settle, clock_mono_ms(), true);
        if (wait_ms > 0)
            wait_for_work(f, MIN(wait_ms, 50));
    }
    if (!settle_idle(&f->settle) && f->config.node)
        node_leave_open(f->config.node);
    flush_free(f);
}

void journal_read(struct journal *j, struct journal_view *ret)
{
    struct flush *f = journal_port(j)->ctx;
    int64_t oldest_ms = atomic_load(&f->settle.oldest_ms);

    *ret = (struct journal_view){
        .settled = atomic_load(&f->settle.n_settled),
        .refused = atomic_load(&f->settle.n_refused),
        .batches = atomic_load(&f->settle.n_batches),
        .failed_batches = atomic_load(&f->settle.n_failed),
        .oldest_waiting_ms = oldest_ms ? clock_mono_ms() - oldest_ms : 0,
        .replayed = f->replayed,
        .failure = store_failure(&f->store),
        .broken = atomic_load(&f->store.broken),
    };
    ret->waiting = atomic_load(&f->settle.n_pushed) - ret->settled - ret->refused;
    journal_core_read(j, ret);
}

int64_t journal_refused_bytes(struct journal *j)
{
    const struct flush *f = journal_port(j)->ctx;
    char path[PATH_MAX];
    struct stat st;

    snprintf(path, sizeof(path), "%s/refused", f->config.dir);
    return stat(path, &st) ? 0 : (int64_t)st.st_size;
}
