/* call_rule.c: a call whose model has rules meets them with what is known of it before it is routed: its
 * key, its tags, and what the body asks for. */
#include "gateway/call_flow.h"
#include "gateway/estimate.h"
#include "gateway/needs.h"
#include "json/value.h"
#include "routing/rule.h"

struct asker {
    const struct call *c;
    struct json_object *tags; /* NULL: not read yet, or there are none */
    bool read;
};

static void read_tags(struct asker *a)
{
    struct json_fault fault;

    a->read = true;
    if (a->c->record.tags.n && json_parse(a->c->record.tags, &a->tags, &fault) != JSON_OK)
        a->tags = NULL;
}

static struct str tag_of(void *ctx, struct str name)
{
    struct asker *a = ctx;
    const struct json_object *value;
    char key[64];

    if (!a->read)
        read_tags(a);
    if (!a->tags || name.n >= sizeof(key))
        return STR_NONE;
    memcpy(key, name.p, name.n);
    key[name.n] = 0;
    value = json_get(a->tags, key);
    return value && json_kind(value) == JSON_STRING ? json_text(value) : STR_NONE;
}

static bool is_allowed(void *ctx, const struct catalog_model *m)
{
    const struct asker *a = ctx;

    return key_policy_allows_model(a->c->key->policy, m->name);
}

const struct catalog_model *call_rule(struct call *c, const struct catalog_model *m)
{
    const struct key_policy *k = c->key->policy;
    struct asker asker = {.c = c};
    const struct rule_request q = {
        .team = k->team,
        .project = k->project,
        .key = k->key,
        .asks = needs_abilities(c->endpoint, &c->wire.llm),
        .input_tokens = estimate_tokens(c->wire.llm.prompt_bytes),
        .tag = tag_of,
        .allowed = is_allowed,
        .ctx = &asker,
    };
    const struct catalog_rule *rule;

    if (!m->enabled || m->off_reason.p || m->kind != c->endpoint->kind || !is_allowed(&asker, m))
        return m;
    rule = rule_pick(m, &q);
    json_unref(asker.tags);
    if (!rule)
        return m;
    c->record.rule = rule->name;
    return rule->serves;
}
