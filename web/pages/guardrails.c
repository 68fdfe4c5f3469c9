/* guardrails.c: see guardrails.h. Both areas have the same page: its rules are those of a team, or of team 0
 * for the installation, and are for all of its keys then. One form makes a rule and changes it. */
#include "web/pages/guardrails.h"

#include <errno.h>
#include <inttypes.h>

#include "base/bounds.h"
#include "base/err.h"
#include "guard/guardrail.h"
#include "identity/keyring.h"
#include "identity/project.h"
#include "web/form.h"
#include "web/links.h"
#include "web/pages/operator_area.h"
#include "web/view.h"

enum { NAME, FINDS, WORDS, PATTERNS, WHERE, ACTION, PLACE, DISABLED };

static const struct form_field fields[] = {
    [NAME] = {"name", "Name", FORM_TEXT, .required = true, .min = 1, .max = GUARDRAIL_NAME_MAX,
              .placeholder = "customer-data", .autocomplete = "off",
              .help = "Clients and the log are told this name."},
    [FINDS] = {"finds", "Looks for", FORM_MANY},
    [WORDS] = {"words", "Words and phrases", FORM_LINES, .placeholder = "Project Falcon",
               .help = "One a line, up to 100: whole words, in any letter case."},
    [PATTERNS] = {"patterns", "Patterns", FORM_LINES, .placeholder = "\\bEMP-\\d{6}\\b",
                  .help = "Regular expressions (PCRE2), one a line, up to 10. Letter case is ignored."},
    [WHERE] = {"where", "Where", FORM_MANY, .required = true},
    [ACTION] = {"action", "What becomes of it", FORM_CHOICE},
    [PLACE] = {"place", "For", FORM_CHOICE},
    [DISABLED] = {"disabled", "Off for now", FORM_SWITCH},
};

static const struct {
    enum guard_action action;
    const char *option, *label;
    enum view_tone tone;
} actions[] = {
    {GUARD_BLOCK, "block: refuse the request or the answer", "Blocks", VIEW_BAD},
    {GUARD_REDACT, "redact: put [EMAIL] or the like in its place", "Redacts", VIEW_WARN},
    {GUARD_LOG, "log only", "Logs", VIEW_NEUTRAL},
};

/* Whose page it is. */
struct area {
    struct team_id team;
    bool operators;
};

static struct area team_area(const struct web *w)
{
    return (struct area){.team = w->session.team};
}

static const struct area operator_area = {.operators = true};

static struct str rule_link(struct web *w, struct area area, int64_t id, const char *action)
{
    return area.operators ? link_operator_guardrail(w->arena, id, action)
                          : link_guardrail(w->arena, id, action);
}

/* --- the form --- */

static int add_projects(struct web *w, struct form *form, struct area area, struct project_id own)
{
    struct project_page projects;
    struct arena *a = w->arena;
    int r = project_list(w->db, a, area.team, &projects);

    for (size_t i = 0; r == 0 && i < projects.n; i++) {
        const struct project *p = &projects.v[i];

        if (!p->archived || p->id.v == own.v)
            form_option(form, PLACE, arena_strf(a, "project:%" PRId64, p->id.v),
                        arena_strf(a, "project %.*s%s", STR_FMT(p->name), p->archived ? " (archived)" : ""));
    }
    return r;
}

static void add_key(struct form *form, const struct key_view *k)
{
    form_option(form, PLACE, arena_strf(form->arena, "key:%" PRId64, k->id.v),
                arena_strf(form->arena, "key %.*s%s", STR_FMT(k->settings.name),
                           k->deleted ? " (deleted)" : ""));
}

static int add_keys(struct web *w, struct form *form, struct area area, struct key_id own)
{
    struct key_page keys;
    struct key_view one = {0};
    int r = keyring_list(w->db, w->arena, area.team, false, &keys);

    for (size_t i = 0; r == 0 && i < keys.n; i++)
        add_key(form, &keys.v[i]);
    if (r == 0 && own.v)
        r = keyring_get(w->db, w->arena, area.team, own, &one);
    if (r == 0 && one.deleted)
        add_key(form, &one);
    return r;
}

/* now: the rule that is changed, whose project or key is there though it is archived or deleted; NULL: a new
 * one. */
static int add_places(struct web *w, struct form *form, struct area area,
                      const struct guardrail_settings *now)
{
    int r;

    form_option(form, PLACE, STR("all"), area.operators ? STR("every team") : STR("every key"));
    if (area.operators)
        return 0;
    r = add_projects(w, form, area, now ? now->project : (struct project_id){0});
    return r ? r : add_keys(w, form, area, now ? now->key : (struct key_id){0});
}

static int open_form(struct web *w, struct form *form, struct area area,
                     const struct guardrail_settings *now)
{
    int r = form_init(form, w->arena, fields, ARRAY_LEN(fields));

    if (r)
        return r;
    for (unsigned i = 0; i < DETECT_KINDS; i++)
        form_option(form, FINDS, str_c(detect_kinds[i].name), str_c(detect_kinds[i].label));
    form_option(form, WHERE, STR("request"), STR("What clients send"));
    form_option(form, WHERE, STR("answer"), STR("What models answer"));
    for (size_t i = 0; i < ARRAY_LEN(actions); i++)
        form_option(form, ACTION, str_c(guard_action_name(actions[i].action)), str_c(actions[i].option));
    r = form_set_many(form, WHERE, &STR("request"), 1);
    return r ? r : add_places(w, form, area, now);
}

static int fill_form(struct web *w, struct form *form, const struct guardrail_settings *s)
{
    struct str finds[DETECT_KINDS], where[2];
    size_t n = 0, n_where = 0;
    int r;

    for (unsigned i = 0; i < DETECT_KINDS; i++)
        if (s->finds & 1u << i)
            finds[n++] = str_c(detect_kinds[i].name);
    if (s->where & GUARD_REQUEST)
        where[n_where++] = STR("request");
    if (s->where & GUARD_ANSWER)
        where[n_where++] = STR("answer");
    form_set(form, NAME, s->name);
    form_set_lines(form, WORDS, s->words, s->n_words);
    form_set_lines(form, PATTERNS, s->patterns, s->n_patterns);
    form_set(form, ACTION, str_c(guard_action_name(s->action)));
    if (s->project.v)
        form_set(form, PLACE, arena_strf(w->arena, "project:%" PRId64, s->project.v));
    if (s->key.v)
        form_set(form, PLACE, arena_strf(w->arena, "key:%" PRId64, s->key.v));
    form_set_on(form, DISABLED, s->disabled);
    r = form_set_many(form, FINDS, finds, n);
    return r ? r : form_set_many(form, WHERE, where, n_where);
}

static void read_place(struct str text, struct guardrail_settings *s)
{
    struct str scope;
    int64_t id;

    if (!str_split(&text, ':', &scope) || str_i64(text, &id) != STR_OK)
        return;
    if (str_eq(scope, STR("project")))
        s->project.v = id;
    else if (str_eq(scope, STR("key")))
        s->key.v = id;
}

static int read_form(struct web *w, const struct form *form, struct guardrail_settings *s)
{
    enum detect_kind kind;
    int r;

    *s = (struct guardrail_settings){.name = form->v[NAME].text, .disabled = form->v[DISABLED].on};
    for (size_t i = 0; i < form->v[FINDS].n_many; i++)
        if (detect_kind_parse(form->v[FINDS].many[i], &kind))
            s->finds |= 1u << kind;
    for (size_t i = 0; i < form->v[WHERE].n_many; i++)
        s->where |= str_eq(form->v[WHERE].many[i], STR("answer")) ? GUARD_ANSWER : GUARD_REQUEST;
    if (!guard_action_parse(form->v[ACTION].text, &s->action))
        s->action = GUARD_BLOCK;
    read_place(form->v[PLACE].text, s);
    r = form_lines(form, WORDS, &s->words, &s->n_words);
    return r ? r : form_lines(form, PATTERNS, &s->patterns, &s->n_patterns);
}

/* --- the list --- */

static struct str finds_text(struct arena *a, const struct guardrail_settings *s)
{
    struct buf out;
    struct str text;

    buf_init(&out, KIB(4));
    for (unsigned i = 0; i < DETECT_KINDS; i++)
        if (s->finds & 1u << i)
            buf_printf(&out, "%s%s", out.n ? ", " : "", detect_kinds[i].name);
    if (s->n_words)
        buf_printf(&out, "%s%.*s", out.n ? ", " : "",
                   STR_FMT(view_plural(a, (int64_t)s->n_words, "word", NULL)));
    if (s->n_patterns)
        buf_printf(&out, "%s%.*s", out.n ? ", " : "",
                   STR_FMT(view_plural(a, (int64_t)s->n_patterns, "pattern", NULL)));
    text = arena_str(a, buf_str(&out));
    buf_done(&out);
    return text;
}

static void action_view(struct json_object *o, const struct guardrail_settings *s)
{
    for (size_t i = 0; i < ARRAY_LEN(actions); i++)
        if (actions[i].action == s->action)
            view_badge(o, "action", s->disabled ? VIEW_NEUTRAL : actions[i].tone,
                       s->disabled ? "Off" : actions[i].label);
}

static struct json_object *rules_view(struct web *w, struct area area, const struct guardrail_page *page)
{
    struct json_object *list = json_new_array();

    for (size_t i = 0; i < page->n; i++) {
        const struct guardrail *g = &page->v[i];
        struct json_object *o = json_new_object();

        json_set_str(o, "name", g->is.name);
        json_set_str(o, "finds", finds_text(w->arena, &g->is));
        json_set_cstr(o, "where", g->is.where == (GUARD_REQUEST | GUARD_ANSWER) ? "requests and answers"
                                  : g->is.where == GUARD_ANSWER                 ? "answers"
                                                                                : "requests");
        json_set_str(o, "place", g->place.p ? g->place : g->team.v ? STR("every key") : STR("every team"));
        json_set_bool(o, "own", g->team.v == area.team.v);
        json_set_str(o, "link", rule_link(w, area, g->id, NULL));
        json_set_str(o, "drop_link", rule_link(w, area, g->id, "drop"));
        json_set_str(o, "calls_link",
                     operator_page_link(w, link_to(area.operators ? LINK_operator_calls : LINK_log), "guardrail",
                                        g->is.name, 0));
        action_view(o, &g->is);
        json_push(list, o);
    }
    return list;
}

/* id: of the rule that the form changes; 0: it makes one. */
static int show(struct web *w, int status, struct area area, int64_t id, const struct form *form)
{
    struct guardrail_page page;
    struct json_object *view;
    int r = guardrail_list(w->db, w->arena, area.team, &page);

    if (r != 0)
        return web_outcome(w, r);
    view = json_new_object();
    json_set(view, "rules", rules_view(w, area, &page));
    json_set_bool(view, "any", page.n > 0);
    json_set_bool(view, "changes", id != 0);
    json_set_bool(view, "may_change", area.operators || web_role(w, ROLE_ADMIN));
    json_set_str(view, "list_link", link_to(area.operators ? LINK_operator_guardrails : LINK_guardrails));
    json_set_str(view, "form_link",
                 id ? rule_link(w, area, id, NULL)
                    : link_to(area.operators ? LINK_operator_guardrails : LINK_guardrails));
    form_view(form, view, "form");
    if (area.operators)
        return operator_render(w, status, "operator_guardrails", "Guardrails", view);
    return web_render_as(w, status, "guardrails", "Guardrails", view);
}

static int show_new(struct web *w, struct area area)
{
    struct form form;
    int r = open_form(w, &form, area, NULL);

    return r ? web_outcome(w, r) : show(w, 200, area, 0, &form);
}

static int show_one(struct web *w, struct area area)
{
    struct guardrail rule;
    struct form form;
    int64_t id = 0;
    int r = web_param_id(w, 0, &id) ? guardrail_get(w->db, w->arena, area.team, id, &rule) : IDENTITY_E_NONE;

    if (r == 0)
        r = open_form(w, &form, area, &rule.is);
    if (r == 0)
        r = fill_form(w, &form, &rule.is);
    return r ? web_outcome(w, r) : show(w, 200, area, id, &form);
}

static int save(struct web *w, struct area area, int64_t id)
{
    struct identity_fault fault = {0};
    struct guardrail_settings s;
    struct guardrail rule;
    struct form form;
    int64_t made;
    int r = id ? guardrail_get(w->db, w->arena, area.team, id, &rule) : 0;

    if (r == 0)
        r = open_form(w, &form, area, id ? &rule.is : NULL);
    if (r == 0)
        r = form_read(&form, &w->submitted);
    if (r == 0)
        r = read_form(w, &form, &s);
    if (r == 0 && !form.wrong)
        r = guardrail_save(w->db, w->arena, &w->actor, area.team, id, &s, &made, &fault);
    if (r == IDENTITY_E_FAULT)
        form_fault(&form, &fault);
    else if (r != 0)
        return web_outcome(w, r);
    if (form.wrong)
        return show(w, 422, area, id, &form);
    return web_redirect(w, link_to(area.operators ? LINK_operator_guardrails : LINK_guardrails),
                        id ? "The guardrail is changed." : "The guardrail holds from the next request on.");
}

static int save_one(struct web *w, struct area area)
{
    int64_t id;

    return web_param_id(w, 0, &id) ? save(w, area, id) : web_outcome(w, IDENTITY_E_NONE);
}

static int drop(struct web *w, struct area area)
{
    int64_t id;
    int r = IDENTITY_E_NONE;

    if (web_param_id(w, 0, &id))
        r = guardrail_drop(w->db, w->arena, &w->actor, area.team, id);
    return r ? web_outcome(w, r)
             : web_redirect(w, link_to(area.operators ? LINK_operator_guardrails : LINK_guardrails),
                            "The guardrail is taken away.");
}

int page_guardrails(struct web *w)
{
    return show_new(w, team_area(w));
}

int page_guardrail_add(struct web *w)
{
    return save(w, team_area(w), 0);
}

int page_guardrail(struct web *w)
{
    return show_one(w, team_area(w));
}

int page_guardrail_save(struct web *w)
{
    return save_one(w, team_area(w));
}

int page_guardrail_drop(struct web *w)
{
    return drop(w, team_area(w));
}

int page_operator_guardrails(struct web *w)
{
    return show_new(w, operator_area);
}

int page_operator_guardrail_add(struct web *w)
{
    return save(w, operator_area, 0);
}

int page_operator_guardrail(struct web *w)
{
    return show_one(w, operator_area);
}

int page_operator_guardrail_save(struct web *w)
{
    return save_one(w, operator_area);
}

int page_operator_guardrail_drop(struct web *w)
{
    return drop(w, operator_area);
}
