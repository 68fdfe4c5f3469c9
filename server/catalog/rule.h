/* rule.h: when calls of a model are served as another. Data only.
 *
 * A model has rules in an order. The first one whose conditions all hold says which model serves: its
 * route, prices, limits and switches hold then, and it is what is priced and logged. Where none holds
 * it is the model itself. Rules of the model that a rule chose are not asked, so there are no chains. */
#pragma once

#include "base/id.h"

#define RULES_MAX 50 /* of one model */
#define RULE_IDS_MAX 100 /* of each kind in one rule */
#define RULE_TAGS_MAX 20
#define RULE_NAME_MAX 40

struct rule_ids {
    const int64_t *v;
    size_t n; /* 0: any */
};

/* Each is met by all calls where it is left empty. */
struct rule_conditions {
    struct rule_ids teams, projects, keys; /* one of these */
    /* "name=value", of the key's tags or of those that the request says of itself: each name that is
     * listed has one of the values that are listed for it. */
    const struct str *tags;
    size_t n_tags;
    uint32_t asks, asks_not; /* bits of abilities, of ABILITIES_ASKED: all of these; none of those */
    /* Of the text that the model reads, at four bytes a token, both inclusive; 0: no bound. */
    int64_t min_input_tokens, max_input_tokens;
    /* 1 to 99 of a hundred calls that meet the rest; 0: all of them. */
    int32_t share_percent;
    /* Calls with the same value of this tag stay on one side, on every node; those without it, the calls
     * of the same key. n 0: each call for itself, at random. */
    struct str share_tag;
};
