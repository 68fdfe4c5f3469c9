/* project.h: labels inside a team that keys and spend group by. Team scope. */
#pragma once

#include "identity/audit.h"

struct project {
    struct project_id id;
    struct str name;
    bool archived;
    int64_t created_at_us, key_count;
};
struct project_page {
    struct project *v;
    size_t n;
};
int project_list(struct db *db, struct arena *a, struct team_id team,
                 struct project_page *ret) _must_use_;
/* Field: name (empty, too long, taken). */
int project_create(struct db *db, struct arena *a, const struct actor *actor, struct team_id team,
                   struct str name, struct project_id *ret,
                   struct identity_fault *fault) _must_use_;
int project_rename(struct db *db, struct arena *a, const struct actor *actor, struct team_id team,
                   struct project_id id, struct str name, struct identity_fault *fault) _must_use_;
/* Gone from lists and forms; its keys and history stay. */
int project_archive(struct db *db, struct arena *a, const struct actor *actor, struct team_id team,
                    struct project_id id) _must_use_;
