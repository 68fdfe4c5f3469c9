/* operator_audit.c: see operator_audit.h. Of before and after only what differs is shown. */
#include "web/pages/operator_audit.h"

#include <inttypes.h>

#include "base/bounds.h"
#include "base/err.h"
#include "json/scan.h"
#include "web/links.h"
#include "web/pages/operator_area.h"
#include "web/view.h"

#define ENTRIES_A_PAGE 50

/* NULL unless it is an object. */
static struct json_object *object_of(struct str text)
{
    struct json_object *o = NULL;
    struct json_fault fault;

    if (!text.n || json_check(text, &fault) != JSON_OK || json_parse(text, &o, &fault) != JSON_OK)
        return NULL;
    if (json_kind(o) == JSON_OBJECT)
        return o;
    json_unref(o);
    return NULL;
}

/* A value as a person reads it: texts without quotes, the rest as JSON; "" for none. */
static struct str shown(struct arena *a, const struct json_object *v)
{
    struct buf text;
    struct str copy;

    if (!v)
        return STR("");
    if (json_kind(v) == JSON_STRING)
        return arena_str(a, json_text(v));
    buf_init(&text, KIB(64));
    copy = json_print(v, &text) == 0 ? arena_str(a, buf_str(&text)) : STR("");
    buf_done(&text);
    return copy;
}

struct differences {
    struct arena *a;
    const struct json_object *before, *after;
    struct json_object *list;
    bool second; /* the members of after that before does not have */
};

static bool difference(void *ctx, const char *key, struct json_object *v)
{
    struct differences *d = ctx;
    struct json_object *other = d->second ? NULL : json_get(d->after, key), *o;
    struct str before = d->second ? STR("") : shown(d->a, v);
    struct str after = shown(d->a, d->second ? v : other);

    if ((d->second && json_has(d->before, key)) || str_eq(before, after))
        return true;
    o = json_new_object();
    json_set_cstr(o, "field", key);
    json_set_str(o, "before", before);
    json_set_str(o, "after", after);
    json_push(d->list, o);
    return true;
}

static struct json_object *differences_view(struct web *w, const struct audit_entry *e)
{
    _cleanup_json_ struct json_object *before = object_of(e->before);
    _cleanup_json_ struct json_object *after = object_of(e->after);
    struct differences d = {
        .a = w->arena, .before = before, .after = after, .list = json_new_array()};

    if (before)
        json_each(before, difference, &d);
    d.second = true;
    if (after)
        json_each(after, difference, &d);
    return d.list;
}

/* "model:12" leads to that model's page; p NULL: it has none. */
static struct str object_link(struct arena *a, struct str object)
{
    struct str kind, id = object;
    int64_t n;

    if (!str_split(&id, ':', &kind) || str_i64(id, &n) != STR_OK || n <= 0)
        return STR_NONE;
    if (str_eq_c(kind, "model"))
        return link_model(a, (struct model_id){n}, NULL);
    if (str_eq_c(kind, "account"))
        return link_provider_account(a, (struct account_id){n}, NULL);
    if (str_eq_c(kind, "team"))
        return link_operator_team(a, (struct team_id){n}, NULL);
    return STR_NONE;
}

static struct json_object *entry_view(struct web *w, const struct audit_entry *e)
{
    struct json_object *o = json_new_object(), *differences = differences_view(w, e);

    view_time(o, "at", e->at_us, w->zone, w->now_us);
    json_set_str(o, "actor", e->actor_name);
    json_set_str(o, "actor_kind", e->actor_kind);
    json_set_str(o, "action", e->action_text);
    json_set_str(o, "object", e->object);
    json_set_str(o, "object_link", object_link(w->arena, e->object));
    json_set_str(o, "address", e->address);
    json_set_str(o, "team_name", e->team_name);
    json_set_str(o, "team_link",
                 e->team.v ? link_operator_team(w->arena, e->team, NULL) : STR_NONE);
    json_set_bool(o, "any_difference", json_length(differences) > 0);
    json_set(o, "differences", differences);
    return o;
}

static struct str older_link(struct web *w, struct str action, int64_t team, int64_t before)
{
    struct str id = arena_strf(w->arena, "%" PRId64, team), link;
    struct buf url;

    buf_init(&url, KIB(4));
    buf_put_str(&url, link_to(LINK_operator_audit));
    query_put(&url, "action", action);
    if (team)
        query_put(&url, "team", id);
    query_put(&url, "before", arena_strf(w->arena, "%" PRId64, before));
    link = arena_str(w->arena, buf_str(&url));
    buf_done(&url);
    return link;
}

int page_operator_audit(struct web *w)
{
    struct str action = str_trim(request_query(w->req, "action")), older = STR_NONE;
    struct audit_filter filter = {.team = {operator_query_id(w, "team")},
                                  .before_id = operator_query_id(w, "before"),
                                  .action = action.p ? action : STR(""),
                                  .limit = ENTRIES_A_PAGE + 1};
    struct json_object *view, *list;
    struct audit_page page;
    int r = audit_list(w->db, w->arena, &filter, &page);

    if (r != 0)
        return web_outcome(w, r);
    view = json_new_object();
    list = json_new_array();
    for (size_t i = 0; i < page.n && i < ENTRIES_A_PAGE; i++)
        json_push(list, entry_view(w, &page.v[i]));
    if (page.n > ENTRIES_A_PAGE)
        older = older_link(w, filter.action, filter.team.v, page.v[ENTRIES_A_PAGE - 1].id);
    json_set(view, "entries", list);
    json_set_bool(view, "any", page.n > 0);
    json_set_str(view, "action", filter.action);
    json_set_str(view, "team_id",
                 filter.team.v ? arena_strf(w->arena, "%" PRId64, filter.team.v) : STR(""));
    json_set_bool(view, "filtered", filter.action.n || filter.team.v);
    view_pager(view, "pager", STR_NONE, older);
    return operator_render(w, 200, "operator_audit", "Audit log", view);
}
