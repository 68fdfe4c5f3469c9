/* snapshot.h: the catalogue as the gateway sees it: one immutable value, loaded whole.
 *
 * A worker loads it in one REPEATABLE READ transaction; everybody else only reads. It is
 * reference-counted (atomic) and freed with the last reference, its secrets wiped. Nothing in it
 * changes by itself: when a scheduled price comes into force, or note_change('catalogue') is heard,
 * a new one is loaded and swapped in (holder.h). */
#pragma once

#include "base/id.h"
#include "catalog/rule.h"
#include "catalog/words.h"
#include "model/price.h"
#include "providers/credential.h"

struct db;
struct catalog;
struct catalog_shadow; /* shadow.h */

/* One of the provider's ways, with the account's own address. */
struct catalog_way {
    const struct provider_way *way;
    struct str url, stream_url; /* whole, but for `{model}` */
};

struct catalog_account {
    struct account_id id;
    struct team_id team; /* v 0: the installation's */
    struct str name;
    const struct provider *provider;
    const struct catalog_way *ways; /* n 0: it cannot be asked, `unusable` says why */
    size_t n_ways;
    struct str models_url; /* p NULL: it lists none */
    struct provider_place place;
    struct provider_credential credential; /* opened; secret */
    const struct provider_header *headers; /* the operator's extra ones */
    size_t n_headers;
    bool own_only;      /* of a team's own that is enabled: what it serves is not asked of the installation's */
    bool own_url;       /* of a team's own: at an address that the team chose, not its kind's */
    int32_t own_fee_bp; /* of a team's own: what calls of it are charged, 1/10000 of the list charge */
    bool private_network; /* guard.h: GUARD_PRIVATE */
    enum data_policy data_policy;
    const char *unusable; /* the sentence why it is not used; NULL: it is */
    int priority, weight;
    int64_t rpm, tpm; /* 0: no limit */
};

struct catalog_target {
    struct target_id id;
    const struct catalog_model *model;
    const struct catalog_account *account;
    struct str upstream_model;
    const char *output_limit_field; /* "max_tokens" or "max_completion_tokens" */
    int priority, weight;
    bool enabled;
    const struct price *price; /* in force at load; NULL: none, so not to be used */
    /* Where it can do less than the model: abilities that it lacks, and limits of its own (0: as the
     * model's). */
    uint32_t lacks;
    int64_t context_tokens, max_output_tokens;
};

struct catalog_rule {
    struct rule_id id;
    struct str name;
    const struct catalog_model *serves;
    struct rule_conditions when;
};

struct catalog_model {
    struct model_id id;
    struct str name, vendor, family, description;
    enum model_kind kind;
    int64_t context_tokens, max_output_tokens; /* 0: not known */
    int64_t media_tokens;                      /* of one inline image or sound, at most */
    uint32_t abilities;                        /* bits; all of them where not known */
    bool abilities_known;
    bool demo, enabled;
    int64_t created_s; /* Unix time, for GET /v1/models */
    /* The route. */
    enum route_strategy strategy;
    uint32_t triggers;
    unsigned max_attempts, retries;
    int connect_timeout_ms, first_byte_timeout_ms; /* 0: the server's setting */
    int idle_timeout_ms, total_timeout_ms;
    const struct catalog_target *pinned;  /* NULL: none */
    bool drop_unsupported; /* what a target cannot be told is left out, not refused */
    struct str off_reason;                /* p NULL: the route is on */
    const struct catalog_target *targets; /* the installation's, by id; the disabled ones too */
    size_t n_targets;
    const struct catalog_target *own; /* all teams', by team, then id; catalog_model_own() has one team's */
    size_t n_own;
    const struct price *price; /* of the whole model; NULL: none */
    const struct catalog_rule *rules; /* in order; only those that are switched on */
    size_t n_rules;
    const struct catalog_shadow *shadow; /* NULL: its calls are asked of no other */
};

/* What the target can do, and its limits in tokens (0: not known). */
static inline uint32_t target_abilities(const struct catalog_target *t)
{
    return t->model->abilities & ~t->lacks;
}
static inline int64_t target_context(const struct catalog_target *t)
{
    return t->context_tokens ? t->context_tokens : t->model->context_tokens;
}
static inline int64_t target_output(const struct catalog_target *t)
{
    return t->max_output_tokens ? t->max_output_tokens : t->model->max_output_tokens;
}

struct catalog_options {
    const uint8_t *seal_key; /* 32 bytes */
    uint16_t demo_port;      /* 0: no demo upstream here, demo accounts are not usable */
    struct account_id only;  /* of teams' own accounts this one alone, for a look at it; v 0: all */
};
/* Reads everything, as the system. Worker. CATALOG_E_AWAY: the database is out of reach. */
enum { CATALOG_OK = 0, CATALOG_E_AWAY = 4 };
int catalog_load(struct db *db, const struct catalog_options *options, struct catalog **ret) _must_use_;
struct catalog *catalog_ref(struct catalog *c);
void catalog_unref(struct catalog *c); /* NULL is fine */
void catalog_unrefp(struct catalog **c);

/* By name or alias; NULL if there is none. Disabled models are found too. */
const struct catalog_model *catalog_find_model(const struct catalog *c, struct str name);
const struct catalog_target *catalog_find_target(const struct catalog *c, struct target_id id);
const struct catalog_account *catalog_find_account(const struct catalog *c, struct account_id id);
bool catalog_has_account(const struct catalog *c, struct account_id id); /* also of a kind of a newer version */
/* The embedding model by which questions are compared for kept answers (cache/question.h), as the installation
 * says; NULL: it names none, or none that is there and enabled. */
const struct catalog_model *catalog_compares(const struct catalog *c);
/* What a team's own accounts serve of the model, the disabled ones too; team v 0 has none. */
const struct catalog_target *catalog_model_own(const struct catalog_model *m, struct team_id team, size_t *ret_n);
/* How the account's model of that name serves clients of a format: in the same one, else in one that
 * it can be translated into; NULL: not at all. */
const struct catalog_way *catalog_account_way(const struct catalog_account *a, struct str model,
                                              const struct wire_format *client);
/* In order of name, and of id; accounts of teams among them. */
const struct catalog_model *catalog_models(const struct catalog *c, size_t *ret_n);
const struct catalog_account *catalog_accounts(const struct catalog *c, size_t *ret_n);
/* Enabled, switched on, and with a usable, priced target; or a rule may have such a model serve: what GET
 * /v1/models shows. */
bool catalog_model_served(const struct catalog_model *m);
bool catalog_model_serves(const struct catalog_model *m); /* the same, without its rules */
bool catalog_target_serves(const struct catalog_target *t); /* for the installation's teams */
/* Unix microseconds at which a scheduled price comes into force; 0: none is scheduled. */
int64_t catalog_next_change_us(const struct catalog *c);
int64_t catalog_loaded_us(const struct catalog *c);
/* The change epoch it was loaded at. A newer one may have less of it: where the database has lost changes. */
int64_t catalog_epoch(const struct catalog *c);
