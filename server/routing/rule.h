/* rule.h: which rule of a model (catalog/rule.h) a request meets. Pure, but for the shares that are drawn
 * at random. */
#pragma once

#include "catalog/rules.h"
#include "catalog/snapshot.h"

struct rule_request {
    struct team_id team;
    struct project_id project; /* v 0: none */
    struct key_id key;
    uint32_t asks;        /* bits of abilities */
    int64_t input_tokens; /* of the text, estimated */
    /* The value of the tag; p NULL: it has none. */
    struct str (*tag)(void *ctx, struct str name);
    /* May the key use this model? NULL: yes. */
    bool (*allowed)(void *ctx, const struct catalog_model *m);
    void *ctx;
};

/* Do all conditions hold but the share? */
bool rule_meets(const struct rule_conditions *when, const struct rule_request *q);
/* Is it of the share that the rule takes? True where it takes all. */
bool rule_takes(const struct rule_conditions *when, struct rule_id id, const struct rule_request *q);

/* The first that holds; NULL: none, the model serves itself. A rule whose model is disabled, or which
 * the key may not use, is passed over as if it were not there: a rule gives no key more than its own list
 * of models, and takes nothing from it. A model whose route is switched off is chosen all the same, and
 * the call refused with its reason: what an operator stops in an incident does not move elsewhere. */
const struct catalog_rule *rule_pick(const struct catalog_model *m, const struct rule_request *q);

/* Who stands for the model where no request is at hand: itself where it has a target that serves, else the
 * first such model that its rules choose. The key may use both. NULL: nobody. */
const struct catalog_model *rule_stand_in(const struct catalog_model *m,
                                          bool (*allowed)(void *ctx, const struct catalog_model *m), void *ctx);

/* For a look ahead, of rules as operators keep them: those that such a request meets, in order, up to the
 * first that takes all of its kind; how many. Where the last takes a share, or there is none, the model
 * itself has the rest. The key's own list of models is not looked at. */
size_t rules_met(const struct rule_row *rows, size_t n, const struct rule_request *q,
                 const struct rule_row *ret[RULES_MAX]);
/* A rule_request's tag: its value among the tags of ctx, a struct rule_conditions. */
struct str rule_tag_among(void *ctx, struct str name);
