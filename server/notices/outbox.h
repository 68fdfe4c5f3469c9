/* outbox.h: what is to be sent and what was: written with its cause, sent afterwards, at least once.
 *
 * outbox_add() runs in the transaction of the cause, under the scope of the team or the system; the others
 * are a sender's: system scope, each a transaction of its own. Worker threads and chores. */
#pragma once

#include "db/tx.h"
#include "notices/notices.h"

enum outbox_channel { OUTBOX_MAIL, OUTBOX_WEBHOOK };

#define OUTBOX_TAG_BYTES 33
struct outbox_item {
    struct team_id team; /* 0: of the installation, or of a person */
    enum outbox_channel channel;
    const char *kind;                /* "invitation", "reset", "alert", "test" */
    char tag[OUTBOX_TAG_BYTES];      /* by outbox_tag() */
    struct str recipient, subject;   /* an address or a URL; what pages show of it */
    struct str text;                 /* the mail, or the webhook's body */
    int32_t useless_after_s;         /* given up then */
};
/* A name that nothing else has. */
void outbox_tag(char out[OUTBOX_TAG_BYTES]);
int outbox_add(struct db *db, struct arena *a, const struct notices *n,
               const struct outbox_item *item) _must_use_;
/* The same with what was written into text, which is at its end with this, also where it failed. */
int outbox_add_text(struct db *db, struct arena *a, const struct notices *n,
                    struct outbox_item *item, struct buf *text) _must_use_;

/* What was sent already, or could not be, and is not tried again: for the pages. text is not kept. Scope as
 * outbox_add(). */
int outbox_note(struct db *db, const struct outbox_item *item, bool sent,
                struct str outcome) _must_use_;

struct outbox_taken {
    int64_t id;
    struct team_id team;
    int32_t tries; /* with this one */
    struct str kind, tag, recipient, text;
};
/* The one that has waited longest and may be tried, of all but these recipients; nobody else takes it for
 * OUTBOX_TAKEN_S. E_NONE: there is none. E_FORGED: it was sealed under another secret, and is given up. */
#define OUTBOX_TAKEN_S 90
enum { OUTBOX_OK = 0, OUTBOX_E_NONE = 1, OUTBOX_E_FORGED = 2 };
struct outbox_wanted {
    enum outbox_channel channel;
    const struct str *busy; /* recipients to whom something is on its way */
    size_t n_busy;
};
int outbox_take(struct db *db, struct arena *a, const struct notices *n,
                const struct outbox_wanted *wanted, struct outbox_taken *ret) _must_use_;
int outbox_sent(struct db *db, int64_t id, struct str outcome) _must_use_;
/* Tried again in so many seconds; *ret_given_up: that would be too late. */
int outbox_put_off(struct db *db, int64_t id, int32_t seconds, struct str outcome,
                   bool *ret_given_up) _must_use_;
int outbox_give_up(struct db *db, int64_t id, struct str outcome) _must_use_;
/* Gives up what is of no use any more, and forgets what is a month old; how many were given up. */
int outbox_tidy(struct db *db, int64_t *ret_given_up) _must_use_;

/* For pages: the newest first. Team scope, or operator's with team 0: those of the installation. */
struct outbox_row {
    int64_t id;
    struct str channel, kind, recipient, subject, outcome;
    int32_t tries;
    int64_t created_at_us, sent_at_us, given_up_at_us; /* 0: not */
};
struct outbox_page {
    struct outbox_row *v;
    size_t n;
};
int outbox_list(struct db *db, struct arena *a, struct team_id team, int32_t limit,
                struct outbox_page *ret) _must_use_;
/* Of all teams, for the system page. Operator or system scope. */
struct outbox_state {
    int64_t waiting, given_up; /* given up within a day */
    int64_t oldest_us;         /* that waits; 0: none */
    struct str trouble;        /* what came of the last try of something that waits; may be empty */
};
int outbox_read_state(struct db *db, struct arena *a, struct outbox_state *ret) _must_use_;
