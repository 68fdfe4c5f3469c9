/* routes.c: /api/v1/routes: public model names, how calls of them are routed, and the switches of an
 * incident, for operators. */
#include "admin/routes.h"

#include "admin/rules.h"
#include "base/bounds.h"
#include "base/err.h"

#define HOUR_MS 3600000

/* --- as it is answered --- */

static void put_policy(struct json_object *o, const struct model_draft *d)
{
    struct str triggers[ROUTE_TRIGGERS];

    json_set_bool(o, "enabled", d->enabled);
    json_set_cstr(o, "strategy", route_strategy_name(d->strategy));
    json_set(o, "triggers", admin_strings(triggers, trigger_words(d->triggers, triggers)));
    json_set_i64(o, "max_attempts", d->max_attempts);
    json_set_i64(o, "retries", d->retries);
    json_set_bool(o, "drop_unsupported", d->drop_unsupported);
    admin_set_id(o, "connect_timeout_ms", d->connect_timeout_ms);
    admin_set_id(o, "first_byte_timeout_ms", d->first_byte_timeout_ms);
    admin_set_id(o, "idle_timeout_ms", d->idle_timeout_ms);
    admin_set_id(o, "total_timeout_ms", d->total_timeout_ms);
}

static struct json_object *route_json(const struct model_row *row)
{
    const struct model_draft *d = &row->is;
    struct json_object *o = json_new_object();
    struct str abilities[ABILITIES];

    json_set_cstr(o, "object", "route");
    json_set_i64(o, "id", row->id.v);
    json_set_str(o, "model", d->name);
    json_set_cstr(o, "kind", model_kind_name(d->kind));
    json_set_str(o, "vendor", d->vendor);
    json_set_str(o, "description", d->description);
    admin_set_id(o, "context_tokens", d->context_tokens);
    admin_set_id(o, "max_output_tokens", d->max_output_tokens);
    json_set_i64(o, "media_tokens", d->media_tokens);
    if (d->abilities_known)
        json_set(o, "abilities", admin_strings(abilities, ability_words(d->abilities, abilities)));
    else
        json_set_null(o, "abilities");
    put_policy(o, d);
    admin_set_text(o, "off_reason", row->off_reason);
    admin_set_id(o, "pinned_target_id", row->pinned.v);
    json_set_i64(o, "targets_enabled", row->targets);
    json_set_bool(o, "priced", row->priced);
    admin_set_time(o, "created_at", row->created_us);
    return o;
}

static struct json_object *target_json(const struct target_row *t)
{
    struct json_object *o = json_new_object();
    struct str lacks[ABILITIES];

    json_set_cstr(o, "object", "target");
    json_set_i64(o, "id", t->id.v);
    json_set_i64(o, "account_id", t->account.v);
    json_set_str(o, "account", t->account_name);
    json_set_str(o, "provider", t->account_kind);
    json_set_bool(o, "account_enabled", t->account_enabled);
    json_set_str(o, "upstream_model", t->is.upstream_model);
    admin_set_text(o, "output_limit_field", t->is.output_limit_field);
    json_set_i64(o, "priority", t->is.priority);
    json_set_i64(o, "weight", t->is.weight);
    admin_set_id(o, "context_tokens", t->is.context_tokens);
    admin_set_id(o, "max_output_tokens", t->is.max_output_tokens);
    json_set(o, "lacks", admin_strings(lacks, ability_words(t->is.lacks, lacks)));
    json_set_bool(o, "enabled", t->is.enabled);
    return o;
}

int admin_answer_route(struct admin *a, int status, struct model_id id)
{
    struct target_row *targets;
    struct rule_row *rules;
    struct json_object *o, *array;
    struct model_row row;
    struct str *aliases;
    size_t n_targets, n_aliases, n_rules;
    int r = model_get(a->db, a->arena, id, &row);

    if (!r)
        r = target_list(a->db, a->arena, id, &targets, &n_targets);
    if (!r)
        r = model_aliases(a->db, a->arena, id, &aliases, &n_aliases);
    if (!r)
        r = rule_list(a->db, a->arena, id, &rules, &n_rules);
    if (r)
        return admin_identity(a, r, NULL);
    o = route_json(&row);
    json_set(o, "aliases", admin_strings(aliases, n_aliases));
    array = json_new_array();
    for (size_t i = 0; i < n_targets; i++)
        json_push(array, target_json(&targets[i]));
    json_set(o, "targets", array);
    array = json_new_array();
    for (size_t i = 0; i < n_rules; i++)
        json_push(array, admin_rule_json(&rules[i]));
    json_set(o, "rules", array);
    return admin_reply(a, status, o);
}

int admin_route_of_path(struct admin *a, struct model_id *ret)
{
    int r = admin_need_operator(a);

    return r ? r : admin_path_id(a, 0, &ret->v);
}

/* --- what a body may say --- */

struct route_body {
    struct str model, kind, vendor, description, strategy, off_reason;
    struct json_strs abilities, triggers, aliases;
    int64_t context_tokens, max_output_tokens, media_tokens, max_attempts, retries;
    int64_t connect_ms, first_byte_ms, idle_ms, total_ms, pinned_target;
    bool enabled, drop_unsupported;
    uint8_t saw_abilities, saw_triggers, saw_aliases, saw_off, saw_pin, saw_context, saw_output,
        saw_connect, saw_first_byte, saw_idle, saw_total;
};

#define AT(field) offsetof(struct route_body, field)
#define FACTS(vendor_required)                                                                     \
    {"vendor", WANT_STR, vendor_required, 1, 60, AT(vendor), SIZE_MAX},                            \
        {"description", WANT_STR, false, 0, 1000, AT(description), SIZE_MAX},                      \
        {"context_tokens", WANT_I64, false, 1, BOUND_MODEL_TOKENS, AT(context_tokens),             \
         AT(saw_context)},                                                                         \
        {"max_output_tokens", WANT_I64, false, 1, BOUND_MODEL_TOKENS, AT(max_output_tokens),       \
         AT(saw_output)},                                                                          \
        {"media_tokens", WANT_I64, false, 0, 10000000, AT(media_tokens), SIZE_MAX},                \
        {"abilities", WANT_STRS, false, 0, ABILITIES, AT(abilities), AT(saw_abilities)},           \
        {"aliases", WANT_STRS, false, 0, 100, AT(aliases), AT(saw_aliases)},                       \
        {"enabled", WANT_BOOL, false, 0, 0, AT(enabled), SIZE_MAX},                                \
        {"strategy", WANT_STR, false, 1, 20, AT(strategy), SIZE_MAX},                              \
        {"triggers", WANT_STRS, false, 0, ROUTE_TRIGGERS, AT(triggers), AT(saw_triggers)},         \
        {"max_attempts", WANT_I64, false, 1, BOUND_ATTEMPTS, AT(max_attempts), SIZE_MAX},          \
        {"retries", WANT_I64, false, 0, 5, AT(retries), SIZE_MAX},                                 \
        {"drop_unsupported", WANT_BOOL, false, 0, 0, AT(drop_unsupported), SIZE_MAX},              \
        {"connect_timeout_ms", WANT_I64, false, 1, 600000, AT(connect_ms), AT(saw_connect)},       \
        {"first_byte_timeout_ms", WANT_I64, false, 1, HOUR_MS, AT(first_byte_ms),                  \
         AT(saw_first_byte)},                                                                      \
        {"idle_timeout_ms", WANT_I64, false, 1, HOUR_MS, AT(idle_ms), AT(saw_idle)},               \
    {                                                                                              \
        "total_timeout_ms", WANT_I64, false, 1, HOUR_MS, AT(total_ms), AT(saw_total)               \
    }

static const struct json_field add_fields[] = {
    {"model", WANT_STR, true, 1, 128, AT(model), SIZE_MAX},
    {"kind", WANT_STR, false, 1, 40, AT(kind), SIZE_MAX},
    FACTS(true),
};
static const struct json_field change_fields[] = {
    FACTS(false),
    {"off_reason", WANT_STR, false, 1, 300, AT(off_reason), AT(saw_off)},
    {"pinned_target_id", WANT_I64, false, 1, INT64_MAX, AT(pinned_target), AT(saw_pin)},
};

static struct route_body body_of(const struct model_draft *d)
{
    return (struct route_body){
        .vendor = d->vendor,
        .description = d->description,
        .media_tokens = d->media_tokens,
        .max_attempts = d->max_attempts,
        .retries = d->retries,
        .enabled = d->enabled,
        .strategy = str_c(route_strategy_name(d->strategy)),
        .drop_unsupported = d->drop_unsupported,
    };
}

int admin_abilities(struct admin *a, const char *field, const struct json_strs *words,
                    uint32_t *ret)
{
    enum ability ability;

    *ret = 0;
    for (size_t i = 0; i < words->n; i++) {
        if (ability_parse(words->v[i], &ability) != WORD_OK)
            return admin_problem(a, PROBLEM_BAD_FIELD, field, "No such ability is known.");
        *ret |= ABILITY_BIT(ability);
    }
    return 0;
}

/* null: what it can do is not known, nothing is refused. */
static int merge_abilities(struct admin *a, const struct route_body *b, struct model_draft *d)
{
    if (!b->saw_abilities)
        return 0;
    d->abilities_known = b->saw_abilities == FIELD_GIVEN;
    return admin_abilities(a, "abilities", &b->abilities, &d->abilities);
}

static int merge_triggers(struct admin *a, const struct route_body *b, struct model_draft *d)
{
    enum route_trigger trigger;

    if (b->saw_triggers != FIELD_GIVEN)
        return 0;
    d->triggers = 0;
    for (size_t i = 0; i < b->triggers.n; i++) {
        if (route_trigger_parse(b->triggers.v[i], &trigger) != WORD_OK)
            return admin_problem(a, PROBLEM_BAD_FIELD, "triggers", "No such trigger is known.");
        d->triggers |= TRIGGER_BIT(trigger);
    }
    return 0;
}

/* Absent stays, null clears. */
static int merge(struct admin *a, const struct route_body *b, struct model_draft *d)
{
    int r = merge_abilities(a, b, d);

    d->vendor = b->vendor;
    d->description = b->description;
    d->media_tokens = b->media_tokens;
    d->max_attempts = (int32_t)b->max_attempts;
    d->retries = (int32_t)b->retries;
    d->enabled = b->enabled;
    d->drop_unsupported = b->drop_unsupported;
    if (b->saw_context)
        d->context_tokens = b->context_tokens;
    if (b->saw_output)
        d->max_output_tokens = b->max_output_tokens;
    if (b->saw_connect)
        d->connect_timeout_ms = (int32_t)b->connect_ms;
    if (b->saw_first_byte)
        d->first_byte_timeout_ms = (int32_t)b->first_byte_ms;
    if (b->saw_idle)
        d->idle_timeout_ms = (int32_t)b->idle_ms;
    if (b->saw_total)
        d->total_timeout_ms = (int32_t)b->total_ms;
    if (!r && route_strategy_parse(b->strategy, &d->strategy) != WORD_OK)
        return admin_problem(a, PROBLEM_BAD_FIELD, "strategy",
                             "One of priority, weighted, cheapest, fastest is wanted.");
    return r ? r : merge_triggers(a, b, d);
}

static bool among(struct str name, const struct str *v, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (str_eq(name, v[i]))
            return true;
    return false;
}

/* Those that the body has and the route has not are added, the others leave. */
static int set_aliases(struct admin *a, struct model_id id, const struct route_body *b)
{
    struct identity_fault fault = {0};
    struct str *now;
    size_t n;
    int r;

    if (!b->saw_aliases)
        return 0;
    r = model_aliases(a->db, a->arena, id, &now, &n);
    for (size_t i = 0; !r && i < n; i++)
        if (!among(now[i], b->aliases.v, b->aliases.n))
            r = model_drop_alias(a->db, &a->actor, id, now[i]);
    for (size_t i = 0; !r && i < b->aliases.n; i++)
        if (!among(b->aliases.v[i], now, n) && !among(b->aliases.v[i], b->aliases.v, i))
            r = model_add_alias(a->db, &a->actor, id, b->aliases.v[i], &fault);
    if (r == CHANGE_E_FAULT)
        fault.field = "aliases";
    return admin_identity(a, r, &fault);
}

/* The switches are no part of the draft: each has an entry of its own in the audit log. */
static int set_switches(struct admin *a, struct model_id id, const struct route_body *b)
{
    struct identity_fault fault = {0};
    int r = 0;

    if (b->saw_pin)
        r = model_pin(a->db, &a->actor, id, (struct target_id){b->pinned_target});
    if (r == CHANGE_E_NONE)
        return admin_problem(a, PROBLEM_BAD_FIELD, "pinned_target_id",
                             "The route has no such target.");
    if (!r && b->saw_off)
        r = model_switch_off(a->db, &a->actor, id, b->off_reason, &fault);
    if (r == CHANGE_E_FAULT)
        fault.field = "off_reason";
    return admin_identity(a, r, &fault);
}

/* --- the handlers --- */

int admin_routes_list(struct admin *a)
{
    static const char *const known[] = {"q"};
    struct str text = request_query(a->req, "q");
    struct json_object *array;
    struct model_row *rows;
    size_t n;
    int r = admin_need_operator(a);

    if (!r)
        r = admin_query_known(a, known, ARRAY_LEN(known));
    if (!r)
        r = admin_identity(a, model_list(a->db, a->arena, text.p ? text : STR(""), &rows, &n), NULL);
    if (r)
        return r;
    array = json_new_array();
    for (size_t i = 0; i < n; i++)
        json_push(array, route_json(&rows[i]));
    return admin_reply(a, 200, admin_list(array));
}

int admin_routes_get(struct admin *a)
{
    struct model_id id;
    int r = admin_route_of_path(a, &id);

    return r ? r : admin_answer_route(a, 200, id);
}

int admin_routes_add(struct admin *a)
{
    struct identity_fault fault = {0};
    struct model_draft draft;
    struct route_body b;
    struct model_id id;
    int r = admin_need_operator(a);

    model_draft_init(&draft);
    draft.enabled = true;
    b = body_of(&draft);
    if (!r)
        r = admin_body(a, add_fields, ARRAY_LEN(add_fields), &b);
    if (!r && b.kind.p && model_kind_parse(b.kind, &draft.kind) != WORD_OK)
        r = admin_problem(a, PROBLEM_BAD_FIELD, "kind", "No such kind of model is known.");
    if (!r)
        r = merge(a, &b, &draft);
    if (r)
        return r;
    draft.name = b.model;
    r = model_add(a->db, &a->actor, &draft, &id, &fault);
    if (r == CHANGE_E_FAULT && str_eq_c(str_c(fault.field), "name"))
        fault.field = "model";
    r = admin_identity(a, r, &fault);
    if (!r)
        r = set_aliases(a, id, &b);
    return r ? r : admin_answer_route(a, 201, id);
}

int admin_routes_change(struct admin *a)
{
    struct identity_fault fault = {0};
    struct model_row row;
    struct model_draft before;
    struct model_id id;
    struct route_body b;
    int r = admin_route_of_path(a, &id);

    if (!r)
        r = admin_identity(a, model_get(a->db, a->arena, id, &row), NULL);
    if (r)
        return r;
    memcpy(&before, &row.is, sizeof(before));
    b = body_of(&row.is);
    r = admin_body(a, change_fields, ARRAY_LEN(change_fields), &b);
    if (!r)
        r = merge(a, &b, &row.is);
    /* What the body does not name is the same to the byte: then there is no edit to record. */
    if (!r && memcmp(&before, &row.is, sizeof(before)) != 0)
        r = admin_identity(a, model_edit(a->db, &a->actor, id, &row.is, &fault), &fault);
    if (!r)
        r = set_aliases(a, id, &b);
    if (!r)
        r = set_switches(a, id, &b);
    return r ? r : admin_answer_route(a, 200, id);
}
