/* videos_late.c: see videos_late.h. */
#include "gateway/videos_late.h"

void videos_late_init(struct videos_late *l)
{
    *l = (struct videos_late){0};
    pthread_mutex_init(&l->lock, NULL);
}

void videos_late_done(struct videos_late *l)
{
    pthread_mutex_destroy(&l->lock);
}

static struct call_id *find(struct videos_late *l, struct call_id id)
{
    for (unsigned i = 0; i < VIDEOS_LATE; i++)
        if (call_id_eq(l->ids[i], id))
            return &l->ids[i];
    return NULL;
}

void videos_late_add(struct videos_late *l, struct call_id id)
{
    pthread_mutex_lock(&l->lock);
    l->ids[l->next] = id;
    l->next = (l->next + 1) % VIDEOS_LATE;
    pthread_mutex_unlock(&l->lock);
}

bool videos_late_has(struct videos_late *l, struct call_id id)
{
    bool has;

    pthread_mutex_lock(&l->lock);
    has = find(l, id) != NULL;
    pthread_mutex_unlock(&l->lock);
    return has;
}

void videos_late_drop(struct videos_late *l, struct call_id id)
{
    struct call_id *late;

    pthread_mutex_lock(&l->lock);
    late = find(l, id);
    if (late)
        *late = (struct call_id){0};
    pthread_mutex_unlock(&l->lock);
}
