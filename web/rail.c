/* rail.c: see rail.h. The letter, or digit, is the one of the shortcut `g` letter (static/app.js reads it from
 * the page). */
#include "web/rail.h"

#include "web/links.h"

enum section { SECTION_TEAM, SECTION_TEAM_ADMIN, SECTION_OPERATOR, SECTION_COUNT };

static const struct {
    enum section section;
    const char *label, *icon, *link, *letter;
} items[] = {
    {SECTION_TEAM, "Overview", "layout-dashboard", "/overview", "o"},
    {SECTION_TEAM, "Keys", "key-round", "/keys", "k"},
    {SECTION_TEAM, "Request log", "scroll-text", "/log", "l"},
    {SECTION_TEAM, "Usage", "chart-column", "/usage", "u"},
    {SECTION_TEAM, "Billing", "wallet", "/billing", "b"},
    {SECTION_TEAM, "Budgets", "gauge", "/budgets", "w"},
    {SECTION_TEAM, "Guardrails", "shield", "/guardrails", "1"},
    {SECTION_TEAM, "Alerts", "mail", "/alerts", "j"},
    {SECTION_TEAM_ADMIN, "Members", "users", "/members", "m"},
    {SECTION_TEAM_ADMIN, "Provider keys", "plug", "/provider-keys", "z"},
    {SECTION_TEAM_ADMIN, "Settings", "settings", "/settings", "s"},
    {SECTION_TEAM_ADMIN, "Quick start", "rocket", "/quickstart", "q"},
    {SECTION_TEAM_ADMIN, "API reference", "book-open", "/reference", "h"},
    {SECTION_OPERATOR, "System", "server", "/operator", "y"},
    {SECTION_OPERATOR, "Incident switches", "siren", "/operator/incidents", "x"},
    {SECTION_OPERATOR, "Alerts", "mail", "/operator/alerts", "2"},
    {SECTION_OPERATOR, "Findings", "circle-alert", "/operator/findings", "f"},
    {SECTION_OPERATOR, "Provider accounts", "plug", "/operator/accounts", "p"},
    {SECTION_OPERATOR, "Models and prices", "layers", "/operator/models", "r"},
    {SECTION_OPERATOR, "Teams", "building-2", "/operator/teams", "t"},
    {SECTION_OPERATOR, "Users", "user", "/operator/users", "e"},
    {SECTION_OPERATOR, "Management keys", "key-round", "/operator/management-keys", "n"},
    {SECTION_OPERATOR, "All calls", "list", "/operator/calls", "c"},
    {SECTION_OPERATOR, "Orders", "receipt", "/operator/orders", "d"},
    {SECTION_OPERATOR, "Codes", "ticket", "/operator/codes", "v"},
    {SECTION_OPERATOR, "Guardrails", "shield", "/operator/guardrails", "0"},
    {SECTION_OPERATOR, "Audit log", "shield-check", "/operator/audit", "a"},
    {SECTION_OPERATOR, "Installation", "sliders-horizontal", "/operator/installation", "i"},
};

static const char *const titles[SECTION_COUNT] = {
    [SECTION_TEAM] = NULL,
    [SECTION_TEAM_ADMIN] = "Team",
    [SECTION_OPERATOR] = "Operator",
};

static bool may_see(const struct web *w, enum section section)
{
    return section == SECTION_OPERATOR ? w->session.is_operator : w->session.team.v != 0;
}

/* /operator is the home of an area, not above it. */
static bool is_under(struct str path, struct str link)
{
    return str_starts(path, link) &&
           (path.n == link.n || (path.p[link.n] == '/' && !str_eq_c(link, "/operator")));
}

static struct json_object *section_view(const struct web *w, enum section section)
{
    struct json_object *o = json_new_object(), *list = json_new_array();

    for (size_t i = 0; i < ARRAY_LEN(items); i++) {
        struct json_object *item;

        if (items[i].section != section)
            continue;
        item = json_new_object();
        json_set_cstr(item, "label", items[i].label);
        json_set_cstr(item, "icon", items[i].icon);
        json_set_cstr(item, "link", items[i].link);
        json_set_cstr(item, "letter", items[i].letter);
        json_set_bool(item, "current", is_under(w->req->path, str_c(items[i].link)));
        json_push(list, item);
    }
    json_set_cstr(o, "title", titles[section]);
    json_set(o, "items", list);
    return o;
}

struct json_object *rail_view(const struct web *w)
{
    struct json_object *sections = json_new_array();

    for (int section = 0; section < SECTION_COUNT; section++)
        if (w->signed_in && may_see(w, (enum section)section))
            json_push(sections, section_view(w, (enum section)section));
    return sections;
}
