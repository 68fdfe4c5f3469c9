/* balance.c: /api/v1/balance: what a team has, and amounts booked by operators. */
#include "admin/admin.h"

#include "base/err.h"
#include "ledger/statement.h"

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

struct adjust_body {
    struct money amount;
    struct str reason, reference;
};

#define ADJUST_MAX INT64_C(1000000000000000) /* $1,000,000 */

static const struct json_field adjust_fields[] = {
    {"amount", WANT_MONEY, true, -ADJUST_MAX, ADJUST_MAX, offsetof(struct adjust_body, amount),
     SIZE_MAX},
    {"reason", WANT_STR, true, 3, 200, offsetof(struct adjust_body, reason), SIZE_MAX},
    {"reference", WANT_STR, true, 1, 100, offsetof(struct adjust_body, reference), SIZE_MAX},
};

static int audit_adjustment(struct admin *a, const struct adjust_body *b, int64_t transfer)
{
    _cleanup_json_ struct json_object *after = json_new_object();
    struct audit_entry entry = {.team = a->team,
                                .action = "balance.adjust",
                                .kind = "transfer",
                                .object_id = transfer};
    struct buf text;
    int r;

    json_set_money(after, "amount", b->amount);
    json_set_str(after, "reason", b->reason);
    json_set_str(after, "reference", b->reference);
    buf_init(&text, 4096);
    r = json_print(after, &text);
    entry.after = buf_str(&text);
    if (!r)
        r = audit_write(a->db, &a->actor, &entry);
    buf_done(&text);
    return r;
}

int admin_balance_adjust(struct admin *a)
{
    struct adjust_body b = {0};
    int64_t transfer = 0;
    int r = admin_need_operator(a);

    if (!r)
        r = admin_need(a, ROLE_VIEWER);
    if (!r)
        r = admin_body(a, adjust_fields, ARRAY_LEN(adjust_fields), &b);
    if (!r && b.amount.nano == 0)
        r = admin_problem(a, PROBLEM_BAD_FIELD, "amount", "An amount other than zero is wanted.");
    if (r)
        return r;
    r = statement_adjust(a->db, a->team, b.amount, b.reference, b.reason, STR("key"), a->actor.id,
                         a->actor.name, &transfer);
    if (r == STATEMENT_E_REFUSED)
        return admin_problem(a, PROBLEM_CONFLICT, "reference",
                             arena_cstr(a->arena, str_c(db_last_message(a->db))));
    if (!r)
        r = audit_adjustment(a, &b, transfer);
    return r ? r : answer_balance(a, 201);
}
