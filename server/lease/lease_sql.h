/* lease_sql.h: the lease protocol's statements; Worker, node or flusher thread. */
#pragma once

#include "db/db.h"

struct grant_ask {
    struct team_id team;
    struct purse_id purse;
    int64_t need, want;
};
struct grant_answer {
    struct team_id team;
    struct purse_id purse;
    int64_t granted, capacity, spoken_for; /* spoken_for: used and leased, by all nodes */
    bool shorted, elsewhere;               /* elsewhere: another session holds some of it */
    int64_t window_us; /* INT64_MIN: never turns */
    int64_t left_us;   /* of the window; -1: never turns */
};
/* n answers in the order of the asks. GRANT_E_FENCED: the session is not live. */
enum { GRANT_OK = 0, GRANT_E_FENCED = 1, GRANT_E_AWAY = 2 };
int lease_sql_grant(struct db *db, struct arena *a, int64_t session, const struct grant_ask *asks,
                    size_t n, struct grant_answer *ret) _must_use_;

struct lease_back {
    struct team_id team;
    struct purse_id purse;
    int64_t amount, window_us;
};
int lease_sql_return(struct db *db, int64_t session, const struct lease_back *back, size_t n)
    _must_use_;
int lease_sql_open(struct db *db, struct arena *a, const char *name, const char *version,
                   int64_t *ret_session) _must_use_;
int lease_sql_heartbeat(struct db *db, struct arena *a, int64_t session, bool *ret_live) _must_use_;
int lease_sql_close(struct db *db, struct arena *a, int64_t session) _must_use_;
int lease_sql_reap(struct db *db, struct arena *a, int64_t session, int64_t hb, bool *ret_reaped)
    _must_use_;

struct session_seen {
    int64_t id, hb;
};
#define LEASE_SESSIONS_MAX 256
int lease_sql_sessions(struct db *db, struct arena *a, struct session_seen *ret, size_t *ret_n)
    _must_use_;
/* Purses of this session's leases that somebody wants slack of. */
int lease_sql_recalls(struct db *db, struct arena *a, int64_t session, struct lease_back *ret,
                      size_t max, size_t *ret_n) _must_use_;
