/* post.c: see post.h. A mail server that takes nothing is asked with one mail at a time, and all others
 * wait for it; a recipient that is refused holds up nobody else. */
#include "notices/post_inside.h"

#include <errno.h>

#include "base/bounds.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"

#define ROUND_BYTES MIB(1)
/* While the server is away, a message waits no longer than this: it may be back any moment. */
#define WAIT_SERVER_S 300
#define REST_MS 15000
#define TIDY_MS 60000

int post_new(const struct notices *n, enum outbox_channel channel, struct post **ret)
{
    struct post *p = calloc(1, sizeof(*p));

    if (!p)
        return err_origin(-ENOMEM);
    p->notices = n;
    p->channel = channel;
    *ret = p;
    return 0;
}

void post_free(struct post *p)
{
    if (!p)
        return;
    smtp_free(p->smtp);
    free(p);
}

static int32_t wait_s(int32_t tries, int32_t most_s)
{
    int32_t wait = POST_WAIT_FIRST_S;

    for (int32_t i = 1; i < tries && wait < most_s; i++)
        wait *= 4;
    return MIN(wait, most_s);
}

/* Of a URL its origin only: what follows may be what lets somebody post there. */
static struct str loggable(struct str recipient)
{
    ssize_t scheme = str_find(recipient, ':');
    size_t n = scheme < 0 ? 0 : (size_t)scheme + 1;

    if (!str_starts(str_n(recipient.p + n, recipient.n - n), STR("//")))
        return recipient;
    n += 2;
    while (n < recipient.n && !strchr("/?#", recipient.p[n]))
        n++;
    return str_n(recipient.p, n);
}

static void say_given_up(const struct outbox_taken *t, struct str why)
{
    log_warn("notice_given_up", "id=%lld kind=%s to=%s reason=%s", (long long)t->id,
             log_str(t->kind), log_str(loggable(t->recipient)), log_str(why));
}

int post_put_off(struct db *db, const struct outbox_taken *t, int32_t most_s, struct str why)
{
    bool given_up = false;
    int r = outbox_put_off(db, t->id, wait_s(t->tries, most_s), why, &given_up);

    if (!r && given_up)
        say_given_up(t, why);
    return r;
}

int post_give_up(struct db *db, const struct outbox_taken *t, struct str why)
{
    int r = outbox_give_up(db, t->id, why);

    if (!r)
        say_given_up(t, why);
    return r;
}

static int send_mail(struct post *p, struct db *db, struct arena *a, const struct outbox_taken *t)
{
    char said[SMTP_SAID_BYTES];
    const char *to = arena_cstr(a, t->recipient);
    int r = to ? 0 : err_origin(-ENOMEM);

    if (!r && !smtp_is_address(t->recipient))
        return post_give_up(db, t, STR("not an address that can be mailed"));
    if (!r && !p->smtp)
        r = smtp_new(&p->notices->server, &p->smtp);
    if (!r)
        r = smtp_send(p->smtp, p->notices->from_address, to, t->text, p->stop, p->ctx, said);
    switch (r) {
    case SMTP_OK:
        return outbox_sent(db, t->id, str_c(said));
    case SMTP_E_REFUSED:
        return post_give_up(db, t, str_c(said));
    case SMTP_E_LATER:
        return post_put_off(db, t, POST_WAIT_MOST_S, str_c(said));
    case SMTP_E_SERVER:
        log_warn("mail_server_fails", "reason=%s", log_str(str_c(said)));
        p->rests_until_ms = clock_mono_ms() + REST_MS;
        return post_put_off(db, t, WAIT_SERVER_S, str_c(said));
    case SMTP_E_STOPPED:
        return post_put_off(db, t, 0, STR("the node ended meanwhile"));
    default:
        return err_trace(r);
    }
}

/* 0: one was sent, or put off; OUTBOX_E_NONE: nothing is due. */
static int send_one(struct post *p, struct db *db)
{
    const struct outbox_wanted wanted = {.channel = OUTBOX_MAIL};
    _cleanup_(arena_freep) struct arena *a = arena_new(ROUND_BYTES);
    struct outbox_taken taken;
    int r = a ? outbox_take(db, a, p->notices, &wanted, &taken) : err_origin(-ENOMEM);

    if (r == OUTBOX_E_FORGED)
        return 0;
    return r ? r : send_mail(p, db, a, &taken);
}

static int tidy(struct post *p, struct db *db)
{
    int64_t given_up = 0;
    int r = outbox_tidy(db, &given_up);

    p->tidy_ms = clock_mono_ms() + TIDY_MS;
    if (given_up)
        log_warn("notices_given_up", "count=%lld reason=too_late", (long long)given_up);
    return r;
}

/* What waits for a mail server that is no longer set stays until it is of no use. */
static int send_mails(struct post *p, struct db *db)
{
    int r = 0;

    while (!r && p->notices->mails && clock_mono_ms() >= p->rests_until_ms && !p->stop(p->ctx))
        r = send_one(p, db);
    smtp_free(steal(&p->smtp));
    return r == OUTBOX_E_NONE ? 0 : r;
}

int post_round(struct post *p, struct db *db, bool (*stop)(void *ctx), void *ctx)
{
    int r = 0;

    p->stop = stop;
    p->ctx = ctx;
    if (clock_mono_ms() >= p->tidy_ms)
        r = tidy(p, db);
    if (r)
        return r;
    return p->channel == OUTBOX_MAIL ? send_mails(p, db) : post_webhooks(p, db);
}
