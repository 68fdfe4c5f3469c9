/* balance.c: /api/v1/balance: what a team has, and amounts booked by operators. */
#include "admin/admin.h"

#include "base/err.h"
#include "payments/booking.h"

static int answer_balance(struct admin *a, int status)
{
    struct balance b;
    struct json_object *o;
    int r = balance_read(a->db, a->arena, a->team, &b);

    if (r == STATEMENT_E_NONE)
        return admin_problem(a, PROBLEM_NOT_FOUND, NULL, NULL);
    if (r)
        return r;
    o = json_new_object();
    json_set_cstr(o, "object", "balance");
    json_set_i64(o, "team_id", a->team.v);
    json_set_money(o, "posted", b.posted);
    json_set_money(o, "wallet", b.wallet);
    json_set_money(o, "grants", b.grants);
    json_set_money(o, "held", b.held);
    json_set_money(o, "available", b.available);
    json_set_money(o, "credits", b.credits);
    json_set_money(o, "debits", b.debits);
    return admin_reply(a, status, o);
}

int admin_balance(struct admin *a)
{
    int r = admin_need(a, ROLE_VIEWER);

    if (!r)
        r = admin_query_known(a, NULL, 0);
    return r ? r : answer_balance(a, 200);
}

static const struct json_field adjust_fields[] = {
    {"amount", WANT_MONEY, true, 0, 0, offsetof(struct booking, amount), SIZE_MAX},
    {"reason", WANT_STR, true, 0, 0, offsetof(struct booking, reason), SIZE_MAX},
    {"reference", WANT_STR, true, 0, 0, offsetof(struct booking, reference), SIZE_MAX},
};

int admin_balance_adjust(struct admin *a)
{
    struct identity_fault fault = {0};
    struct booking b = {0};
    int r = admin_need_operator(a);

    if (!r)
        r = admin_need(a, ROLE_VIEWER);
    if (!r)
        r = admin_body(a, adjust_fields, ARRAY_LEN(adjust_fields), &b);
    if (!r)
        r = admin_booked(
            a, booking_adjust(a->db, a->arena, &a->actor, a->team, &b, NULL, &fault), &fault);
    return r ? r : answer_balance(a, 201);
}
