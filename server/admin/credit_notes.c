/* credit_notes.c: /api/v1/credit_notes: what corrects invoices; issued by the installation. */
#include "admin/admin.h"

#include "base/err.h"
#include "payments/booking.h"

static struct json_object *note_json(const struct credit_note *c)
{
    struct json_object *o = json_new_object();

    json_set_cstr(o, "object", "credit_note");
    json_set_i64(o, "id", c->id);
    json_set_str(o, "number", c->number);
    json_set_i64(o, "team_id", c->team.v);
    json_set_i64(o, "invoice_id", c->invoice_id);
    json_set_str(o, "invoice_number", c->invoice_number);
    json_set_str(o, "month", c->invoice_month);
    json_set_money(o, "amount", c->amount);
    json_set_str(o, "reason", c->reason);
    json_set_str(o, "issue_date", c->issue_date);
    admin_set_time(o, "issued_at", c->issued_at_us);
    json_set_i64(o, "transfer_id", c->transfer_id);
    return o;
}

int admin_credit_notes_list(struct admin *a)
{
    static const char *const known[] = {"invoice"};
    struct credit_note_page page;
    struct json_object *array;
    int64_t invoice = 0;
    int r = admin_need(a, ROLE_BILLING);

    if (!r)
        r = admin_query_known(a, known, ARRAY_LEN(known));
    if (!r)
        r = admin_query_i64(a, "invoice", &invoice);
    if (!r)
        r = credit_note_list(a->db, a->arena, a->team, invoice, &page);
    if (r)
        return r;
    array = json_new_array();
    for (size_t i = 0; i < page.n; i++)
        json_push(array, note_json(&page.v[i]));
    return admin_reply(a, 200, admin_list(array));
}

static int find_note(struct admin *a, struct credit_note *ret)
{
    int64_t id;
    int r = admin_need(a, ROLE_BILLING);

    if (!r)
        r = admin_path_id(a, 0, &id);
    if (r)
        return r;
    r = credit_note_get(a->db, a->arena, a->team, id, ret);
    return r == CREDIT_NOTE_E_NONE ? admin_problem(a, PROBLEM_NOT_FOUND, NULL, NULL) : r;
}

int admin_credit_notes_get(struct admin *a)
{
    struct credit_note note;
    int r = find_note(a, &note);

    return r ? r : admin_reply(a, 200, note_json(&note));
}

int admin_credit_notes_pdf(struct admin *a)
{
    struct credit_note note;
    struct str pdf;
    int r = find_note(a, &note);

    if (!r)
        r = credit_note_get_pdf(a->db, a->arena, a->team, note.id, &pdf);
    return r ? r : admin_reply_bytes(a, "application/pdf", pdf);
}

int admin_credit_notes_csv(struct admin *a)
{
    struct credit_note note;
    int r = find_note(a, &note);

    if (r)
        return r;
    credit_note_csv(&note, &a->body);
    a->out->status = 200;
    a->out->content_type = "text/csv; charset=utf-8";
    return buf_finish(&a->body);
}

static const struct json_field issue_fields[] = {
    {"amount", WANT_MONEY, true, 0, 0, offsetof(struct booking, amount), SIZE_MAX},
    {"reason", WANT_STR, true, 0, 0, offsetof(struct booking, reason), SIZE_MAX},
    {"reference", WANT_STR, true, 0, 0, offsetof(struct booking, reference), SIZE_MAX},
};

int admin_credit_notes_issue(struct admin *a)
{
    struct identity_fault fault = {0};
    struct booking b = {0};
    struct credit_note note;
    int64_t invoice, id = 0;
    int r = admin_need_operator(a);

    if (!r)
        r = admin_need(a, ROLE_VIEWER);
    if (!r)
        r = admin_path_id(a, 0, &invoice);
    if (!r)
        r = admin_body(a, issue_fields, ARRAY_LEN(issue_fields), &b);
    if (!r)
        r = admin_booked(a,
                         booking_credit_note(a->db, a->arena, &a->actor, a->team, invoice, &b, &id,
                                             &fault),
                         &fault);
    if (!r)
        r = credit_note_get(a->db, a->arena, a->team, id, &note);
    return r ? r : admin_reply(a, 201, note_json(&note));
}
