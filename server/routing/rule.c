/* rule.c: see rule.h. */
#include "routing/rule.h"

#include "base/digest.h"
#include "base/random.h"

static bool has_id(const struct rule_ids *ids, int64_t id)
{
    for (size_t i = 0; i < ids->n; i++)
        if (ids->v[i] == id)
            return true;
    return ids->n == 0;
}

static struct str name_of(struct str tag)
{
    struct str name = STR("");

    (void)str_split(&tag, '=', &name);
    return name;
}

/* Is the value one of those that are listed for the name, from the first of them on? */
static bool has_value(const struct rule_conditions *when, size_t first, struct str name, struct str value)
{
    for (size_t i = first; i < when->n_tags; i++) {
        struct str rest = when->tags[i], other;

        if (str_split(&rest, '=', &other) && str_eq(other, name) && str_eq(rest, value))
            return true;
    }
    return false;
}

static bool is_first_of_its_name(const struct rule_conditions *when, size_t at, struct str name)
{
    for (size_t i = 0; i < at; i++)
        if (str_eq(name_of(when->tags[i]), name))
            return false;
    return true;
}

static bool has_tags(const struct rule_conditions *when, const struct rule_request *q)
{
    for (size_t i = 0; i < when->n_tags; i++) {
        struct str name = name_of(when->tags[i]), value;

        if (!is_first_of_its_name(when, i, name))
            continue;
        value = q->tag(q->ctx, name);
        if (!value.p || !has_value(when, i, name, value))
            return false;
    }
    return true;
}

bool rule_meets(const struct rule_conditions *when, const struct rule_request *q)
{
    if ((q->asks & when->asks) != when->asks || (q->asks & when->asks_not))
        return false;
    if (q->input_tokens < when->min_input_tokens ||
        (when->max_input_tokens && q->input_tokens > when->max_input_tokens))
        return false;
    return has_id(&when->teams, q->team.v) && has_id(&when->projects, q->project.v) &&
           has_id(&when->keys, q->key.v) && has_tags(when, q);
}

/* 0 to 99, the same for the same text on every node. Rules divide independently of each other. */
static uint32_t place_of(struct rule_id id, struct str text)
{
    uint8_t pepper[32] = {0};
    struct digest d;
    uint64_t n;

    memcpy(pepper, &id.v, sizeof(id.v));
    d = digest_keyed(pepper, text);
    memcpy(&n, d.b, sizeof(n));
    return (uint32_t)(n % 100);
}

bool rule_takes(const struct rule_conditions *when, struct rule_id id, const struct rule_request *q)
{
    struct str value;

    if (!when->share_percent)
        return true;
    if (!when->share_tag.n)
        return random_below(100) < (uint32_t)when->share_percent;
    value = q->tag(q->ctx, when->share_tag);
    if (!value.p)
        value = str_n((const char *)&q->key.v, sizeof(q->key.v));
    return place_of(id, value) < (uint32_t)when->share_percent;
}

const struct catalog_rule *rule_pick(const struct catalog_model *m, const struct rule_request *q)
{
    for (size_t i = 0; i < m->n_rules; i++) {
        const struct catalog_rule *rule = &m->rules[i];

        if (rule->serves->enabled && rule_meets(&rule->when, q) &&
            (!q->allowed || q->allowed(q->ctx, rule->serves)) && rule_takes(&rule->when, rule->id, q))
            return rule;
    }
    return NULL;
}

const struct catalog_model *rule_stand_in(const struct catalog_model *m,
                                          bool (*allowed)(void *ctx, const struct catalog_model *m), void *ctx)
{
    if (!m->enabled || m->off_reason.p || !allowed(ctx, m))
        return NULL;
    if (catalog_model_serves(m))
        return m;
    for (size_t i = 0; i < m->n_rules; i++)
        if (catalog_model_serves(m->rules[i].serves) && allowed(ctx, m->rules[i].serves))
            return m->rules[i].serves;
    return NULL;
}

size_t rules_met(const struct rule_row *rows, size_t n, const struct rule_request *q,
                 const struct rule_row *ret[RULES_MAX])
{
    size_t met = 0;

    for (size_t i = 0; i < n && met < RULES_MAX; i++) {
        const struct rule_row *rule = &rows[i];

        if (!rule->is.enabled || !rule->serves_enabled || !rule_meets(&rule->is.when, q))
            continue;
        ret[met++] = rule;
        if (!rule->is.when.share_percent)
            break;
    }
    return met;
}

struct str rule_tag_among(void *ctx, struct str name)
{
    const struct rule_conditions *said = ctx;

    for (size_t i = 0; i < said->n_tags; i++) {
        struct str value = said->tags[i], other;

        if (str_split(&value, '=', &other) && str_eq(other, name))
            return value;
    }
    return STR_NONE;
}
