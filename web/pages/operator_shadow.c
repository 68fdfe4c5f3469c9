/* operator_shadow.c: see operator_shadow.h. What is said of answers is what can be known without their
 * texts, which nobody keeps. */
#include "web/pages/operator_shadow.h"

#include <inttypes.h>

#include "base/bounds.h"
#include "base/err.h"
#include "catalog/shadows.h"
#include "logs/shadows.h"
#include "web/form.h"
#include "web/links.h"
#include "web/pages/operator_area.h"
#include "web/pages/operator_model.h"
#include "web/pages/operator_model_form.h"
#include "web/pages/operator_shadow_view.h"
#include "web/view.h"

#define DAY_US (INT64_C(86400) * 1000000)

enum { TO, SHARE, CEILING };
static const struct form_field fields[] = {
    [TO] = {"to_model", "Model to compare with", FORM_CHOICE,
            .help = "It has to be enabled, with a target and a price; its calls go its own route."},
    [SHARE] = {"share", "Share of the calls, percent", FORM_TEXT, .required = true, .min = 1, .max = 5,
               .placeholder = "10", .help = "From 0.1 to 100, in tenths.", .autocomplete = "off"},
    [CEILING] = {"day_ceiling", "At most a day", FORM_MONEY, .max = INT64_C(1000000000000000),
                 .help = "What it may cost you within a day (UTC), over all nodes. Empty: no ceiling."},
};

static const struct {
    const char *name, *label;
    int days;
} spans[] = {{"1d", "24 hours", 1}, {"7d", "7 days", 7}, {"30d", "30 days", 30}, {"90d", "90 days", 90}};

/* --- the form --- */

static int open_form(struct web *w, const struct model_row *model, struct form *form)
{
    struct model_row *rows = NULL;
    size_t n = 0;
    int r = form_init(form, w->arena, fields, ARRAY_LEN(fields));

    if (r == 0)
        r = model_list(w->db, w->arena, STR(""), &rows, &n);
    for (size_t i = 0; r == 0 && i < n; i++)
        if (rows[i].id.v != model->id.v && rows[i].is.kind == model->is.kind)
            form_option(form, TO, arena_strf(w->arena, "%" PRId64, rows[i].id.v), rows[i].is.name);
    return r;
}

static void show_rule(struct web *w, const struct shadow_rule *rule, struct form *form)
{
    form_set(form, TO, arena_strf(w->arena, "%" PRId64, rule->to.v));
    form_set(form, SHARE, view_basis_points(w->arena, rule->permille * 10));
    if (rule->day.nano)
        form_set_money(form, CEILING, rule->day);
}

/* "12.5" is 125; 0: it is no such number. */
static int32_t permille_of(struct str text)
{
    ssize_t dot = str_find(text, '.');
    struct str whole = dot < 0 ? text : str_n(text.p, (size_t)dot);
    struct str tenth = dot < 0 ? STR("0") : str_n(text.p + dot + 1, text.n - (size_t)dot - 1);
    int64_t units = 0, tenths = 0;

    if (tenth.n != 1 || str_i64(tenth, &tenths) != STR_OK || tenths < 0 ||
        (whole.n && str_i64(whole, &units) != STR_OK) || units < 0 || units > 100)
        return 0;
    return (int32_t)(units * 10 + tenths);
}

/* --- the page --- */

struct shown {
    struct model_row model;
    struct shadow_rule rule; /* permille 0: there is none */
    const struct form *form; /* as sent; NULL: as stored */
    size_t span;
    struct str to; /* p NULL: nothing was compared */
};

static struct shadow_span span_of(struct web *w, const struct shown *s)
{
    return (struct shadow_span){.model = s->model.id,
                                .to = s->to,
                                .from_us = w->now_us - spans[s->span].days * DAY_US,
                                .to_us = w->now_us + 1};
}

static struct str page_link(struct web *w, const struct shown *s, size_t span, struct str to)
{
    struct str path = arena_strf(w->arena, "%.*s?span=%s", STR_FMT(link_model(w->arena, s->model.id, "shadow")),
                                 spans[span].name);
    struct buf url;

    buf_init(&url, KIB(4));
    buf_put_str(&url, path);
    query_put(&url, "with", to);
    path = arena_str(w->arena, buf_str(&url));
    buf_done(&url);
    return path;
}

/* What it is compared with: the query's, the rule's, or the last there was. The others are offered. */
static int choose(struct web *w, struct shown *s, struct json_object *view)
{
    struct str wanted = request_query(w->req, "with"), name = request_query(w->req, "span"), *models;
    struct json_object *list = json_new_array(), *times = json_new_array();
    struct shadow_span span;
    size_t n;
    int r;

    s->span = 1;
    for (size_t i = 0; i < ARRAY_LEN(spans); i++)
        if (name.p && str_eq_c(name, spans[i].name))
            s->span = i;
    span = span_of(w, s);
    json_set(view, "models", list);
    json_set(view, "spans", times);
    r = shadow_models(w->db, w->arena, &span, &models, &n);
    if (r != 0)
        return r;
    s->to = wanted.n ? wanted : s->rule.permille ? s->rule.to_name : n ? models[0] : STR_NONE;
    for (size_t i = 0; i < n; i++) {
        struct json_object *o = json_new_object();

        json_set_str(o, "name", models[i]);
        json_set_str(o, "link", page_link(w, s, s->span, models[i]));
        json_set_bool(o, "current", str_eq(models[i], s->to));
        json_push(list, o);
    }
    json_set_bool(view, "several", n > 1);
    for (size_t i = 0; i < ARRAY_LEN(spans); i++) {
        struct json_object *o = json_new_object();

        json_set_cstr(o, "label", spans[i].label);
        json_set_str(o, "link", page_link(w, s, i, wanted.n ? wanted : STR("")));
        json_set_bool(o, "current", i == s->span);
        json_push(times, o);
    }
    return 0;
}

static int comparison_view(struct web *w, const struct shown *s, struct json_object *view)
{
    const struct shadow_span span = span_of(w, s);
    struct shadow_comparison c = {.told = 0};
    struct shadow_pair *pairs = NULL;
    struct shadow_word *words = NULL;
    size_t n_words = 0, n_pairs = 0;
    int r = 0;

    if (s->to.p)
        r = shadow_compare(w->db, &span, &c);
    if (r == 0 && s->to.p)
        r = shadow_words(w->db, w->arena, &span, &words, &n_words);
    if (r == 0 && s->to.p)
        r = shadow_pairs(w->db, w->arena, &span, 30, &pairs, &n_pairs);
    if (r != 0)
        return r;
    json_set_str(view, "to", s->to.p ? s->to : STR(""));
    json_set_bool(view, "any", c.side[SHADOW_SHADOW].calls > 0);
    json_set_bool(view, "many", c.side[SHADOW_SHADOW].calls >= SHADOW_PAIRS);
    shadow_comparison_view(w, &c, view);
    shadow_words_view(w, words, n_words, view);
    shadow_pairs_view(w, s->model.id, pairs, n_pairs, view);
    return 0;
}

static int show(struct web *w, int status, struct shown *s)
{
    struct json_object *view = json_new_object();
    struct arena *a = w->arena;
    struct form stored;
    int r = 0;

    if (!s->form) {
        r = open_form(w, &s->model, &stored);
        if (r == 0 && s->rule.permille)
            show_rule(w, &s->rule, &stored);
        s->form = &stored;
    }
    if (r == 0)
        r = choose(w, s, view);
    if (r == 0)
        r = comparison_view(w, s, view);
    if (r != 0) {
        json_unref(view);
        return web_outcome(w, r);
    }
    model_common_view(w, &s->model, view);
    form_view(s->form, view, "form");
    json_set_bool(view, "running", s->rule.permille > 0);
    json_set_str(view, "rule_to", s->rule.permille ? s->rule.to_name : STR(""));
    json_set_str(view, "rule_to_link", link_model(a, s->rule.to, NULL));
    json_set_str(view, "rule_share", view_basis_points(a, s->rule.permille * 10));
    json_set_bool(view, "ceiling", s->rule.day.nano > 0);
    view_figure(view, "day", s->rule.day);
    view_figure(view, "cost_today", s->rule.cost_today);
    json_set_str(view, "save_link", link_model(a, s->model.id, "shadow"));
    json_set_str(view, "end_link", link_model(a, s->model.id, "shadow/end"));
    return operator_render(w, status, "operator_shadow", "Shadow traffic", view);
}

static int read_shown(struct web *w, struct shown *ret)
{
    int r;

    *ret = (struct shown){.span = 0};
    r = operator_model_read(w, &ret->model);
    if (r == 0)
        r = shadow_rule_get(w->db, w->arena, ret->model.id, &ret->rule);
    return r == CHANGE_E_NONE && ret->model.id.v ? 0 : r;
}

int page_operator_shadow(struct web *w)
{
    struct shown s;
    int r = read_shown(w, &s);

    return r ? web_outcome(w, r) : show(w, 200, &s);
}

static int save(struct web *w, const struct shown *s, struct form *form)
{
    struct shadow_rule rule = {.permille = permille_of(form->v[SHARE].text), .day = form->v[CEILING].money};
    struct identity_fault fault = {0};
    int r;

    if (str_i64(form->v[TO].text, &rule.to.v) != STR_OK)
        rule.to.v = 0; /* no model has it */
    r = shadow_rule_set(w->db, &w->actor, s->model.id, &rule, &fault);
    if (r == CHANGE_E_FAULT)
        form_fault(form, &fault);
    return r == CHANGE_E_FAULT ? 0 : r;
}

int page_operator_shadow_save(struct web *w)
{
    struct form form;
    struct shown s;
    int r = read_shown(w, &s);

    if (r == 0)
        r = open_form(w, &s.model, &form);
    if (r == 0)
        r = form_read(&form, &w->submitted);
    if (r == 0 && !form.wrong)
        r = save(w, &s, &form);
    if (r != 0)
        return web_outcome(w, r);
    if (!form.wrong)
        return web_redirect(w, link_model(w->arena, s.model.id, "shadow"), "Saved.");
    s.form = &form;
    r = web_again(w);
    return r ? web_outcome(w, r) : show(w, 422, &s);
}

int page_operator_shadow_end(struct web *w)
{
    struct model_row model;
    int r = operator_model_read(w, &model);

    if (r == 0)
        r = shadow_rule_end(w->db, &w->actor, model.id);
    return r ? web_outcome(w, r)
             : web_redirect(w, link_model(w->arena, model.id, "shadow"), "No more calls are shadowed.");
}

/* --- one pair --- */

int page_operator_shadow_pair(struct web *w)
{
    struct shadow_pair pair;
    struct json_object *view;
    struct model_row model;
    struct call_id id;
    int r = operator_model_read(w, &model);

    if (r != 0)
        return web_outcome(w, r);
    if (!call_id_parse(w->req->params[1], &id))
        return web_fail_code(w, PROBLEM_NOT_FOUND);
    r = shadow_pair_get(w->db, w->arena, id, &pair);
    if (r == SHADOWS_E_NONE)
        return web_fail_code(w, PROBLEM_NOT_FOUND);
    if (r != 0)
        return err_trace(r);
    view = json_new_object();
    model_common_view(w, &model, view);
    shadow_pair_view(w, &pair, view);
    json_set_str(view, "shadow_link", link_model(w->arena, model.id, "shadow"));
    return operator_render(w, 200, "operator_shadow_pair", "A call and its shadow", view);
}
