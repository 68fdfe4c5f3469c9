/* notices.h: how this installation tells people and programs: through which mail server, in whose name.
 *
 * Made once at start, read-only afterwards. Any thread. */
#pragma once

#include "base/arena.h"
#include "fetch/smtp.h"
#include "notices/letter.h"

struct notices {
    bool mails; /* SMTP_URL and MAIL_FROM are set; what follows is of use only then */
    struct smtp_server server;
    struct mailbox from;
    const char *from_address;

    bool private_webhooks; /* they may go to private networks */
    bool resets_of_operators; /* nobody else has a password to set anew */
    struct str host;       /* of Message-IDs: that of public_url */
    struct str public_url; /* no slash at its end */
    uint8_t seal_key[32];
};

/* What the settings say; "" is none. */
struct notices_settings {
    const char *smtp_url, *smtp_user, *smtp_password_file, *mail_from;
    bool allow_plain, private_webhooks;
    bool resets_of_operators; /* nobody else has a password to set anew */
    struct str public_url;
};

/* All text of *ret is in the arena or the settings'. E_PASSWORD: the file cannot be read, is empty or too
 * long. */
enum { NOTICES_OK = 0, NOTICES_E_PASSWORD = 1 };
int notices_init(struct arena *a, const struct notices_settings *settings,
                 const uint8_t seal_key[32], struct notices *ret) _must_use_;

/* Whether anything is mailed; n may be NULL. */
static inline bool notices_mail(const struct notices *n)
{
    return n && n->mails;
}
