/* call_keep.h: what a call has to do with kept responses (responses/stored.h): the answer that it
 * goes on from, and its own, which is kept. Only calls of endpoints whose answers may be kept.
 *
 * Both are asked of the lane `responses`; neither side waits for the other for ever: a call that is
 * cut, or whose client is gone, leaves its job, which ends alone. */
#pragma once

#include "loop/jobs.h"
#include "responses/conversation.h"

struct call;
struct keep_load;  /* call_previous.c */
struct keep_write; /* call_keep.c */

struct call_keep {
    bool wanted;                        /* the answer shall be kept */
    struct conversation_request asked;  /* previous_id: what it goes on from */
    struct str input;                   /* the items of the whole conversation; p NULL: none */
    struct keep_load *load;             /* CALL_PREVIOUS waits for it */
    struct keep_write *write;           /* CALL_KEEP waits for it */
    struct str last;                    /* the last bytes of a stream, which wait meanwhile... */
    const struct response *whole;       /* ...or the whole answer, in the arena; NULL: a stream */
};

/* How keeping an answer ended, for the metrics. */
enum kept { KEPT_OK, KEPT_OFF, KEPT_UNREADABLE, KEPT_TOO_LARGE, KEPT_BUSY, KEPT_DATABASE, KEPTS };
const char *kept_name(enum kept kept); /* "kept", ... */

/* Is there something in answers that only the gateway knows? */
static inline bool call_keep_marks(const struct call_keep *k)
{
    return k->wanted || k->asked.previous_id.p;
}
