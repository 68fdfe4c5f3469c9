/* grants.c: /api/v1/grants: promotional credit of a team; given and ended by the installation. */
#include "admin/admin.h"

#include "base/err.h"
#include "payments/booking.h"

#define GRANTS_LISTED 200

static struct json_object *grant_json(const struct grant *g)
{
    struct json_object *o = json_new_object();

    json_set_cstr(o, "object", "grant");
    json_set_i64(o, "id", g->id);
    json_set_i64(o, "team_id", g->team.v);
    json_set_str(o, "name", g->name);
    json_set_str(o, "reason", g->reason);
    json_set_i64(o, "priority", g->priority);
    json_set_money(o, "amount", g->amount);
    json_set_money(o, "left", g->left);
    json_set_money(o, "used", g->used);
    json_set_money(o, "expired", g->expired);
    json_set_bool(o, "live", g->live);
    admin_set_time(o, "given_at", g->given_at_us);
    admin_set_time(o, "expires_at", g->expires_us);
    json_set_i64(o, "transfer_id", g->transfer_id);
    return o;
}

static int answer_grants(struct admin *a, int status)
{
    struct grant_page page;
    struct json_object *array;
    int r = grant_list(a->db, a->arena, a->team, GRANTS_LISTED, &page);

    if (r)
        return r;
    array = json_new_array();
    for (size_t i = 0; i < page.n; i++)
        json_push(array, grant_json(&page.v[i]));
    return admin_reply(a, status, admin_list(array));
}

int admin_grants_list(struct admin *a)
{
    int r = admin_need(a, ROLE_VIEWER);

    if (!r)
        r = admin_query_known(a, NULL, 0);
    return r ? r : answer_grants(a, 200);
}

struct grant_body {
    struct grant_wish wish;
    int64_t priority;
    struct str expires_at;
};

#define AT(field) offsetof(struct grant_body, field)

static const struct json_field grant_fields[] = {
    {"amount", WANT_MONEY, true, 0, 0, AT(wish.amount), SIZE_MAX},
    {"name", WANT_STR, true, 0, 0, AT(wish.name), SIZE_MAX},
    {"reason", WANT_STR, true, 0, 0, AT(wish.reason), SIZE_MAX},
    {"reference", WANT_STR, true, 0, 0, AT(wish.reference), SIZE_MAX},
    {"priority", WANT_I64, false, 0, GRANT_PRIORITY_MAX, AT(priority), SIZE_MAX},
    {"expires_at", WANT_STR, false, 0, 0, AT(expires_at), SIZE_MAX},
};

int admin_grants_give(struct admin *a)
{
    struct identity_fault fault = {0};
    struct grant_body b = {.priority = GRANT_PRIORITY_USUAL};
    int r = admin_need_operator(a);

    if (!r)
        r = admin_need(a, ROLE_VIEWER);
    if (!r)
        r = admin_body(a, grant_fields, ARRAY_LEN(grant_fields), &b);
    if (!r)
        r = admin_body_time(a, "expires_at", b.expires_at, &b.wish.expires_us);
    if (r)
        return r;
    b.wish.priority = (int32_t)b.priority;
    r = admin_booked(a, booking_grant(a->db, a->arena, &a->actor, a->team, &b.wish, NULL, &fault),
                     &fault);
    return r ? r : answer_grants(a, 201);
}

int admin_grants_end(struct admin *a)
{
    int64_t id;
    int r = admin_need_operator(a);

    if (!r)
        r = admin_need(a, ROLE_VIEWER);
    if (!r)
        r = admin_path_id(a, 0, &id);
    if (!r)
        r = admin_identity(a, booking_end_grant(a->db, &a->actor, a->team, id), NULL);
    return r ? r : answer_grants(a, 200);
}
