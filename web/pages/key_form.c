/* key_form.c: see key_form.h. */
#include "web/pages/key_form.h"

#include <errno.h>
#include <inttypes.h>

#include "base/bounds.h"
#include "base/err.h"
#include "catalog/holder.h"
#include "identity/field_bounds.h"
#include "identity/project.h"
#include "web/links.h"
#include "web/view.h"

static const struct form_field fields[KEY_FIELDS] = {
    [KEY_FIELD_NAME] = {"name", "Name", FORM_TEXT, .required = true, .min = 1,
                        .max = KEY_NAME_MAX,
                        .help = "Who or what uses it: “checkout service, production”.",
                        .autocomplete = "off"},
    [KEY_FIELD_PROJECT] = {"project", "Project", FORM_CHOICE},
    [KEY_FIELD_BUDGET] = {"budget", "Budget", FORM_MONEY, .max = BUDGET_MAX_NANO,
                          .placeholder = "no limit"},
    [KEY_FIELD_WINDOW] = {"budget_window", "Per", FORM_CHOICE},
    [KEY_FIELD_EXPIRES] = {"expires_at", "Expires after", FORM_DAY,
                           .help = "The end of that day, in the team’s time zone."},
    [KEY_FIELD_MODELS] = {"models", "Models", FORM_MANY, .help = "None checked: every model."},
    [KEY_FIELD_RPM] = {"rpm", "Requests per minute", FORM_INTEGER, .max = KEY_LIMIT_MAX,
                       .placeholder = "no limit"},
    [KEY_FIELD_TPM] = {"tpm", "Tokens per minute", FORM_INTEGER, .max = KEY_LIMIT_MAX,
                       .placeholder = "no limit"},
    [KEY_FIELD_CONCURRENCY] = {"concurrency", "At the same time", FORM_INTEGER,
                               .max = KEY_LIMIT_MAX,
                               .placeholder = "no limit"},
    [KEY_FIELD_ADDRESSES] = {"addresses", "Client addresses", FORM_LINES, .max = KEY_ADDRESS_LINES_MAX,
                             .placeholder = "10.0.0.0/8",
                             .help = "One network or address a line. Empty: from anywhere."},
    [KEY_FIELD_TAGS] = {"tags", "Tags", FORM_LINES, .max = KEY_TAG_LINES_MAX, .placeholder = "customer=acme",
                        .help = "One name=value a line; they stand on every call of the key."},
    [KEY_FIELD_CACHE] = {"cache_seconds", "Seconds to keep answers", FORM_INTEGER,
                         .max = KEY_CACHE_SECONDS_MAX, .placeholder = "off",
                         .help = "The same request gets the same answer for so long, at no charge. "
                                 "For owners and admins to change."},
    [KEY_FIELD_CACHE_OWN] = {"cache_own", "Only its own: not those of the team’s other keys",
                             FORM_SWITCH},
    [KEY_FIELD_SIMILARITY] = {"cache_similarity", "Similarity of questions", FORM_TEXT, .max = 6,
                              .placeholder = "only the same", .autocomplete = "off",
                              .help = "Such as 0.95 of 1: a kept answer is also given to another question that "
                                      "is at least so near to its own."},
};

/* The model that compares questions; p NULL: the installation has none. */
static struct str compared_by(struct web *w)
{
    _cleanup_(catalog_unrefp) struct catalog *catalog = catalog_holder_get(w->services->catalog);
    const struct catalog_model *m = catalog ? catalog_compares(catalog) : NULL;

    return m ? arena_str(w->arena, m->name) : STR_NONE;
}

static int add_projects(struct web *w, struct form *form, const struct key_settings *now)
{
    struct project_page projects;
    struct arena *a = w->arena;
    int r = project_list(w->db, a, w->session.team, &projects);

    if (r != 0)
        return r;
    form_option(form, KEY_FIELD_PROJECT, STR(""), STR("No project"));
    for (size_t i = 0; i < projects.n; i++) {
        const struct project *p = &projects.v[i];

        if (!p->archived || (now && now->project.v == p->id.v))
            form_option(form, KEY_FIELD_PROJECT, arena_strf(a, "%" PRId64, p->id.v),
                        p->archived ? arena_strf(a, "%.*s (archived)", STR_FMT(p->name)) : p->name);
    }
    return 0;
}

static void add_models(struct web *w, struct form *form, const struct key_settings *now)
{
    _cleanup_(catalog_unrefp) struct catalog *catalog = catalog_holder_get(w->services->catalog);
    const struct catalog_model *models;
    size_t n = 0;

    models = catalog ? catalog_models(catalog, &n) : NULL;
    for (size_t i = 0; now && i < now->n_models; i++)
        form_option(form, KEY_FIELD_MODELS, now->models[i], now->models[i]);
    for (size_t i = 0; i < n; i++) {
        bool listed = false;

        for (size_t k = 0; now && k < now->n_models; k++)
            listed |= str_eq(now->models[k], models[i].name);
        if (!listed && catalog_model_served(&models[i]))
            form_option(form, KEY_FIELD_MODELS, models[i].name, models[i].name);
    }
}

static void add_windows(struct form *form)
{
    static const char *const options[][2] = {
        {"month", "month"}, {"week", "week"}, {"day", "day"}, {"lifetime", "ever"}};

    for (size_t i = 0; i < ARRAY_LEN(options); i++)
        form_option(form, KEY_FIELD_WINDOW, str_c(options[i][0]), str_c(options[i][1]));
    form_set(form, KEY_FIELD_WINDOW, STR("month"));
}

int key_form_open(struct web *w, struct form *form, const struct key_settings *now)
{
    int r = form_init(form, w->arena, fields, ARRAY_LEN(fields));

    if (r == 0)
        r = add_projects(w, form, now);
    if (r != 0)
        return r;
    add_models(w, form, now);
    add_windows(form);
    return 0;
}

static struct str joined(struct arena *a, const struct str *v, size_t n)
{
    struct buf text;
    struct str copy;

    buf_init(&text, KIB(16));
    for (size_t i = 0; i < n; i++)
        buf_printf(&text, "%.*s\n", STR_FMT(v[i]));
    copy = arena_str(a, str_trim(buf_str(&text)));
    buf_done(&text);
    return copy;
}

static struct str tag_lines(struct arena *a, const struct key_settings *s)
{
    struct str *lines = arena_array(a, struct str, s->n_tags + 1);

    for (size_t i = 0; lines && i < s->n_tags; i++)
        lines[i] = arena_strf(a, "%.*s=%.*s", STR_FMT(s->tags[i].name), STR_FMT(s->tags[i].value));
    return lines ? joined(a, lines, s->n_tags) : STR("");
}

/* The day as the form shows it: that on which the last moment of the key lies. */
static struct str expiry_day(struct web *w, int64_t expires_at_us)
{
    return expires_at_us ? view_day(w->arena, expires_at_us - 1, w->zone) : STR("");
}

int key_form_show(struct web *w, struct form *form, const struct key_settings *s)
{
    form_set(form, KEY_FIELD_NAME, s->name);
    form_set(form, KEY_FIELD_PROJECT,
             s->project.v ? arena_strf(w->arena, "%" PRId64, s->project.v) : STR(""));
    if (s->budget_window != KEY_WINDOW_NONE) {
        form_set_money(form, KEY_FIELD_BUDGET, s->budget);
        form_set(form, KEY_FIELD_WINDOW, str_c(key_window_name(s->budget_window)));
    }
    form_set(form, KEY_FIELD_EXPIRES, expiry_day(w, s->expires_at_us));
    form_set_i64(form, KEY_FIELD_RPM, s->rpm);
    form_set_i64(form, KEY_FIELD_TPM, s->tpm);
    form_set_i64(form, KEY_FIELD_CONCURRENCY, s->concurrency);
    form_set(form, KEY_FIELD_ADDRESSES, joined(w->arena, s->addresses, s->n_addresses));
    form_set(form, KEY_FIELD_TAGS, tag_lines(w->arena, s));
    form_set_i64(form, KEY_FIELD_CACHE, s->cache_seconds);
    form_set_on(form, KEY_FIELD_CACHE_OWN, s->cache_own);
    if (s->cache_similarity_bp)
        form_set(form, KEY_FIELD_SIMILARITY, view_cosine(w->arena, s->cache_similarity_bp));
    return form_set_many(form, KEY_FIELD_MODELS, s->models, s->n_models);
}

/* The lines that are not empty. */
static int split_lines(struct arena *a, struct str text, struct str **ret, size_t *ret_n)
{
    struct str *v = arena_array(a, struct str, text.n / 2 + 2), line;
    size_t n = 0;

    if (!v)
        return err_origin(-ENOMEM);
    while (text.n && str_split(&text, '\n', &line))
        if (str_trim(line).n)
            v[n++] = str_trim(line);
    *ret = v;
    *ret_n = n;
    return 0;
}

static int read_tags(struct web *w, struct form *form, struct key_settings *ret)
{
    struct key_tag *tags;
    struct str *lines;
    size_t n;
    int r = split_lines(w->arena, form->v[KEY_FIELD_TAGS].text, &lines, &n);

    if (r < 0)
        return err_trace(r);
    tags = arena_array(w->arena, struct key_tag, n + 1);
    if (!tags)
        return err_origin(-ENOMEM);
    for (size_t i = 0; i < n; i++) {
        ssize_t equals = str_find(lines[i], '=');

        if (equals <= 0) {
            form_fault_at(form, KEY_FIELD_TAGS, "Each line is a name, =, and a value.");
            return 0;
        }
        tags[i].name = str_trim(str_n(lines[i].p, (size_t)equals));
        tags[i].value = str_trim(str_n(lines[i].p + equals + 1, lines[i].n - (size_t)equals - 1));
    }
    ret->tags = tags;
    ret->n_tags = n;
    return 0;
}

static void read_similarity(struct web *w, struct form *form, const struct key_settings *now,
                            struct key_settings *ret)
{
    struct str text = form->v[KEY_FIELD_SIMILARITY].text;
    int64_t bp = 0;

    if (!compared_by(w).p) /* the form did not ask */
        bp = now ? now->cache_similarity_bp : 0;
    else if (text.n && (money_parse_scaled(text, 4, &bp) != MONEY_OK || bp < KEY_SIMILARITY_MIN_BP ||
                        bp > KEY_SIMILARITY_MAX_BP))
        form_fault_at(form, KEY_FIELD_SIMILARITY, "From 0.5 to 1, with four decimals at most.");
    else if (bp && !ret->cache_seconds)
        form_fault_at(form, KEY_FIELD_CACHE, "Say for how long answers are kept that are given again.");
    ret->cache_similarity_bp = (int32_t)bp;
}

/* Who may see whose answers again is for the team's admins to say. */
static void read_cache(struct web *w, struct form *form, const struct key_settings *now,
                       struct key_settings *ret)
{
    bool changed;

    ret->cache_seconds = form->v[KEY_FIELD_CACHE].number;
    ret->cache_own = form->v[KEY_FIELD_CACHE_OWN].on;
    read_similarity(w, form, now, ret);
    changed = ret->cache_seconds != (now ? now->cache_seconds : 0) ||
              ret->cache_own != (now && now->cache_own) ||
              ret->cache_similarity_bp != (now ? now->cache_similarity_bp : 0);
    if (changed && !form->wrong && !web_role(w, ROLE_ADMIN))
        form_fault_at(form, KEY_FIELD_CACHE, "An owner or admin can change this.");
}

/* A moment whose day was left as it was shown stays as it is: it need not be the end of a day. */
static int64_t read_expiry(struct web *w, struct str day, const struct key_settings *now)
{
    if (now && str_eq(day, expiry_day(w, now->expires_at_us)))
        return now->expires_at_us;
    return zone_end_of_day_us(w->zone, day);
}

int key_form_settings(struct web *w, struct form *form, const struct key_settings *now,
                      struct key_settings *ret)
{
    const struct form_value *v = form->v;
    struct key_settings s = {
        .name = v[KEY_FIELD_NAME].text,
        .models = v[KEY_FIELD_MODELS].many,
        .n_models = v[KEY_FIELD_MODELS].n_many,
        .expires_at_us = read_expiry(w, v[KEY_FIELD_EXPIRES].text, now),
        .rpm = v[KEY_FIELD_RPM].number,
        .tpm = v[KEY_FIELD_TPM].number,
        .concurrency = v[KEY_FIELD_CONCURRENCY].number,
    };
    struct str *addresses;
    int r = split_lines(w->arena, v[KEY_FIELD_ADDRESSES].text, &addresses, &s.n_addresses);

    if (r == 0)
        r = read_tags(w, form, &s);
    if (r < 0)
        return err_trace(r);
    s.addresses = addresses;
    read_cache(w, form, now, &s);
    if (v[KEY_FIELD_PROJECT].text.n &&
        str_i64(v[KEY_FIELD_PROJECT].text, &s.project.v) != STR_OK)
        s.project.v = 0;
    if (v[KEY_FIELD_BUDGET].text.n &&
        key_window_parse(v[KEY_FIELD_WINDOW].text, &s.budget_window))
        s.budget = v[KEY_FIELD_BUDGET].money;
    *ret = s;
    return 0;
}

void key_form_view(struct web *w, const struct form *form, struct json_object *view)
{
    bool open = false;

    for (size_t i = KEY_FIELD_RPM; i < KEY_FIELDS; i++)
        open |= form->v[i].fault || form->v[i].text.n;
    form_view(form, view, "form");
    json_set_bool(json_get(view, "form"), "open", open);
    json_set_str(json_get(view, "form"), "compared_by", compared_by(w));
}

static void state_view(const struct key_view *key, int64_t now_us, struct json_object *view)
{
    bool off = key->deleted || key->disabled || key->expired;

    json_set_bool(view, "off", off);
    if (key->deleted)
        view_badge(view, "state", VIEW_NEUTRAL, "Deleted");
    else if (key->disabled)
        view_badge(view, "state", VIEW_WARN, "Disabled");
    else if (key->expired)
        view_badge(view, "state", VIEW_WARN, "Expired");
    else if (key->overlap_until_us > now_us)
        view_badge(view, "state", VIEW_INFO, "Rotating");
    else
        view_badge(view, "state", VIEW_GOOD, "Active");
}

void key_common_view(struct web *w, const struct key_view *key, struct json_object *view)
{
    json_set_str(view, "name", key->settings.name);
    json_set_str(view, "link", link_key(w->arena, key->id, NULL));
    json_set_str(view, "project", key->project_name);
    view_key(view, "chip", key->settings.name, key->prefix, key->last4, STR_NONE);
    state_view(key, w->now_us, view);
    view_figure(view, "spent_today", key->spent_today);
    view_figure(view, "spent_month", key->spent_month);
    view_figure(view, "spent_total", key->spent_total);
    view_recent_day(view, "last_used", key->last_day_us, w->zone, w->now_us);
}
