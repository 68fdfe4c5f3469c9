/* operator_invoice.c: see operator_invoice.h. */
#include "web/pages/operator_invoice.h"

#include "base/err.h"
#include "ledger/invoice.h"
#include "payments/booking.h"
#include "web/form.h"
#include "web/links.h"
#include "web/pages/credit_note.h"
#include "web/pages/operator_area.h"
#include "web/pages/operator_money.h"
#include "web/pages/operator_team.h"
#include "web/view.h"

enum { AMOUNT, REASON, REFERENCE, FIELDS };

static const struct form_field fields[FIELDS] = {
    [AMOUNT] = {"amount", "Amount, $", FORM_MONEY, .required = true, .min = 1,
                .max = BOOKING_MAX_NANO, .help = "At most what is not credited yet.",
                .autocomplete = "off"},
    [REASON] = {"reason", "Reason", FORM_TEXT, .required = true, .min = 3, .max = 300,
                .help = "Stands on the credit note.", .autocomplete = "off"},
    [REFERENCE] = {"reference", "Reference", FORM_TEXT, .required = true, .min = 8, .max = 100},
};

static int read_invoice(struct web *w, struct team *team, struct invoice *ret)
{
    int64_t id;
    int r = operator_team_read(w, team);

    if (r == 0 && !web_param_id(w, 1, &id))
        return IDENTITY_E_NONE;
    if (r == 0 && invoice_get(w->db, w->arena, team->id, id, ret) != INVOICE_OK)
        return IDENTITY_E_NONE;
    return r;
}

static int add_form(struct web *w, const struct form *form, struct json_object *view)
{
    struct form empty;
    int r = form_init(&empty, w->arena, fields, ARRAY_LEN(fields));

    if (r < 0)
        return err_trace(r);
    form_set(&empty, REFERENCE, operator_new_reference(w->arena));
    form_view(form ? form : &empty, view, "form");
    return 0;
}

static int show(struct web *w, int status, const struct team *team, const struct invoice *invoice,
                const struct form *form)
{
    struct json_object *view = json_new_object();
    struct money left = MONEY_ZERO;
    int r = credit_note_left(w->db, team->id, invoice->id, &left);

    if (r == 0)
        r = credit_notes_view(w, team->id, invoice->id, view);
    if (r == 0)
        r = add_form(w, form, view);
    if (r != 0) {
        json_unref(view);
        return r < 0 ? err_trace(r) : web_outcome(w, r);
    }
    json_set_str(view, "number", invoice->number);
    json_set_str(view, "month", invoice->month);
    json_set_str(view, "issued", invoice->issue_date);
    json_set_str(view, "team_name", team->settings.name);
    json_set_str(view, "team_link", link_operator_team(w->arena, team->id, NULL));
    json_set_str(view, "credit_link", link_operator_invoice(w->arena, team->id, invoice->id));
    json_set_bool(view, "may_credit", left.nano > 0);
    view_figure(view, "usage", invoice->usage);
    view_figure(view, "left", left);
    view_figure(view, "closing", invoice->closing);
    return operator_render(w, status, "operator_invoice", "Invoice", view);
}

int page_operator_invoice(struct web *w)
{
    struct invoice invoice;
    struct team team;
    int r = read_invoice(w, &team, &invoice);

    return r ? web_outcome(w, r) : show(w, 200, &team, &invoice, NULL);
}

int page_operator_invoice_credit(struct web *w)
{
    struct identity_fault fault = {0};
    struct invoice invoice;
    struct team team;
    struct form form;
    int r = read_invoice(w, &team, &invoice);

    if (r == 0)
        r = form_init(&form, w->arena, fields, ARRAY_LEN(fields));
    if (r == 0)
        r = form_read(&form, &w->submitted);
    if (r == 0 && !form.wrong)
        r = booking_credit_note(w->db, w->arena, &w->actor, team.id, invoice.id,
                                &(struct booking){form.v[AMOUNT].money, form.v[REASON].text,
                                                  form.v[REFERENCE].text},
                                NULL, &fault);
    if (r == IDENTITY_E_FAULT && str_eq_c(str_c(fault.field), "reference"))
        form_fault_at(&form, AMOUNT,
                      "This form was sent before with another amount. Open the page anew.");
    else if (r == IDENTITY_E_FAULT)
        form_fault(&form, &fault);
    else if (r != 0)
        return web_outcome(w, r);
    if (!form.wrong)
        return web_redirect(w, link_operator_invoice(w->arena, team.id, invoice.id),
                            "The credit note is issued and its amount is on the balance.");
    r = web_again(w);
    return r ? web_outcome(w, r) : show(w, 422, &team, &invoice, &form);
}
