/* reply.h: a planned chat answer as OpenAI's JSON, whole or event by event. Pure. */
#pragma once

#include "base/buf.h"
#include "demo/plan.h"

void reply_whole(const struct plan *plan, struct buf *out);

/* A streamed answer under way; start from a zeroed struct with the plan set. Each choice begins
 * with its role, then the choices take turns, one token an event, then each ends with its reason;
 * the usage follows when asked for, and [DONE]. */
struct events {
    const struct plan *plan;
    enum {
        EVENTS_ROLES,
        EVENTS_TOKENS,
        EVENTS_REASONS,
        EVENTS_USAGE,
        EVENTS_DONE,
        EVENTS_OVER
    } stage;
    size_t choice; /* whose turn it is */
    size_t at[PLAN_CHOICES_MAX];
    size_t tokens; /* written so far */
};
/* Appends the next event; false when there is none. */
bool events_next(struct events *e, struct buf *out);
