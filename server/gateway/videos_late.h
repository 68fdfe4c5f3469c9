/* videos_late.h: the jobs of this node whose clients heard of them before their rows were made, as the
 * database did not take them then. One that is looked up and not found may be one of those. Any thread. */
#pragma once

#include <pthread.h>

#include "base/id.h"

enum { VIDEOS_LATE = 256 }; /* the last ones are known */

struct videos_late {
    pthread_mutex_t lock;
    struct call_id ids[VIDEOS_LATE];
    unsigned next;
};

void videos_late_init(struct videos_late *l);
void videos_late_done(struct videos_late *l);
void videos_late_add(struct videos_late *l, struct call_id id);
bool videos_late_has(struct videos_late *l, struct call_id id);
/* Its row has been seen. One that was not added is fine. */
void videos_late_drop(struct videos_late *l, struct call_id id);
