/* budgets.c: /api/v1/budgets: what the team, a project or a member's keys may spend together. */
#include "admin/admin.h"

#include "base/err.h"
#include "identity/budget.h"
#include "identity/field_bounds.h"

static struct json_object *budget_json(const struct budget *b)
{
    struct json_object *o = json_new_object();
    struct money left = {MAX(b->is.amount.nano - b->spent.nano, INT64_C(0))};

    json_set_cstr(o, "object", "budget");
    json_set_i64(o, "id", b->id);
    json_set_cstr(o, "scope", budget_scope_name(b->is.scope));
    json_set_i64(o, "scope_id", b->is.scope_id);
    json_set_str(o, "name", b->name);
    json_set_money(o, "amount", b->is.amount);
    json_set_cstr(o, "window", key_window_name(b->is.window));
    json_set_money(o, "spent", b->spent);
    json_set_money(o, "left", left);
    return o;
}

int admin_budgets_list(struct admin *a)
{
    struct json_object *array;
    struct budget_page page;
    int r = admin_need(a, ROLE_VIEWER);

    if (!r)
        r = admin_query_known(a, NULL, 0);
    if (!r)
        r = admin_identity(a, budget_list(a->db, a->arena, a->team, &page), NULL);
    if (r)
        return r;
    array = json_new_array();
    for (size_t i = 0; i < page.n; i++)
        json_push(array, budget_json(&page.v[i]));
    return admin_reply(a, 200, admin_list(array));
}

static int answer_budget(struct admin *a, int64_t id)
{
    struct budget_page page;
    int r = admin_identity(a, budget_list(a->db, a->arena, a->team, &page), NULL);

    for (size_t i = 0; !r && i < page.n; i++)
        if (page.v[i].id == id)
            return admin_reply(a, 201, budget_json(&page.v[i]));
    return r ? r : admin_problem(a, PROBLEM_NOT_FOUND, NULL, NULL);
}

struct budget_body {
    struct str scope, window;
    struct budget_settings is;
    uint8_t saw_scope_id;
};

#define AT(field) offsetof(struct budget_body, field)

static const struct json_field budget_fields[] = {
    {"scope", WANT_STR, true, 1, 10, AT(scope), SIZE_MAX},
    {"scope_id", WANT_I64, false, 1, INT64_MAX, AT(is.scope_id), AT(saw_scope_id)},
    {"amount", WANT_MONEY, true, 1, BUDGET_MAX_NANO, AT(is.amount), SIZE_MAX},
    {"window", WANT_STR, true, 1, 10, AT(window), SIZE_MAX},
};

static int read_budget(struct admin *a, struct budget_body *b)
{
    int r = admin_body(a, budget_fields, ARRAY_LEN(budget_fields), b);

    if (r)
        return r;
    if (!budget_scope_parse(b->scope, &b->is.scope))
        return admin_problem(a, PROBLEM_BAD_FIELD, "scope", "This is team, project or user.");
    if (!key_window_parse(b->window, &b->is.window))
        return admin_problem(a, PROBLEM_BAD_FIELD, "window",
                             "This is day, week, month or lifetime.");
    if ((b->is.scope == BUDGET_TEAM) != (b->saw_scope_id != FIELD_GIVEN))
        return admin_problem(a, PROBLEM_BAD_FIELD, "scope_id",
                             b->is.scope == BUDGET_TEAM ? "The team's budget has none."
                                                        : "Say of which project or user.");
    return 0;
}

int admin_budgets_set(struct admin *a)
{
    struct identity_fault fault = {0};
    struct budget_body b = {0};
    int64_t id;
    int r = admin_need(a, ROLE_ADMIN);

    if (!r)
        r = read_budget(a, &b);
    if (!r)
        r = admin_identity(
            a, budget_set(a->db, a->arena, &a->actor, a->team, &b.is, &id, &fault), &fault);
    return r ? r : answer_budget(a, id);
}

int admin_budgets_drop(struct admin *a)
{
    int64_t id;
    int r = admin_need(a, ROLE_ADMIN);

    if (!r)
        r = admin_path_id(a, 0, &id);
    if (!r)
        r = admin_identity(a, budget_drop(a->db, a->arena, &a->actor, a->team, id), NULL);
    return r ? r : admin_deleted(a, "budget", id);
}
