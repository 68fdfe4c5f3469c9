/* usage.c: see usage.h. Table, chart and export sum over the same days in the team's time zone. */
#include "web/pages/usage.h"

#include <inttypes.h>

#include "base/bounds.h"
#include "base/csv.h"
#include "base/err.h"
#include "identity/project.h"
#include "logs/search.h"
#include "web/chart.h"
#include "web/links.h"
#include "web/pages/log_filter.h"
#include "web/view.h"

static const struct {
    const char *name, *label;
    enum usage_by by;
    const char *none; /* what a row is called that has no name */
} groups[] = {
    {"day", "Day", USAGE_BY_DAY},
    {"model", "Model", USAGE_BY_MODEL, NO_MODEL},
    {"key", "Key", USAGE_BY_KEY, NULL},
    {"project", "Project", USAGE_BY_PROJECT, "No project"},
    {"provider", "Provider", USAGE_BY_PROVIDER, NO_PROVIDER},
    {"tag", "Tag", USAGE_BY_TAG, "No tag"},
};

static const struct {
    const char *name, *label;
} spans[] = {
    {"month", "This month"}, {"last-month", "Last month"}, {"7d", "Last 7 days"},
    {"30d", "Last 30 days"}, {"90d", "Last 90 days"},      {"days", "The days below"},
};

/* More would be a page that nobody reads; the export has them. */
#define PAGE_ROWS 400

struct params {
    size_t group;
    struct str span; /* one of spans */
    struct usage_query query;
    struct str key, project, model, tag;
};

static struct str param(struct web *w, const char *name)
{
    struct str value = request_query(w->req, name);

    return value.p ? str_trim(value) : STR("");
}

static void set_days(struct web *w, struct params *p, const struct civil *from,
                     const struct civil *to)
{
    p->query.from_day = civil_day(w->arena, from);
    p->query.to_day = civil_day(w->arena, to);
}

static void set_span(struct web *w, struct params *p)
{
    struct civil to = zone_civil(w->zone, w->now_us), from = to;

    if (str_eq_c(p->span, "7d")) {
        from = civil_plus_days(&to, -6);
    } else if (str_eq_c(p->span, "30d")) {
        from = civil_plus_days(&to, -29);
    } else if (str_eq_c(p->span, "90d")) {
        from = civil_plus_days(&to, -89);
    } else if (str_eq_c(p->span, "last-month")) {
        to = civil_plus_days(&to, -to.day);
        from = to;
        from.day = 1;
    } else {
        p->span = STR("month");
        from.day = 1;
    }
    set_days(w, p, &from, &to);
}

/* The chart has no more days than that. */
static void read_days(struct web *w, struct params *p)
{
    struct civil from, to, latest;

    if (!str_eq_c(p->span, "days") || !civil_parse_day(param(w, "from"), &from) ||
        !civil_parse_day(param(w, "to"), &to)) {
        set_span(w, p);
        return;
    }
    latest = civil_plus_days(&from, BOUND_CHART_DAYS - 1);
    if (str_cmp(civil_day(w->arena, &to), civil_day(w->arena, &latest)) > 0)
        to = latest;
    set_days(w, p, &from, &to);
}

static void read_params(struct web *w, struct params *p)
{
    struct str by = param(w, "by");

    *p = (struct params){.span = param(w, "span"),
                         .key = param(w, "key"),
                         .project = param(w, "project"),
                         .model = param(w, "model"),
                         .tag = param(w, "tag")};
    p->query.team = w->session.team;
    for (size_t i = 0; i < ARRAY_LEN(groups); i++)
        if (str_eq_c(by, groups[i].name))
            p->group = i;
    read_days(w, p);
    if (str_i64(p->key, &p->query.key.v) != STR_OK)
        p->query.key.v = 0;
    if (str_i64(p->project, &p->query.project.v) != STR_OK)
        p->query.project.v = 0;
    p->query.model = p->model.n ? p->model : STR_NONE;
    p->query.tag = p->tag.n ? p->tag : STR_NONE;
}

static struct str link_by(struct web *w, const struct params *p, enum link to, size_t group)
{
    bool days = str_eq_c(p->span, "days");
    struct buf url;
    struct str copy;

    buf_init(&url, 4096);
    buf_put_str(&url, link_to(to));
    query_put(&url, "by", str_c(groups[group].name));
    query_put(&url, "span", p->span);
    query_put(&url, "from", days ? p->query.from_day : STR(""));
    query_put(&url, "to", days ? p->query.to_day : STR(""));
    query_put(&url, "key", p->key);
    query_put(&url, "project", p->project);
    query_put(&url, "model", p->model);
    query_put(&url, "tag", p->tag);
    copy = arena_str(w->arena, buf_str(&url));
    buf_done(&url);
    return copy;
}

/* The calls behind a row: the log with the same days, and of a model those that it served, since no others
 * are in its row. None where the log has no such filter: what has no project has no number. */
static struct str log_link(struct web *w, const struct params *p, const struct usage_row *row)
{
    struct str id = row->id ? arena_strf(w->arena, "%" PRId64, row->id) : STR("");
    enum usage_by by = groups[p->group].by;
    struct str model = by == USAGE_BY_MODEL ? row->label : p->model;
    struct buf url;
    struct str copy;

    if (!row->label.n && by != USAGE_BY_MODEL && by != USAGE_BY_PROVIDER)
        return STR_NONE;
    buf_init(&url, 4096);
    buf_put_str(&url, link_to(LINK_log));
    query_put(&url, "from", by == USAGE_BY_DAY ? row->label : p->query.from_day);
    query_put(&url, "to", by == USAGE_BY_DAY ? row->label : p->query.to_day);
    query_put(&url, "key", by == USAGE_BY_KEY ? id : p->key);
    query_put(&url, "project", by == USAGE_BY_PROJECT ? id : p->project);
    query_put(&url, "model", model);
    query_put(&url, "tag", by == USAGE_BY_TAG ? row->label : p->tag);
    if (model.n)
        query_put(&url, "status", STR(LOG_SERVED));
    else if (by == USAGE_BY_MODEL)
        query_put(&url, "status", STR(LOG_UNSERVED));
    if (by == USAGE_BY_PROVIDER)
        query_put(&url, "provider", row->label.n ? row->label : STR(LOG_NO_PROVIDER));
    copy = arena_str(w->arena, buf_str(&url));
    buf_done(&url);
    return copy;
}

static struct json_object *row_view(const struct usage_row *row, const char *none)
{
    struct json_object *o = json_new_object();

    json_set_str(o, "label", row->label.n ? row->label : str_c(none));
    json_set_bool(o, "nameless", !row->label.n);
    view_count(o, "calls", row->calls);
    view_count(o, "blocked", row->blocked);
    view_count(o, "errors", row->errors);
    view_count(o, "fallbacks", row->fallbacks);
    view_count(o, "prompt", usage_sum(&row->used, USAGE_COVERS_PROMPT));
    view_count(o, "cached", row->used.n[USAGE_CACHED_INPUT]);
    view_count(o, "output", usage_sum(&row->used, USAGE_COVERS_OUTPUT));
    view_count(o, "reasoning", row->used.n[USAGE_REASONING]);
    view_money(o, "charge", row->charge, VIEW_CALL);
    view_figure(o, "spend", row->charge);
    json_set_bool(o, "any_hits", row->cache_hits > 0);
    view_count(o, "cache_hits", row->cache_hits);
    view_figure(o, "saved", row->saved);
    return o;
}

static struct json_object *others_view(struct web *w, const struct usage_table *table)
{
    struct usage_row others = table->others;
    struct json_object *o;

    others.label = view_plural(w->arena, table->n_others, "other", NULL);
    o = row_view(&others, NULL);
    json_set_null(o, "link");
    chart_share(o, "share", others.charge, table->total.charge);
    return o;
}

static void table_view(struct web *w, const struct params *p, const struct usage_table *table,
                       struct json_object *view)
{
    const char *none = groups[p->group].none;
    bool by_model = groups[p->group].by == USAGE_BY_MODEL;
    struct json_object *rows = json_new_array();

    json_set_null(view, "unserved");
    for (size_t i = 0; i < table->n; i++) {
        struct json_object *o = row_view(&table->rows[i], none);

        if (by_model && !table->rows[i].label.n)
            json_set_cstr(view, "unserved", none);
        json_set_str(o, "link", log_link(w, p, &table->rows[i]));
        chart_share(o, "share", table->rows[i].charge, table->total.charge);
        json_push(rows, o);
    }
    if (table->n_others > 0)
        json_push(rows, others_view(w, table));
    json_set(view, "rows", rows);
    json_set_bool(view, "any", table->n > 0);
    json_set(view, "total", row_view(&table->total, none));
}

static int filter_view(struct web *w, const struct params *p, struct json_object *view)
{
    struct json_object *list = json_new_array(), *keys = json_new_array();
    struct json_object *projects = json_new_array();
    struct log_keys key_list;
    struct project_page project_page;
    int r;

    json_set(view, "spans", list);
    json_set(view, "keys", keys);
    json_set(view, "projects", projects);
    for (size_t i = 0; i < ARRAY_LEN(spans); i++)
        view_choice(list, str_c(spans[i].name), str_c(spans[i].label),
                    str_eq_c(p->span, spans[i].name));
    r = log_keys(w->db, w->arena, w->session.team, &key_list);
    if (r == 0)
        r = project_list(w->db, w->arena, w->session.team, &project_page);
    if (r != 0)
        return r;
    view_choice(keys, STR(""), STR("any"), false);
    for (size_t i = 0; i < key_list.n; i++)
        view_choice(keys, arena_strf(w->arena, "%" PRId64, key_list.v[i].id.v), key_list.v[i].name,
                    key_list.v[i].id.v == p->query.key.v);
    view_choice(projects, STR(""), STR("any"), false);
    for (size_t i = 0; i < project_page.n; i++)
        view_choice(projects, arena_strf(w->arena, "%" PRId64, project_page.v[i].id.v),
                    project_page.v[i].name, project_page.v[i].id.v == p->query.project.v);
    json_set_str(view, "model", p->model);
    json_set_str(view, "tag", p->tag);
    json_set_str(view, "from", p->query.from_day);
    json_set_str(view, "to", p->query.to_day);
    return 0;
}

static void tabs_view(struct web *w, const struct params *p, struct json_object *view)
{
    struct json_object *tabs = json_new_array();

    for (size_t i = 0; i < ARRAY_LEN(groups); i++) {
        struct json_object *o = json_new_object();

        json_set_cstr(o, "label", groups[i].label);
        json_set_str(o, "link", link_by(w, p, LINK_usage, i));
        json_set_bool(o, "current", i == p->group);
        json_push(tabs, o);
    }
    json_set(view, "tabs", tabs);
    json_set_cstr(view, "group", groups[p->group].label);
    json_set_cstr(view, "by", groups[p->group].name);
    json_set_bool(view, "by_tag", groups[p->group].by == USAGE_BY_TAG);
    json_set_str(view, "export_link", link_by(w, p, LINK_usage_export, p->group));
}

/* Both sums; USAGE_TABLE_E_MANY: they are not made, the tables are as they were. */
static int sums(struct web *w, const struct params *p, struct usage_table *table,
                struct usage_points *points)
{
    int r = usage_table(w->db, w->arena, groups[p->group].by, &p->query, table);

    return r == USAGE_TABLE_OK ? usage_points(w->db, w->arena, &p->query, points) : r;
}

int page_usage(struct web *w)
{
    struct json_object *view = json_new_object();
    struct usage_points points = {0};
    struct usage_table table = {0};
    struct params p;
    bool many;
    int r;

    read_params(w, &p);
    r = sums(w, &p, &table, &points);
    many = r == USAGE_TABLE_E_MANY;
    if (r >= 0)
        r = filter_view(w, &p, view);
    if (r == 0)
        r = chart_spend(w->arena, &points, p.query.from_day, p.query.to_day, view, "chart");
    if (r != 0) {
        json_unref(view);
        return web_outcome(w, r);
    }
    tabs_view(w, &p, view);
    usage_table_fold(&table, PAGE_ROWS);
    table_view(w, &p, &table, view);
    json_set_bool(view, "many", many);
    view_count(view, "many_calls", USAGE_TAG_CALLS);
    return web_render(w, "usage", "Usage", view);
}

/* --- export --- */

/* USAGE_ROWS_MAX rows, each of a tag as long as the tags of a call may be. */
#define CSV_BYTES MIB(12)

static void csv_row(struct buf *out, const struct usage_row *row)
{
    csv_text(out, row->label);
    csv_i64(out, row->calls);
    csv_i64(out, row->blocked);
    csv_i64(out, row->errors);
    csv_i64(out, row->fallbacks);
    for (enum usage_unit u = 0; u < USAGE_UNITS; u++)
        csv_i64(out, row->used.n[u]);
    csv_i64(out, usage_sum(&row->used, USAGE_COVERS_PROMPT));
    csv_i64(out, usage_sum(&row->used, USAGE_COVERS_OUTPUT));
    csv_money(out, row->charge);
    csv_i64(out, row->cache_hits);
    csv_money(out, row->saved);
    csv_end(out);
}

static void csv_head(struct buf *out)
{
    static const char *const counts[] = {"calls", "blocked", "errors", "fallbacks"};
    static const char *const sums[] = {"prompt_tokens", "completion_tokens", "charge_usd",
                                       "cache_hits", "saved_usd"};

    for (size_t i = 0; i < ARRAY_LEN(counts); i++)
        csv_text(out, str_c(counts[i]));
    for (enum usage_unit u = 0; u < USAGE_UNITS; u++)
        csv_text(out, str_c(usage_unit_info(u)->column));
    for (size_t i = 0; i < ARRAY_LEN(sums); i++)
        csv_text(out, str_c(sums[i]));
    csv_end(out);
}

static int fail_many(struct web *w)
{
    struct problem p = problem_of(PROBLEM_BAD_FIELD);

    p.message = STR("These days have more calls than are summed by tag. Choose fewer days, one key, one "
                    "project or one model.");
    return web_fail(w, &p);
}

int page_usage_export(struct web *w)
{
    struct usage_table table = {0};
    struct params p;
    struct buf csv;
    int r;

    read_params(w, &p);
    r = usage_table(w->db, w->arena, groups[p.group].by, &p.query, &table);
    if (r == USAGE_TABLE_E_MANY)
        return fail_many(w);
    if (r != 0)
        return web_outcome(w, r);
    buf_init(&csv, CSV_BYTES);
    csv_text(&csv, str_c(groups[p.group].name));
    csv_head(&csv);
    for (size_t i = 0; i < table.n; i++)
        csv_row(&csv, &table.rows[i]);
    table.others.label = STR("(others)");
    if (table.n_others > 0)
        csv_row(&csv, &table.others);
    return web_csv(w, STR("tollgate-usage.csv"), &csv);
}
