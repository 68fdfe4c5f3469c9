/* ledger.c: see ledger.h. */
#include "web/pages/ledger.h"

#include <inttypes.h>

#include "base/err.h"
#include "ledger/grant.h"
#include "ledger/statement.h"
#include "videos/job.h"
#include "web/links.h"
#include "web/pages/billing.h"
#include "web/pages/ledger_filter.h"
#include "web/view.h"

#define ROWS 50
#define CALLS 100

int page_ledger(struct web *w)
{
    struct str path = link_to(LINK_ledger);
    struct json_object *view, *rows;
    struct statement_page page = {0};
    struct ledger_filter filter;
    int r = ledger_filter_read(w, w->session.team, "all", &filter);

    if (r == 0)
        r = statement_list(w->db, w->arena, w->session.team, &filter.is, filter.before, ROWS, &page);
    if (r != 0)
        return web_outcome(w, r);
    view = json_new_object();
    rows = json_new_array();
    for (size_t i = 0; i < page.n; i++)
        json_push(rows, billing_movement(w, &page.v[i]));
    json_set(view, "movements", rows);
    json_set_bool(view, "filtered", filter.months.n > 0);
    r = ledger_filter_view(w, w->session.team, &filter, link_to(LINK_ledger_export), view);
    if (r != 0) {
        json_unref(view);
        return web_outcome(w, r);
    }
    view_pager(view, "pager", filter.before ? ledger_filter_link(w, &filter, path, 0) : STR_NONE,
               page.older ? ledger_filter_link(w, &filter, path, page.v[page.n - 1].id) : STR_NONE);
    return web_render(w, "ledger", "Ledger", view);
}

static struct json_object *calls_view(struct web *w, const struct statement_call *calls, size_t n)
{
    struct json_object *list = json_new_array();

    for (size_t i = 0; i < n; i++) {
        struct json_object *o = json_new_object();
        char id[CALL_ID_TEXT];

        call_id_text(calls[i].id, id);
        json_set_cstr(o, "id", id);
        json_set_str(o, "link", link_call(w->arena, calls[i].id));
        json_set_str(o, "model", calls[i].model);
        json_set_str(o, "key", calls[i].key_name);
        view_money(o, "charge", calls[i].charge, VIEW_CALL);
        json_push(list, o);
    }
    return list;
}

static struct str more_link(struct web *w, int64_t transfer, struct call_id after)
{
    char id[CALL_ID_TEXT];

    call_id_text(after, id);
    return arena_strf(w->arena, "%.*s?after=%s", STR_FMT(link_transfer(w->arena, transfer)), id);
}

/* What paid for a usage transfer besides the wallet. */
static int covers_view(struct web *w, int64_t transfer, struct json_object *view)
{
    struct json_object *list = json_new_array();
    struct grant_cover *covers = NULL;
    size_t n = 0;
    int r = grant_covers(w->db, w->arena, w->session.team, transfer, &covers, &n);

    for (size_t i = 0; r == 0 && i < n; i++) {
        struct json_object *o = json_new_object();

        json_set_str(o, "name", covers[i].name);
        view_money(o, "amount", covers[i].amount, VIEW_CALL);
        json_push(list, o);
    }
    json_set_bool(view, "any_covers", n > 0);
    json_set(view, "covers", list);
    return r;
}

/* The request whose failed video it gives something back of; p NULL: it is no such transfer. */
static struct str made_by(struct web *w, const struct statement_row *row)
{
    struct str rest = row->ref, name = STR_NONE;
    struct call_id call;

    if (!str_eq_c(row->code, "ADJUST") || !str_split(&rest, '/', &name) || !video_name_parse(name, &call))
        return STR_NONE;
    return link_call(w->arena, call);
}

int page_transfer(struct web *w)
{
    struct statement_call *calls = NULL;
    struct statement_row row;
    struct call_id after = {{0}};
    struct json_object *view;
    size_t n = 0;
    int64_t id;
    int r = STATEMENT_E_NONE;

    if (web_param_id(w, 0, &id))
        r = statement_get(w->db, w->arena, w->session.team, id, &row);
    if (r == STATEMENT_E_NONE)
        return web_fail_code(w, PROBLEM_NOT_FOUND);
    if (r == 0 && !call_id_parse(request_query(w->req, "after"), &after))
        after = (struct call_id){{0}};
    if (r == 0 && row.calls)
        r = statement_calls(w->db, w->arena, w->session.team, id, after, CALLS, &calls, &n);
    if (r != 0)
        return web_outcome(w, r);
    view = json_new_object();
    json_set(view, "transfer", billing_movement(w, &row));
    json_set_str(view, "made_by", made_by(w, &row));
    json_set(view, "calls", calls_view(w, calls, n));
    json_set_bool(view, "any_calls", n > 0);
    r = covers_view(w, id, view);
    if (r != 0) {
        json_unref(view);
        return web_outcome(w, r);
    }
    view_pager(view, "pager", STR_NONE,
               n == CALLS ? more_link(w, id, calls[n - 1].id) : STR_NONE);
    return web_render(w, "transfer", "Transfer", view);
}
