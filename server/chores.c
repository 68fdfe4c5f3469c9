/* chores.c: crews, each a thread with its own connection and a table of jobs: one for what is quick, one
 * for looking after the books and the log, where a job may take minutes, and one for each kind of others'
 * servers that are waited for: those that give tokens, take mail, take webhooks, make videos. */
#include "chores.h"

#include <errno.h>
#include <pthread.h>

#include "base/bounds.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/failpoint.h"
#include "base/log.h"
#include "books.h"
#include "catalog/holder.h"
#include "db/cancel.h"
#include "db/tx.h"
#include "dues.h"
#include "gateway/token_keeper.h"
#include "gateway/video_keeper.h"
#include "identity/session.h"
#include "ledger/upkeep.h"
#include "logs/oversight.h"
#include "logs/retention.h"
#include "notices/alert.h"
#include "notices/notice.h"
#include "notices/post.h"
#include "old_holds.h"
#include "troubles.h"
#include "webhook.h"

#define CHORES_MAX 8
/* Orders whose payment at Stripe is to be asked after, and mail: somebody may wait. Looked for this often, and
 * not less often than all else. */
#define AWAITED_MS 2000
/* What is due and could not be done is tried again after so long. */
#define PAUSE_MIN_MS 1000

enum { CREW_QUICK, CREW_PATIENT, CREW_TOKENS, CREW_MAIL, CREW_WEBHOOKS, CREW_VIDEOS, CREWS };

/* For every_ms. */
#define POLLED 0

struct crew;
struct chore {
    const char *name;
    int64_t every_ms; /* POLLED: as often as the settings say */
    int (*run)(struct crew *c);
    /* In how many milliseconds there is something to do, as far as the current catalogue says, which
     * another one ends; NULL: in every_ms, which is the most. */
    int64_t (*next_ms)(struct crew *c);
    void (*away)(struct crew *c); /* in its place while the database is away; NULL: nothing is done */
};

struct crew {
    struct chores *all;
    const char *name; /* as the database sees it */
    const struct chore *chores;
    size_t n;
    int64_t due[CHORES_MAX];
    unsigned catalogs; /* of all->catalogs, those that were looked at */
    struct db *db;
    struct db_cancel *cancel; /* of the running chore; under all->lock */
    pthread_t thread;
    bool running;
};

struct chores {
    struct chores_config config;
    struct crew crew[CREWS];
    struct token_keeper *tokens;
    struct post *mail, *webhooks;
    struct troubles *troubles;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    unsigned catalogs; /* so many came; under the lock */
    bool stop;
};

static int sweep_sessions(struct db *db, void *ctx)
{
    (void)ctx;
    return session_sweep(db);
}

static int chore_due(struct crew *c)
{
    return dues_expire(c->db);
}

static int chore_invoices(struct crew *c)
{
    return dues_invoice(c->db);
}

static int chore_partitions(struct crew *c)
{
    return ledger_upkeep(c->db);
}

static int chore_sessions(struct crew *c)
{
    return db_tx(c->db, DB_SYSTEM, "session_sweep", sweep_sessions, NULL);
}

static int chore_prices(struct crew *c)
{
    struct catalog *catalog = catalog_holder_get(c->all->config.services->catalog);
    int64_t due = catalog ? catalog_next_change_us(catalog) : 0;

    catalog_unref(catalog);
    if (due && due <= clock_wall_us())
        c->all->config.reload_catalog(c->db, c->all->config.ctx);
    return 0;
}

/* A wall clock that is set forward is noticed after every_ms. */
static int64_t prices_next_ms(struct crew *c)
{
    struct catalog *catalog = catalog_holder_get(c->all->config.services->catalog);
    int64_t due = catalog ? catalog_next_change_us(catalog) : 0;

    catalog_unref(catalog);
    return due ? (due - clock_wall_us()) / 1000 + 1 : INT64_MAX;
}

static bool wait_until(void *ctx, int64_t at_ms);

static int chore_check_window(struct crew *c)
{
    return books_check(c->db, INTEGRITY_WINDOW, wait_until, c->all);
}

static int chore_check_full(struct crew *c)
{
    return books_check(c->db, INTEGRITY_FULL, wait_until, c->all);
}

static int chore_check_holds(struct crew *c)
{
    return old_holds_report(c->db, c->all->config.services);
}

static int chore_retention(struct crew *c)
{
    struct retention_done done = {0};
    int r = retention_run(c->db, &done);

    if (done.archived || done.dropped)
        log_info("calls_retired", "archived=%lld weeks_dropped=%lld", (long long)done.archived,
                 (long long)done.dropped);
    return r;
}

static int chore_responses(struct crew *c)
{
    return dues_forget(c->db);
}

static int chore_oversight(struct crew *c)
{
    return oversight_read(c->db, c->all->config.services->oversight);
}

static int chore_tokens(struct crew *c)
{
    return token_keeper_look(c->all->tokens, c->all->config.services, c->db);
}

static int64_t tokens_next_ms(struct crew *c)
{
    return token_keeper_due_ms(c->all->tokens) - clock_mono_ms();
}

static bool is_stopping(void *ctx)
{
    return wait_until(ctx, 0);
}

static int chore_alerts(struct crew *c)
{
    return alerts_judge(c->db, c->all->config.services->notices);
}

static int chore_troubles(struct crew *c)
{
    return troubles_look(c->all->troubles, c->db);
}

static void troubles_without(struct crew *c)
{
    troubles_away(c->all->troubles, is_stopping, c->all);
}

static int chore_resets(struct crew *c)
{
    const struct services *s = c->all->config.services;

    return notice_resets(c->db, s->notices, s->session_pepper);
}

static int chore_mail(struct crew *c)
{
    return post_round(c->all->mail, c->db, is_stopping, c->all);
}

static int64_t awaited_ms(struct crew *c)
{
    return MIN(AWAITED_MS, c->all->config.poll_ms);
}

/* Without a mail server nobody asks for a new password, and nothing can be sent. */
static int64_t mail_next_ms(struct crew *c)
{
    return c->all->config.services->notices->mails ? awaited_ms(c) : INT64_MAX;
}

static int chore_stripe(struct crew *c)
{
    return webhook_look(c->all->config.services, c->db);
}

static int64_t stripe_next_ms(struct crew *c)
{
    return c->all->config.services->stripe ? awaited_ms(c) : INT64_MAX;
}

static int chore_webhooks(struct crew *c)
{
    return post_round(c->all->webhooks, c->db, is_stopping, c->all);
}

static int chore_videos(struct crew *c)
{
    return video_keeper_round(c->all->config.services, c->db, is_stopping, c->all);
}

/* When alerts were judged last is kept in the database, as the checks' times below. */
static const struct chore quick_chores[] = {
    {"prices", 60000, chore_prices, prices_next_ms},
    {"due", AWAITED_MS, chore_due, awaited_ms},
    {"invoices", 60000, chore_invoices},
    {"sessions", 3600000, chore_sessions},
    {"alerts", POLLED, chore_alerts},
    {"troubles", POLLED, chore_troubles, .away = troubles_without},
};

/* The checks' own times are kept in the database; here is how often a node looks. */
static const struct chore patient_chores[] = {
    {"partitions", 3600000, chore_partitions},
    {"check_window", POLLED, chore_check_window},
    {"check_full", POLLED, chore_check_full},
    {"check_holds", 60000, chore_check_holds},
    {"retention", 600000, chore_retention},
    {"responses", 60000, chore_responses},
    {"oversight", 10000, chore_oversight},
};
static const struct chore token_chores[] = {
    {"tokens", 60000, chore_tokens, tokens_next_ms},
    {"stripe", 60000, chore_stripe, stripe_next_ms},
};
static const struct chore mail_chores[] = {
    {"resets", 60000, chore_resets, mail_next_ms},
    {"mail", 60000, chore_mail, mail_next_ms},
};
static const struct chore webhook_chores[] = {
    {"webhooks", POLLED, chore_webhooks},
};
static const struct chore video_chores[] = {{"videos", POLLED, chore_videos}};
#define CREW(title, list) {.name = title, .chores = list, .n = ARRAY_LEN(list)}
static const struct crew crews[CREWS] = {
    [CREW_QUICK] = CREW("tollgate chores", quick_chores),
    [CREW_PATIENT] = CREW("tollgate checks", patient_chores),
    [CREW_TOKENS] = CREW("tollgate tokens", token_chores),
    [CREW_MAIL] = CREW("tollgate mail", mail_chores),
    [CREW_WEBHOOKS] = CREW("tollgate webhooks", webhook_chores),
    [CREW_VIDEOS] = CREW("tollgate videos", video_chores),
};
_Static_assert(ARRAY_LEN(quick_chores) <= CHORES_MAX && ARRAY_LEN(patient_chores) <= CHORES_MAX,
               "raise CHORES_MAX");

static struct timespec in_ms(int64_t ms)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    t.tv_nsec += ms % 1000 * 1000000;
    t.tv_sec += ms / 1000 + t.tv_nsec / 1000000000;
    t.tv_nsec %= 1000000000;
    return t;
}

/* Waits until at_ms or a stop; true: stop. */
static bool wait_until(void *ctx, int64_t at_ms)
{
    struct chores *c = ctx;
    bool stop;

    pthread_mutex_lock(&c->lock);
    while (!c->stop && clock_mono_ms() < at_ms) {
        struct timespec until = in_ms(at_ms - clock_mono_ms());

        (void)pthread_cond_clockwait(&c->wake, &c->lock, CLOCK_MONOTONIC, &until);
    }
    stop = c->stop;
    pthread_mutex_unlock(&c->lock);
    return stop;
}

/* From here on chores_stop() may interrupt what the connection is at; false: it has to stop. */
static bool may_run(struct crew *c)
{
    bool go;

    pthread_mutex_lock(&c->all->lock);
    go = !c->all->stop;
    if (go)
        c->cancel = db_cancel_new(c->db);
    pthread_mutex_unlock(&c->all->lock);
    return go;
}

static bool has_run(struct crew *c)
{
    bool stop;

    pthread_mutex_lock(&c->all->lock);
    db_cancel_free(c->cancel);
    c->cancel = NULL;
    stop = c->all->stop;
    pthread_mutex_unlock(&c->all->lock);
    return stop;
}

/* The crew's connection, with the usual time limits, whatever ran on it before. */
static int connection(struct crew *c)
{
    int r = c->db ? db_ensure(c->db) : db_open(c->all->config.conninfo, c->name, &c->db);

    return r ? r : db_limit_usual(c->db);
}

static void run_chore(struct crew *c, const struct chore *chore)
{
    int r = connection(c);

    if (!r)
        r = failpoint_hit("chores.run");
    if (!r && may_run(c)) {
        r = chore->run(c);
        if (has_run(c))
            return;
    }
    if (r == DB_E_AWAY || r == -ENOTCONN) {
        log_warn("chore_waits", "chore=%s reason=database_away", chore->name);
        if (chore->away)
            chore->away(c);
    } else if (r)
        log_error("chore_failed", "chore=%s error=%d database=%s", chore->name, r,
                  c->db ? log_str(str_c(db_last_error(c->db))) : "none");
}

static int64_t pause_ms(struct crew *c, const struct chore *chore)
{
    int64_t poll_ms = c->all->config.poll_ms;
    int64_t every_ms = chore->every_ms == POLLED ? poll_ms : chore->every_ms;
    int64_t next_ms = chore->next_ms ? chore->next_ms(c) : every_ms;

    return MIN(MAX(next_ms, MIN(poll_ms, PAUSE_MIN_MS)), every_ms);
}

/* Waits until at_ms, a stop or, where a chore goes by it, another catalogue; true: stop. */
static bool wait_for_work(struct crew *c, int64_t at_ms)
{
    struct chores *all = c->all;
    bool stop;

    pthread_mutex_lock(&all->lock);
    while (!all->stop && clock_mono_ms() < at_ms && c->catalogs == all->catalogs) {
        struct timespec until = in_ms(at_ms - clock_mono_ms());

        (void)pthread_cond_clockwait(&all->wake, &all->lock, CLOCK_MONOTONIC, &until);
    }
    for (size_t i = 0; i < c->n && c->catalogs != all->catalogs; i++)
        if (c->chores[i].next_ms)
            c->due[i] = 0;
    c->catalogs = all->catalogs;
    stop = all->stop;
    pthread_mutex_unlock(&all->lock);
    return stop;
}

static void *work(void *arg)
{
    struct crew *c = arg;

    for (;;) {
        int64_t next = INT64_MAX;

        for (size_t i = 0; i < c->n; i++) {
            if (c->due[i] <= clock_mono_ms()) {
                run_chore(c, &c->chores[i]);
                c->due[i] = clock_mono_ms() + pause_ms(c, &c->chores[i]);
            }
            next = MIN(next, c->due[i]);
        }
        if (wait_for_work(c, next))
            return NULL;
    }
}

/* Any thread. */
static void another_catalog(void *ctx)
{
    struct chores *c = ctx;

    pthread_mutex_lock(&c->lock);
    c->catalogs++;
    pthread_cond_broadcast(&c->wake);
    pthread_mutex_unlock(&c->lock);
}

static int start_crew(struct crew *c)
{
    int r = pthread_create(&c->thread, NULL, work, c);

    if (r)
        return err_origin(-r);
    c->running = true;
    return 0;
}

int chores_start(const struct chores_config *config, struct chores **ret)
{
    struct chores *c = calloc(1, sizeof(*c));
    int r;

    if (!c)
        return err_origin(-ENOMEM);
    c->config = *config;
    pthread_mutex_init(&c->lock, NULL);
    pthread_cond_init(&c->wake, NULL);
    for (size_t i = 0; i < CREWS; i++) {
        c->crew[i] = crews[i];
        c->crew[i].all = c;
    }
    catalog_holder_watch(config->services->catalog, another_catalog, c);
    r = token_keeper_new(&c->tokens);
    if (r == 0)
        r = post_new(config->services->notices, OUTBOX_MAIL, &c->mail);
    if (r == 0)
        r = post_new(config->services->notices, OUTBOX_WEBHOOK, &c->webhooks);
    if (r == 0)
        r = troubles_new(config->services, config->poll_ms, &c->troubles);
    for (size_t i = 0; r == 0 && i < ARRAY_LEN(c->crew); i++)
        r = start_crew(&c->crew[i]);
    if (r)
        chores_stop(c);
    else
        *ret = c;
    return r;
}

void chores_stop(struct chores *c)
{
    if (!c)
        return;
    catalog_holder_watch(c->config.services->catalog, NULL, NULL);
    pthread_mutex_lock(&c->lock);
    c->stop = true;
    pthread_cond_broadcast(&c->wake);
    db_cancel_fire(c->crew[CREW_PATIENT].cancel);
    pthread_mutex_unlock(&c->lock);
    for (size_t i = 0; i < ARRAY_LEN(c->crew); i++) {
        if (c->crew[i].running)
            (void)pthread_join(c->crew[i].thread, NULL);
        db_close(c->crew[i].db);
    }
    token_keeper_free(c->tokens);
    post_free(c->mail);
    post_free(c->webhooks);
    troubles_free(c->troubles);
    pthread_cond_destroy(&c->wake);
    pthread_mutex_destroy(&c->lock);
    free(c);
}
