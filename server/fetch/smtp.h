/* smtp.h: one mail to one address through the installation's mail server (RFC 5321), by libcurl.
 *
 * Blocking: for a thread that may wait, half a minute at most for each mail. Mails that follow each other
 * share a connection. The server is the operator's choice, so no address is forbidden; its certificate
 * is verified as those of upstreams are (fetch_trust). */
#pragma once

#include "base/str.h"

struct smtp_server {
    const char *url;             /* smtp:// or smtps://; may hold user and password */
    const char *user, *password; /* NULL: what the URL says, or none */
    bool may_be_plain;           /* STARTTLS is used where it is offered, and not asked for */
};

enum {
    SMTP_OK = 0,        /* the server has taken it over */
    SMTP_E_LATER = 1,   /* it does not want this mail now (4xx) */
    SMTP_E_REFUSED = 2, /* it will never want it (5xx to the recipient or the text) */
    SMTP_E_SERVER = 3,  /* no mail gets through: away, not trusted, sign-in or sender refused */
    SMTP_E_STOPPED = 4,
};

/* What the server said, or what went wrong, as one line of printable ASCII. */
#define SMTP_SAID_BYTES 200

struct smtp;
int smtp_new(const struct smtp_server *server, struct smtp **ret) _must_use_;
void smtp_free(struct smtp *s); /* NULL is fine */

/* from and to are bare addresses, without a byte that could end a command; message is a whole mail with
 * CR LF line ends. stop is asked from time to time. *ret_said is always set. */
int smtp_send(struct smtp *s, const char *from, const char *to, struct str message,
              bool (*stop)(void *ctx), void *ctx, char ret_said[SMTP_SAID_BYTES]) _must_use_;

/* Whether this can stand in MAIL FROM and RCPT TO as it is: one '@', no blank, control or bracket. */
bool smtp_is_address(struct str s);
