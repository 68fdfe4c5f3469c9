/* codes.c: /api/v1/codes: codes for credit, of the installation; and /api/v1/redeem, for teams. */
#include "admin/admin.h"

#include "base/err.h"
#include "ledger/grant.h"
#include "payments/redeem.h"

#define CODES_A_PAGE 100

static struct json_object *code_json(const struct redeem_code *c, struct str secret)
{
    struct json_object *o = json_new_object();

    json_set_cstr(o, "object", "code");
    json_set_i64(o, "id", c->id);
    if (secret.p)
        json_set_str(o, "code", secret);
    json_set_str(o, "last4", c->last4);
    json_set_str(o, "name", c->name);
    json_set_str(o, "note", c->note);
    json_set_money(o, "amount", c->amount);
    json_set_i64(o, "priority", c->priority);
    admin_set_id(o, "grant_days", c->grant_days);
    json_set_i64(o, "uses", c->uses);
    json_set_i64(o, "used", c->used);
    admin_set_time(o, "expires_at", c->expires_us);
    admin_set_time(o, "created_at", c->created_at_us);
    admin_set_time(o, "revoked_at", c->revoked_at_us);
    return o;
}

int admin_codes_list(struct admin *a)
{
    static const char *const known[] = {"before"};
    struct redeem_page page;
    struct json_object *array;
    int64_t before = 0;
    int r = admin_need_operator(a);

    if (!r)
        r = admin_query_known(a, known, ARRAY_LEN(known));
    if (!r)
        r = admin_query_i64(a, "before", &before);
    if (!r)
        r = redeem_list(a->db, a->arena, before, CODES_A_PAGE, &page);
    if (r)
        return r;
    array = json_new_array();
    for (size_t i = 0; i < page.n; i++)
        json_push(array, code_json(&page.v[i], STR_NONE));
    return admin_reply(a, 200, admin_list(array));
}

struct code_body {
    struct redeem_wish wish;
    int64_t count, uses, priority, grant_days;
    struct str expires_at;
};

#define AT(field) offsetof(struct code_body, field)

static const struct json_field code_fields[] = {
    {"amount", WANT_MONEY, true, 0, 0, AT(wish.amount), SIZE_MAX},
    {"name", WANT_STR, true, 0, 0, AT(wish.name), SIZE_MAX},
    {"note", WANT_STR, false, 0, 0, AT(wish.note), SIZE_MAX},
    {"count", WANT_I64, false, 1, REDEEM_CODES_MAX, AT(count), SIZE_MAX},
    {"uses", WANT_I64, false, 1, REDEEM_USES_MAX, AT(uses), SIZE_MAX},
    {"priority", WANT_I64, false, 0, GRANT_PRIORITY_MAX, AT(priority), SIZE_MAX},
    {"grant_days", WANT_I64, false, 1, REDEEM_DAYS_MAX, AT(grant_days), SIZE_MAX},
    {"expires_at", WANT_STR, false, 0, 0, AT(expires_at), SIZE_MAX},
};

static int answer_made(struct admin *a, const struct redeem_made *made, int32_t count)
{
    struct json_object *array = json_new_array();
    int r = 0;

    for (int32_t i = 0; r == 0 && i < count; i++) {
        struct redeem_code code;

        r = db_fatal(redeem_get(a->db, a->arena, made[i].id, &code));
        if (r == 0)
            json_push(array, code_json(&code, made[i].code));
    }
    if (r == 0)
        return admin_reply(a, 201, admin_list(array));
    json_unref(array);
    return err_trace(r);
}

int admin_codes_make(struct admin *a)
{
    struct identity_fault fault = {0};
    struct code_body b = {.count = 1, .uses = 1, .priority = GRANT_PRIORITY_USUAL};
    struct redeem_made *made = NULL;
    int r = admin_need_operator(a);

    if (!r)
        r = admin_body(a, code_fields, ARRAY_LEN(code_fields), &b);
    if (!r)
        r = admin_body_time(a, "expires_at", b.expires_at, &b.wish.expires_us);
    if (r)
        return r;
    b.wish.count = (int32_t)b.count;
    b.wish.uses = (int32_t)b.uses;
    b.wish.priority = (int32_t)b.priority;
    b.wish.grant_days = (int32_t)b.grant_days;
    r = admin_identity(a,
                       redeem_make(a->db, a->arena, a->services->key_pepper, &a->actor, &b.wish,
                                   &made, &fault),
                       &fault);
    return r ? r : answer_made(a, made, b.wish.count);
}

int admin_codes_revoke(struct admin *a)
{
    struct redeem_code code;
    int64_t id;
    int r = admin_need_operator(a);

    if (!r)
        r = admin_path_id(a, 0, &id);
    if (!r)
        r = admin_identity(a, redeem_revoke(a->db, &a->actor, id), NULL);
    if (!r)
        r = admin_identity(a, redeem_get(a->db, a->arena, id, &code), NULL);
    return r ? r : admin_reply(a, 200, code_json(&code, STR_NONE));
}

struct redeem_body {
    struct str code;
};

static const struct json_field redeem_fields[] = {
    {"code", WANT_STR, true, 0, 0, offsetof(struct redeem_body, code), SIZE_MAX},
};

int admin_redeem(struct admin *a)
{
    struct identity_fault fault = {0};
    struct redeem_body b = {0};
    struct redeemed got;
    struct json_object *o;
    int r = admin_need(a, ROLE_BILLING);

    if (!r)
        r = admin_body(a, redeem_fields, ARRAY_LEN(redeem_fields), &b);
    if (r)
        return r;
    admin_leave_tx(a);
    r = admin_identity(a,
                       redeem_claim(a->db, a->arena, a->services->key_pepper, &a->actor, a->team,
                                    b.code, &got, &fault),
                       &fault);
    if (!r)
        r = admin_again(a);
    if (r)
        return r;
    o = json_new_object();
    json_set_cstr(o, "object", "redemption");
    json_set_i64(o, "team_id", a->team.v);
    json_set_str(o, "name", got.name);
    json_set_money(o, "amount", got.amount);
    json_set_i64(o, "transfer_id", got.transfer_id);
    return admin_reply(a, 201, o);
}
