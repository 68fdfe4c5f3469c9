/* troubles.c: see troubles.h. */
#include "troubles.h"

#include <errno.h>

#include "base/bounds.h"
#include "base/clock.h"
#include "base/err.h"
#include "catalog/holder.h"
#include "ledger/journal.h"
#include "lease/node.h"
#include "notices/alarm_watch.h"
#include "providers/health.h"

#define LOOK_BYTES MIB(4)
/* Beyond it accounts that fail are not told one by one; the others have been. */
#define REPORTS_MAX 200
/* An account that has not failed for so long is asked by nobody here: whether it would is not known. A credential
 * that was refused stays so until somebody sees to it. */
#define QUIET_MS 600000
#define QUIET_CREDENTIAL_MS 3600000
/* A finished call is settled within a second, and while the database is away later. */
#define SETTLES_WITHIN_MS 300000

struct troubles {
    const struct services *services;
    int poll_ms;
    struct alarm_watch *watch;
    bool reported; /* something, last time */
};

int troubles_new(const struct services *services, int poll_ms, struct troubles **ret)
{
    struct troubles *t = calloc(1, sizeof(*t));
    int r;

    if (!t)
        return err_origin(-ENOMEM);
    t->services = services;
    t->poll_ms = poll_ms;
    r = alarm_watch_new(services->notices, services->node_name, &t->watch);
    if (r) {
        free(t);
        return err_trace(r);
    }
    *ret = t;
    return 0;
}

void troubles_free(struct troubles *t)
{
    if (!t)
        return;
    alarm_watch_free(t->watch);
    free(t);
}

struct looking {
    struct arena *a;
    struct alarm_report v[REPORTS_MAX];
    size_t n;
};

static int add(struct looking *l, const struct alarm_report *v)
{
    if (!v->subject.p || !v->detail.p)
        return err_origin(-ENOMEM);
    l->v[l->n++] = *v;
    return 0;
}

static const char *why(enum health_failure failure)
{
    static const char *const sentences[] = {
        [HEALTH_FAILED] = "It cannot be reached, or does not answer as it should.",
        [HEALTH_RATE_LIMITED] = "It answers that there are too many requests (429).",
        [HEALTH_CREDENTIAL] = "It refuses our credential (401, 402 or 403).",
    };

    return sentences[failure];
}

/* How long it has failed goes by its tries, so that one that is asked by nobody does not grow worse. */
static int add_account(struct looking *l, const struct catalog_account *account,
                       const struct health *health)
{
    int64_t now_ms = clock_mono_ms(), quiet_ms, since_us = 0;
    struct health_view v;

    health_read(health, now_ms, &v);
    quiet_ms = v.last_failure == HEALTH_CREDENTIAL ? QUIET_CREDENTIAL_MS : QUIET_MS;
    if (!v.down_since_ms || now_ms - v.failed_ms > quiet_ms)
        return 0;
    if (v.last_failure != HEALTH_CREDENTIAL)
        since_us = clock_wall_us() - MAX(v.failed_ms - v.down_since_ms, 0) * 1000;
    return add(l, &(struct alarm_report){
                      .kind = ALARM_ACCOUNT,
                      .subject = arena_strf(l->a, "account:%lld", (long long)account->id.v),
                      .name = arena_str(l->a, account->name),
                      .detail = str_c(why(v.last_failure)),
                      .since_us = since_us});
}

/* Of the installation; teams' own are theirs to hear of. */
static int add_accounts(struct looking *l, const struct services *s)
{
    struct catalog *catalog = catalog_holder_get(s->catalog);
    const struct catalog_account *v;
    size_t n = 0;
    int r = 0;

    if (!catalog)
        return 0;
    v = catalog_accounts(catalog, &n);
    for (size_t i = 0; r == 0 && i < n && l->n < REPORTS_MAX - 1; i++)
        if (!v[i].team.v && !v[i].unusable)
            r = add_account(l, &v[i], health_of(s->health, v[i].id));
    catalog_unref(catalog);
    return r;
}

static int add_journal(struct looking *l, const struct services *s)
{
    struct alarm_report report = {.kind = ALARM_JOURNAL, .subject = s->node_name, .name = s->node_name};
    int64_t refused = journal_refused_bytes(s->journal);
    struct journal_view v;

    journal_read(s->journal, &v);
    if (v.broken)
        report.detail = STR("What was written to the disk of its journal could not be synced: it admits no more"
                            " calls until it is started again, with a disk that works.");
    else if (v.failure)
        report.detail = arena_strf(l->a, "Its disk takes no records (%s): it admits no calls until it does.",
                                   strerrordesc_np(v.failure));
    else if (refused)
        report.detail = arena_strf(l->a, "The database refuses to book calls; %lld bytes of them are kept"
                                   " in the file `refused` of its journal, for a person to look at.",
                                   (long long)refused);
    else if (v.oldest_waiting_ms > SETTLES_WITHIN_MS)
        report.detail = arena_strf(l->a, "%llu finished calls wait, the oldest for %lld minutes.",
                                   (unsigned long long)v.waiting,
                                   (long long)(v.oldest_waiting_ms / 60000));
    else
        return 0;
    return add(l, &report);
}

static int report(struct troubles *t, struct db *db, int64_t session)
{
    _cleanup_(arena_freep) struct arena *a = arena_new(LOOK_BYTES);
    struct looking *l = a ? arena_new0(a, struct looking) : NULL;
    int r;

    if (!l)
        return err_origin(-ENOMEM);
    l->a = a;
    r = add_accounts(l, t->services);
    if (r == 0)
        r = add_journal(l, t->services);
    if (r == 0 && (l->n || t->reported))
        r = alarms_report(db, session, l->v, l->n);
    t->reported = l->n > 0;
    return r;
}

int troubles_look(struct troubles *t, struct db *db)
{
    int64_t session = node_session(t->services->node);
    int r = alarm_watch_here(t->watch, db, session);

    if (r == 0 && session)
        r = report(t, db, session);
    return r ? r : alarms_judge(db, t->services->notices, t->poll_ms);
}

void troubles_away(struct troubles *t, bool (*stop)(void *ctx), void *ctx)
{
    alarm_watch_away(t->watch, stop, ctx);
}
