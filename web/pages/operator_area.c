/* operator_area.c: see operator_area.h. */
#include "web/pages/operator_area.h"

#include <inttypes.h>

#include "base/bounds.h"
#include "base/err.h"
#include "logs/installation.h"
#include "web/links.h"
#include "web/view.h"

static struct json_object *incident_view(struct web *w, const struct incident_row *row)
{
    static const char *const texts[] = {[INCIDENT_PINNED] = "Pinned",
                                        [INCIDENT_OFF] = "Switched off",
                                        [INCIDENT_FROZEN] = "Frozen"};
    static const char *const nouns[] = {
        [INCIDENT_PINNED] = "Model", [INCIDENT_OFF] = "Model", [INCIDENT_FROZEN] = "Team"};
    struct json_object *o = json_new_object();
    bool team = row->kind == INCIDENT_FROZEN;

    json_set_cstr(o, "what", nouns[row->kind]);
    json_set_cstr(o, "state", texts[row->kind]);
    json_set_str(o, "name", row->name);
    json_set_str(o, "detail", row->detail);
    json_set_str(o, "by", row->by);
    json_set_str(o, "link",
                 team ? link_operator_team(w->arena, (struct team_id){row->id}, NULL)
                      : link_model(w->arena, (struct model_id){row->id}, NULL));
    view_time(o, "at", row->at_us, w->zone, w->now_us);
    return o;
}

static int add_incidents(struct web *w, struct json_object *view)
{
    struct json_object *list = json_new_array();
    struct incident_page page;
    int r = installation_incidents(w->db, w->arena, &page);

    for (size_t i = 0; r == 0 && i < page.n; i++)
        json_push(list, incident_view(w, &page.v[i]));
    json_set_bool(view, "any_incident", json_length(list) > 0);
    json_set(view, "incidents", list);
    return r;
}

int operator_render(struct web *w, int status, const char *name, const char *title,
                    struct json_object *view)
{
    int r = add_incidents(w, view);

    if (r < 0) {
        json_unref(view);
        return err_trace(r);
    }
    return web_render_as(w, status, name, title, view);
}

int64_t operator_query_id(struct web *w, const char *name)
{
    struct str text = request_query(w->req, name);
    int64_t id;

    return text.n && str_i64(text, &id) == STR_OK && id > 0 ? id : 0;
}

struct str operator_page_link(struct web *w, struct str path, const char *name, struct str value,
                              int64_t before)
{
    struct str id = before ? arena_strf(w->arena, "%" PRId64, before) : STR_NONE, link;
    struct buf url;

    buf_init(&url, BOUND_URL_BYTES + KIB(4));
    buf_put_str(&url, path);
    query_put(&url, name, value);
    query_put(&url, "before", id);
    link = arena_str(w->arena, buf_str(&url));
    buf_done(&url);
    return link;
}
