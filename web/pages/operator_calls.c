/* operator_calls.c: see operator_calls.h. The filter is the request log's (log_filter.h), with two
 * more: team and provider account; they stand in the path that its links are made of. */
#include "web/pages/operator_calls.h"

#include <inttypes.h>

#include "base/bounds.h"
#include "base/err.h"
#include "web/links.h"
#include "web/pages/call.h"
#include "web/pages/log.h"
#include "web/pages/log_filter.h"
#include "web/pages/operator_area.h"
#include "web/view.h"

struct wanted {
    struct log_params params;
    struct str team, account; /* as in the address; empty: any */
    struct str path;          /* with both */
};

static struct str path_with(struct web *w, struct str team, struct str account)
{
    struct buf url;
    struct str path;

    buf_init(&url, KIB(4));
    buf_put_str(&url, link_to(LINK_operator_calls));
    query_put(&url, "team", team);
    query_put(&url, "account", account);
    path = arena_str(w->arena, buf_str(&url));
    buf_done(&url);
    return path;
}

static void read_wanted(struct web *w, struct wanted *ret)
{
    struct str account = str_trim(request_query(w->req, "account"));
    int64_t team = operator_query_id(w, "team");
    struct wanted wanted;

    log_params_read(w, true, &wanted.params);
    wanted.team = team ? arena_strf(w->arena, "%" PRId64, team) : STR("");
    wanted.account = account.p ? account : STR("");
    wanted.path = path_with(w, wanted.team, wanted.account);
    wanted.params.filter.team.v = team;
    wanted.params.filter.account = account.n ? account : STR_NONE;
    *ret = wanted;
}

static void add_chip(struct web *w, const struct wanted *wanted, const char *says, struct str value,
                     struct str without, struct json_object *chips)
{
    struct json_object *chip;

    if (!value.n)
        return;
    chip = json_new_object();
    json_set_cstr(chip, "says", says);
    json_set_str(chip, "value", value);
    json_set_str(chip, "link", log_params_link(w, &wanted->params, without, NULL));
    json_push(chips, chip);
}

static int filter_view(struct web *w, const struct wanted *wanted, struct json_object *view)
{
    int r = log_params_view(w, &wanted->params, wanted->path, view);
    struct json_object *chips = json_get(view, "chips"), *filter = json_get(view, "filter");

    if (r != 0)
        return r;
    add_chip(w, wanted, "team is", wanted->team, path_with(w, STR(""), wanted->account), chips);
    add_chip(w, wanted, "account is", wanted->account, path_with(w, wanted->team, STR("")), chips);
    json_set_str(filter, "team_id", wanted->team);
    json_set_str(filter, "account", wanted->account);
    json_set_str(filter, "model", wanted->params.model);
    json_set_str(filter, "provider", wanted->params.provider);
    json_set_str(filter, "key_id", wanted->params.key);
    json_set_bool(view, "any_chip", json_length(chips) > 0);
    return 0;
}

/* The log's rows, but each leads to the operator's view of the call and names its team. */
static struct json_object *rows_view(struct web *w, const struct log_page *page)
{
    struct json_object *rows = log_rows_view(w, page);

    for (size_t i = 0; i < page->n; i++) {
        const struct call_record *call = &page->rows[i].call;
        struct json_object *o = json_at(rows, i);

        json_set_str(o, "link", link_operator_call(w->arena, call->call_id));
        json_set_str(o, "team_link",
                     link_operator_team(w->arena, (struct team_id){call->team_id}, NULL));
        json_set_str(o, "account", call->account_name);
        view_money(o, "cost", call->cost_nano, VIEW_CALL);
    }
    return rows;
}

int page_operator_calls(struct web *w)
{
    struct str id = request_query(w->req, "id");
    struct call_id call = {{0}};
    struct log_page page = {0};
    struct json_object *view;
    struct wanted wanted;
    int r;

    if (id.n && call_id_parse(str_trim(id), &call))
        return web_redirect(w, link_operator_call(w->arena, call), NULL);
    read_wanted(w, &wanted);
    view = json_new_object();
    r = filter_view(w, &wanted, view);
    if (r == 0)
        r = log_find(w, &wanted.params, &page);
    if (r != 0) {
        json_unref(view);
        return web_outcome(w, r);
    }
    json_set(view, "rows", rows_view(w, &page));
    json_set_bool(view, "any", page.n > 0);
    json_set_str(view, "not_an_id", id.n ? id : STR(""));
    log_pager_view(w, &wanted.params, wanted.path, &page, view);
    return operator_render(w, 200, "operator_calls", "All calls", view);
}

int page_operator_call(struct web *w)
{
    struct log_row row = {0};
    struct call_id id;
    int r;

    if (!call_id_parse(w->req->params[0], &id))
        return web_fail_code(w, PROBLEM_NOT_FOUND);
    r = log_get(w->db, w->arena, (struct team_id){0}, id, &row);
    if (r == LOG_E_NONE) {
        struct problem p = problem_of(PROBLEM_NOT_FOUND);

        p.message =
            STR("There is no such call. One that has just ended stands here within seconds: "
                "reload the page.");
        return web_fail(w, &p);
    }
    return r ? web_outcome(w, r) : call_show(w, &row, true);
}
