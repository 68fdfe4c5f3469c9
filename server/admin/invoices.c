/* invoices.c: /api/v1/invoices: what was invoiced, as JSON, PDF and CSV. */
#include "admin/admin.h"

#include "base/bounds.h"
#include "base/err.h"
#include "ledger/invoice_csv.h"

static struct json_object *party_json(const struct invoice_party *p)
{
    struct json_object *o = json_new_object();

    json_set_str(o, "name", p->name);
    json_set_str(o, "address", p->address);
    json_set_str(o, "country", p->country);
    json_set_str(o, "tax_id", p->tax_id);
    json_set_str(o, "email", p->email);
    return o;
}

static struct json_object *line_json(const struct invoice_line *l)
{
    struct json_object *o = json_new_object();

    json_set_cstr(o, "kind", invoice_line_kind_name(l->kind));
    json_set_str(o, "text", l->text);
    admin_set_time(o, "at", l->at_us);
    json_set_str(o, "provider", l->provider);
    json_set_str(o, "model", l->model);
    json_set_str(o, "key", l->key);
    json_set_i64(o, "calls", l->calls);
    json_set_i64(o, "input_tokens", l->input_tokens);
    json_set_i64(o, "output_tokens", l->output_tokens);
    json_set_money(o, "amount", l->amount);
    return o;
}

static struct json_object *invoice_json(const struct invoice *i)
{
    struct json_object *o = json_new_object();

    json_set_cstr(o, "object", "invoice");
    admin_set_id(o, "id", i->id);
    json_set_str(o, "number", i->number);
    json_set_i64(o, "team_id", i->team.v);
    json_set_str(o, "month", i->month);
    json_set_str(o, "time_zone", i->time_zone);
    json_set_str(o, "issue_date", i->issue_date);
    admin_set_time(o, "issued_at", i->issued_at_us);
    json_set_money(o, "opening_balance", i->opening);
    json_set_money(o, "topups", i->topups);
    json_set_money(o, "grants", i->grants);
    json_set_money(o, "adjustments", i->adjustments);
    json_set_money(o, "usage", i->usage);
    json_set_money(o, "closing_balance", i->closing);
    return o;
}

static struct json_object *invoice_whole(const struct invoice *i)
{
    struct json_object *o = invoice_json(i), *lines = json_new_array();

    json_set(o, "seller", party_json(&i->seller));
    json_set(o, "buyer", party_json(&i->buyer));
    json_set_i64(o, "calls", i->calls);
    for (size_t n = 0; n < i->n_lines; n++)
        json_push(lines, line_json(&i->lines[n]));
    json_set(o, "lines", lines);
    return o;
}

int admin_invoices_list(struct admin *a)
{
    struct invoice_page page;
    struct json_object *array;
    int r = admin_need(a, ROLE_BILLING);

    if (!r)
        r = admin_query_known(a, NULL, 0);
    if (!r)
        r = invoice_list(a->db, a->arena, a->team, &page);
    if (r)
        return r;
    array = json_new_array();
    for (size_t i = 0; i < page.n; i++)
        json_push(array, invoice_json(&page.v[i]));
    return admin_reply(a, 200, admin_list(array));
}

/* {id} is a number, or `preview` for the running month. */
static int find_invoice(struct admin *a, struct invoice *ret)
{
    int64_t id;
    int r = admin_need(a, ROLE_BILLING);

    if (r)
        return r;
    if (str_eq_c(a->req->params[0], "preview"))
        return invoice_preview(a->db, a->arena, a->team, ret);
    r = admin_path_id(a, 0, &id);
    if (r)
        return r;
    r = invoice_get(a->db, a->arena, a->team, id, ret);
    if (r == INVOICE_E_NONE)
        return admin_problem(a, PROBLEM_NOT_FOUND, NULL, NULL);
    return r;
}

int admin_invoices_get(struct admin *a)
{
    struct invoice invoice;
    int r = find_invoice(a, &invoice);

    return r ? r : admin_reply(a, 200, invoice_whole(&invoice));
}

int admin_invoices_csv(struct admin *a)
{
    struct invoice invoice;
    int r = find_invoice(a, &invoice);

    if (r)
        return r;
    invoice_csv(&invoice, &a->body);
    a->out->status = 200;
    a->out->content_type = "text/csv; charset=utf-8";
    return buf_finish(&a->body);
}

int admin_invoices_pdf(struct admin *a)
{
    struct str pdf;
    int64_t id;
    int r = admin_need(a, ROLE_BILLING);

    if (!r)
        r = admin_path_id(a, 0, &id);
    if (r)
        return r;
    r = invoice_get_pdf(a->db, a->arena, a->team, id, &pdf);
    if (r == INVOICE_E_NONE)
        return admin_problem(a, PROBLEM_NOT_FOUND, NULL, NULL);
    return r ? r : admin_reply_bytes(a, "application/pdf", pdf);
}
