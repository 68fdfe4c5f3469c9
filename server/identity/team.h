/* team.h: the customer. */
#pragma once

#include "identity/audit.h"

/* What the team itself may change. */
struct team_settings {
    struct str name;
    struct str time_zone; /* a name of pg_timezone_names */
    /* The buyer block of invoices; all may be empty. */
    struct str legal_name, address, country, tax_id, billing_email;
    bool shadow_opt_out;   /* its calls are asked of no second model for comparison (gateway/call_shadow.h) */
    int64_t response_days; /* how long responses are kept for clients; 0: not at all */
};
#define TEAM_RESPONSE_DAYS_MAX 30

struct team {
    struct team_id id;
    struct team_settings settings;
    bool frozen, demo;
    int64_t frozen_at_us, created_at_us;
    struct str frozen_reason;
    int64_t member_count, key_count;
};
struct team_page {
    struct team *v;
    size_t n;
};

/* Makes a team with its books and the owner's membership (owner 0: nobody's yet). time_zone may be
 * empty: the installation's. System scope. Field: name (as team_name), time_zone. */
int team_create(struct db *db, struct arena *a, const struct actor *actor, struct user_id owner,
                struct str name, struct str time_zone, struct team_id *ret,
                struct identity_fault *fault) _must_use_;
int team_get(struct db *db, struct arena *a, struct team_id team, struct team *ret) _must_use_;
/* Team scope. Fields as in struct team_settings. Tells the nodes. */
int team_update(struct db *db, struct arena *a, const struct actor *actor, struct team_id team,
                const struct team_settings *settings, struct identity_fault *fault) _must_use_;
/* Operator scope; a frozen team's calls are refused at once. Field: reason. */
int team_freeze(struct db *db, struct arena *a, const struct actor *actor, struct team_id team,
                struct str reason, struct identity_fault *fault) _must_use_;
int team_unfreeze(struct db *db, struct arena *a, const struct actor *actor,
                  struct team_id team) _must_use_;
/* Team or operator scope. What nodes keep of answers to the team's calls is not given again. */
int team_clear_cache(struct db *db, struct arena *a, const struct actor *actor,
                     struct team_id team) _must_use_;
/* Operator scope. text: part of the name, of a member's e-mail, or the id; newest first. */
int team_search(struct db *db, struct arena *a, struct str text, int64_t before_id, int32_t limit,
                struct team_page *ret) _must_use_;
/* True when it is a time zone that the database knows. Any scope. */
int team_zone_known(struct db *db, struct str zone, bool *ret) _must_use_;
/* All zone names in order, for a select box. */
struct zone_list {
    struct str *v;
    size_t n;
};
int team_zones(struct db *db, struct arena *a, struct zone_list *ret) _must_use_;
