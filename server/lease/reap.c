/* reap.c: see reap.h. */
#include "lease/reap.h"

#include "lease/node.h"

/* How long this session's counter has stood still, with this look. */
static int64_t still_for(const struct reap *r, int64_t id, int64_t hb, int64_t passed_ms)
{
    for (size_t i = 0; i < r->n; i++)
        if (r->seen[i].id == id)
            return r->seen[i].hb == hb ? r->seen[i].still_ms + passed_ms : 0;
    return 0;
}

void reap_blind(struct reap *r)
{
    r->looked_ms = 0;
}

bool reap_observe(struct reap *r, const struct look_call *look, int64_t sent_ms,
                  int64_t answered_ms, int64_t *ret_session, int64_t *ret_hb)
{
    struct reap next = {.looked_ms = answered_ms};
    int64_t passed_ms = r->looked_ms ? sent_ms - r->looked_ms : 0;
    bool dead = false;

    if (passed_ms < 0 || passed_ms > REAP_GAP_MS)
        passed_ms = 0; /* we were away ourselves: that time tells nothing */
    for (size_t i = 0; i < look->n_seen; i++) {
        int64_t id = look->seen[i].id, hb = look->seen[i].hb;
        int64_t still_ms = still_for(r, id, hb, passed_ms);

        if (id == look->session)
            continue;
        if (!dead && still_ms >= NODE_REAP_MS) {
            dead = true;
            *ret_session = id;
            *ret_hb = hb;
        }
        next.seen[next.n].id = id;
        next.seen[next.n].hb = hb;
        next.seen[next.n++].still_ms = still_ms;
    }
    *r = next;
    return dead;
}
