/* key.c: see key.h. */
#include "web/pages/key.h"

#include <inttypes.h>

#include "base/err.h"
#include "web/links.h"
#include "web/pages/key_form.h"
#include "web/pages/keys.h"
#include "web/view.h"

/* The key in the path; another team's, or none, is IDENTITY_E_NONE. */
static int read_key(struct web *w, struct key_view *ret)
{
    struct key_id id;

    if (!web_param_id(w, 0, &id.v))
        return IDENTITY_E_NONE;
    return keyring_get(w->db, w->arena, w->session.team, id, ret);
}

static void links_of(struct web *w, struct key_id id, struct json_object *view)
{
    json_set_str(view, "rotate_link", link_key(w->arena, id, "rotate"));
    json_set_str(view, "disable_link", link_key(w->arena, id, "disable"));
    json_set_str(view, "enable_link", link_key(w->arena, id, "enable"));
    json_set_str(view, "delete_link", link_key(w->arena, id, "delete"));
    json_set_str(view, "log_link", arena_strf(w->arena, "/log?key=%" PRId64, id.v));
}

static int show(struct web *w, int status, const struct key_view *key, const struct form *form,
                const char *delete_fault)
{
    struct json_object *view = json_new_object();

    key_common_view(w, key, view);
    links_of(w, key->id, view);
    json_set_str(view, "owner", key->owner_name);
    view_time(view, "created", key->created_at_us, w->zone, w->now_us);
    view_time(view, "rotated", key->rotated_at_us, w->zone, w->now_us);
    view_time(view, "overlap_until", key->overlap_until_us > w->now_us ? key->overlap_until_us : 0,
              w->zone, w->now_us);
    json_set_bool(view, "disabled", key->disabled);
    json_set_bool(view, "may_change", !key->deleted && web_role(w, ROLE_DEVELOPER));
    json_set_cstr(view, "delete_fault", delete_fault);
    key_form_view(w, form, view);
    return web_render_as(w, status, "key", "Key", view);
}

static int show_as_stored(struct web *w, int status, const struct key_view *key,
                          const char *delete_fault)
{
    struct form form;
    int r = key_form_open(w, &form, &key->settings);

    if (r == 0)
        r = key_form_show(w, &form, &key->settings);
    return r ? web_outcome(w, r) : show(w, status, key, &form, delete_fault);
}

int page_key(struct web *w)
{
    struct key_view key;
    int r = read_key(w, &key);

    return r ? web_outcome(w, r) : show_as_stored(w, 200, &key, NULL);
}

int page_key_update(struct web *w)
{
    struct identity_fault fault = {0};
    struct key_settings settings;
    struct key_view key;
    struct form form;
    int r = read_key(w, &key);

    if (r == 0)
        r = key_form_open(w, &form, &key.settings);
    if (r == 0)
        r = form_read(&form, &w->submitted);
    if (r == 0)
        r = key_form_settings(w, &form, &key.settings, &settings);
    if (r != 0)
        return web_outcome(w, r);
    if (!form.wrong)
        r = keyring_update(w->db, w->arena, &w->actor, w->session.team, key.id, &settings, &fault);
    if (r == IDENTITY_E_FAULT)
        form_fault(&form, &fault);
    else if (r != 0)
        return web_outcome(w, r);
    if (form.wrong)
        return show(w, 422, &key, &form, NULL);
    return web_redirect(w, link_key(w->arena, key.id, NULL), "Saved.");
}

int page_key_rotate(struct web *w)
{
    struct identity_fault fault = {0};
    struct key_minted minted;
    struct key_view key;
    struct str overlap = STR("");
    int64_t hours;
    int r = read_key(w, &key);

    if (r != 0)
        return web_outcome(w, r);
    if (str_i64(pairs_get(&w->submitted, "overlap_hours"), &hours) != STR_OK)
        return web_fail_code(w, PROBLEM_BAD_FIELD);
    r = keyring_rotate(w->db, w->arena, w->services->key_pepper, &w->actor, w->session.team, key.id,
                       hours, &minted, &fault);
    if (r != 0)
        return web_outcome(w, r);
    if (hours)
        overlap = arena_strf(w->arena, "The secret before this one works for %.*s more.",
                             STR_FMT(view_plural(w->arena, hours, "hour", NULL)));
    return keys_show_secret(w, "The key’s new secret", key.settings.name,
                            key.settings.n_models ? key.settings.models[0] : STR(""), &minted,
                            overlap);
}

static int set_disabled(struct web *w, bool disabled)
{
    struct key_view key;
    int r = read_key(w, &key);

    if (r == 0)
        r = keyring_set_disabled(w->db, w->arena, &w->actor, w->session.team, key.id, disabled);
    if (r != 0)
        return web_outcome(w, r);
    return web_redirect(w, link_key(w->arena, key.id, NULL),
                        disabled ? "The key is disabled." : "The key is enabled.");
}

int page_key_disable(struct web *w)
{
    return set_disabled(w, true);
}

int page_key_enable(struct web *w)
{
    return set_disabled(w, false);
}

int page_key_delete(struct web *w)
{
    struct key_view key;
    int r = read_key(w, &key);

    if (r != 0)
        return web_outcome(w, r);
    if (!str_eq(str_trim(pairs_get(&w->submitted, "confirm")), key.settings.name))
        return show_as_stored(w, 422, &key, "This is not the key’s name.");
    r = keyring_delete(w->db, w->arena, &w->actor, w->session.team, key.id);
    if (r != 0)
        return web_outcome(w, r);
    return web_redirect(w, link_to(LINK_keys), "The key is deleted.");
}
