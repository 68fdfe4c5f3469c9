/* invoice.c: see invoice.h. */
#include "web/pages/invoice.h"

#include <errno.h>

#include "base/bounds.h"
#include "base/err.h"
#include "http/stream.h"
#include "ledger/invoice.h"
#include "ledger/invoice_csv.h"
#include "logs/retention.h"
#include "web/links.h"
#include "web/pages/credit_note.h"
#include "web/pages/log.h"
#include "web/view.h"

struct json_object *invoice_party_view(const struct invoice_party *party)
{
    struct json_object *o = json_new_object();

    json_set_str(o, "name", party->name);
    json_set_str(o, "address", party->address);
    json_set_str(o, "country", party->country);
    json_set_str(o, "tax_id", party->tax_id);
    json_set_str(o, "email", party->email);
    return o;
}

static struct json_object *movement_view(const struct invoice_line *line)
{
    struct json_object *o = json_new_object();

    json_set_str(o, "day", line->date);
    json_set_str(o, "text", line->text);
    view_money(o, "amount", line->amount, VIEW_CALL); /* as the sums above them */
    return o;
}

/* Usage is negative in the invoice's sum; in its own table it reads as what was used. */
static struct json_object *usage_view(const struct invoice_line *line)
{
    struct json_object *o = json_new_object();
    struct money used = {0};

    json_set_str(o, "provider", line->provider);
    json_set_str(o, "model", line->model);
    json_set_str(o, "text", line->text);
    json_set_str(o, "key", line->key);
    view_count(o, "calls", line->calls);
    view_count(o, "input", line->input_tokens);
    view_count(o, "output", line->output_tokens);
    if (money_sub(MONEY_ZERO, line->amount, &used) == MONEY_OK)
        view_money(o, "amount", used, VIEW_CALL);
    else
        view_money(o, "amount", line->amount, VIEW_CALL);
    return o;
}

static void lines_view(const struct invoice *invoice, struct json_object *view)
{
    struct json_object *movements = json_new_array(), *usage = json_new_array();

    for (size_t i = 0; i < invoice->n_lines; i++) {
        if (invoice->lines[i].kind == INVOICE_USAGE)
            json_push(usage, usage_view(&invoice->lines[i]));
        else
            json_push(movements, movement_view(&invoice->lines[i]));
    }
    json_set_bool(view, "any_movements", json_length(movements) > 0);
    json_set_bool(view, "any_usage", json_length(usage) > 0);
    json_set(view, "movements", movements);
    json_set(view, "usage_lines", usage);
}

static int show(struct web *w, const struct invoice *invoice)
{
    struct json_object *view = json_new_object();
    struct str until = view_day(w->arena, invoice->until_us - 1, w->zone);
    int r;

    json_set_str(view, "number", invoice->number);
    json_set_str(view, "month", invoice->month);
    json_set_str(view, "issue_date", invoice->issue_date);
    json_set_str(view, "invoice_zone", invoice->time_zone);
    json_set_str(view, "from", view_day(w->arena, invoice->from_us, w->zone));
    json_set_str(view, "until", until);
    json_set(view, "seller", invoice_party_view(&invoice->seller));
    json_set(view, "buyer", invoice_party_view(&invoice->buyer));
    json_set_str(view, "seller_note", invoice->seller_note);
    view_money(view, "opening", invoice->opening, VIEW_CALL);
    view_money(view, "topups", invoice->topups, VIEW_CALL);
    view_money(view, "grants", invoice->grants, VIEW_CALL);
    view_money(view, "adjustments", invoice->adjustments, VIEW_CALL);
    view_money(view, "usage", (struct money){-invoice->usage.nano}, VIEW_CALL);
    view_money(view, "closing", invoice->closing, VIEW_CALL);
    json_set_str(view, "calls", view_plural(w->arena, invoice->calls, "charged request", NULL));
    view_count(view, "calls_total", invoice->calls);
    view_money(view, "used", invoice->usage, VIEW_CALL);
    json_set_str(view, "pdf_link",
                 invoice->id ? link_invoice(w->arena, invoice->id, "pdf") : STR(""));
    json_set_str(view, "csv_link",
                 invoice->id ? link_invoice(w->arena, invoice->id, "csv") : STR(""));
    json_set_str(view, "requests_link",
                 invoice->id ? link_invoice(w->arena, invoice->id, "requests") : STR(""));
    lines_view(invoice, view);
    r = invoice->id ? credit_notes_view(w, invoice->team, invoice->id, view) : 0;
    if (r != 0) {
        json_unref(view);
        return web_outcome(w, r);
    }
    if (!invoice->id)
        json_set_bool(view, "any_credit_note", false);
    return web_render(w, "invoice", invoice->id ? "Invoice" : "The running month", view);
}

static int read_invoice(struct web *w, struct invoice *ret)
{
    int64_t id;

    if (!web_param_id(w, 0, &id))
        return INVOICE_E_NONE;
    return invoice_get(w->db, w->arena, w->session.team, id, ret);
}

/* Its days are those of the zone it was cut in. */
static int show_in_its_zone(struct web *w, const struct invoice *invoice)
{
    w->zone = zone_open(w->arena, invoice->time_zone);
    return w->zone ? show(w, invoice) : err_origin(-ENOMEM);
}

int page_invoice(struct web *w)
{
    struct invoice invoice = {0};
    int r = read_invoice(w, &invoice);

    if (r == INVOICE_E_NONE)
        return web_fail_code(w, PROBLEM_NOT_FOUND);
    return r < 0 ? err_trace(r) : show_in_its_zone(w, &invoice);
}

int page_preview(struct web *w)
{
    struct invoice invoice = {0};
    int r = invoice_preview(w->db, w->arena, w->session.team, &invoice);

    return r < 0 ? err_trace(r) : show_in_its_zone(w, &invoice);
}

int page_invoice_pdf(struct web *w)
{
    struct invoice invoice = {0};
    struct str pdf;
    int r = read_invoice(w, &invoice);

    if (r == 0)
        r = invoice_get_pdf(w->db, w->arena, w->session.team, invoice.id, &pdf);
    if (r == INVOICE_E_NONE)
        return web_fail_code(w, PROBLEM_NOT_FOUND);
    if (r < 0)
        return err_trace(r);
    return web_file(w, "application/pdf",
                    arena_strf(w->arena, "%.*s.pdf", STR_FMT(invoice.number)), pdf);
}

int page_invoice_csv(struct web *w)
{
    struct invoice invoice = {0};
    struct buf csv;
    int r = read_invoice(w, &invoice);

    if (r == INVOICE_E_NONE)
        return web_fail_code(w, PROBLEM_NOT_FOUND);
    if (r < 0)
        return err_trace(r);
    buf_init(&csv, MIB(8));
    invoice_csv(&invoice, &csv);
    return web_csv(w, arena_strf(w->arena, "%.*s.csv", STR_FMT(invoice.number)), &csv);
}

struct sending {
    struct stream *stream;
    bool gone;
};

static int send_part(void *ctx, struct str bytes)
{
    struct sending *s = ctx;

    s->gone = stream_write(s->stream, bytes) != 0;
    return s->gone;
}

static int send_archive(struct web *w, struct str name, int64_t until_us)
{
    struct sending s = {0};
    int r = web_stream(w, "text/csv; charset=utf-8", name, &s.stream);

    if (r < 0)
        return err_trace(r);
    r = archive_each(w->db, w->session.team, until_us, send_part, &s);
    stream_end(s.stream, r == 0);
    return r < 0 ? err_trace(r) : 0;
}

int page_invoice_requests(struct web *w)
{
    struct invoice invoice = {0};
    int64_t until_us = 0;
    struct str name;
    int r = read_invoice(w, &invoice);

    if (r == INVOICE_E_NONE)
        return web_fail_code(w, PROBLEM_NOT_FOUND);
    if (r < 0)
        return err_trace(r);
    name = arena_strf(w->arena, "%.*s-requests.csv", STR_FMT(invoice.number));
    r = archive_find(w->db, w->session.team, invoice.id, &until_us);
    if (r < 0)
        return err_trace(r);
    if (r == RETENTION_OK)
        return send_archive(w, name, until_us);
    return log_stream_csv(w, name, &(struct log_filter){.team = w->session.team,
                                                       .from_us = invoice.from_us,
                                                       .to_us = invoice.until_us,
                                                       .cost_above = {-1}});
}
