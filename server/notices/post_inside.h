/* post_inside.h: what post.c and post_webhooks.c share: the post, and what is done with what was tried. */
#pragma once

#include "fetch/smtp.h"
#include "notices/post.h"

/* Between two tries of one message: 15 s, four times as long each time, an hour at most. */
#define POST_WAIT_FIRST_S 15
#define POST_WAIT_MOST_S 3600

struct post {
    const struct notices *notices;
    enum outbox_channel channel;
    int64_t rests_until_ms; /* the mail server takes nothing */
    int64_t tidy_ms;
    struct smtp *smtp; /* of a round */
    bool (*stop)(void *ctx);
    void *ctx;
};

/* Tried again after a while, most_s at most; or given up, where that would be too late. */
int post_put_off(struct db *db, const struct outbox_taken *t, int32_t most_s,
                 struct str why) _must_use_;
int post_give_up(struct db *db, const struct outbox_taken *t, struct str why) _must_use_;

/* Sends what waits for webhooks, many at once, one to each receiver; until nothing may be tried. */
int post_webhooks(struct post *p, struct db *db) _must_use_;
