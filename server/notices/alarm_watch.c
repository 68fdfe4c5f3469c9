/* alarm_watch.c: see alarm_watch.h. */
#include "notices/alarm_watch.h"

#include <errno.h>

#include "base/bounds.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "db/tx.h"
#include "notices/alarm_rows.h"
#include "notices/notice.h"
#include "notices/webhook.h"

#define KNOWN_BYTES MIB(1)

/* As it stood when the database last answered. */
struct known {
    struct arena *a;
    struct alarm_settings settings;
    struct webhook_target webhook; /* url p NULL: there is none */
    bool first;                    /* this node is the one that tells */
};

struct alarm_watch {
    const struct notices *notices;
    struct str node_name;
    struct known known; /* a NULL: nothing was read yet */
    int64_t away_since_ms, away_since_us; /* 0: it is here */
    bool told;
};

int alarm_watch_new(const struct notices *n, struct str node_name, struct alarm_watch **ret)
{
    struct alarm_watch *w = calloc(1, sizeof(*w));

    if (!w)
        return err_origin(-ENOMEM);
    w->notices = n;
    w->node_name = node_name;
    *ret = w;
    return 0;
}

void alarm_watch_free(struct alarm_watch *w)
{
    if (!w)
        return;
    arena_free(w->known.a);
    free(w);
}

struct reading {
    const struct notices *n;
    struct known *known;
    int64_t session;
};

static int read_tx(struct db *db, void *ctx)
{
    struct reading *t = ctx;
    struct known *k = t->known;
    int r = alarm_settings_read(db, k->a, &k->settings);

    if (r == 0)
        r = webhook_open(db, k->a, t->n, (struct team_id){0}, &k->webhook);
    if (r > 0) {
        k->webhook = (struct webhook_target){0};
        r = 0;
    }
    if (r == 0)
        r = alarm_session_is_first(db, t->session, &k->first);
    return r;
}

static int refresh(struct alarm_watch *w, struct db *db, int64_t session)
{
    struct known known = {.a = arena_new(KNOWN_BYTES)};
    struct reading t = {w->notices, &known, session};
    int r = known.a ? db_fatal(db_tx(db, DB_SYSTEM, "alarm_watch", read_tx, &t))
                    : err_origin(-ENOMEM);

    if (r) {
        arena_free(known.a);
        return err_trace(r);
    }
    arena_free(w->known.a);
    w->known = known;
    return 0;
}

int alarm_watch_here(struct alarm_watch *w, struct db *db, int64_t session)
{
    int r = 0;

    if (w->away_since_ms && clock_mono_ms() - w->away_since_ms >= ALARM_AWAY_MS)
        r = alarms_outage(db, w->notices, w->away_since_us);
    if (r)
        return err_trace(r);
    w->away_since_ms = 0;
    return refresh(w, db, session);
}

static int post(struct alarm_watch *w, struct arena *a, const struct alarm *v)
{
    char tag[OUTBOX_TAG_BYTES];
    const struct webhook_event event = {.tag = tag, .alarm = v};
    struct str said = STR("");
    struct buf text;
    int r;

    if (!w->known.webhook.url.p)
        return 0;
    outbox_tag(tag);
    buf_init(&text, WEBHOOK_EVENT_BYTES);
    webhook_event_put(&event, a, &text);
    r = buf_finish(&text) ? err_origin(-ENOBUFS)
                          : webhook_post(a, w->notices, &w->known.webhook, buf_str(&text), &said);
    buf_done(&text);
    if (r > 0)
        log_warn("alarm_not_posted", "reason=%s", log_str(said));
    return r < 0 ? r : 0;
}

struct sending {
    struct smtp *smtp;
    bool (*stop)(void *ctx);
    void *ctx;
};

static int mail_one(struct alarm_watch *w, struct arena *a, const struct sending *s,
                    const struct letter *letter, struct str to)
{
    const char *address = arena_cstr(a, to);
    char tag[OUTBOX_TAG_BYTES], said[SMTP_SAID_BYTES] = "";
    struct buf text;
    int r;

    if (!address)
        return err_origin(-ENOMEM);
    outbox_tag(tag);
    buf_init(&text, MAIL_BYTES_MAX);
    notice_put(w->notices, to, tag, letter, &text);
    r = buf_finish(&text) ? err_origin(-ENOBUFS)
                          : smtp_send(s->smtp, w->notices->from_address, address, buf_str(&text),
                                      s->stop, s->ctx, said);
    buf_done(&text);
    if (r > 0)
        log_warn("alarm_not_mailed", "to=%s reason=%s", log_str(to), log_str(str_c(said)));
    return r;
}

static int mail(struct alarm_watch *w, struct arena *a, const struct alarm *v, struct sending *s)
{
    const struct alarm_settings *settings = &w->known.settings;
    struct letter letter;
    int r = w->notices->mails ? alarm_letter(a, w->notices, v, 1, &letter) : 0;

    if (r || !w->notices->mails)
        return r;
    r = smtp_new(&w->notices->server, &s->smtp);
    for (size_t i = 0; r >= 0 && r != SMTP_E_SERVER && i < settings->n_operators; i++)
        if (settings->operators[i].mailed && smtp_is_address(settings->operators[i].email))
            r = mail_one(w, a, s, &letter, settings->operators[i].email);
    smtp_free(s->smtp);
    return r < 0 ? r : 0;
}

static int tell(struct alarm_watch *w, struct sending *s)
{
    _cleanup_(arena_freep) struct arena *a = arena_new(KNOWN_BYTES);
    struct alarm v = {.kind = STR("database"),
                      .subject = STR("database"),
                      .name = STR(""),
                      .raised_at_us = w->away_since_us};
    int r;

    if (!a)
        return err_origin(-ENOMEM);
    v.detail = arena_strf(a, "Node %.*s has not reached it for %d seconds.", STR_FMT(w->node_name),
                          ALARM_AWAY_MS / 1000);
    r = v.detail.p ? post(w, a, &v) : err_origin(-ENOMEM);
    return r ? r : mail(w, a, &v, s);
}

void alarm_watch_away(struct alarm_watch *w, bool (*stop)(void *ctx), void *ctx)
{
    struct sending sending = {.stop = stop, .ctx = ctx};
    int64_t now_ms = clock_mono_ms();
    int r;

    if (!w->away_since_ms) {
        w->away_since_ms = now_ms;
        w->away_since_us = clock_wall_us();
        w->told = false;
    }
    if (w->told || now_ms - w->away_since_ms < ALARM_AWAY_MS)
        return;
    w->told = true;
    if (!w->known.a || !w->known.first || !w->known.settings.kinds[ALARM_DATABASE])
        return;
    r = tell(w, &sending);
    if (r)
        log_error("alarm_not_told", "kind=database error=%d", r);
}
