/* own_accounts.c: /api/v1/own_accounts: a team's own keys at providers, for its management keys. */
#include "catalog/own_accounts.h"

#include "admin/accounts.h"
#include "base/err.h"

static int answer_own(struct admin *a, const struct account_row *row, struct json_object **ret)
{
    const struct account_draft *d = &row->is;
    struct json_object *o, *names;
    struct own_model *models;
    size_t n;
    int r = admin_identity(a, own_models(a->db, a->arena, d->kind, row->id, &models, &n), NULL);

    if (r)
        return r;
    o = json_new_object();
    names = json_new_array();
    json_set_cstr(o, "object", "own_account");
    json_set_i64(o, "id", row->id.v);
    json_set_str(o, "kind", d->kind);
    json_set_str(o, "name", d->name);
    admin_put_place(o, d);
    json_set_bool(o, "own_only", d->own_only);
    json_set_bool(o, "enabled", d->enabled);
    json_set_bool(o, "has_credential", row->has_key);
    admin_set_text(o, "credential_last4", row->key_last4);
    for (size_t i = 0; i < n; i++)
        if (models[i].served)
            json_push(names, json_new_str(models[i].name));
    json_set(o, "models", names);
    admin_set_time(o, "last_ok_at", row->last_ok_us);
    admin_set_time(o, "last_error_at", row->last_error_us);
    admin_set_text(o, "last_error", row->last_error);
    admin_set_time(o, "created_at", row->created_us);
    *ret = o;
    return 0;
}

/* Goes on, or has answered that the team changes its keys too often. */
static int judge(struct admin *a, int r, int32_t retry_after_s)
{
    if (r == IDENTITY_E_LIMITED)
        return admin_limited(a, retry_after_s,
                             "The team changes or tests its provider keys too often: 60 times in ten minutes.");
    return admin_identity(a, r, NULL);
}

static int may_change(struct admin *a)
{
    int32_t retry_after_s = 0;
    int r = own_may_change(a->db, a->team, &retry_after_s);

    return judge(a, r, retry_after_s);
}

static int answer(struct admin *a, int status, struct account_id id)
{
    struct account_row row;
    struct json_object *o;
    int r = admin_identity(a, own_account_get(a->db, a->arena, a->team, id, &row), NULL);

    if (!r)
        r = answer_own(a, &row, &o);
    return r ? r : admin_reply(a, status, o);
}

static int read_own(struct admin *a, enum role role, struct account_row *ret)
{
    struct account_id id;
    int r = admin_need(a, role);

    if (!r)
        r = admin_path_id(a, 0, &id.v);
    if (!r)
        r = admin_identity(a, own_account_get(a->db, a->arena, a->team, id, ret), NULL);
    if (!r && role > ROLE_VIEWER)
        r = admin_need_kind(a, ret);
    return r;
}

struct own_body {
    struct str kind, name;
    struct place_body place;
    struct credential_body credential;
    struct json_strs models;
    bool own_only, enabled;
    uint8_t saw_models;
};

#define AT(field) offsetof(struct own_body, field)
#define OWN_FIELDS(name_required)                                                                  \
    {"name", WANT_STR, name_required, 1, 100, AT(name), SIZE_MAX},                                 \
        PLACE_FIELDS(AT(place)),                                                                   \
        {"models", WANT_STRS, false, 0, 200, AT(models), AT(saw_models)},                          \
        {"own_only", WANT_BOOL, false, 0, 0, AT(own_only), SIZE_MAX},                              \
    {                                                                                              \
        "enabled", WANT_BOOL, false, 0, 0, AT(enabled), SIZE_MAX                                   \
    }

static const struct json_field add_fields[] = {
    {"kind", WANT_STR, true, 1, 40, AT(kind), SIZE_MAX},
    OWN_FIELDS(true),
    CREDENTIAL_FIELDS(AT(credential)),
};
static const struct json_field change_fields[] = {OWN_FIELDS(false)};
static const struct json_field credential_fields[] = {CREDENTIAL_FIELDS(AT(credential))};

static struct own_body body_of(const struct account_draft *d)
{
    return (struct own_body){.name = d->name, .own_only = d->own_only, .enabled = d->enabled};
}

static int merge(struct admin *a, const struct provider *p, const struct own_body *b,
                 struct account_draft *d)
{
    d->name = b->name;
    d->own_only = b->own_only;
    d->enabled = b->enabled;
    admin_merge_place(&b->place, d);
    return admin_check_place(a, p, d);
}

int admin_own_accounts_list(struct admin *a)
{
    struct account_row *rows;
    struct json_object *array, *o;
    size_t n;
    int r = admin_need(a, ROLE_VIEWER);

    if (!r)
        r = admin_query_known(a, NULL, 0);
    if (!r)
        r = admin_identity(a, account_list_own(a->db, a->arena, a->team, &rows, &n), NULL);
    if (r)
        return r;
    array = json_new_array();
    for (size_t i = 0; !r && i < n; i++) {
        r = answer_own(a, &rows[i], &o);
        if (!r)
            json_push(array, o);
    }
    if (r) {
        json_unref(array);
        return r;
    }
    return admin_reply(a, 200, admin_list(array));
}

int admin_own_accounts_add(struct admin *a)
{
    struct account_draft draft = {.weight = 100, .enabled = true, .team = a->team};
    struct own_body b = body_of(&draft);
    struct identity_fault fault = {0};
    const struct provider *p = NULL;
    struct account_id id;
    struct str secret;
    int r = admin_need(a, ROLE_ADMIN);

    if (!r)
        r = admin_body(a, add_fields, ARRAY_LEN(add_fields), &b);
    if (!r)
        r = admin_find_kind(a, b.kind, &p);
    if (r)
        return r;
    draft.kind = str_c(p->kind);
    r = merge(a, p, &b, &draft);
    if (!r)
        r = admin_join_credential(a, p, &b.credential, &secret);
    if (!r)
        r = may_change(a);
    if (!r)
        r = admin_identity(a,
                           own_add(a->db, a->arena, &a->actor, a->services->seal_key, &draft, secret,
                                   b.models.v, b.models.n, &id, &fault),
                           &fault);
    return r ? r : answer(a, 201, id);
}

int admin_own_accounts_get(struct admin *a)
{
    struct account_row row;
    struct json_object *o;
    int r = read_own(a, ROLE_VIEWER, &row);

    if (!r)
        r = answer_own(a, &row, &o);
    return r ? r : admin_reply(a, 200, o);
}

int admin_own_accounts_change(struct admin *a)
{
    struct identity_fault fault = {0};
    struct account_draft draft;
    struct account_row row;
    struct own_body b;
    int r = read_own(a, ROLE_ADMIN, &row);

    if (r)
        return r;
    draft = row.is;
    b = body_of(&draft);
    r = admin_body(a, change_fields, ARRAY_LEN(change_fields), &b);
    if (!r)
        r = merge(a, row.provider, &b, &draft);
    if (!r)
        r = may_change(a);
    if (!r)
        r = admin_identity(a, own_edit(a->db, a->arena, &a->actor, &row, &draft, &fault), &fault);
    if (!r && b.saw_models)
        r = admin_identity(a,
                           own_serve(a->db, a->arena, &a->actor, &row, b.models.v, b.models.n, &fault),
                           &fault);
    return r ? r : answer(a, 200, row.id);
}

int admin_own_accounts_set_credential(struct admin *a)
{
    struct identity_fault fault = {0};
    struct own_body b = {0};
    struct account_row row;
    struct str secret;
    int r = read_own(a, ROLE_ADMIN, &row);

    if (!r)
        r = admin_body(a, credential_fields, ARRAY_LEN(credential_fields), &b);
    if (!r)
        r = admin_join_credential(a, row.provider, &b.credential, &secret);
    if (!r && !secret.n)
        r = admin_problem(a, PROBLEM_BAD_FIELD, "key", "A credential is wanted.");
    if (!r)
        r = may_change(a);
    if (!r)
        r = admin_identity(a,
                           account_set_key(a->db, &a->actor, a->services->seal_key, row.id, secret,
                                           &fault),
                           &fault);
    return r ? r : answer(a, 200, row.id);
}

int admin_own_accounts_delete(struct admin *a)
{
    struct account_row row;
    int r = read_own(a, ROLE_ADMIN, &row);

    if (!r)
        r = may_change(a);
    if (!r)
        r = admin_identity(a, account_delete(a->db, &a->actor, row.id), NULL);
    return r ? r : admin_deleted(a, "own_account", row.id.v);
}

int admin_own_accounts_test(struct admin *a)
{
    struct account_row row;
    int32_t retry_after_s = 0;
    int r = read_own(a, ROLE_ADMIN, &row);

    if (r)
        return r;
    admin_leave_tx(a);
    r = own_may_test(a->db, a->team, &retry_after_s);
    r = judge(a, r, retry_after_s);
    return r ? r : admin_try_account(a, row.id);
}
