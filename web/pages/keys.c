/* keys.c: see keys.h. */
#include "web/pages/keys.h"

#include "base/err.h"
#include "web/links.h"
#include "web/pages/key_form.h"
#include "web/snippet.h"
#include "web/view.h"

/* "every model", "gpt-4o", "gpt-4o and 2 more" */
static struct str models_text(struct arena *a, const struct key_settings *s)
{
    if (!s->n_models)
        return STR("every model");
    if (s->n_models == 1)
        return s->models[0];
    return arena_strf(a, "%.*s and %zu more", STR_FMT(s->models[0]), s->n_models - 1);
}

/* "$50.00 a month, 60 rpm"; empty when there is none. */
static struct str limits_text(struct arena *a, const struct key_settings *s)
{
    static const char *const per[] = {
        [KEY_WINDOW_NONE] = "",          [KEY_WINDOW_DAY] = " a day",
        [KEY_WINDOW_WEEK] = " a week",   [KEY_WINDOW_MONTH] = " a month",
        [KEY_WINDOW_LIFETIME] = " ever",
    };
    struct buf text;
    struct str copy;

    buf_init(&text, 256);
    if (s->budget_window != KEY_WINDOW_NONE)
        buf_printf(&text, ", %.*s%s", STR_FMT(view_money_text(a, s->budget, view_decimals(s->budget))),
                   per[s->budget_window]);
    if (s->rpm)
        buf_printf(&text, ", %.*s rpm", STR_FMT(view_count_text(a, s->rpm)));
    if (s->tpm)
        buf_printf(&text, ", %.*s tpm", STR_FMT(view_count_text(a, s->tpm)));
    if (s->concurrency)
        buf_printf(&text, ", %.*s at once", STR_FMT(view_count_text(a, s->concurrency)));
    copy = text.n ? arena_str(a, str_n(text.p + 2, text.n - 2)) : STR("");
    buf_done(&text);
    return copy;
}

static struct json_object *list_view(struct web *w, const struct key_page *keys)
{
    struct json_object *list = json_new_array();
    struct money most = MONEY_ZERO;

    for (size_t i = 0; i < keys->n; i++)
        most.nano = MAX(most.nano, keys->v[i].spent_month.nano);
    for (size_t i = 0; i < keys->n; i++) {
        struct json_object *o = json_new_object();

        key_common_view(w, &keys->v[i], o);
        view_money(o, "spent_month", keys->v[i].spent_month, view_decimals(most));
        json_set_str(o, "models", models_text(w->arena, &keys->v[i].settings));
        json_set_str(o, "limits", limits_text(w->arena, &keys->v[i].settings));
        json_push(list, o);
    }
    return list;
}

int page_keys(struct web *w)
{
    bool with_deleted = request_query(w->req, "deleted").n > 0;
    struct json_object *view;
    struct key_page keys;
    int r = keyring_list(w->db, w->arena, w->session.team, with_deleted, &keys);

    if (r != 0)
        return web_outcome(w, r);
    view = json_new_object();
    json_set(view, "keys", list_view(w, &keys));
    json_set_bool(view, "any", keys.n > 0);
    json_set_str(view, "summary", keys.n ? view_plural(w->arena, (int64_t)keys.n, "key", NULL)
                                         : STR(""));
    json_set_str(view, "deleted_link", with_deleted ? link_to(LINK_keys) : STR("/keys?deleted=1"));
    json_set_cstr(view, "deleted_label", with_deleted ? "Hide deleted keys" : "Show deleted keys");
    if (keys.n)
        json_set_null(view, "empty");
    else
        view_empty(view, "empty", "No keys yet",
                   "A key is what an application sends as its API key. Mint one for each "
                   "application or person, so that spend and limits can be told apart.",
                   "Mint the first key",
                   web_role(w, ROLE_DEVELOPER) ? link_to(LINK_new_key) : STR_NONE);
    return web_render(w, "keys", "Keys", view);
}

static int show_form(struct web *w, int status, const struct form *form)
{
    struct json_object *view = json_new_object();

    key_form_view(w, form, view);
    return web_render_as(w, status, "key_new", "New key", view);
}

int page_keys_new(struct web *w)
{
    struct form form;
    int r = key_form_open(w, &form, NULL);

    return r ? web_outcome(w, r) : show_form(w, 200, &form);
}

int keys_show_secret(struct web *w, const char *title, struct str name, struct str model,
                     const struct key_minted *minted, struct str overlap)
{
    struct json_object *view = json_new_object();

    snippet_view(w, minted->secret, model, view);
    json_set_str(view, "name", name);
    json_set_str(view, "secret", minted->secret);
    json_set_str(view, "link", link_key(w->arena, minted->id, NULL));
    json_set_str(view, "overlap", overlap);
    return web_render(w, "key_minted", title, view);
}

/* The secret stands in the answer to the POST itself, so that it is stored nowhere on the way. */
int page_keys_mint(struct web *w)
{
    struct identity_fault fault = {0};
    struct key_settings settings;
    struct key_minted minted;
    struct form form;
    int r = key_form_open(w, &form, NULL);

    if (r == 0)
        r = form_read(&form, &w->submitted);
    if (r == 0)
        r = key_form_settings(w, &form, NULL, &settings);
    if (r == 0 && !form.wrong)
        r = keyring_mint(w->db, w->arena, w->services->key_pepper, &w->actor, w->session.team,
                         w->session.user, &settings, &minted, &fault);
    if (r == IDENTITY_E_FAULT)
        form_fault(&form, &fault);
    else if (r != 0)
        return web_outcome(w, r);
    if (form.wrong)
        return show_form(w, 422, &form);
    return keys_show_secret(w, "Your new key", settings.name,
                            settings.n_models ? settings.models[0] : STR(""), &minted, STR(""));
}
