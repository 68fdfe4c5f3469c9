/* trial.c: see trial.h. */
#include "notices/trial.h"

#include <errno.h>

#include "base/err.h"
#include "identity/fault.h"
#include "notices/notice.h"
#include "notices/webhook.h"

struct noting {
    struct outbox_item item;
    const struct trial *trial;
};

static int note_tx(struct db *db, void *ctx)
{
    const struct noting *t = ctx;

    return outbox_note(db, &t->item, t->trial->delivered, t->trial->said);
}

static int note(struct db *db, struct noting *t)
{
    int r;

    t->item.kind = "test";
    t->item.recipient = t->trial->to;
    r = db_tx(db, DB_SYSTEM, "outbox_note", note_tx, t);
    return r ? err_trace(db_fatal(r)) : 0;
}

/* said: room that outlives the answer. */
static int send_mail(struct arena *a, const struct notices *n, const char *tag, struct str to,
                     struct str subject, char said[SMTP_SAID_BYTES])
{
    const struct str lines[] = {STR("This is a test: mail from here arrives.")};
    const struct letter letter = {
        .subject = subject,
        .lines = lines,
        .n_lines = ARRAY_LEN(lines),
        .foot = arena_strf(a, "Sent by %.*s, since an operator wanted to see whether it comes.",
                           STR_FMT(n->host)),
    };
    const char *address = arena_cstr(a, to);
    struct smtp *smtp = NULL;
    struct buf text;
    int r;

    if (!address || !letter.foot.p)
        return err_origin(-ENOMEM);
    buf_init(&text, MAIL_BYTES_MAX);
    notice_put(n, to, tag, &letter, &text);
    r = buf_finish(&text) ? err_origin(-ENOBUFS) : smtp_new(&n->server, &smtp);
    if (!r)
        r = smtp_send(smtp, n->from_address, address, buf_str(&text), NULL, NULL, said);
    smtp_free(smtp);
    buf_done(&text);
    return r;
}

int trial_mail(struct db *db, struct arena *a, const struct notices *n, struct str to,
               struct trial *ret)
{
    struct trial trial = {.to = to};
    struct noting noting = {.trial = &trial};
    char said[SMTP_SAID_BYTES] = "";
    int r;

    if (!notices_mail(n))
        return TRIAL_E_NONE;
    noting.item.channel = OUTBOX_MAIL;
    noting.item.subject = arena_strf(a, "Test of mail from %.*s", STR_FMT(n->host));
    outbox_tag(noting.item.tag);
    if (!smtp_is_address(to))
        trial.said = STR("not an address that can be mailed");
    else {
        r = send_mail(a, n, noting.item.tag, to, noting.item.subject, said);
        if (r < 0)
            return err_trace(r);
        trial.delivered = r == SMTP_OK;
        trial.said = arena_str(a, str_c(said));
    }
    r = note(db, &noting);
    if (r == 0)
        *ret = trial;
    return r;
}

struct opening {
    struct arena *a;
    const struct notices *n;
    struct team_id team;
    struct webhook_target target;
};

static int open_tx(struct db *db, void *ctx)
{
    struct opening *o = ctx;

    return webhook_open(db, o->a, o->n, o->team, &o->target);
}

static int post(struct arena *a, const struct notices *n, struct noting *noting,
                const struct webhook_target *target, struct trial *trial)
{
    const struct webhook_event event = {.team = noting->item.team, .tag = noting->item.tag};
    struct buf text;
    int r;

    buf_init(&text, WEBHOOK_EVENT_BYTES);
    webhook_event_put(&event, a, &text);
    r = buf_finish(&text) ? err_origin(-ENOBUFS)
                          : webhook_post(a, n, target, buf_str(&text), &trial->said);
    buf_done(&text);
    trial->delivered = r == WEBHOOK_OK;
    return r < 0 ? err_trace(r) : 0;
}

int trial_webhook(struct db *db, struct arena *a, const struct notices *n, struct team_id team,
                  struct trial *ret)
{
    struct opening o = {.a = a, .n = n, .team = team};
    struct trial trial = {0};
    struct noting noting = {.trial = &trial};
    int r = n ? identity_tx(db, DB_SYSTEM, "webhook_open", open_tx, &o) : WEBHOOK_OPEN_E_NONE;

    if (r == WEBHOOK_OPEN_E_NONE)
        return TRIAL_E_NONE;
    noting.item.team = team;
    noting.item.channel = OUTBOX_WEBHOOK;
    noting.item.subject = STR("Test of the webhook");
    outbox_tag(noting.item.tag);
    trial.to = o.target.url;
    if (r == WEBHOOK_OPEN_E_FORGED)
        trial.said = STR(WEBHOOK_FORGED);
    else if (r == 0)
        r = post(a, n, &noting, &o.target, &trial);
    if (r >= 0)
        r = note(db, &noting);
    if (r == 0)
        *ret = trial;
    return r < 0 ? err_trace(r) : r;
}
