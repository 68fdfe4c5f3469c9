/* notice.c: see notice.h. */
#include "notices/notice.h"

#include <errno.h>

#include "base/bounds.h"
#include "base/clock.h"
#include "base/err.h"
#include "identity/reset.h"

#define DAY_S 86400
#define WISH_BYTES MIB(1)

void notice_put(const struct notices *n, struct str to, const char *tag,
                const struct letter *letter, struct buf *out)
{
    const struct mail mail = {.from = n->from,
                              .to = to,
                              .tag = str_c(tag),
                              .host = n->host,
                              .at_us = clock_wall_us(),
                              .letter = letter};

    mail_put(&mail, out);
}

int notice_mail(struct db *db, struct arena *a, const struct notices *n, struct team_id team,
                const char *kind, struct str to, const struct letter *letter,
                int32_t useless_after_s)
{
    struct outbox_item item = {.team = team,
                               .channel = OUTBOX_MAIL,
                               .kind = kind,
                               .recipient = to,
                               .subject = letter->subject,
                               .useless_after_s = useless_after_s};
    struct buf text;

    outbox_tag(item.tag);
    buf_init(&text, MAIL_BYTES_MAX);
    notice_put(n, to, item.tag, letter, &text);
    return outbox_add_text(db, a, n, &item, &text);
}

int notice_invite(struct db *db, struct arena *a, const struct notices *n,
                  const struct notice_invitation *v)
{
    struct str lines[] = {
        arena_strf(a, "%.*s invites you to the team %.*s, as %s.", STR_FMT(v->inviter),
                   STR_FMT(v->team_name), role_name(v->role)),
        STR("The link works once, within seven days. Whoever has no account yet makes one there."),
    };
    struct letter letter = {
        .subject = arena_strf(a, "Invitation to %.*s", STR_FMT(v->team_name)),
        .lines = lines,
        .n_lines = ARRAY_LEN(lines),
        .link = v->link,
        .link_says = STR("Join the team"),
        .foot = arena_strf(a, "Sent by %.*s. If you know nothing of it, you need not do anything.",
                           STR_FMT(n->host)),
    };

    if (!letter.subject.p || !lines[0].p || !letter.foot.p)
        return err_origin(-ENOMEM);
    int r = notice_mail(db, a, n, v->team, "invitation", v->to, &letter, DAY_S);

    return r ? err_trace(r) : 0;
}

static int mail_reset(struct db *db, struct arena *a, const struct notices *n,
                      const struct reset_made *made)
{
    const struct str lines[] = {
        arena_strf(a, "Somebody, you we hope, has asked for a new password. Set one within %d minutes; the "
                      "link works once, and all sessions end then.", RESET_MINUTES),
        STR("If it was not you, you need not do anything: your password is as it was."),
    };
    struct letter letter = {
        .subject = arena_strf(a, "Your new password at %.*s", STR_FMT(n->host)),
        .lines = lines,
        .n_lines = ARRAY_LEN(lines),
        .link = arena_strf(a, "%.*s/reset/%.*s", STR_FMT(n->public_url), STR_FMT(made->token)),
        .link_says = STR("Set a new password"),
        .foot = arena_strf(a, "Sent by %.*s to %.*s.", STR_FMT(n->host), STR_FMT(made->email)),
    };

    if (!lines[0].p || !letter.subject.p || !letter.link.p || !letter.foot.p)
        return err_origin(-ENOMEM);
    return notice_mail(db, a, n, (struct team_id){0}, "reset", made->email, &letter,
                       RESET_MINUTES * 60);
}

struct granting {
    struct arena *a;
    const struct notices *n;
    const uint8_t *pepper;
};

static int grant_tx(struct db *db, void *ctx)
{
    struct granting *g = ctx;
    struct reset_made made;
    int r = reset_grant(db, g->a, g->pepper, g->n->resets_of_operators, &made);

    if (r || !made.token.p)
        return r;
    return mail_reset(db, g->a, g->n, &made);
}

int notice_resets(struct db *db, const struct notices *n, const uint8_t session_pepper[32])
{
    int r = n->mails ? 0 : IDENTITY_E_NONE;

    while (r == 0) {
        _cleanup_(arena_freep) struct arena *a = arena_new(WISH_BYTES);
        struct granting g = {a, n, session_pepper};

        r = a ? identity_tx(db, DB_SYSTEM, "reset_grant", grant_tx, &g) : err_origin(-ENOMEM);
    }
    return r == IDENTITY_E_NONE ? 0 : err_trace(r);
}
