/* notify.h: the listener thread: LISTEN on one channel, the change epoch polled as a backstop.
 *
 * One per process. Reconnects with backoff. */
#pragma once

#include "db/db.h"

struct notify;
struct notify_config {
    const char *conninfo;
    const char *channel; /* "tollgate_change" */
    int poll_ms;         /* 5000 */
    /* On the listener's thread: payload "key:12", "team:3", "answers:3", "catalogue", "settings", or "all" after
     * each (re)connect or when the polled epoch moved without a message. */
    void (*changed)(struct str payload, void *ctx);
    /* On the listener's thread, after each poll that was answered: for what failed when it was told. NULL is fine. */
    void (*polled)(void *ctx);
    void *ctx;
};
int notify_start(const struct notify_config *config, struct notify **ret) _must_use_;
/* Ends the thread: nothing is called any more. What was heard last can be asked for until it is freed. */
void notify_stop(struct notify *n);
void notify_free(struct notify *n); /* stopped; NULL is fine */
/* Milliseconds since the database last answered the listener; any thread. */
int64_t notify_silence_ms(const struct notify *n);
