/* rules.h: the rules of models (rule.h), as operators keep them (see change.h). */
#pragma once

#include "catalog/change.h"
#include "catalog/rule.h"

struct rule_draft {
    struct str name; /* told to clients and the log; one of its kind in a model */
    struct str serves; /* the public name of the model that serves instead: another one of the same kind */
    bool enabled;
    int64_t position; /* from 1; 0, or beyond the last: at the end */
    struct rule_conditions when;
};
struct rule_row {
    struct rule_id id;
    struct model_id model, serves;
    struct rule_draft is;
    struct str places; /* its teams, projects and keys by name, "team Acme, key nightly"; empty: any */
    bool serves_enabled; /* false: the rule is passed over, as its model is disabled */
};

/* What may be typed, as far as it can be told without a database; used by the functions below. Fields:
 * name, serves, team_ids, project_ids, key_ids, tags, asks, asks_not, min_input_tokens,
 * max_input_tokens, share_percent, share_tag. */
int rule_draft_check(const struct rule_draft *d, struct identity_fault *fault) _must_use_;
int rule_conditions_check(const struct rule_conditions *w, struct identity_fault *fault) _must_use_;

int rule_add(struct db *db, const struct actor *actor, struct model_id model,
             const struct rule_draft *draft, struct rule_id *ret, struct identity_fault *fault) _must_use_;
int rule_edit(struct db *db, const struct actor *actor, struct rule_id id, const struct rule_draft *draft,
              struct identity_fault *fault) _must_use_;
int rule_delete(struct db *db, const struct actor *actor, struct rule_id id) _must_use_;

int rule_get(struct db *db, struct arena *a, struct rule_id id, struct rule_row *ret) _must_use_;
/* Of one model, in order. */
int rule_list(struct db *db, struct arena *a, struct model_id model, struct rule_row **ret,
              size_t *ret_n) _must_use_;
/* Of all models, by model and in order; database outcomes: for the snapshot. */
int rules_all(struct db *db, struct arena *a, struct rule_row **ret, size_t *ret_n) _must_use_;
