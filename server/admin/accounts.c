/* accounts.c: /api/v1/accounts: the installation's accounts at providers, for operators. */
#include "admin/accounts.h"

#include <errno.h>

#include "base/err.h"
#include "catalog/accounts.h"
#include "gateway/operate.h"

#define RPM_MAX INT64_C(1000000000)
#define TPM_MAX INT64_C(1000000000000)

static struct json_object *account_json(const struct account_row *row)
{
    const struct account_draft *d = &row->is;
    struct json_object *o = json_new_object();

    json_set_cstr(o, "object", "account");
    json_set_i64(o, "id", row->id.v);
    admin_set_id(o, "team_id", d->team.v);
    json_set_str(o, "kind", d->kind);
    json_set_str(o, "name", d->name);
    admin_put_place(o, d);
    json_set_cstr(o, "network", d->private_network ? "private" : "public");
    json_set_cstr(o, "data_policy", data_policy_name(d->data_policy));
    json_set(o, "extra_headers", admin_json(d->extra_headers));
    json_set_i64(o, "priority", d->priority);
    json_set_i64(o, "weight", d->weight);
    admin_set_id(o, "rpm", d->rpm);
    admin_set_id(o, "tpm", d->tpm);
    json_set_bool(o, "enabled", d->enabled);
    json_set_bool(o, "has_credential", row->has_key);
    admin_set_text(o, "credential_last4", row->key_last4);
    json_set_i64(o, "targets", row->targets);
    admin_set_time(o, "last_ok_at", row->last_ok_us);
    admin_set_time(o, "last_error_at", row->last_error_us);
    admin_set_text(o, "last_error", row->last_error);
    admin_set_time(o, "created_at", row->created_us);
    return o;
}

static int answer_account(struct admin *a, int status, struct account_id id)
{
    struct account_row row;
    int r = admin_identity(a, account_get(a->db, a->arena, id, &row), NULL);

    return r ? r : admin_reply(a, status, account_json(&row));
}

/* --- what a body may say --- */

struct account_body {
    struct str kind, name, network, data_policy;
    struct place_body place;
    struct credential_body credential;
    struct json_object *extra_headers;
    int64_t priority, weight, rpm, tpm;
    bool enabled;
    uint8_t saw_network, saw_headers, saw_rpm, saw_tpm, saw_policy;
};

#define AT(field) offsetof(struct account_body, field)
#define ACCOUNT_FIELDS(name_required)                                                              \
    {"name", WANT_STR, name_required, 1, 100, AT(name), SIZE_MAX},                                 \
        PLACE_FIELDS(AT(place)),                                                                   \
        {"network", WANT_STR, false, 1, 10, AT(network), AT(saw_network)},                         \
        {"data_policy", WANT_STR, false, 1, 20, AT(data_policy), AT(saw_policy)},                  \
        {"extra_headers", WANT_ANY, false, 0, 0, AT(extra_headers), AT(saw_headers)},              \
        {"priority", WANT_I64, false, 0, 1000, AT(priority), SIZE_MAX},                            \
        {"weight", WANT_I64, false, 1, 1000, AT(weight), SIZE_MAX},                                \
        {"rpm", WANT_I64, false, 1, RPM_MAX, AT(rpm), AT(saw_rpm)},                                \
        {"tpm", WANT_I64, false, 1, TPM_MAX, AT(tpm), AT(saw_tpm)},                                \
    {                                                                                              \
        "enabled", WANT_BOOL, false, 0, 0, AT(enabled), SIZE_MAX                                   \
    }

static const struct json_field add_fields[] = {
    {"kind", WANT_STR, true, 1, 40, AT(kind), SIZE_MAX},
    ACCOUNT_FIELDS(true),
    CREDENTIAL_FIELDS(AT(credential)),
};
static const struct json_field change_fields[] = {ACCOUNT_FIELDS(false)};
static const struct json_field credential_fields[] = {CREDENTIAL_FIELDS(AT(credential))};

/* Bodies without a setting leave the account's. */
static struct account_body body_of(const struct account_draft *d)
{
    return (struct account_body){
        .name = d->name, .priority = d->priority, .weight = d->weight, .enabled = d->enabled};
}

static int merge_network(struct admin *a, const struct account_body *b, struct account_draft *d)
{
    if (b->saw_network != FIELD_GIVEN)
        return 0;
    d->private_network = str_eq_c(b->network, "private");
    if (d->private_network || str_eq_c(b->network, "public"))
        return 0;
    return admin_problem(a, PROBLEM_BAD_FIELD, "network", "One of public, private is wanted.");
}

static int merge_policy(struct admin *a, const struct account_body *b, struct account_draft *d)
{
    if (b->saw_policy == FIELD_NULL)
        d->data_policy = DATA_UNKNOWN;
    if (b->saw_policy != FIELD_GIVEN || data_policy_parse(b->data_policy, &d->data_policy) == WORD_OK)
        return 0;
    return admin_problem(a, PROBLEM_BAD_FIELD, "data_policy",
                         "One of unknown, no_training, no_retention is wanted.");
}

/* Absent stays, null clears. */
static int merge(struct admin *a, const struct account_body *b, struct account_draft *d)
{
    int r = merge_network(a, b, d);

    d->name = b->name;
    d->priority = (int32_t)b->priority;
    d->weight = (int32_t)b->weight;
    d->enabled = b->enabled;
    admin_merge_place(&b->place, d);
    if (b->saw_rpm)
        d->rpm = b->rpm;
    if (b->saw_tpm)
        d->tpm = b->tpm;
    if (!r)
        r = merge_policy(a, b, d);
    if (!r && b->saw_headers)
        r = admin_json_text(a, b->extra_headers, &d->extra_headers);
    return r;
}

int admin_join_credential(struct admin *a, const struct provider *p, const struct credential_body *b,
                          struct str *ret)
{
    struct credential_parts parts = {
        .key = b->key,
        .access_key_id = b->access_key_id,
        .secret_access_key = b->secret_access_key,
        .session_token = b->session_token,
    };
    int r = 0;

    if (json_kind(b->service_account) == JSON_STRING)
        parts.service_account = json_text(b->service_account);
    else
        r = admin_json_text(a, b->service_account, &parts.service_account);
    return r ? r : credential_join(p, a->arena, &parts, ret);
}

void admin_merge_place(const struct place_body *b, struct account_draft *d)
{
    if (b->saw_url)
        d->base_url = b->base_url;
    if (b->saw_region)
        d->region = b->region;
    if (b->saw_project)
        d->project = b->project;
}

void admin_put_place(struct json_object *o, const struct account_draft *d)
{
    admin_set_text(o, "base_url", d->base_url);
    admin_set_text(o, "region", d->region);
    admin_set_text(o, "project", d->project);
}

int admin_check_place(struct admin *a, const struct provider *p, const struct account_draft *d)
{
    struct identity_fault fault = {0};

    return admin_identity(a, operate_check_url(p, d, &fault), &fault);
}

int admin_find_kind(struct admin *a, struct str kind, const struct provider **ret)
{
    *ret = provider_find(kind);
    return *ret ? 0 : admin_problem(a, PROBLEM_BAD_FIELD, "kind", "No provider of this kind is known here.");
}

int admin_need_kind(struct admin *a, const struct account_row *row)
{
    if (row->provider)
        return 0;
    return admin_problem(a, PROBLEM_CONFLICT, "kind", "No provider of this kind is known here.");
}

/* --- the handlers --- */

int admin_accounts_list(struct admin *a)
{
    struct account_row *rows;
    struct json_object *array;
    size_t n;
    int r = admin_need_operator(a);

    if (!r)
        r = admin_query_known(a, NULL, 0);
    if (!r)
        r = admin_identity(a, account_list(a->db, a->arena, &rows, &n), NULL);
    if (r)
        return r;
    array = json_new_array();
    for (size_t i = 0; i < n; i++)
        json_push(array, account_json(&rows[i]));
    return admin_reply(a, 200, admin_list(array));
}

int admin_accounts_add(struct admin *a)
{
    struct account_draft draft = {.weight = 100, .enabled = true};
    struct account_body b = body_of(&draft);
    struct identity_fault fault = {0};
    const struct provider *p = NULL;
    struct account_id id;
    struct str secret;
    int r = admin_need_operator(a);

    if (!r)
        r = admin_body(a, add_fields, ARRAY_LEN(add_fields), &b);
    if (!r)
        r = admin_find_kind(a, b.kind, &p);
    if (r)
        return r;
    draft.kind = str_c(p->kind);
    draft.private_network = provider_has(p, PROVIDER_SELF_HOSTED);
    r = merge(a, &b, &draft);
    if (!r)
        r = admin_check_place(a, p, &draft);
    if (!r)
        r = admin_join_credential(a, p, &b.credential, &secret);
    if (!r)
        r = admin_identity(a,
                           account_add(a->db, &a->actor, a->services->seal_key, &draft, secret, &id,
                                       &fault),
                           &fault);
    return r ? r : answer_account(a, 201, id);
}

/* The account of the path; a kind that is not known here cannot be changed. */
static int read_account(struct admin *a, struct account_row *ret)
{
    struct account_id id;
    int r = admin_need_operator(a);

    if (!r)
        r = admin_path_id(a, 0, &id.v);
    if (!r)
        r = admin_identity(a, account_get(a->db, a->arena, id, ret), NULL);
    return r;
}

int admin_accounts_get(struct admin *a)
{
    struct account_row row;
    int r = read_account(a, &row);

    return r ? r : admin_reply(a, 200, account_json(&row));
}

int admin_accounts_change(struct admin *a)
{
    struct identity_fault fault = {0};
    struct account_body b;
    struct account_row row;
    int r = read_account(a, &row);

    if (!r)
        r = admin_need_kind(a, &row);
    if (r)
        return r;
    b = body_of(&row.is);
    r = admin_body(a, change_fields, ARRAY_LEN(change_fields), &b);
    if (!r)
        r = merge(a, &b, &row.is);
    if (!r)
        r = admin_check_place(a, row.provider, &row.is);
    if (!r)
        r = admin_identity(a, account_edit(a->db, &a->actor, row.id, &row.is, &fault), &fault);
    return r ? r : answer_account(a, 200, row.id);
}

static int set_credential(struct admin *a, const struct account_row *row, struct str secret)
{
    struct identity_fault fault = {0};
    int r = admin_identity(a,
                           account_set_key(a->db, &a->actor, a->services->seal_key, row->id, secret,
                                           &fault),
                           &fault);

    return r ? r : answer_account(a, 200, row->id);
}

int admin_accounts_set_credential(struct admin *a)
{
    struct account_body b = {0};
    struct account_row row;
    struct str secret;
    int r = read_account(a, &row);

    if (!r)
        r = admin_need_kind(a, &row);
    if (!r)
        r = admin_body(a, credential_fields, ARRAY_LEN(credential_fields), &b);
    if (!r)
        r = admin_join_credential(a, row.provider, &b.credential, &secret);
    if (!r && !secret.n)
        r = admin_problem(a, PROBLEM_BAD_FIELD, "key",
                          "A credential is wanted; DELETE takes the present one away.");
    return r ? r : set_credential(a, &row, secret);
}

int admin_accounts_drop_credential(struct admin *a)
{
    struct account_row row;
    int r = read_account(a, &row);

    if (!r)
        r = admin_need_kind(a, &row);
    return r ? r : set_credential(a, &row, STR(""));
}

int admin_accounts_delete(struct admin *a)
{
    struct account_row row;
    int r = read_account(a, &row);

    if (!r)
        r = admin_identity(a, account_delete(a->db, &a->actor, row.id), NULL);
    return r ? r : admin_deleted(a, "account", row.id.v);
}

int admin_accounts_adopt(struct admin *a)
{
    struct account_row row;
    int64_t targets;
    int r = read_account(a, &row);

    if (!r)
        r = admin_identity(a, account_adopt_offers(a->db, &a->actor, row.id, &targets), NULL);
    return r ? r : answer_account(a, 200, row.id);
}

int admin_accounts_test(struct admin *a)
{
    struct account_row row;
    int r = read_account(a, &row);

    return r ? r : admin_try_account(a, row.id);
}

int admin_try_account(struct admin *a, struct account_id id)
{
    struct operate_probe probe;
    struct json_object *o;
    int r;

    admin_leave_tx(a);
    r = operate_probe(a->services, a->db, a->arena, id, &probe);
    if (r == OPERATE_E_UNKNOWN)
        return admin_problem(a, PROBLEM_NOT_FOUND, NULL, "The account is not in the catalogue yet.");
    if (r == OPERATE_E_AWAY)
        return admin_problem(a, PROBLEM_LEDGER_AWAY, NULL, NULL);
    if (!r)
        r = admin_again(a);
    if (r)
        return r;
    o = json_new_object();
    json_set_cstr(o, "object", "account_test");
    json_set_i64(o, "account_id", id.v);
    json_set_bool(o, "ok", probe.ok);
    admin_set_id(o, "status", probe.status);
    json_set_i64(o, "latency_us", probe.latency_us);
    admin_set_text(o, "error", probe.error);
    if (probe.models >= 0)
        json_set_i64(o, "models", probe.models);
    else
        json_set_null(o, "models");
    return admin_reply(a, 200, o);
}
