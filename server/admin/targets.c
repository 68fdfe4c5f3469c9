/* targets.c: /api/v1/routes/{id}/targets and /api/v1/targets: which accounts serve a route, under which
 * name, for operators. Each answers with the whole route. */
#include "admin/routes.h"

#include "base/bounds.h"
#include "base/err.h"

struct target_body {
    struct str upstream_model, output_limit_field;
    int64_t account_id, priority, weight, context_tokens, max_output_tokens;
    struct json_strs lacks;
    bool enabled;
    uint8_t saw_limit, saw_context, saw_output, saw_lacks;
};

#define AT(field) offsetof(struct target_body, field)
#define TARGET_FIELDS(name_required)                                                               \
    {"upstream_model", WANT_STR, name_required, 1, 200, AT(upstream_model), SIZE_MAX},             \
        {"output_limit_field", WANT_STR, false, 1, 40, AT(output_limit_field), AT(saw_limit)},     \
        {"priority", WANT_I64, false, 0, 1000, AT(priority), SIZE_MAX},                            \
        {"weight", WANT_I64, false, 0, 1000, AT(weight), SIZE_MAX},                                \
        {"context_tokens", WANT_I64, false, 1, BOUND_MODEL_TOKENS, AT(context_tokens),             \
         AT(saw_context)},                                                                         \
        {"max_output_tokens", WANT_I64, false, 1, BOUND_MODEL_TOKENS, AT(max_output_tokens),       \
         AT(saw_output)},                                                                          \
        {"lacks", WANT_STRS, false, 0, ABILITIES, AT(lacks), AT(saw_lacks)},                       \
    {                                                                                              \
        "enabled", WANT_BOOL, false, 0, 0, AT(enabled), SIZE_MAX                                   \
    }
static const struct json_field add_fields[] = {
    {"account_id", WANT_I64, true, 1, INT64_MAX, AT(account_id), SIZE_MAX},
    TARGET_FIELDS(true),
};
static const struct json_field change_fields[] = {TARGET_FIELDS(false)};

static struct target_body body_of(const struct target_draft *d)
{
    return (struct target_body){.upstream_model = d->upstream_model,
                                .priority = d->priority,
                                .weight = d->weight,
                                .enabled = d->enabled};
}

/* Absent stays, null clears. */
static int merge(struct admin *a, const struct target_body *b, struct target_draft *d)
{
    d->upstream_model = b->upstream_model;
    d->priority = (int32_t)b->priority;
    d->weight = (int32_t)b->weight;
    d->enabled = b->enabled;
    if (b->saw_limit)
        d->output_limit_field = b->saw_limit == FIELD_GIVEN ? b->output_limit_field : STR("");
    if (b->saw_context)
        d->context_tokens = b->context_tokens;
    if (b->saw_output)
        d->max_output_tokens = b->max_output_tokens;
    return b->saw_lacks ? admin_abilities(a, "lacks", &b->lacks, &d->lacks) : 0;
}

int admin_targets_add(struct admin *a)
{
    struct target_draft draft = {.output_limit_field = STR(""), .weight = 100, .enabled = true};
    struct target_body b = body_of(&draft);
    struct identity_fault fault = {0};
    struct target_id target;
    struct model_id route;
    int r = admin_route_of_path(a, &route);

    if (!r)
        r = admin_body(a, add_fields, ARRAY_LEN(add_fields), &b);
    if (!r)
        r = merge(a, &b, &draft);
    if (!r)
        r = admin_identity(a,
                           target_add(a->db, &a->actor, route, (struct account_id){b.account_id},
                                      &draft, &target, &fault),
                           &fault);
    return r ? r : admin_answer_route(a, 201, route);
}

/* The target of the path, and the route that it belongs to. */
static int read_target(struct admin *a, struct model_id *ret_route, struct target_row *ret)
{
    struct target_row *rows;
    struct target_id id;
    size_t n;
    int r = admin_need_operator(a);

    if (!r)
        r = admin_path_id(a, 0, &id.v);
    if (r)
        return r;
    r = target_model(a->db, id, ret_route);
    if (!r)
        r = target_list(a->db, a->arena, *ret_route, &rows, &n);
    for (size_t i = 0; !r && i < n; i++)
        if (rows[i].id.v == id.v) {
            *ret = rows[i];
            return 0;
        }
    return admin_identity(a, r ? r : CHANGE_E_NONE, NULL);
}

int admin_targets_change(struct admin *a)
{
    struct identity_fault fault = {0};
    struct target_body b;
    struct target_row row;
    struct model_id route;
    int r = read_target(a, &route, &row);

    if (r)
        return r;
    b = body_of(&row.is);
    r = admin_body(a, change_fields, ARRAY_LEN(change_fields), &b);
    if (!r)
        r = merge(a, &b, &row.is);
    if (!r)
        r = admin_identity(a, target_edit(a->db, &a->actor, row.id, &row.is, &fault), &fault);
    return r ? r : admin_answer_route(a, 200, route);
}

int admin_targets_delete(struct admin *a)
{
    struct model_id route;
    struct target_row row;
    int r = read_target(a, &route, &row);

    if (!r)
        r = admin_identity(a, target_delete(a->db, &a->actor, row.id), NULL);
    return r ? r : admin_answer_route(a, 200, route);
}
