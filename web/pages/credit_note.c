/* credit_note.c: see credit_note.h. */
#include "web/pages/credit_note.h"

#include "base/bounds.h"
#include "base/err.h"
#include "web/links.h"
#include "web/pages/invoice.h"
#include "web/view.h"

static struct json_object *note_view(struct web *w, const struct credit_note *note)
{
    struct json_object *o = json_new_object();

    json_set_str(o, "number", note->number);
    json_set_str(o, "issued", note->issue_date);
    json_set_str(o, "reason", note->reason);
    json_set_str(o, "by", note->by);
    json_set_str(o, "month", note->invoice_month);
    json_set_str(o, "invoice_number", note->invoice_number);
    json_set_str(o, "invoice_date", note->invoice_date);
    json_set_str(o, "invoice_link", link_invoice(w->arena, note->invoice_id, NULL));
    json_set_str(o, "transfer_link", link_transfer(w->arena, note->transfer_id));
    json_set_str(o, "link", link_credit_note(w->arena, note->id, NULL));
    json_set_str(o, "pdf_link", link_credit_note(w->arena, note->id, "pdf"));
    json_set_str(o, "csv_link", link_credit_note(w->arena, note->id, "csv"));
    view_figure(o, "amount", note->amount);
    return o;
}

int credit_notes_view(struct web *w, struct team_id team, int64_t invoice_id,
                      struct json_object *view)
{
    struct json_object *list = json_new_array();
    struct credit_note_page page = {0};
    int r = credit_note_list(w->db, w->arena, team, invoice_id, &page);

    for (size_t i = 0; r == 0 && i < page.n; i++)
        json_push(list, note_view(w, &page.v[i]));
    json_set(view, "credit_notes", list);
    json_set_bool(view, "any_credit_note", page.n > 0);
    return r;
}

static int read_note(struct web *w, struct credit_note *ret)
{
    int64_t id;

    if (!web_param_id(w, 0, &id))
        return CREDIT_NOTE_E_NONE;
    return credit_note_get(w->db, w->arena, w->session.team, id, ret);
}

int page_credit_note(struct web *w)
{
    struct credit_note note;
    struct json_object *view;
    int r = read_note(w, &note);

    if (r == CREDIT_NOTE_E_NONE)
        return web_fail_code(w, PROBLEM_NOT_FOUND);
    if (r < 0)
        return err_trace(r);
    view = note_view(w, &note);
    json_set(view, "seller", invoice_party_view(&note.seller));
    json_set(view, "buyer", invoice_party_view(&note.buyer));
    json_set_str(view, "seller_note", note.seller_note);
    return web_render(w, "credit_note", "Credit note", view);
}

int page_credit_note_pdf(struct web *w)
{
    struct credit_note note;
    struct str pdf;
    int r = read_note(w, &note);

    if (r == 0)
        r = credit_note_get_pdf(w->db, w->arena, w->session.team, note.id, &pdf);
    if (r == CREDIT_NOTE_E_NONE)
        return web_fail_code(w, PROBLEM_NOT_FOUND);
    if (r < 0)
        return err_trace(r);
    return web_file(w, "application/pdf", arena_strf(w->arena, "%.*s.pdf", STR_FMT(note.number)),
                    pdf);
}

int page_credit_note_csv(struct web *w)
{
    struct credit_note note;
    struct buf csv;
    int r = read_note(w, &note);

    if (r == CREDIT_NOTE_E_NONE)
        return web_fail_code(w, PROBLEM_NOT_FOUND);
    if (r < 0)
        return err_trace(r);
    buf_init(&csv, KIB(16));
    credit_note_csv(&note, &csv);
    return web_csv(w, arena_strf(w->arena, "%.*s.csv", STR_FMT(note.number)), &csv);
}
