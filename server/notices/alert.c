/* alert.c: what was raised is told, one letter for each team and recipient, however many there are. */
#include "notices/alert.h"

#include <errno.h>

#include "base/bounds.h"
#include "base/err.h"
#include "base/log.h"
#include "notices/alert_rows.h"
#include "notices/notice.h"
#include "notices/webhook.h"

#define DAY_S 86400
#define ROUND_BYTES MIB(64)
#define TEAM_BYTES MIB(16)
/* More are counted only. */
#define LINES_MAX 40

static const struct {
    const char *scope, *says;
} scopes[] = {
    {"team", "the team"}, {"project", "project"}, {"user", "the keys of"}, {"key", "key"}};
static const struct {
    const char *window, *says;
} windows[] = {
    {"day", " a day"}, {"week", " a week"}, {"month", " a month"}, {"lifetime", " for good"}};

/* "project web" */
static struct str whose(struct arena *a, const struct alert *v)
{
    for (size_t i = 1; i < ARRAY_LEN(scopes); i++)
        if (str_eq_c(v->scope, scopes[i].scope))
            return arena_strf(a, "%s %.*s", scopes[i].says, STR_FMT(v->name));
    return STR("the team");
}

/* "$12.34"; fractions of a cent are shown where there are any. */
static struct str dollars(struct arena *a, struct money m)
{
    struct buf text;
    struct str s;

    buf_init(&text, 64);
    buf_puts(&text, m.nano < 0 ? "-$" : "$");
    money_put(&text, (struct money){m.nano < 0 ? -m.nano : m.nano}, 2);
    s = arena_str(a, buf_str(&text));
    buf_done(&text);
    return s;
}

struct str alert_title(struct arena *a, const struct alert *v)
{
    if (str_eq_c(v->kind, "balance"))
        return arena_strf(a, "Balance below %.*s", STR_FMT(dollars(a, v->amount)));
    if (v->mark >= 100)
        return arena_strf(a, "Budget of %.*s: used up", STR_FMT(whose(a, v)));
    return arena_strf(a, "Budget of %.*s: %d %% spent", STR_FMT(whose(a, v)), v->mark);
}

struct str alert_sentence(struct arena *a, const struct alert *v)
{
    struct str amount = dollars(a, v->amount), used = dollars(a, v->used);
    const char *window = "";

    if (str_eq_c(v->kind, "balance"))
        return arena_strf(a, "The balance is %.*s. At 0 requests are refused.", STR_FMT(used));
    for (size_t i = 0; i < ARRAY_LEN(windows); i++)
        if (str_eq_c(v->window, windows[i].window))
            window = windows[i].says;
    return arena_strf(a, "%.*s of %.*s%s are spent. %s", STR_FMT(used), STR_FMT(amount), window,
                      v->mark >= 100 ? "Requests that it does not cover are refused."
                                     : "Beyond the budget requests are refused.");
}

/* Of several thresholds that a budget has passed at once the highest is told. */
static bool is_told(const struct alert *v, size_t n, size_t i)
{
    for (size_t k = 0; k < n; k++)
        if (str_eq(v[k].kind, v[i].kind) && str_eq(v[k].scope, v[i].scope) &&
            v[k].scope_id == v[i].scope_id && v[k].mark > v[i].mark)
            return false;
    return true;
}

/* The paragraphs of a team's letter; one more where some are only counted. */
static int write_lines(struct arena *a, const struct alert *v, size_t n, struct letter *ret)
{
    struct str *lines = arena_array(a, struct str, LINES_MAX + 1);
    const struct alert *only = NULL;
    size_t told = 0;

    if (!lines)
        return err_origin(-ENOMEM);
    for (size_t i = 0; i < n; i++) {
        if (!is_told(v, n, i))
            continue;
        only = &v[i];
        if (told < LINES_MAX)
            lines[told] = arena_strf(a, "%.*s. %.*s", STR_FMT(alert_title(a, &v[i])),
                                     STR_FMT(alert_sentence(a, &v[i])));
        told++;
    }
    ret->lines = lines;
    ret->n_lines = MIN(told, (size_t)LINES_MAX);
    if (told > LINES_MAX)
        lines[ret->n_lines++] = arena_strf(a, "And %zu more.", told - LINES_MAX);
    ret->subject =
        told == 1 ? arena_strf(a, "%.*s: %.*s", STR_FMT(v->team_name), STR_FMT(alert_title(a, only)))
                  : arena_strf(a, "%.*s: %zu alerts", STR_FMT(v->team_name), told);
    for (size_t i = 0; i < ret->n_lines; i++)
        if (!lines[i].p)
            return err_origin(-ENOMEM);
    return ret->subject.p ? 0 : err_origin(-ENOMEM);
}

/* v[0] to v[n - 1] are of one team. */
static int tell_team(struct db *db, const struct notices *n, const struct alert *v, size_t count)
{
    _cleanup_(arena_freep) struct arena *a = arena_new(TEAM_BYTES);
    struct alert_addresses to = {0};
    struct letter letter = {0};
    int r = a ? 0 : err_origin(-ENOMEM);

    for (size_t i = 0; r == 0 && i < count; i++)
        if (is_told(v, count, i))
            r = webhook_tell(db, a, n, &v[i]);
    if (r == 0 && n->mails)
        r = alert_recipients(db, a, v->team, &to);
    if (r || !to.n)
        return r;
    letter.link = arena_strf(a, "%.*s/alerts", STR_FMT(n->public_url));
    letter.link_says = STR("See all alerts");
    letter.foot = arena_strf(a, "Sent by %.*s, since you are named for the alerts of %.*s.",
                             STR_FMT(n->host), STR_FMT(v->team_name));
    if (!letter.link.p || !letter.foot.p)
        return err_origin(-ENOMEM);
    r = write_lines(a, v, count, &letter);
    for (size_t i = 0; r == 0 && i < to.n; i++)
        r = notice_mail(db, a, n, v->team, "alert", to.v[i], &letter, DAY_S);
    return r;
}

struct judging {
    struct arena *a;
    const struct notices *n;
    size_t raised;
};

static int judge_tx(struct db *db, void *ctx)
{
    struct judging *j = ctx;
    struct alert_page raised;
    int r = alerts_raise_due(db, j->a, &raised);

    if (r)
        return r;
    j->raised = raised.n;
    for (size_t i = 0, n; r == 0 && i < raised.n; i += n) {
        for (n = 1; i + n < raised.n && raised.v[i + n].team.v == raised.v[i].team.v;)
            n++;
        r = tell_team(db, j->n, raised.v + i, n);
    }
    return r;
}

int alerts_judge(struct db *db, const struct notices *n)
{
    _cleanup_(arena_freep) struct arena *a = arena_new(ROUND_BYTES);
    struct judging j = {a, n};
    int r = a ? identity_tx(db, DB_SYSTEM, "alerts_judge", judge_tx, &j) : err_origin(-ENOMEM);

    if (r)
        return err_trace(db_fatal(r));
    if (j.raised)
        log_info("alerts_raised", "count=%zu", j.raised);
    return 0;
}
