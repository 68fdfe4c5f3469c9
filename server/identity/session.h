/* session.h: who is signed in.
 *
 * A session is a random 256-bit token in a cookie; the database keeps its keyed digest. It ends
 * SESSION_HOURS after sign-in, or after 2 idle hours (operators: 30 minutes). The CSRF token is a keyed
 * digest of the same token under another name, so that it is never stored. */
#pragma once

#include "identity/fault.h"
#include "identity/role.h"

#define SESSION_HOURS 12 /* after sign-in; the cookie lasts as long */

/* Where a sign-in comes from. */
struct session_from {
    struct str address, user_agent;
    bool by_provider; /* the identity provider said who it is (federated.h) */
};

struct session_made {
    struct str token; /* for the cookie */
    struct user_id user;
};

struct session {
    int64_t id;
    struct user_id user;
    struct str email, name;
    bool is_operator;
    bool by_provider; /* as it began */
    struct str csrf; /* 64 hexadecimal digits */
    /* The team that the dashboard shows; id 0 when the user belongs to none. */
    struct team_id team;
    enum role role;
    struct str team_name, team_time_zone;
    bool team_frozen;
};

/* IDENTITY_E_NONE: unknown, ended, or its user is disabled. A team that the user has left is
 * replaced by another of theirs. System scope; writes seen_at once a minute at most. */
int session_find(struct db *db, struct arena *a, const uint8_t session_pepper[32], struct str token,
                 struct session *ret) _must_use_;
/* System scope; the team last shown is shown again. */
int session_start(struct db *db, struct arena *a, const uint8_t session_pepper[32],
                  struct user_id user, const struct session_from *from,
                  struct session_made *ret) _must_use_;
int session_end(struct db *db, const uint8_t session_pepper[32], struct str token) _must_use_;
/* All of the user's but this one (0: all); *ret_ended may be NULL. */
int session_end_all(struct db *db, struct user_id user, int64_t keep_id,
                    int64_t *ret_ended) _must_use_;
/* IDENTITY_E_NONE: not a session of this user. */
int session_end_one(struct db *db, struct user_id user, int64_t id) _must_use_;
/* Shows another team from now on. IDENTITY_E_NONE: the user does not belong to it. System scope. */
int session_show_team(struct db *db, int64_t id, struct user_id user,
                      struct team_id team) _must_use_;

struct session_row {
    int64_t id, created_at_us, seen_at_us;
    struct str address, user_agent;
};
struct session_page {
    struct session_row *v;
    size_t n;
};
int session_list(struct db *db, struct arena *a, struct user_id user,
                 struct session_page *ret) _must_use_;
/* Deletes what has ended, and login attempts older than 30 days. System scope; a daily job. */
int session_sweep(struct db *db) _must_use_;

/* The keyed digest under which a token of this room is stored. */
struct digest session_digest(const uint8_t session_pepper[32], const char *purpose,
                             struct str token);
