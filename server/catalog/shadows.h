/* shadows.h: whose calls are asked of a second model, for comparison (gateway/call_shadow.h; see change.h). */
#pragma once

#include "catalog/change.h"

struct shadow_rule {
    struct model_id to;
    struct str to_name; /* when read */
    int32_t permille;   /* of the calls: 1 .. 1000 */
    struct money day;   /* the most that they may cost within a day (UTC); 0: there is no ceiling */
    /* When read: what they have cost since midnight, UTC, and what those in flight may. */
    struct money cost_today, taken_today;
};

/* CHANGE_E_NONE: there is no rule for the model. */
int shadow_rule_get(struct db *db, struct arena *a, struct model_id model, struct shadow_rule *ret) _must_use_;
/* In the place of the one before. Fields: to_model, share, day_ceiling. */
int shadow_rule_set(struct db *db, const struct actor *actor, struct model_id model,
                    const struct shadow_rule *rule, struct identity_fault *fault) _must_use_;
/* CHANGE_E_NONE: there was none. Shadows in flight end as they are. */
int shadow_rule_end(struct db *db, const struct actor *actor, struct model_id model) _must_use_;
