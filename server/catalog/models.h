/* models.h: public model names, the policy of their routes, and their targets (see change.h). */
#pragma once

#include "catalog/change.h"
#include "catalog/words.h"

struct model_draft {
    struct str name; /* fixed once added, with the kind: keys and logs name it */
    enum model_kind kind;
    bool demo; /* fixed too: answered by the demo upstream */
    struct str vendor, description;
    int64_t context_tokens, max_output_tokens; /* 0: not known */
    int64_t media_tokens;
    bool abilities_known;
    uint32_t abilities;
    bool enabled;
    enum route_strategy strategy;
    uint32_t triggers;
    int32_t max_attempts, retries;
    bool drop_unsupported; /* snapshot.h */
    int32_t connect_timeout_ms, first_byte_timeout_ms; /* 0: the server's setting */
    int32_t idle_timeout_ms, total_timeout_ms;
};
/* Usual route policy, no facts. */
void model_draft_init(struct model_draft *d);

/* What may be typed; used by the functions below. */
int model_draft_check(const struct model_draft *d, struct identity_fault *fault) _must_use_;
bool model_name_good(struct str name);

struct model_row {
    struct model_id id;
    struct model_draft is;
    struct str family;
    struct target_id pinned; /* v 0: none */
    struct str off_reason;   /* p NULL: the route is on */
    int64_t targets;         /* enabled, at enabled accounts */
    bool priced;             /* some price is in force */
    bool ruled;              /* it has rules that are switched on: rules.h */
    int64_t created_us;
};

int model_add(struct db *db, const struct actor *actor, const struct model_draft *draft,
              struct model_id *ret, struct identity_fault *fault) _must_use_;
/* The row alone: for imports. Database outcomes. */
int model_store(struct db *db, struct arena *a, const struct actor *actor,
                const struct model_draft *draft, struct model_id *ret) _must_use_;
/* Everything but name and kind becomes what the draft says. */
int model_edit(struct db *db, const struct actor *actor, struct model_id id,
               const struct model_draft *draft, struct identity_fault *fault) _must_use_;
int model_enable(struct db *db, const struct actor *actor, struct model_id id,
                 bool enabled) _must_use_;
/* Incident switches. target v 0: no pin. reason p NULL: on again. */
int model_pin(struct db *db, const struct actor *actor, struct model_id id,
              struct target_id target) _must_use_;
int model_switch_off(struct db *db, const struct actor *actor, struct model_id id,
                     struct str reason, struct identity_fault *fault) _must_use_;
/* An alias that is a model's name, or another model's alias, is a fault. */
int model_add_alias(struct db *db, const struct actor *actor, struct model_id id, struct str alias,
                    struct identity_fault *fault) _must_use_;
int model_drop_alias(struct db *db, const struct actor *actor, struct model_id id,
                     struct str alias) _must_use_;

int model_get(struct db *db, struct arena *a, struct model_id id, struct model_row *ret) _must_use_;
int model_by_name(struct db *db, struct arena *a, struct str name,
                  struct model_row *ret) _must_use_;
/* By name, at most BOUND_CATALOG_ROWS; part: of name or vendor, empty: all. */
int model_list(struct db *db, struct arena *a, struct str part, struct model_row **ret,
               size_t *ret_n) _must_use_;
int model_aliases(struct db *db, struct arena *a, struct model_id id, struct str **ret,
                  size_t *ret_n) _must_use_;

struct target_draft {
    struct str upstream_model;
    struct str output_limit_field; /* empty: the provider kind's own */
    int32_t priority, weight;      /* 0 .. 1000 */
    bool enabled;
    uint32_t lacks; /* bits of abilities that it has not, though the model may */
    int64_t context_tokens, max_output_tokens; /* 0: as the model's */
};
int target_draft_check(const struct target_draft *d, struct identity_fault *fault) _must_use_;
struct target_row {
    struct target_id id;
    struct model_id model;
    struct account_id account;
    struct str account_name, account_kind;
    bool account_enabled;
    struct target_draft is;
};
int target_add(struct db *db, const struct actor *actor, struct model_id model,
               struct account_id account, const struct target_draft *draft, struct target_id *ret,
               struct identity_fault *fault) _must_use_;
int target_edit(struct db *db, const struct actor *actor, struct target_id id,
                const struct target_draft *draft, struct identity_fault *fault) _must_use_;
/* Its row stays for the log. A pin to it is taken away. */
int target_delete(struct db *db, const struct actor *actor, struct target_id id) _must_use_;
/* Whose target it is. */
int target_model(struct db *db, struct target_id id, struct model_id *ret) _must_use_;
/* Of one model, by priority. */
int target_list(struct db *db, struct arena *a, struct model_id model, struct target_row **ret,
                size_t *ret_n) _must_use_;
