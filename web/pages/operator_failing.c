/* operator_failing.c: see operator_failing.h. The log's own search, which ends in time however many calls
 * there are; what it finds is counted here. */
#include "web/pages/operator_failing.h"

#include <inttypes.h>

#include "base/err.h"
#include "logs/search.h"
#include "web/links.h"
#include "web/pages/operator_area.h"
#include "web/view.h"

#define MINUTES 15
#define NEWEST 500 /* calls that are looked at, of each kind */
#define GROUPS 20  /* rows; what fits none of them is not shown */
#define OUTCOME "upstream_error"

/* Either is looked for by itself, so that neither hides the other; half of the time each. */
static const struct {
    const char *outcome;
    enum problem_code error;
} kinds[] = {
    {OUTCOME, PROBLEM_NONE},
    {NULL, PROBLEM_NO_PRICE}, /* refused before any provider was asked: an operator forgot it */
};

struct group {
    const struct log_row *newest;
    int64_t n;
};

struct groups {
    struct group v[GROUPS];
    size_t n;
};

static bool lacks_price(const struct call_record *c)
{
    return str_eq_c(c->error_code, problem_slug(PROBLEM_NO_PRICE));
}

static bool is_of(const struct group *g, const struct log_row *row)
{
    const struct call_record *a = &g->newest->call, *b = &row->call;

    return a->team_id == b->team_id && str_eq(a->requested_model, b->requested_model) &&
           str_eq(a->account_name, b->account_name) && a->status == b->status &&
           lacks_price(a) == lacks_price(b);
}

/* Rows of a kind come newest first, and no group has rows of two. */
static void count_row(struct groups *groups, const struct log_row *row)
{
    struct group *g = groups->v, *end = groups->v + groups->n;

    while (g < end && !is_of(g, row))
        g++;
    if (g == end && groups->n == GROUPS)
        return;
    if (g == end)
        groups->v[groups->n++] = (struct group){.newest = row};
    g->n += MAX(row->call.repeat, 1);
}

static int by_count(const void *a, const void *b)
{
    const struct group *x = a, *y = b;

    return (x->n < y->n) - (x->n > y->n);
}

static struct str calls_link(struct web *w, const struct call_record *c)
{
    struct buf url;
    struct str link;

    buf_init(&url, KIB(4));
    buf_put_str(&url, link_to(LINK_operator_calls));
    query_put(&url, "period", STR("1h"));
    query_put(&url, "team", arena_strf(w->arena, "%" PRId64, c->team_id));
    query_put(&url, "model", c->requested_model);
    query_put(&url, "account", c->account_name);
    query_put(&url, "status", lacks_price(c) ? arena_i64(w->arena, c->status, "") : STR(OUTCOME));
    link = arena_str(w->arena, buf_str(&url));
    buf_done(&url);
    return link;
}

static struct json_object *group_view(struct web *w, const struct group *g)
{
    const struct call_record *c = &g->newest->call;
    struct json_object *o = json_new_object();

    view_count(o, "calls", g->n);
    if (lacks_price(c))
        view_badge(o, "state", VIEW_BAD, "No price");
    else
        view_outcome(o, "state", c->outcome, c->status);
    json_set_str(o, "model", c->requested_model);
    json_set_str(o, "account", c->account_name);
    json_set_str(o, "team_name", g->newest->team_name);
    json_set_str(o, "team_link", link_operator_team(w->arena, (struct team_id){c->team_id}, NULL));
    json_set_str(o, "calls_link", calls_link(w, c));
    json_set_str(o, "newest_link", link_operator_call(w->arena, c->call_id));
    view_time(o, "newest", g->newest->posted_at_us, w->zone, w->now_us);
    return o;
}

int failing_view(struct web *w, struct json_object *view)
{
    struct json_object *list = json_new_array();
    struct log_page pages[ARRAY_LEN(kinds)] = {{NULL}};
    struct groups groups = {.n = 0};
    int64_t searched_us = 0;
    bool more = false;

    json_set(view, "failing", list);
    for (size_t k = 0; k < ARRAY_LEN(kinds); k++) {
        const char *error = kinds[k].error == PROBLEM_NONE ? NULL : problem_slug(kinds[k].error);
        const struct log_filter filter = {.from_us = w->now_us - MINUTES * 60 * 1000000LL,
                                          .outcome = str_c(kinds[k].outcome),
                                          .error = str_c(error),
                                          .cost_above = {-1},
                                          .budget_us = LOG_BUDGET_US / 2 / (int64_t)ARRAY_LEN(kinds)};
        struct log_page *page = &pages[k];
        int r = log_search(w->db, w->arena, &filter, (struct log_cursor){0}, false, NEWEST, page);

        if (r != 0)
            return r;
        for (size_t i = 0; i < page->n; i++)
            count_row(&groups, &page->rows[i]);
        searched_us = MAX(searched_us, page->searched_us);
        more = more || page->n == NEWEST;
    }
    qsort(groups.v, groups.n, sizeof(groups.v[0]), by_count);
    for (size_t i = 0; i < groups.n; i++)
        json_push(list, group_view(w, &groups.v[i]));
    json_set_bool(view, "any_failing", groups.n > 0);
    json_set_i64(view, "failing_minutes", MINUTES);
    json_set_null(view, "failing_newest");
    if (more)
        json_set_i64(view, "failing_newest", NEWEST);
    json_set_null(view, "failing_since");
    if (searched_us)
        view_time(view, "failing_since", searched_us, w->zone, w->now_us);
    return 0;
}
