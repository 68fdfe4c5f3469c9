/* trial.h: a test that is sent now, and what the server says to it. It stands among what was sent lately, and is
 * not tried again. */
#pragma once

#include "notices/outbox.h"

struct trial {
    struct str to;
    bool delivered;
    struct str said; /* by the server, or what went wrong: "HTTP 204", "250 2.0.0 queued as 4Xy" */
};

/* A mail to one address. Waits for the mail server, half a minute at most. Own transactions. TRIAL_E_NONE: no
 * mail server is set. */
enum { TRIAL_OK = 0, TRIAL_E_NONE = 1 };
int trial_mail(struct db *db, struct arena *a, const struct notices *n, struct str to,
               struct trial *ret) _must_use_;
/* A test event to the webhook of the team, or with team 0 of the installation. Waits for it, 10 s at most.
 * Own transactions. TRIAL_E_NONE: there is no webhook. */
int trial_webhook(struct db *db, struct arena *a, const struct notices *n, struct team_id team,
                  struct trial *ret) _must_use_;
