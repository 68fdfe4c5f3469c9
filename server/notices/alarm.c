/* alarm.c: what was raised or is over is told: one letter to each operator who is mailed, however many there
 * are, and an event for each at the installation's webhook. */
#include "notices/alarm.h"

#include <errno.h>

#include "base/bounds.h"
#include "base/err.h"
#include "base/log.h"
#include "notices/alarm_rows.h"
#include "notices/notice.h"
#include "notices/webhook.h"

#define DAY_S 86400
#define ROUND_BYTES MIB(64)
/* More are counted only. */
#define LINES_MAX 40

static const struct {
    const char *name, *says;
    const char *before, *after; /* its title: before, the name, after */
    const char *alone;          /* its title without a name; NULL: the same */
} kinds[ALARM_KINDS] = {
    [ALARM_BOOKS] = {"books", "The books do not agree", "The books do not agree: ", ""},
    [ALARM_ACCOUNT] = {"account", "A provider account fails", "Provider account ", " fails"},
    [ALARM_DATABASE] = {"database", "The database is away", "The database is away", ""},
    [ALARM_JOURNAL] = {"journal", "Calls cannot be recorded or settled", "Node ",
                       " cannot record or settle calls"},
    [ALARM_MAIL] = {"mail", "Mail cannot be sent", "Alerts cannot be mailed to ", "", "Mail cannot be sent"},
    [ALARM_PRICE] = {"price", "A model without a price is asked for", "Model ",
                     " has no price and is asked for"},
};

const char *alarm_kind_name(enum alarm_kind kind)
{
    return kinds[kind].name;
}

const char *alarm_kind_says(enum alarm_kind kind)
{
    return kinds[kind].says;
}

struct str alarm_title(struct arena *a, const struct alarm *v)
{
    for (size_t i = 0; i < ALARM_KINDS; i++)
        if (str_eq_c(v->kind, kinds[i].name))
            return kinds[i].alone && !v->name.n
                       ? str_c(kinds[i].alone)
                       : arena_strf(a, "%s%.*s%s", kinds[i].before, STR_FMT(v->name), kinds[i].after);
    return v->kind;
}

const char *alarm_event(const struct alarm *v)
{
    return v->ended_at_us ? "alarm.ended" : "alarm.raised";
}

/* "Over, after 12 minutes. Provider account x fails." */
static struct str line(struct arena *a, const struct alarm *v)
{
    int64_t minutes = (v->ended_at_us - v->raised_at_us) / 60000000;

    if (!v->ended_at_us)
        return arena_strf(a, "%.*s. %.*s", STR_FMT(alarm_title(a, v)), STR_FMT(v->detail));
    if (minutes < 1)
        return arena_strf(a, "Over, after less than a minute: %.*s.", STR_FMT(alarm_title(a, v)));
    return arena_strf(a, "Over, after %lld minute%s: %.*s.", (long long)minutes,
                      minutes == 1 ? "" : "s", STR_FMT(alarm_title(a, v)));
}

int alarm_letter(struct arena *a, const struct notices *n, const struct alarm *v, size_t count,
                 struct letter *ret)
{
    size_t told = MIN(count, (size_t)LINES_MAX);
    struct str *lines = arena_array(a, struct str, told + 1);

    if (!lines)
        return err_origin(-ENOMEM);
    for (size_t i = 0; i < told; i++)
        lines[i] = line(a, &v[i]);
    if (count > told)
        lines[told] = arena_strf(a, "And %zu more.", count - told);
    *ret = (struct letter){
        .subject = count == 1 ? arena_strf(a, "%.*s: %s%.*s", STR_FMT(n->host),
                                           v->ended_at_us ? "over: " : "", STR_FMT(alarm_title(a, v)))
                              : arena_strf(a, "%.*s: %zu alerts", STR_FMT(n->host), count),
        .lines = lines,
        .n_lines = told + (count > told),
        .link = arena_strf(a, "%.*s/operator/alerts", STR_FMT(n->public_url)),
        .link_says = STR("See all alerts"),
        .foot = arena_strf(a, "Sent by %.*s to the operators who want to hear of it.",
                           STR_FMT(n->host)),
    };
    for (size_t i = 0; i < ret->n_lines; i++)
        if (!lines[i].p)
            return err_origin(-ENOMEM);
    return ret->subject.p && ret->link.p && ret->foot.p ? 0 : err_origin(-ENOMEM);
}

static bool is_wanted(const struct alarm_settings *s, const struct alarm *v)
{
    for (size_t i = 0; i < ALARM_KINDS; i++)
        if (str_eq_c(v->kind, kinds[i].name))
            return s->kinds[i];
    return false;
}

/* Of those that were raised or are over, what the operators want to hear. */
static int tell(struct db *db, struct arena *a, const struct notices *n, struct alarm_page *page)
{
    struct alarm_settings settings;
    struct letter letter;
    size_t wanted = 0;
    int r = page->n ? alarm_settings_read(db, a, &settings) : 0;

    for (size_t i = 0; r == 0 && i < page->n; i++)
        if (is_wanted(&settings, &page->v[i]))
            page->v[wanted++] = page->v[i];
    for (size_t i = 0; r == 0 && i < wanted; i++)
        r = webhook_tell_alarm(db, a, n, &page->v[i]);
    if (r || !wanted || !n->mails)
        return r;
    r = alarm_letter(a, n, page->v, wanted, &letter);
    for (size_t i = 0; r == 0 && i < settings.n_operators; i++)
        if (settings.operators[i].mailed)
            r = notice_mail(db, a, n, (struct team_id){0}, "alert", settings.operators[i].email,
                            &letter, DAY_S);
    return r;
}

struct judging {
    struct arena *a;
    const struct notices *n;
    int64_t began_us; /* of an outage; else 0 */
    int32_t rest_ms;  /* where no node has judged within it */
    size_t raised, ended;
};

static int judge_tx(struct db *db, void *ctx)
{
    struct judging *j = ctx;
    struct alarm_page page;
    int r = j->began_us ? alarms_outage_over(db, j->a, j->began_us, &page)
                        : alarms_judge_due(db, j->a, j->rest_ms, &page);

    if (r)
        return r;
    j->raised = j->ended = 0;
    for (size_t i = 0; i < page.n; i++)
        *(page.v[i].ended_at_us ? &j->ended : &j->raised) += 1;
    return tell(db, j->a, j->n, &page);
}

static int judge(struct db *db, const struct notices *n, int64_t began_us, int32_t rest_ms)
{
    _cleanup_(arena_freep) struct arena *a = arena_new(ROUND_BYTES);
    struct judging j = {.a = a, .n = n, .began_us = began_us, .rest_ms = rest_ms};
    int r = a ? identity_tx(db, DB_SYSTEM, "alarms_judge", judge_tx, &j) : err_origin(-ENOMEM);

    if (r)
        return err_trace(db_fatal(r));
    if (j.raised || j.ended)
        log_warn("alarms", "raised=%zu over=%zu", j.raised, j.ended);
    return 0;
}

/* Less than an interval, so that a node which is alone judges each time it looks. */
int alarms_judge(struct db *db, const struct notices *n, int poll_ms)
{
    return judge(db, n, 0, poll_ms / 5 * 4);
}

int alarms_outage(struct db *db, const struct notices *n, int64_t began_us)
{
    return judge(db, n, began_us, 0);
}

struct reporting {
    int64_t session;
    const struct alarm_report *v;
    size_t n;
};

static int report_tx(struct db *db, void *ctx)
{
    const struct reporting *t = ctx;

    return alarm_reports_write(db, t->session, t->v, t->n);
}

int alarms_report(struct db *db, int64_t session, const struct alarm_report *v, size_t n)
{
    struct reporting t = {session, v, n};
    int r = db_tx(db, DB_SYSTEM, "alarms_report", report_tx, &t);

    return r ? err_trace(db_fatal(r)) : 0;
}
