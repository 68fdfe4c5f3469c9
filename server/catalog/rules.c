/* rules.c: what an operator may type about a rule. */
#include "catalog/rules.h"

#include "base/bounds.h"
#include "catalog/words.h"
#include "identity/keyring.h"

static bool name_good(struct str name)
{
    bool first = name.n && name.p[0] != '.' && name.p[0] != '_' && name.p[0] != '-';

    return first && key_tag_name_formed(name);
}

static int ids_check(const struct rule_ids *ids, const char *field, struct identity_fault *fault)
{
    if (ids->n > RULE_IDS_MAX)
        return identity_fault_set(fault, field, "A rule names 100 of them at most.");
    for (size_t i = 0; i < ids->n; i++) {
        if (ids->v[i] <= 0)
            return identity_fault_set(fault, field, "Each is a number above 0.");
        for (size_t k = 0; k < i; k++)
            if (ids->v[k] == ids->v[i])
                return identity_fault_set(fault, field, "One of them is named twice.");
    }
    return CHANGE_OK;
}

/* No control byte: the lists are joined by line feeds on their way out of the database. */
static bool tag_good(struct str tag)
{
    struct str value = tag, name;

    return str_split(&value, '=', &name) && value.p && key_tag_name_formed(name) && value.n >= 1 &&
           value.n <= 100 && str_utf8(value) && str_is_field(value);
}

static int tags_check(const struct rule_conditions *w, struct identity_fault *fault)
{
    if (w->n_tags > RULE_TAGS_MAX)
        return identity_fault_set(fault, "tags", "A rule has 20 tags at most.");
    for (size_t i = 0; i < w->n_tags; i++)
        if (!tag_good(w->tags[i]))
            return identity_fault_set(fault, "tags", "Each is NAME=VALUE: a name of 1 to 40 letters, digits, dots or"
                                                     " dashes, and a value of 1 to 100 bytes.");
    return CHANGE_OK;
}

static int tokens_check(const struct rule_conditions *w, struct identity_fault *fault)
{
    static const char wrong[] = "This is a whole number of tokens, or empty.";

    if (w->min_input_tokens < 0 || w->min_input_tokens > BOUND_MODEL_TOKENS)
        return identity_fault_set(fault, "min_input_tokens", wrong);
    if (w->max_input_tokens < 0 || w->max_input_tokens > BOUND_MODEL_TOKENS)
        return identity_fault_set(fault, "max_input_tokens", wrong);
    if (w->max_input_tokens && w->max_input_tokens < w->min_input_tokens)
        return identity_fault_set(fault, "max_input_tokens", "No request has at least that many and at most so many.");
    return CHANGE_OK;
}

static int asks_check(const struct rule_conditions *w, struct identity_fault *fault)
{
    if (w->asks & ~ABILITIES_ASKED)
        return identity_fault_set(fault, "asks", "A request asks for tools, vision, audio, files, json_schema,"
                                                 " reasoning or streaming.");
    if (w->asks_not & ~ABILITIES_ASKED)
        return identity_fault_set(fault, "asks_not", "A request asks for tools, vision, audio, files, json_schema,"
                                                     " reasoning or streaming.");
    if (w->asks & w->asks_not)
        return identity_fault_set(fault, "asks_not", "No request asks for it and does not.");
    return CHANGE_OK;
}

static int share_check(const struct rule_conditions *w, struct identity_fault *fault)
{
    if (w->share_percent < 0 || w->share_percent > 99)
        return identity_fault_set(fault, "share_percent", "A share is from 1 to 99 percent, or empty: all.");
    if (!w->share_tag.n)
        return CHANGE_OK;
    if (!w->share_percent)
        return identity_fault_set(fault, "share_tag", "It says who stays together in a share: name the share too.");
    if (!key_tag_name_formed(w->share_tag))
        return identity_fault_set(fault, "share_tag", "The name of a tag has 1 to 40 letters, digits, dots or dashes.");
    return CHANGE_OK;
}

int rule_conditions_check(const struct rule_conditions *w, struct identity_fault *fault)
{
    int r = ids_check(&w->teams, "team_ids", fault);

    if (r == 0)
        r = ids_check(&w->projects, "project_ids", fault);
    if (r == 0)
        r = ids_check(&w->keys, "key_ids", fault);
    if (r == 0)
        r = tags_check(w, fault);
    if (r == 0)
        r = asks_check(w, fault);
    if (r == 0)
        r = tokens_check(w, fault);
    return r ? r : share_check(w, fault);
}

int rule_draft_check(const struct rule_draft *d, struct identity_fault *fault)
{
    if (!name_good(d->name))
        return identity_fault_set(fault, "name", "A rule's name has 1 to 40 letters, digits, dots or dashes, and"
                                                 " begins with a letter or digit.");
    if (!d->serves.n)
        return identity_fault_set(fault, "serves", "The model that serves is needed.");
    return rule_conditions_check(&d->when, fault);
}
