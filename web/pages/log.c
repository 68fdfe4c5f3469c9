/* log.c: see log.h. */
#include "web/pages/log.h"

#include "base/bounds.h"
#include "base/clock.h"
#include "base/err.h"
#include "logs/export.h"
#include "web/csv_stream.h"
#include "web/links.h"
#include "web/view.h"

static struct json_object *row_view(struct web *w, const struct log_row *row)
{
    const struct call_record *call = &row->call;
    struct json_object *o = json_new_object();
    bool another = call->served_model.n && !str_eq(call->served_model, call->requested_model);

    json_set_str(o, "link", link_call(w->arena, call->call_id));
    view_time(o, "started", call->started_at, w->zone, w->now_us);
    view_outcome(o, "state", call->outcome, call->status);
    json_set_str(o, "model", another ? call->served_model : call->requested_model);
    json_set_str(o, "asked_for", another ? call->requested_model : STR(""));
    json_set_str(o, "provider", call->provider);
    json_set_str(o, "key", row->key_name);
    json_set_str(o, "team_name", row->team_name);
    json_set_bool(o, "fallback", call->fallback);
    json_set_bool(o, "stream", call->stream);
    if (call->repeat > 1)
        json_set_str(o, "repeat", view_count_text(w->arena, call->repeat));
    else
        json_set_null(o, "repeat");
    view_count(o, "input", call_record_tokens(call, USAGE_COVERS_PROMPT));
    view_count(o, "output", call_record_tokens(call, USAGE_COVERS_OUTPUT));
    view_duration(o, "ttfb", call->ttfb_us);
    view_duration(o, "latency", call->latency_us);
    view_money(o, "charge", call->charge_nano, VIEW_CALL);
    return o;
}

struct json_object *log_rows_view(struct web *w, const struct log_page *page)
{
    struct json_object *rows = json_new_array();

    for (size_t i = 0; i < page->n; i++)
        json_push(rows, row_view(w, &page->rows[i]));
    return rows;
}

static struct str cursor_link(struct web *w, const struct log_params *p, struct str path,
                              const char *name, struct log_cursor cursor)
{
    char text[LOG_CURSOR_TEXT];
    struct buf url;
    struct str copy;

    log_cursor_text(cursor, text);
    buf_init(&url, BOUND_URL_BYTES);
    buf_put_str(&url, log_params_link(w, p, path, NULL));
    query_put(&url, name, str_c(text));
    copy = arena_str(w->arena, buf_str(&url));
    buf_done(&url);
    return copy;
}

void log_pager_view(struct web *w, const struct log_params *p, struct str path,
                    const struct log_page *page, struct json_object *view)
{
    struct str newer = STR_NONE, older = STR_NONE;

    if (page->newer)
        newer = cursor_link(w, p, path, "after", page->after);
    if (page->older)
        older = cursor_link(w, p, path, "before", page->before);
    view_pager(view, "pager", newer, older);
    view_time(view, "searched", page->searched_us, w->zone, w->now_us);
    json_set_bool(view, "forward", log_goes_forward(w));
    json_set_str(view, "go_on", log_goes_forward(w) ? newer : older);
}

bool log_goes_forward(struct web *w)
{
    return request_query(w->req, "after").n > 0;
}

struct log_cursor log_cursor_of(struct web *w)
{
    struct log_cursor cursor = {0};

    (void)log_cursor_parse(request_query(w->req, log_goes_forward(w) ? "after" : "before"), &cursor);
    return cursor;
}

/* What was pasted into the search box: one call. */
static bool asked_for_call(struct web *w, struct call_id *ret)
{
    struct str id = request_query(w->req, "id");

    return id.n && call_id_parse(str_trim(id), ret);
}

#define WHAT_STANDS_HERE                                                                           \
    "Every call whose key is known stands here within seconds, with each attempt and what it "     \
    "cost, also those that were refused."

/* A search that ran out of time says so itself. */
static int empty_view(struct web *w, const struct log_params *p, const struct log_page *page,
                      struct json_object *view)
{
    struct str everything = STR("/log?period=all");
    bool filtered = log_params_link(w, p, link_to(LINK_log), "period").n > link_to(LINK_log).n;
    bool any = true;
    int r = 0;

    if (!page->n && !page->searched_us && !filtered)
        r = log_has_any(w->db, w->session.team, &any);
    if (page->n || page->searched_us)
        json_set_null(view, "empty");
    else if (filtered)
        view_empty(view, "empty", "No request matches",
                   "Take a filter away, or look at a longer time.", "Show everything", everything);
    else if (any)
        view_empty(view, "empty", "No requests in this time", WHAT_STANDS_HERE, "Show all time",
                   everything);
    else
        view_empty(view, "empty", "No requests yet", WHAT_STANDS_HERE, "Quick start",
                   link_to(LINK_quickstart));
    return r;
}

int log_find(struct web *w, const struct log_params *p, struct log_page *ret)
{
    struct log_filter filter = p->filter;
    int64_t spent_us = (clock_mono_ns() - w->began_ns) / 1000;

    filter.budget_us = MAX(LOG_BUDGET_US - LOG_REST_US - spent_us, LOG_BUDGET_US / 4);
    return log_search(w->db, w->arena, &filter, log_cursor_of(w), log_goes_forward(w), LOG_PAGE_ROWS,
                      ret);
}

int page_log(struct web *w)
{
    struct json_object *view;
    struct log_page page = {0};
    struct log_params p;
    struct str asked = request_query(w->req, "id");
    struct call_id id;
    int r;

    if (asked_for_call(w, &id))
        return web_redirect(w, link_call(w->arena, id), NULL);
    log_params_read(w, false, &p);
    view = json_new_object();
    r = log_params_view(w, &p, link_to(LINK_log), view);
    if (r == 0)
        r = log_find(w, &p, &page);
    if (r == 0)
        r = empty_view(w, &p, &page, view);
    if (r != 0) {
        json_unref(view);
        return web_outcome(w, r);
    }
    json_set(view, "rows", log_rows_view(w, &page));
    json_set_bool(view, "any", page.n > 0);
    json_set_str(view, "not_an_id", asked.n ? asked : STR(""));
    json_set_str(view, "export_link", log_params_link(w, &p, link_to(LINK_log_export), NULL));
    log_pager_view(w, &p, link_to(LINK_log), &page, view);
    return web_render(w, "log", "Request log", view);
}

/* --- export --- */

static int export_row(void *ctx, const struct log_row *row)
{
    struct csv_stream *s = ctx;

    log_csv_row(&s->block, row);
    return csv_stream_row(s);
}

int log_stream_csv(struct web *w, struct str name, const struct log_filter *filter)
{
    struct csv_stream s;
    int r = csv_stream_begin(w, name, &s);

    if (r < 0)
        return err_trace(r);
    log_csv_head(&s.block);
    return csv_stream_end(&s, log_each(w->db, filter, export_row, &s));
}

int page_log_export(struct web *w)
{
    struct log_params p;

    log_params_read(w, false, &p);
    return log_stream_csv(w, STR("tollgate-requests.csv"), &p.filter);
}
