/* audit.h: who changed what, from which address; rows that nobody can change or delete.
 *
 * Every function of this room that changes something takes the actor and writes its own row; rooms
 * above call audit_write themselves. */
#pragma once

#include "identity/fault.h"

enum actor_kind { ACTOR_USER, ACTOR_OPERATOR, ACTOR_KEY, ACTOR_SYSTEM };

struct actor {
    enum actor_kind kind;
    int64_t id;         /* person, or management key (ACTOR_KEY); 0 for the system */
    struct str name;    /* as it shall stand in the log: the e-mail, the key's name */
    struct str address; /* of the client; STR_NONE for none */
};
const char *actor_kind_name(enum actor_kind kind); /* "user" ... as in the columns actor_kind */
#define ACTOR_THE_SYSTEM ((struct actor){.kind = ACTOR_SYSTEM, .name = STR("system")})

struct audit_entry {
    int64_t id;
    struct team_id team;                                /* 0: the installation */
    int64_t at_us;                                      /* output only */
    struct str actor_kind, actor_name;                  /* output only */
    const char *action;                                 /* "key.mint"; noun, dot, verb */
    const char *kind;                                   /* "key": what was changed... */
    int64_t object_id;                                  /* ...and which one */
    struct str before, after;                           /* JSON texts; STR_NONE for none */
    struct str object, action_text, address, team_name; /* output only */
};

/* Scope of the team, or operator or system. Team 0 needs one of the latter two. */
int audit_write(struct db *db, const struct actor *actor,
                const struct audit_entry *entry) _must_use_;

struct audit_filter {
    struct team_id team; /* 0: every team and the installation; operator scope */
    int64_t before_id;   /* 0: from the newest */
    struct str action;   /* its beginning, such as "key."; empty: all */
    int32_t limit;       /* 1 to 200 */
};
struct audit_page {
    struct audit_entry *v;
    size_t n;
};
/* Newest first. */
int audit_list(struct db *db, struct arena *a, const struct audit_filter *filter,
               struct audit_page *ret) _must_use_;
