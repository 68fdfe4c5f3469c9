/* rules.c: /api/v1/routes/{id}/rules and /api/v1/rules: which calls of a model another one serves, for
 * operators. Each but the last answers with the whole route. */
#include "admin/rules.h"

#include <errno.h>

#include "admin/routes.h"
#include "base/bounds.h"
#include "base/err.h"
#include "routing/rule.h"

struct rule_body {
    struct str name, serves, share_tag;
    struct json_object *team_ids, *project_ids, *key_ids;
    struct json_strs tags, asks, asks_not;
    int64_t position, min_input_tokens, max_input_tokens, share_percent;
    bool enabled;
    uint8_t saw_teams, saw_projects, saw_keys, saw_tags, saw_asks, saw_asks_not, saw_min, saw_max, saw_share,
        saw_share_tag;
};

#define AT(field) offsetof(struct rule_body, field)
#define FIELDS(needed)                                                                             \
    {                                                                                              \
        {"name", WANT_STR, needed, 1, RULE_NAME_MAX, AT(name), SIZE_MAX},                          \
        {"serves", WANT_STR, needed, 1, 128, AT(serves), SIZE_MAX},                                \
        {"enabled", WANT_BOOL, false, 0, 0, AT(enabled), SIZE_MAX},                                \
        {"position", WANT_I64, false, 1, RULES_MAX, AT(position), SIZE_MAX},                       \
        {"team_ids", WANT_ANY, false, 0, 0, AT(team_ids), AT(saw_teams)},                          \
        {"project_ids", WANT_ANY, false, 0, 0, AT(project_ids), AT(saw_projects)},                 \
        {"key_ids", WANT_ANY, false, 0, 0, AT(key_ids), AT(saw_keys)},                             \
        {"tags", WANT_STRS, false, 0, RULE_TAGS_MAX, AT(tags), AT(saw_tags)},                      \
        {"asks", WANT_STRS, false, 0, ABILITIES, AT(asks), AT(saw_asks)},                          \
        {"asks_not", WANT_STRS, false, 0, ABILITIES, AT(asks_not), AT(saw_asks_not)},              \
        {"min_input_tokens", WANT_I64, false, 1, BOUND_MODEL_TOKENS, AT(min_input_tokens),         \
         AT(saw_min)},                                                                             \
        {"max_input_tokens", WANT_I64, false, 1, BOUND_MODEL_TOKENS, AT(max_input_tokens),         \
         AT(saw_max)},                                                                             \
        {"share_percent", WANT_I64, false, 1, 99, AT(share_percent), AT(saw_share)},               \
        {"share_tag", WANT_STR, false, 1, 40, AT(share_tag), AT(saw_share_tag)},                   \
    }

static const struct json_field add_fields[] = FIELDS(true);
static const struct json_field change_fields[] = FIELDS(false);

static struct json_object *ids_json(const struct rule_ids *ids)
{
    struct json_object *array = json_new_array();

    for (size_t i = 0; i < ids->n; i++)
        json_push_i64(array, ids->v[i]);
    return array;
}

struct json_object *admin_rule_json(const struct rule_row *row)
{
    const struct rule_conditions *w = &row->is.when;
    struct json_object *o = json_new_object();
    struct str words[ABILITIES];

    json_set_cstr(o, "object", "rule");
    json_set_i64(o, "id", row->id.v);
    json_set_i64(o, "position", row->is.position);
    json_set_str(o, "name", row->is.name);
    json_set_str(o, "serves", row->is.serves);
    json_set_bool(o, "enabled", row->is.enabled);
    json_set(o, "team_ids", ids_json(&w->teams));
    json_set(o, "project_ids", ids_json(&w->projects));
    json_set(o, "key_ids", ids_json(&w->keys));
    json_set(o, "tags", admin_strings(w->tags, w->n_tags));
    json_set(o, "asks", admin_strings(words, ability_words(w->asks, words)));
    json_set(o, "asks_not", admin_strings(words, ability_words(w->asks_not, words)));
    admin_set_id(o, "min_input_tokens", w->min_input_tokens);
    admin_set_id(o, "max_input_tokens", w->max_input_tokens);
    admin_set_id(o, "share_percent", w->share_percent);
    admin_set_text(o, "share_tag", w->share_tag);
    return o;
}

/* --- reading a body: absent stays, null clears --- */

static struct rule_body body_of(const struct rule_draft *d)
{
    return (struct rule_body){
        .name = d->name, .serves = d->serves, .enabled = d->enabled, .position = d->position};
}

static int merge_ids(struct admin *a, const char *field, uint8_t seen, const struct json_object *given,
                     struct rule_ids *ret)
{
    size_t n = seen == FIELD_GIVEN && json_kind(given) == JSON_ARRAY ? json_length(given) : 0;
    int64_t *v;

    if (!seen)
        return 0;
    if (seen == FIELD_GIVEN && json_kind(given) != JSON_ARRAY)
        return admin_problem(a, PROBLEM_BAD_FIELD, field, "A list of numbers is wanted.");
    v = arena_array(a->arena, int64_t, n + 1);
    if (!v)
        return err_origin(-ENOMEM);
    for (size_t i = 0; i < n; i++) {
        if (json_kind(json_at(given, i)) != JSON_INT)
            return admin_problem(a, PROBLEM_BAD_FIELD, field, "A list of numbers is wanted.");
        v[i] = json_i64(json_at(given, i));
    }
    *ret = (struct rule_ids){v, n};
    return 0;
}

static int merge_lists(struct admin *a, const struct rule_body *b, struct rule_conditions *w)
{
    int r = merge_ids(a, "team_ids", b->saw_teams, b->team_ids, &w->teams);

    if (!r)
        r = merge_ids(a, "project_ids", b->saw_projects, b->project_ids, &w->projects);
    if (!r)
        r = merge_ids(a, "key_ids", b->saw_keys, b->key_ids, &w->keys);
    if (!r && b->saw_asks)
        r = admin_abilities(a, "asks", &b->asks, &w->asks);
    if (!r && b->saw_asks_not)
        r = admin_abilities(a, "asks_not", &b->asks_not, &w->asks_not);
    if (b->saw_tags) {
        w->tags = b->tags.v;
        w->n_tags = b->tags.n;
    }
    return r;
}

static int merge(struct admin *a, const struct rule_body *b, struct rule_draft *d)
{
    struct rule_conditions *w = &d->when;

    d->name = b->name;
    d->serves = b->serves;
    d->enabled = b->enabled;
    d->position = b->position;
    if (b->saw_min)
        w->min_input_tokens = b->min_input_tokens;
    if (b->saw_max)
        w->max_input_tokens = b->max_input_tokens;
    if (b->saw_share)
        w->share_percent = (int32_t)b->share_percent;
    if (b->saw_share_tag)
        w->share_tag = b->saw_share_tag == FIELD_GIVEN ? b->share_tag : STR("");
    return merge_lists(a, b, w);
}

/* --- the handlers --- */

int admin_rules_add(struct admin *a)
{
    struct rule_draft draft = {.enabled = true, .when = {.share_tag = STR("")}};
    struct rule_body b = body_of(&draft);
    struct identity_fault fault = {0};
    struct model_id route;
    struct rule_id rule;
    int r = admin_route_of_path(a, &route);

    if (!r)
        r = admin_body(a, add_fields, ARRAY_LEN(add_fields), &b);
    if (!r)
        r = merge(a, &b, &draft);
    if (!r)
        r = admin_identity(a, rule_add(a->db, &a->actor, route, &draft, &rule, &fault), &fault);
    return r ? r : admin_answer_route(a, 201, route);
}

static int rule_of_path(struct admin *a, struct rule_row *ret)
{
    struct rule_id id;
    int r = admin_need_operator(a);

    if (!r)
        r = admin_path_id(a, 0, &id.v);
    return r ? r : admin_identity(a, rule_get(a->db, a->arena, id, ret), NULL);
}

int admin_rules_change(struct admin *a)
{
    struct identity_fault fault = {0};
    struct rule_body b;
    struct rule_row row;
    int r = rule_of_path(a, &row);

    if (r)
        return r;
    b = body_of(&row.is);
    r = admin_body(a, change_fields, ARRAY_LEN(change_fields), &b);
    if (!r)
        r = merge(a, &b, &row.is);
    if (!r)
        r = admin_identity(a, rule_edit(a->db, &a->actor, row.id, &row.is, &fault), &fault);
    return r ? r : admin_answer_route(a, 200, row.model);
}

int admin_rules_delete(struct admin *a)
{
    struct rule_row row;
    int r = rule_of_path(a, &row);

    if (!r)
        r = admin_identity(a, rule_delete(a->db, &a->actor, row.id), NULL);
    return r ? r : admin_answer_route(a, 200, row.model);
}

/* --- which rules a request would meet --- */

struct try_body {
    int64_t team_id, project_id, key_id, input_tokens;
    struct json_strs tags, asks;
};

#define TRY_AT(field) offsetof(struct try_body, field)
static const struct json_field try_fields[] = {
    {"team_id", WANT_I64, false, 1, INT64_MAX, TRY_AT(team_id), SIZE_MAX},
    {"project_id", WANT_I64, false, 1, INT64_MAX, TRY_AT(project_id), SIZE_MAX},
    {"key_id", WANT_I64, false, 1, INT64_MAX, TRY_AT(key_id), SIZE_MAX},
    {"input_tokens", WANT_I64, false, 0, BOUND_MODEL_TOKENS, TRY_AT(input_tokens), SIZE_MAX},
    {"tags", WANT_STRS, false, 0, RULE_TAGS_MAX, TRY_AT(tags), SIZE_MAX},
    {"asks", WANT_STRS, false, 0, ABILITIES, TRY_AT(asks), SIZE_MAX},
};

static struct json_object *outcome_json(const struct rule_row *rule, struct str serves)
{
    struct json_object *o = json_new_object();

    admin_set_id(o, "rule_id", rule ? rule->id.v : 0);
    admin_set_text(o, "rule", rule ? rule->is.name : STR(""));
    json_set_str(o, "serves", serves);
    admin_set_id(o, "share_percent", rule ? rule->is.when.share_percent : 0);
    return o;
}

static int answer_try(struct admin *a, struct model_id id, const struct rule_request *q)
{
    struct json_object *array;
    struct rule_row *rows;
    struct model_row model;
    const struct rule_row *met[RULES_MAX];
    size_t n, n_met;
    int r = admin_identity(a, model_get(a->db, a->arena, id, &model), NULL);

    if (!r)
        r = admin_identity(a, rule_list(a->db, a->arena, id, &rows, &n), NULL);
    if (r)
        return r;
    n_met = rules_met(rows, n, q, met);
    array = json_new_array();
    for (size_t i = 0; i < n_met; i++)
        json_push(array, outcome_json(met[i], met[i]->is.serves));
    if (!n_met || met[n_met - 1]->is.when.share_percent)
        json_push(array, outcome_json(NULL, model.is.name));
    return admin_reply(a, 200, admin_list(array));
}

int admin_rules_try(struct admin *a)
{
    struct try_body b = {.team_id = 0};
    struct rule_request q = {.tag = rule_tag_among};
    struct rule_conditions said = {.n_tags = 0};
    struct identity_fault fault = {0};
    struct model_id route;
    int r = admin_route_of_path(a, &route);

    if (!r)
        r = admin_body(a, try_fields, ARRAY_LEN(try_fields), &b);
    if (!r)
        r = admin_abilities(a, "asks", &b.asks, &said.asks);
    said.tags = b.tags.v;
    said.n_tags = b.tags.n;
    if (!r)
        r = admin_identity(a, rule_conditions_check(&said, &fault), &fault);
    if (r)
        return r;
    q.team.v = b.team_id;
    q.project.v = b.project_id;
    q.key.v = b.key_id;
    q.input_tokens = b.input_tokens;
    q.asks = said.asks;
    q.ctx = &said;
    return answer_try(a, route, &q);
}
