/* operator_models.c: see operator_models.h. */
#include "web/pages/operator_models.h"

#include "base/err.h"
#include "web/links.h"
#include "web/pages/operator_area.h"
#include "web/pages/operator_model_form.h"
#include "web/view.h"

/* One page of the list; a large catalogue is searched, not leafed through. */
#define MODELS_SHOWN 500

static bool is_served(const struct model_row *m)
{
    return m->is.enabled && !m->off_reason.p && (m->targets > 0 ? m->priced : m->ruled);
}

bool model_enabled_but_unserved(const struct model_row *m)
{
    return m->is.enabled && !is_served(m);
}

static bool is_disabled(const struct model_row *m)
{
    return !m->is.enabled;
}

static bool is_switched(const struct model_row *m)
{
    return m->pinned.v != 0 || m->off_reason.p != NULL;
}

static const struct {
    const char *name, *label;
    bool (*fits)(const struct model_row *);
} states[] = {
    {"", "All", NULL},
    {"served", "Served", is_served},
    {"unserved", "Not served", model_enabled_but_unserved},
    {"disabled", "Disabled", is_disabled},
    {"switched", "Pinned or switched off", is_switched},
};

static size_t wanted_state(struct web *w)
{
    struct str name = request_query(w->req, "state");

    for (size_t i = 1; i < ARRAY_LEN(states); i++)
        if (str_eq_c(name, states[i].name))
            return i;
    return 0;
}

static void filter_view(struct str search, size_t state, struct json_object *view)
{
    struct json_object *options = json_new_array();

    for (size_t i = 0; i < ARRAY_LEN(states); i++)
        view_choice(options, str_c(states[i].name), str_c(states[i].label), i == state);
    json_set(view, "states", options);
    json_set_str(view, "q", search);
}

static void list_view(struct web *w, const struct model_row *rows, size_t n, size_t state,
                      struct json_object *view)
{
    struct json_object *list = json_new_array();
    size_t fit = 0;

    for (size_t i = 0; i < n; i++) {
        struct json_object *o;

        if ((states[state].fits && !states[state].fits(&rows[i])) || ++fit > MODELS_SHOWN)
            continue;
        o = json_new_object();
        model_common_view(w, &rows[i], o);
        json_push(list, o);
    }
    json_set(view, "models", list);
    json_set_bool(view, "any", fit > 0);
    json_set_str(view, "summary", view_plural(w->arena, (int64_t)fit, "model", NULL));
    json_set_str(
        view, "more",
        fit > MODELS_SHOWN
            ? arena_strf(w->arena, "The first %d are shown: search for the others.", MODELS_SHOWN)
            : STR(""));
}

int page_operator_models(struct web *w)
{
    struct str search = str_trim(request_query(w->req, "q"));
    size_t n, state = wanted_state(w);
    struct json_object *view;
    struct model_row *rows;
    int r = model_list(w->db, w->arena, search.p ? search : STR(""), &rows, &n);

    if (r != 0)
        return web_outcome(w, r);
    view = json_new_object();
    filter_view(search, state, view);
    list_view(w, rows, n, state, view);
    json_set_bool(view, "filtered", search.n || state);
    view_empty(view, "empty", "No models yet",
               "A model is a public name that customers call; its targets say which provider "
               "accounts serve it. Add one by hand, or import a catalogue.",
               "Add the first model", link_to(LINK_operator_new_model));
    return operator_render(w, 200, "operator_models", "Models and prices", view);
}

static int show_form(struct web *w, int status, const struct form *form)
{
    struct json_object *view = json_new_object();

    model_form_view(w, form, view);
    return operator_render(w, status, "operator_model_new", "New model", view);
}

int page_operator_models_new(struct web *w)
{
    struct model_draft draft;
    struct form form;
    int r;

    model_draft_init(&draft);
    draft.enabled = true;
    r = model_form_open(w, &form, &draft);
    return r < 0 ? err_trace(r) : show_form(w, 200, &form);
}

int page_operator_models_add(struct web *w)
{
    struct identity_fault fault = {0};
    struct model_draft draft;
    struct model_id id;
    struct form form;
    int r;

    model_draft_init(&draft);
    r = model_form_open(w, &form, &draft);
    if (r == 0)
        r = model_form_read(w, &form, true, &draft);
    if (r < 0)
        return err_trace(r);
    if (!form.wrong)
        r = model_add(w->db, &w->actor, &draft, &id, &fault);
    if (r == CHANGE_E_FAULT)
        form_fault(&form, &fault);
    else if (r != 0)
        return web_outcome(w, r);
    if (form.wrong) {
        r = web_again(w);
        return r ? web_outcome(w, r) : show_form(w, 422, &form);
    }
    return web_redirect(w, link_model(w->arena, id, NULL),
                        "The model is added. Give it a target and a price.");
}
