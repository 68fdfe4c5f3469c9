/* parked.c: see parked.h. */
#include "lease/parked.h"

#include "lease/hold.h"
#include "lease/till.h"

/* After the lane had too much to do. */
#define PARKED_AGAIN_MS 5

void parked_init(struct parked *p)
{
    p->first = NULL;
    pthread_mutex_init(&p->lock, NULL);
}

void parked_done(struct parked *p)
{
    pthread_mutex_destroy(&p->lock);
}

void parked_add(struct parked *p, struct hold_ask *ask)
{
    pthread_mutex_lock(&p->lock);
    ask->next_ = p->first;
    p->first = ask;
    pthread_mutex_unlock(&p->lock);
}

/* Takes what is due off the list. */
static struct hold_ask *due_asks(struct parked *p, int64_t now_ms, int64_t *next_ms)
{
    struct hold_ask **at = &p->first, *due = NULL;

    pthread_mutex_lock(&p->lock);
    while (*at) {
        struct hold_ask *ask = *at;

        if (ask->due_ms_ > now_ms) {
            *next_ms = MIN(*next_ms, ask->due_ms_);
            at = &ask->next_;
            continue;
        }
        *at = ask->next_;
        ask->next_ = due;
        due = ask;
    }
    pthread_mutex_unlock(&p->lock);
    return due;
}

void parked_wake(struct parked *p, int64_t now_ms, int64_t *next_ms)
{
    struct hold_ask *next;

    for (struct hold_ask *ask = due_asks(p, now_ms, next_ms); ask; ask = next) {
        next = ask->next_;
        if (till_ask(ask->till_, ask))
            continue;
        parked_add(p, ask);
        *next_ms = MIN(*next_ms, now_ms + PARKED_AGAIN_MS);
    }
}
