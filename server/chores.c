/* chores.c: a table of jobs and when each is next due. */
#include "chores.h"

#include <errno.h>
#include <pthread.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/failpoint.h"
#include "base/log.h"
#include "catalog/holder.h"
#include "db/tx.h"
#include "identity/session.h"
#include "ledger/grant.h"
#include "ledger/invoice.h"
#include "ledger/upkeep.h"
#include "payments/payment.h"

struct chores {
    struct chores_config config;
    struct db *db;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    bool stop;
};

struct chore {
    const char *name;
    int64_t every_ms;
    int (*run)(struct chores *c);
};

static int sweep_sessions(struct db *db, void *ctx)
{
    (void)ctx;
    return session_sweep(db);
}

static int chore_payments(struct chores *c)
{
    return payment_tick(c->db);
}

static int chore_grants(struct chores *c)
{
    return grant_expire_due(c->db);
}

static int chore_invoices(struct chores *c)
{
    int64_t issued = 0;
    int r = invoice_issue_due(c->db, &issued);

    if (issued)
        log_info("invoices_issued", "count=%lld", (long long)issued);
    return r;
}

static int chore_partitions(struct chores *c)
{
    return ledger_upkeep(c->db);
}

static int chore_sessions(struct chores *c)
{
    return db_tx(c->db, DB_SYSTEM, "session_sweep", sweep_sessions, NULL);
}

static int chore_prices(struct chores *c)
{
    struct catalog *catalog = catalog_holder_get(c->config.services->catalog);
    int64_t due = catalog ? catalog_next_change_us(catalog) : 0;

    catalog_unref(catalog);
    if (due && due <= clock_wall_us())
        c->config.reload_catalog(c->db, c->config.ctx);
    return 0;
}

static const struct chore chores[] = {
    {"prices", 1000, chore_prices},
    {"payments", 2000, chore_payments},
    {"grants", 2000, chore_grants},
    {"invoices", 60000, chore_invoices},
    {"partitions", 3600000, chore_partitions},
    {"sessions", 3600000, chore_sessions},
};

/* Waits until at_ms or a stop; true: stop. */
static bool wait_until(struct chores *c, int64_t at_ms)
{
    bool stop;

    pthread_mutex_lock(&c->lock);
    while (!c->stop && clock_mono_ms() < at_ms) {
        int64_t ms = at_ms - clock_mono_ms();
        struct timespec until;

        clock_gettime(CLOCK_MONOTONIC, &until);
        until.tv_sec += ms / 1000;
        until.tv_nsec += (ms % 1000) * 1000000;
        if (until.tv_nsec >= 1000000000) {
            until.tv_sec++;
            until.tv_nsec -= 1000000000;
        }
        (void)pthread_cond_timedwait(&c->wake, &c->lock, &until);
    }
    stop = c->stop;
    pthread_mutex_unlock(&c->lock);
    return stop;
}

static void run_chore(struct chores *c, const struct chore *chore)
{
    int r = c->db ? db_ensure(c->db) : db_open(c->config.conninfo, "tollgate chores", &c->db);

    if (!r)
        r = failpoint_hit("chores.run");
    if (!r)
        r = chore->run(c);
    if (r == DB_E_AWAY || r == -ENOTCONN)
        log_warn("chore_waits", "chore=%s reason=database_away", chore->name);
    else if (r)
        log_error("chore_failed", "chore=%s error=%d database=%s", chore->name, r,
                  c->db ? log_str(str_c(db_last_error(c->db))) : "none");
}

static void *work(void *arg)
{
    struct chores *c = arg;
    int64_t due[ARRAY_LEN(chores)] = {0};

    for (;;) {
        int64_t next = INT64_MAX;

        for (size_t i = 0; i < ARRAY_LEN(chores); i++) {
            if (due[i] <= clock_mono_ms()) {
                run_chore(c, &chores[i]);
                due[i] = clock_mono_ms() + chores[i].every_ms;
            }
            next = MIN(next, due[i]);
        }
        if (wait_until(c, next))
            return NULL;
    }
}

int chores_start(const struct chores_config *config, struct chores **ret)
{
    struct chores *c = calloc(1, sizeof(*c));
    pthread_condattr_t monotonic;
    int r;

    if (!c)
        return err_origin(-ENOMEM);
    c->config = *config;
    pthread_mutex_init(&c->lock, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&c->wake, &monotonic);
    pthread_condattr_destroy(&monotonic);
    r = pthread_create(&c->thread, NULL, work, c);
    if (r) {
        free(c);
        return err_origin(-r);
    }
    *ret = c;
    return 0;
}

void chores_stop(struct chores *c)
{
    if (!c)
        return;
    pthread_mutex_lock(&c->lock);
    c->stop = true;
    pthread_cond_signal(&c->wake);
    pthread_mutex_unlock(&c->lock);
    (void)pthread_join(c->thread, NULL);
    db_close(c->db);
    pthread_cond_destroy(&c->wake);
    pthread_mutex_destroy(&c->lock);
    free(c);
}
