/* budgets.c: see budgets.h. One form makes a budget and changes it: there is one for each team,
 * project and member. */
#include "web/pages/budgets.h"

#include <inttypes.h>

#include "base/err.h"
#include "identity/budget.h"
#include "identity/field_bounds.h"
#include "identity/member.h"
#include "identity/project.h"
#include "web/form.h"
#include "web/links.h"
#include "web/view.h"

enum { FOR, AMOUNT, WINDOW };

static const struct form_field fields[] = {
    [FOR] = {"for", "For", FORM_CHOICE, .help = "Where there is a budget already, it is changed."},
    [AMOUNT] = {"amount", "Amount", FORM_MONEY, .required = true, .min = 1,
                .max = BUDGET_MAX_NANO, .placeholder = "500", .autocomplete = "off"},
    [WINDOW] = {"window", "Per", FORM_CHOICE},
};

static const struct {
    enum key_window window;
    const char *option, *per;
} windows[] = {
    {KEY_WINDOW_DAY, "day", "a day"},
    {KEY_WINDOW_WEEK, "week, from Monday", "a week"},
    {KEY_WINDOW_MONTH, "month", "a month"},
    {KEY_WINDOW_LIFETIME, "for good", "for good"},
};

/* "project:12" */
static struct str place_text(struct arena *a, enum budget_scope scope, int64_t id)
{
    return arena_strf(a, "%s:%" PRId64, budget_scope_name(scope), id);
}

static bool place_parse(struct str text, struct budget_settings *ret)
{
    struct str scope;
    uint64_t n;

    if (!str_split(&text, ':', &scope) || !budget_scope_parse(scope, &ret->scope) ||
        str_u64(text, &n) != STR_OK || n > INT64_MAX)
        return false;
    ret->scope_id = (int64_t)n;
    return true;
}

static int open_form(struct web *w, struct form *form)
{
    struct project_page projects;
    struct member_page members;
    struct arena *a = w->arena;
    int r = form_init(form, a, fields, ARRAY_LEN(fields));

    if (r == 0)
        r = project_list(w->db, a, w->session.team, &projects);
    if (r == 0)
        r = member_list(w->db, a, w->session.team, &members);
    if (r != 0)
        return r;
    form_option(form, FOR, place_text(a, BUDGET_TEAM, w->session.team.v), STR("the whole team"));
    for (size_t i = 0; i < projects.n; i++)
        if (!projects.v[i].archived)
            form_option(form, FOR, place_text(a, BUDGET_PROJECT, projects.v[i].id.v),
                        arena_strf(a, "project %.*s", STR_FMT(projects.v[i].name)));
    for (size_t i = 0; i < members.n; i++)
        form_option(form, FOR, place_text(a, BUDGET_USER, members.v[i].user.v),
                    arena_strf(a, "keys of %.*s", STR_FMT(members.v[i].name)));
    for (size_t i = 0; i < ARRAY_LEN(windows); i++)
        form_option(form, WINDOW, str_c(key_window_name(windows[i].window)),
                    str_c(windows[i].option));
    form_set(form, WINDOW, STR("month"));
    return 0;
}

static const char *per_text(enum key_window window)
{
    for (size_t i = 0; i < ARRAY_LEN(windows); i++)
        if (windows[i].window == window)
            return windows[i].per;
    return "";
}

static void state_view(const struct budget *b, struct json_object *o)
{
    if (budget_is_used_up(b))
        view_badge(o, "state", VIEW_BAD, "Used up");
    else if (budget_is_short(b))
        view_badge(o, "state", VIEW_WARN, "Nearly used up");
    else
        view_badge(o, "state", VIEW_GOOD, "Has room");
}

static struct json_object *budgets_view(struct web *w, const struct budget_page *page)
{
    static const char *const kinds[BUDGET_SCOPES] = {
        [BUDGET_TEAM] = "Team", [BUDGET_PROJECT] = "Project", [BUDGET_USER] = "Keys of a member"};
    struct json_object *list = json_new_array();

    for (size_t i = 0; i < page->n; i++) {
        const struct budget *b = &page->v[i];
        struct json_object *o = json_new_object();
        struct money left = {MAX(b->is.amount.nano - b->spent.nano, INT64_C(0))};

        json_set_str(o, "name", b->name);
        json_set_cstr(o, "kind", kinds[b->is.scope]);
        view_figure(o, "amount", b->is.amount);
        json_set_cstr(o, "per", per_text(b->is.window));
        view_figure(o, "spent", b->spent);
        view_figure(o, "left", left);
        view_percent(o, "share", b->spent.nano, b->is.amount.nano);
        state_view(b, o);
        json_set_str(o, "drop_link", link_budget(w->arena, b->id, "drop"));
        json_push(list, o);
    }
    return list;
}

static int show(struct web *w, int status, const struct form *form)
{
    struct budget_page page;
    struct json_object *view;
    int r = budget_list(w->db, w->arena, w->session.team, &page);

    if (r != 0)
        return web_outcome(w, r);
    view = json_new_object();
    json_set(view, "budgets", budgets_view(w, &page));
    json_set_bool(view, "any", page.n > 0);
    form_view(form, view, "form");
    return web_render_as(w, status, "budgets", "Budgets", view);
}

int page_budgets(struct web *w)
{
    struct form form;
    int r = open_form(w, &form);

    return r ? web_outcome(w, r) : show(w, 200, &form);
}

int page_budget_set(struct web *w)
{
    struct identity_fault fault = {0};
    struct budget_settings s = {0};
    struct form form;
    int64_t id;
    int r = open_form(w, &form);

    if (r == 0)
        r = form_read(&form, &w->submitted);
    if (r == 0 && !form.wrong && place_parse(form.v[FOR].text, &s) &&
        key_window_parse(form.v[WINDOW].text, &s.window)) {
        s.amount = form.v[AMOUNT].money;
        r = budget_set(w->db, w->arena, &w->actor, w->session.team, &s, &id, &fault);
    }
    if (r == IDENTITY_E_FAULT)
        form_fault(&form, &fault);
    else if (r != 0)
        return web_outcome(w, r);
    if (form.wrong)
        return show(w, 422, &form);
    return web_redirect(w, link_to(LINK_budgets), "The budget is set.");
}

int page_budget_drop(struct web *w)
{
    int64_t id;
    int r = IDENTITY_E_NONE;

    if (web_param_id(w, 0, &id))
        r = budget_drop(w->db, w->arena, &w->actor, w->session.team, id);
    return r ? web_outcome(w, r)
             : web_redirect(w, link_to(LINK_budgets), "The budget is taken back.");
}
