/* incident.c: see incident.h. */
#include "web/incident.h"

#include "base/err.h"
#include "logs/findings.h"
#include "web/links.h"
#include "web/view.h"

static const struct {
    const char *what, *state, *end_action, *end_label;
} kinds[] = {
    [INCIDENT_PINNED] = {"Model", "Pinned", "pin", "Unpin"},
    [INCIDENT_OFF] = {"Model", "Switched off", "on", "Switch on"},
    [INCIDENT_FROZEN] = {"Team", "Frozen", "unfreeze", "Unfreeze"},
};

int incidents_read(struct web *w)
{
    int r;

    if (!w->signed_in || !w->session.is_operator)
        return 0;
    r = db_begin(w->db, DB_OPERATOR, true);
    if (r == 0)
        r = installation_incidents(w->db, w->arena, &w->incidents);
    if (r == 0)
        r = finding_count(w->db, &w->findings);
    if (r == 0)
        r = db_commit(w->db);
    if (r != 0)
        db_rollback(w->db);
    return r < 0 ? err_trace(r) : r;
}

static struct str link_of(const struct web *w, const struct incident_row *row, const char *action)
{
    if (row->kind == INCIDENT_FROZEN)
        return link_operator_team(w->arena, (struct team_id){row->id}, action);
    return link_model(w->arena, (struct model_id){row->id}, action);
}

struct json_object *incidents_view(const struct web *w)
{
    struct json_object *list = json_new_array();

    for (size_t i = 0; i < w->incidents.n; i++) {
        const struct incident_row *row = &w->incidents.v[i];
        struct json_object *o = json_new_object();

        json_set_cstr(o, "what", kinds[row->kind].what);
        json_set_cstr(o, "state", kinds[row->kind].state);
        json_set_str(o, "name", row->name);
        json_set_str(o, "detail", row->detail);
        json_set_str(o, "by", row->by);
        json_set_str(o, "link", link_of(w, row, NULL));
        json_set_str(o, "end_link", link_of(w, row, kinds[row->kind].end_action));
        json_set_cstr(o, "end_label", kinds[row->kind].end_label);
        view_time(o, "at", row->at_us, w->zone, w->now_us);
        json_push(list, o);
    }
    return list;
}
