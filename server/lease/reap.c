/* reap.c: see reap.h. */
#include "lease/reap.h"

#include "base/log.h"
#include "lease/node.h"

/* How long this session's counter has stood still, with this look. */
static int64_t still_for(const struct reap *r, const struct session_seen *s, int64_t passed_ms)
{
    for (size_t i = 0; i < r->n; i++)
        if (r->seen[i].id == s->id)
            return r->seen[i].hb == s->hb ? r->seen[i].still_ms + passed_ms : 0;
    return 0;
}

int reap_look(struct reap *r, struct db *db, struct arena *a, int64_t own, int64_t now_ms,
              bool *ret_alone)
{
    struct session_seen sessions[LEASE_SESSIONS_MAX];
    struct reap next = {.looked_ms = now_ms};
    int64_t passed_ms = r->looked_ms ? now_ms - r->looked_ms : 0;
    size_t n = 0;
    int e = lease_sql_sessions(db, a, sessions, &n);

    if (e)
        return e;
    if (passed_ms > REAP_GAP_MS)
        passed_ms = 0; /* we were away ourselves: that time tells nothing */
    for (size_t i = 0; i < n; i++) {
        int64_t still_ms = still_for(r, &sessions[i], passed_ms);
        bool reaped = false;

        if (sessions[i].id == own)
            continue;
        if (still_ms >= NODE_REAP_MS &&
            !lease_sql_reap(db, a, sessions[i].id, sessions[i].hb, &reaped) && reaped) {
            log_warn("session_reaped", "session=%lld", (long long)sessions[i].id);
            next.reaped++;
            continue;
        }
        next.seen[next.n].id = sessions[i].id;
        next.seen[next.n].hb = sessions[i].hb;
        next.seen[next.n++].still_ms = still_ms;
    }
    *r = next;
    *ret_alone = next.n == 0;
    return 0;
}
