/* notice.h: what is mailed about people: an invitation, a link to a new password. Each is written into the
 * outbox within the caller's transaction, so it is sent if and only if that commits. */
#pragma once

#include "identity/invite.h"
#include "notices/outbox.h"

/* The whole mail of a letter to one address; tag: its Message-ID's. Whether it fitted says buf_finish(out), which
 * takes MAIL_BYTES_MAX. */
void notice_put(const struct notices *n, struct str to, const char *tag,
                const struct letter *letter, struct buf *out);
/* The same as an item of the outbox. */
int notice_mail(struct db *db, struct arena *a, const struct notices *n, struct team_id team,
                const char *kind, struct str to, const struct letter *letter,
                int32_t useless_after_s) _must_use_;

/* link: the whole URL, with the token. Team scope. */
struct notice_invitation {
    struct team_id team;
    struct str to, link, team_name, inviter;
    enum role role;
};
int notice_invite(struct db *db, struct arena *a, const struct notices *n,
                  const struct notice_invitation *v) _must_use_;

/* Makes links for all who have asked for one (reset_ask) and mails them, where anything is mailed. Own
 * transactions. */
int notice_resets(struct db *db, const struct notices *n,
                  const uint8_t session_pepper[32]) _must_use_;
