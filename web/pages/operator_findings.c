/* operator_findings.c: see operator_findings.h. Each open finding has its own small form; the one that
 * was refused comes back with its fault and what was typed. */
#include "web/pages/operator_findings.h"

#include "base/err.h"
#include "logs/findings.h"
#include "web/form.h"
#include "web/links.h"
#include "web/pages/operator_area.h"
#include "web/view.h"

enum { REASON, ACCEPT, FIELDS };

static const struct form_field fields[FIELDS] = {
    [REASON] = {"reason", "Why it is closed", FORM_TEXT, .required = true, .min = 3, .max = 500,
                .autocomplete = "off", .placeholder = "What it was, and what was done"},
    [ACCEPT] = {"accept", "Known and accepted: do not tell exactly this again", FORM_SWITCH},
};

/* The refused form of a finding; id 0: none. */
struct refused {
    int64_t id;
    const struct form *form;
};

static struct json_object *finding_view(struct web *w, const struct finding *f,
                                        const struct refused *refused)
{
    struct json_object *o = json_new_object();
    bool typed = refused->id == f->id;

    json_set_str(o, "invariant", f->invariant);
    json_set_str(o, "subject", f->subject);
    json_set_str(o, "detail", f->detail);
    json_set_str(o, "team_name", f->team_name);
    json_set_str(o, "team_link", f->team.v ? link_operator_team(w->arena, f->team, NULL) : STR_NONE);
    json_set_str(o, "seen_times", view_plural(w->arena, f->seen, "time", NULL));
    view_time(o, "found", f->found_us, w->zone, w->now_us);
    view_time(o, "last_seen", f->seen_us, w->zone, w->now_us);
    view_time(o, "closed", f->closed_us, w->zone, w->now_us);
    json_set_str(o, "closed_by", f->closed_by);
    json_set_str(o, "closed_reason", f->closed_reason);
    json_set_bool(o, "accepted", f->accepted);
    json_set_str(o, "close_link", link_operator_finding(w->arena, f->id, "close"));
    json_set_str(o, "reason", typed ? refused->form->v[REASON].text : STR(""));
    json_set_cstr(o, "fault", typed ? refused->form->v[REASON].fault : NULL);
    json_set_bool(o, "accept", typed && refused->form->v[ACCEPT].on);
    return o;
}

static int add_findings(struct web *w, bool closed, const struct refused *refused,
                        struct json_object *view)
{
    struct json_object *list = json_new_array();
    struct finding_page page = {0};
    int r = finding_list(w->db, w->arena, closed, &page);

    for (size_t i = 0; r == 0 && i < page.n; i++)
        json_push(list, finding_view(w, &page.v[i], refused));
    json_set_bool(view, closed ? "any_closed" : "any_open", page.n > 0);
    json_set(view, closed ? "closed_findings" : "open_findings", list);
    return r;
}

static int add_runs(struct web *w, struct json_object *view)
{
    static const char *const names[] = {[INTEGRITY_WINDOW] = "window", [INTEGRITY_FULL] = "full"};
    struct integrity_last runs[2] = {0};
    int r = integrity_read(w->db, runs);

    for (size_t i = 0; i < ARRAY_LEN(runs); i++) {
        struct json_object *o = json_new_object();

        view_time(o, "ended", runs[i].ended_us, w->zone, w->now_us);
        view_duration(o, "took", runs[i].ended_us - runs[i].started_us);
        json_set_str(o, "found", view_plural(w->arena, runs[i].found, "finding", NULL));
        json_set_bool(o, "wanted", runs[i].wanted);
        json_set(view, names[i], o);
    }
    return r;
}

static int show(struct web *w, int status, const struct refused *refused)
{
    struct json_object *view = json_new_object();
    int r = add_findings(w, false, refused, view);

    if (r == 0)
        r = add_findings(w, true, refused, view);
    if (r == 0)
        r = add_runs(w, view);
    if (r != 0) {
        json_unref(view);
        return web_outcome(w, r);
    }
    return operator_render(w, status, "operator_findings", "Findings", view);
}

int page_operator_findings(struct web *w)
{
    const struct refused none = {0};

    return show(w, 200, &none);
}

int page_operator_findings_check(struct web *w)
{
    int r = integrity_want(w->db);

    if (r == 0)
        r = audit_write(w->db, &w->actor, &(struct audit_entry){.action = "finding.check",
                                                                .kind = "finding"});
    if (r != 0)
        return web_outcome(w, r);
    return web_redirect(w, link_to(LINK_operator_findings),
                        "The books are checked in full within seconds to minutes.");
}

static int close_it(struct web *w, int64_t id, const struct form *form)
{
    struct str row = STR_NONE;
    int r = finding_close(w->db, w->arena, id, w->actor.name, form->v[REASON].text,
                          form->v[ACCEPT].on, &row);

    if (r != FINDING_OK)
        return r;
    return audit_write(w->db, &w->actor, &(struct audit_entry){.action = "finding.close",
                                                               .kind = "finding",
                                                               .object_id = id,
                                                               .after = row});
}

int page_operator_finding_close(struct web *w)
{
    struct form form;
    struct refused refused = {.form = &form};
    int r = form_init(&form, w->arena, fields, ARRAY_LEN(fields));

    if (!web_param_id(w, 0, &refused.id))
        return web_fail_code(w, PROBLEM_NOT_FOUND);
    if (r == 0)
        r = form_read(&form, &w->submitted);
    if (r == 0 && !form.wrong)
        r = close_it(w, refused.id, &form);
    if (r == FINDING_E_NONE)
        return web_fail_code(w, PROBLEM_NOT_FOUND);
    if (r == FINDING_E_REFUSED) {
        form_fault_at(&form, REASON, "A reason is wanted.");
        r = 0;
    }
    if (r != 0)
        return web_outcome(w, r);
    if (!form.wrong)
        return web_redirect(w, link_to(LINK_operator_findings), "The finding is closed.");
    r = web_again(w);
    return r ? web_outcome(w, r) : show(w, 422, &refused);
}
