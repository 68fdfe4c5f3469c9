/* operator_rules.c: see operator_rules.h. One page lists the rules of a model; its form makes one or changes
 * one, and a second form tells what a request that is described would meet. */
#include "web/pages/operator_rules.h"

#include <inttypes.h>

#include "base/bounds.h"
#include "base/err.h"
#include "web/links.h"
#include "web/pages/operator_area.h"
#include "web/pages/operator_model.h"
#include "web/pages/operator_model_form.h"
#include "web/pages/operator_rule_form.h"
#include "web/view.h"

/* What the page is about. */
struct subject {
    struct model_row model;
    struct rule_row *rules;
    size_t n;
    const struct rule_row *own; /* the one that is changed; NULL: none */
};

/* --- a rule in words --- */

static void say(struct buf *out, const char *what)
{
    buf_printf(out, "%s%s", out->n ? "; " : "", what);
}

static void say_asks(struct buf *out, const char *what, uint32_t asks)
{
    bool first = true;

    for (enum ability a = 0; a < ABILITIES; a++)
        if (asks & ABILITY_BIT(a)) {
            if (first)
                say(out, what);
            buf_printf(out, "%s%s", first ? " " : ", ", ability_label(a));
            first = false;
        }
}

static void say_tokens(struct web *w, struct buf *out, const struct rule_conditions *c)
{
    struct str min = view_count_text(w->arena, c->min_input_tokens), max = view_count_text(w->arena, c->max_input_tokens);

    if (!c->min_input_tokens && !c->max_input_tokens)
        return;
    say(out, "");
    if (c->min_input_tokens && c->max_input_tokens)
        buf_printf(out, "%.*s to %.*s input tokens", STR_FMT(min), STR_FMT(max));
    else if (c->min_input_tokens)
        buf_printf(out, "%.*s input tokens or more", STR_FMT(min));
    else
        buf_printf(out, "%.*s input tokens or fewer", STR_FMT(max));
}

static void say_share(struct buf *out, const struct rule_conditions *c)
{
    if (!c->share_percent)
        return;
    say(out, "");
    buf_printf(out, "%" PRId32 "%% of them", c->share_percent);
    if (c->share_tag.n)
        buf_printf(out, " by %.*s", STR_FMT(c->share_tag));
}

static struct str conditions_text(struct web *w, const struct rule_row *rule)
{
    const struct rule_conditions *c = &rule->is.when;
    struct buf out;
    struct str text;

    buf_init(&out, KIB(64));
    buf_put_str(&out, rule->places);
    for (size_t i = 0; i < c->n_tags; i++) {
        if (i == 0)
            say(&out, "");
        buf_printf(&out, "%s%.*s", i ? ", " : "", STR_FMT(c->tags[i]));
    }
    say_tokens(w, &out, c);
    say_asks(&out, "asks for", c->asks);
    say_asks(&out, "without", c->asks_not);
    say_share(&out, c);
    text = out.n ? arena_str(w->arena, buf_str(&out)) : STR("every call");
    buf_done(&out);
    return text;
}

static void state_view(struct json_object *o, const struct rule_row *rule)
{
    if (!rule->is.enabled)
        view_badge(o, "state", VIEW_NEUTRAL, "Off");
    else if (!rule->serves_enabled)
        view_badge(o, "state", VIEW_WARN, "Its model is disabled");
    else
        view_badge(o, "state", VIEW_GOOD, "On");
}

static struct json_object *rules_view(struct web *w, const struct rule_row *rules, size_t n)
{
    struct json_object *list = json_new_array();

    for (size_t i = 0; i < n; i++) {
        const struct rule_row *rule = &rules[i];
        struct json_object *o = json_new_object();

        json_set_i64(o, "place", rule->is.position);
        json_set_str(o, "name", rule->is.name);
        json_set_str(o, "when", conditions_text(w, rule));
        json_set_str(o, "serves", rule->is.serves);
        json_set_str(o, "serves_link", link_model(w->arena, rule->serves, NULL));
        json_set_bool(o, "on", rule->is.enabled);
        json_set_bool(o, "first", i == 0);
        json_set_str(o, "link", link_rule(w->arena, rule->id, NULL));
        json_set_str(o, "up_link", link_rule(w->arena, rule->id, "up"));
        json_set_str(o, "switch_link", link_rule(w->arena, rule->id, "switch"));
        json_set_str(o, "calls_link",
                     operator_page_link(w, link_to(LINK_operator_calls), "rule", rule->is.name, 0));
        state_view(o, rule);
        json_push(list, o);
    }
    return list;
}

int operator_rules_view(struct web *w, const struct model_row *model, struct json_object *view)
{
    struct rule_row *rules;
    size_t n;
    int r = rule_list(w->db, w->arena, model->id, &rules, &n);

    if (r)
        return r;
    json_set(view, "rules", rules_view(w, rules, n));
    json_set_bool(view, "any_rule", n > 0);
    return 0;
}

/* --- the page --- */

static int read_rules(struct web *w, struct subject *s)
{
    int r = operator_model_read(w, &s->model);

    s->own = NULL;
    return r ? r : rule_list(w->db, w->arena, s->model.id, &s->rules, &s->n);
}

/* Of the rule in the path. */
static int read_own(struct web *w, struct subject *s)
{
    struct rule_row own;
    struct rule_id id;
    int r = web_param_id(w, 0, &id.v) ? rule_get(w->db, w->arena, id, &own) : CHANGE_E_NONE;

    if (r == 0)
        r = model_get(w->db, w->arena, own.model, &s->model);
    if (r == 0)
        r = rule_list(w->db, w->arena, own.model, &s->rules, &s->n);
    for (size_t i = 0; r == 0 && i < s->n; i++)
        if (s->rules[i].id.v == id.v) {
            s->own = &s->rules[i];
            return 0;
        }
    return r ? r : CHANGE_E_NONE;
}

static struct rule_id own_id(const struct subject *s)
{
    return s->own ? s->own->id : (struct rule_id){0};
}

/* What may serve in its place, for the field's list. */
static int add_models(struct web *w, const struct subject *s, struct json_object *view)
{
    struct json_object *list = json_new_array();
    struct model_row *models = NULL;
    size_t n = 0;
    int r = model_list(w->db, w->arena, STR(""), &models, &n);

    for (size_t i = 0; r == 0 && i < n; i++)
        if (models[i].is.kind == s->model.is.kind && models[i].is.enabled && models[i].id.v != s->model.id.v)
            json_push_str(list, models[i].is.name);
    json_set(view, "models", list);
    return r;
}

static void add_outcomes(struct web *w, const struct subject *s, const struct rule_request *tried,
                         struct json_object *view)
{
    struct json_object *list = json_new_array();
    const struct rule_row *met[RULES_MAX];
    size_t n = tried ? rules_met(s->rules, s->n, tried, met) : 0;

    for (size_t i = 0; i < n; i++) {
        struct json_object *o = json_new_object();

        json_set_str(o, "name", met[i]->is.name);
        json_set_str(o, "serves", met[i]->is.serves);
        json_set_i64(o, "share", met[i]->is.when.share_percent);
        json_set_bool(o, "shared", met[i]->is.when.share_percent > 0);
        json_push(list, o);
    }
    json_set(view, "outcomes", list);
    json_set_bool(view, "tried", tried != NULL);
    json_set_bool(view, "met", n > 0);
    json_set_bool(view, "itself", !n || met[n - 1]->is.when.share_percent);
}

/* form: NULL, as stored or empty; try: NULL, empty; tried: NULL, nothing was tried. */
static int show(struct web *w, int status, const struct subject *s, const struct form *form, const struct form *try,
                const struct rule_request *tried)
{
    struct json_object *view = json_new_object();
    struct form plain, plain_try;
    int r = rule_form_open(w, &plain, s->rules, s->n, own_id(s));

    if (r == 0 && s->own)
        r = rule_form_show(&plain, &s->own->is);
    if (r == 0)
        r = rule_try_open(w, &plain_try);
    if (r == 0)
        r = add_models(w, s, view);
    if (r != 0) {
        json_unref(view);
        return web_outcome(w, r);
    }
    model_common_view(w, &s->model, view);
    json_set(view, "rules", rules_view(w, s->rules, s->n));
    json_set_bool(view, "any_rule", s->n > 0);
    json_set_bool(view, "changes", s->own != NULL);
    json_set_str(view, "own_name", s->own ? s->own->is.name : STR(""));
    json_set_str(view, "list_link", link_model(w->arena, s->model.id, "rules"));
    json_set_str(view, "try_link", link_model(w->arena, s->model.id, "rules/try"));
    json_set_str(view, "form_link",
                 s->own ? link_rule(w->arena, s->own->id, NULL) : link_model(w->arena, s->model.id, "rules"));
    json_set_str(view, "delete_link", link_rule(w->arena, own_id(s), "delete"));
    add_outcomes(w, s, tried, view);
    form_view(form ? form : &plain, view, "form");
    form_view(try ? try : &plain_try, view, "try");
    return operator_render(w, status, "operator_rules", "Rules", view);
}

static int save(struct web *w, struct subject *s)
{
    struct identity_fault fault = {0};
    struct rule_draft draft;
    struct rule_id made;
    struct form form;
    int r = rule_form_open(w, &form, s->rules, s->n, own_id(s));

    if (r == 0)
        r = form_read(&form, &w->submitted);
    if (r == 0)
        r = rule_form_draft(&form, &draft);
    if (r == 0 && !form.wrong)
        r = s->own ? rule_edit(w->db, &w->actor, s->own->id, &draft, &fault)
                   : rule_add(w->db, &w->actor, s->model.id, &draft, &made, &fault);
    if (r == CHANGE_E_FAULT)
        form_fault(&form, &fault);
    else if (r != 0)
        return web_outcome(w, r);
    if (!form.wrong)
        return web_redirect(w, link_model(w->arena, s->model.id, "rules"),
                            s->own ? "The rule is changed." : "The rule holds from the next call on.");
    r = web_again(w);
    return r ? web_outcome(w, r) : show(w, 422, s, &form, NULL, NULL);
}

int page_operator_rules(struct web *w)
{
    struct subject s;
    int r = read_rules(w, &s);

    return r ? web_outcome(w, r) : show(w, 200, &s, NULL, NULL, NULL);
}

int page_operator_rules_add(struct web *w)
{
    struct subject s;
    int r = read_rules(w, &s);

    return r ? web_outcome(w, r) : save(w, &s);
}

int page_operator_rules_try(struct web *w)
{
    struct rule_conditions said;
    struct rule_request tried;
    struct subject s;
    struct form form;
    int r = read_rules(w, &s);

    if (r == 0)
        r = rule_try_open(w, &form);
    if (r == 0)
        r = form_read(&form, &w->submitted);
    if (r == 0)
        r = rule_try_read(&form, &said, &tried);
    if (r != 0)
        return web_outcome(w, r);
    return show(w, form.wrong ? 422 : 200, &s, NULL, &form, form.wrong ? NULL : &tried);
}

int page_operator_rule(struct web *w)
{
    struct subject s;
    int r = read_own(w, &s);

    return r ? web_outcome(w, r) : show(w, 200, &s, NULL, NULL, NULL);
}

int page_operator_rule_save(struct web *w)
{
    struct subject s;
    int r = read_own(w, &s);

    return r ? web_outcome(w, r) : save(w, &s);
}

/* One thing of the rule in the path, from its row in the list. */
static int change(struct web *w, void (*edit)(const struct web *w, struct rule_draft *d), const char *done)
{
    struct identity_fault fault = {0};
    struct rule_draft draft;
    struct subject s;
    int r = read_own(w, &s);

    if (r != 0)
        return web_outcome(w, r);
    draft = s.own->is;
    edit(w, &draft);
    r = rule_edit(w->db, &w->actor, s.own->id, &draft, &fault);
    return r ? web_outcome(w, r) : web_redirect(w, link_model(w->arena, s.model.id, "rules"), done);
}

static void move_up(const struct web *w, struct rule_draft *d)
{
    d->position = MAX(d->position - 1, 1);
}

int page_operator_rule_up(struct web *w)
{
    return change(w, move_up, "The rule is asked earlier.");
}

static bool to_on(const struct web *w)
{
    return str_eq_c(pairs_get(&w->submitted, "to"), "on");
}

static void turn(const struct web *w, struct rule_draft *d)
{
    d->enabled = to_on(w);
}

int page_operator_rule_switch(struct web *w)
{
    return change(w, turn, to_on(w) ? "The rule is switched on." : "The rule is switched off.");
}

int page_operator_rule_delete(struct web *w)
{
    struct subject s;
    int r = read_own(w, &s);

    if (r == 0)
        r = rule_delete(w->db, &w->actor, s.own->id);
    return r ? web_outcome(w, r)
             : web_redirect(w, link_model(w->arena, s.model.id, "rules"), "The rule is deleted.");
}
