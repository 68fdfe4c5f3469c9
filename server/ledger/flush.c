/* flush.c: see flush.h. Items arrive on a lock-free stack and are settled in order of arrival, one
 * session at a time. A batch of unknown outcome is sent again as it was: settling is idempotent. A
 * record that the database refuses by itself, again and again, is set aside in a file and shouted
 * about, so that it does not hold up the others. */
#include "ledger/flush.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "base/bounds.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "base/random.h"
#include "ledger/settle_sql.h"

#define BATCH_MAX 200
/* Calls gather for so long before a batch goes: what a person sees in the log is this old. */
#define GATHER_MS 30
#define BACKOFF_MAX_MS 5000
#define REFUSED_TRIES 5

struct flush {
    const char *conninfo, *dir;
    struct node *node;
    _Atomic(struct flush_item *) stack;
    struct flush_item *first, *last; /* taken off the stack, in order */
    struct db *db;
    int wake;
    pthread_t thread;
    atomic_bool stop;
    atomic_llong stop_at_ms;
    atomic_ullong pushed, settled, refused, batches, failed, oldest_ms;
};

int flush_push(struct flush *f, struct str record, struct journal_segment *begun,
               struct journal_segment *ended)
{
    struct flush_item *item = malloc(sizeof(*item) + record.n);
    struct flush_item *head;
    size_t size;

    if (!item)
        return err_origin(-ENOMEM);
    *item = (struct flush_item){.begun = begun, .ended = ended, .size = record.n};
    item->waiting_since_ms = clock_mono_ms();
    memcpy(item->bytes, record.p, record.n);
    if (entry_get(str_n(item->bytes, record.n), &item->entry, &size)) {
        free(item);
        return err_origin(-EBADMSG);
    }
    atomic_fetch_add_explicit(&f->pushed, 1, memory_order_relaxed);
    head = atomic_load_explicit(&f->stack, memory_order_relaxed);
    do
        item->next = head;
    while (!atomic_compare_exchange_weak_explicit(&f->stack, &head, item, memory_order_release,
                                                  memory_order_relaxed));
    if (!head) {
        uint64_t one = 1;

        (void)!write(f->wake, &one, sizeof(one));
    }
    return 0;
}

static void item_free(struct flush_item *item)
{
    segment_unref(item->begun);
    segment_unref(item->ended);
    free(item);
}

/* Moves what has arrived to the end of the list, in order of arrival. */
static void take_arrived(struct flush *f)
{
    struct flush_item *item = atomic_exchange_explicit(&f->stack, NULL, memory_order_acquire);
    struct flush_item *ordered = NULL, *tail = item;

    while (item) {
        struct flush_item *next = item->next;

        item->next = ordered;
        ordered = item;
        item = next;
    }
    if (!ordered)
        return;
    if (f->last)
        f->last->next = ordered;
    else
        f->first = ordered;
    f->last = tail;
}

struct batch {
    struct flush_item *item[BATCH_MAX];
    size_t n;
    int64_t session;
};

/* The next items of one session; they stay on the list until settled. */
static void next_batch(const struct flush *f, struct batch *b)
{
    b->n = 0;
    for (struct flush_item *i = f->first; i && b->n < BATCH_MAX; i = i->next) {
        if (b->n && i->entry.session != b->session)
            break;
        b->session = i->entry.session;
        b->item[b->n++] = i;
    }
}

static void drop_first(struct flush *f, size_t n)
{
    while (n--) {
        struct flush_item *item = f->first;

        f->first = item->next;
        if (!f->first)
            f->last = NULL;
        item_free(item);
    }
}

static void join(struct buf *out, const struct batch *b, size_t offset)
{
    bool first = true;

    buf_putc(out, '[');
    for (size_t i = 0; i < b->n; i++) {
        struct str part = *(const struct str *)((const char *)&b->item[i]->entry + offset);

        if (!part.n)
            continue;
        if (!first)
            buf_putc(out, ',');
        first = false;
        buf_put_str(out, part);
    }
    buf_putc(out, ']');
}

static int send_batch(struct flush *f, const struct batch *b)
{
    struct buf part[3];
    bool fenced = false;
    int r = 0;

    for (unsigned i = 0; i < 3; i++)
        buf_init(&part[i], MIB(16));
    join(&part[0], b, offsetof(struct entry, calls));
    join(&part[1], b, offsetof(struct entry, attempts));
    join(&part[2], b, offsetof(struct entry, draws));
    for (unsigned i = 0; i < 3 && !r; i++)
        r = buf_finish(&part[i]);
    r = r ? SETTLE_E_REFUSED
          : settle_sql(f->db, b->session, buf_str(&part[0]), buf_str(&part[1]), buf_str(&part[2]),
                       &fenced);
    for (unsigned i = 0; i < 3; i++)
        buf_done(&part[i]);
    if (r == SETTLE_OK && fenced && b->session == node_session(f->node))
        node_fenced(f->node);
    return r;
}

/* A person has to look at it: nothing may be lost in silence. */
static void set_aside(struct flush *f, struct flush_item *item)
{
    char path[PATH_MAX], id[CALL_ID_TEXT];
    int fd;

    call_id_text(item->entry.call, id);
    snprintf(path, sizeof(path), "%s/refused", f->dir);
    fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (fd < 0 || write(fd, item->bytes, item->size) != (ssize_t)item->size) {
        if (item->begun)
            atomic_store(&item->begun->keep, true);
        if (item->ended)
            atomic_store(&item->ended->keep, true);
    }
    if (fd >= 0)
        close(fd);
    log_error("call_not_settled", "call=%s kept_in=%s database=%s", id, log_str(str_c(path)),
              log_str(str_c(db_last_error(f->db))));
}

static void pause_ms(int ms)
{
    nanosleep(&(struct timespec){ms / 1000, (ms % 1000) * 1000000L}, NULL);
}

/* Each item of a refused batch by itself. SETTLE_E_AWAY: the rest stays. */
static int settle_singly(struct flush *f, size_t n)
{
    while (n--) {
        struct batch one = {.item = {f->first}, .n = 1, .session = f->first->entry.session};
        int r = SETTLE_E_REFUSED;

        for (int try = 0; r == SETTLE_E_REFUSED && try < REFUSED_TRIES; try++) {
            if (try)
                pause_ms(50 << try);
            r = send_batch(f, &one);
        }
        if (r == SETTLE_E_AWAY)
            return r;
        if (r == SETTLE_E_REFUSED)
            set_aside(f, f->first);
        atomic_fetch_add(r == SETTLE_E_REFUSED ? &f->refused : &f->settled, 1);
        drop_first(f, 1);
    }
    return SETTLE_OK;
}

static int settle_next(struct flush *f)
{
    struct batch b;
    int r;

    next_batch(f, &b);
    if (f->db ? db_ensure(f->db) : db_open(f->conninfo, "tollgate flusher", &f->db))
        return SETTLE_E_AWAY;
    r = send_batch(f, &b);
    if (r == SETTLE_E_REFUSED) {
        log_warn("batch_refused", "calls=%zu database=%s", b.n,
                 log_str(str_c(db_last_error(f->db))));
        return settle_singly(f, b.n);
    }
    if (r == SETTLE_OK) {
        drop_first(f, b.n);
        atomic_fetch_add(&f->settled, b.n);
        atomic_fetch_add(&f->batches, 1);
    }
    return r;
}

static void wait_for_work(struct flush *f, int limit_ms)
{
    struct pollfd p = {.fd = f->wake, .events = POLLIN};
    uint64_t count;

    if (poll(&p, 1, limit_ms) > 0)
        (void)!read(f->wake, &count, sizeof(count));
}

static void *run(void *arg)
{
    struct flush *f = arg;
    int backoff_ms = 0;

    for (;;) {
        bool stopping = atomic_load(&f->stop);

        take_arrived(f);
        atomic_store(&f->oldest_ms, f->first ? (unsigned long long)f->first->waiting_since_ms : 0);
        if (stopping && (!f->first || clock_mono_ms() > atomic_load(&f->stop_at_ms)))
            return NULL;
        if (!f->first) {
            wait_for_work(f, -1);
            if (!atomic_load(&f->stop))
                pause_ms(GATHER_MS);
            continue;
        }
        if (settle_next(f) == SETTLE_OK) {
            backoff_ms = 0;
            continue;
        }
        atomic_fetch_add(&f->failed, 1);
        backoff_ms = MIN(MAX(backoff_ms * 2, 100), stopping ? 200 : BACKOFF_MAX_MS);
        log_warn("settling_waits", "retry_ms=%d", backoff_ms);
        wait_for_work(f, backoff_ms + (int)random_below(50));
    }
}

int flush_start(const char *conninfo, const char *dir, struct node *node, struct flush **ret)
{
    struct flush *f = calloc(1, sizeof(*f));
    int r;

    if (!f)
        return err_origin(-ENOMEM);
    f->conninfo = conninfo;
    f->dir = dir;
    f->node = node;
    f->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    r = f->wake < 0 ? -errno : -pthread_create(&f->thread, NULL, run, f);
    if (r) {
        free(f);
        return err_origin(r);
    }
    *ret = f;
    return 0;
}

void flush_stop(struct flush *f, int limit_ms)
{
    uint64_t one = 1;
    size_t left = 0;

    atomic_store(&f->stop_at_ms, clock_mono_ms() + limit_ms);
    atomic_store(&f->stop, true);
    (void)!write(f->wake, &one, sizeof(one));
    (void)pthread_join(f->thread, NULL);
    for (; f->first; left++) {
        struct flush_item *item = f->first;

        if (item->begun)
            atomic_store(&item->begun->keep, true);
        if (item->ended)
            atomic_store(&item->ended->keep, true);
        drop_first(f, 1);
    }
    if (left)
        log_warn("calls_left_in_journal", "calls=%zu", left);
    db_close(f->db);
    close(f->wake);
    free(f);
}

void flush_read(struct flush *f, struct journal_view *ret)
{
    int64_t oldest_ms = (int64_t)atomic_load(&f->oldest_ms);

    ret->settled = atomic_load(&f->settled);
    ret->batches = atomic_load(&f->batches);
    ret->failed_batches = atomic_load(&f->failed);
    ret->refused = atomic_load(&f->refused);
    ret->waiting = atomic_load(&f->pushed) - ret->settled - ret->refused;
    ret->oldest_waiting_ms = oldest_ms ? clock_mono_ms() - oldest_ms : 0;
}
