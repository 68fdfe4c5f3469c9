/* log_filter.c: see log_filter.h. */
#include "web/pages/log_filter.h"

#include <inttypes.h>

#include "base/err.h"
#include "identity/project.h"
#include "web/view.h"

#define HOUR_US ((int64_t)3600 * 1000000)

static const struct {
    const char *value, *label;
    int64_t us;
} periods[] = {
    {"1h", "last hour", HOUR_US},         {"24h", "last 24 hours", 24 * HOUR_US},
    {"7d", "last 7 days", 168 * HOUR_US}, {"30d", "last 30 days", 720 * HOUR_US},
    {"all", "all time", 0},
};
#define PERIOD_DEFAULT "24h"

/* A status is a number, a class of numbers, or how the call ended. */
static const struct {
    const char *value, *label;
    int status;
    const char *outcome;
    enum log_tri served;
} statuses[] = {
    {"ok", "OK", 0, "ok"},
    {"4xx", "4xx", 4, NULL},
    {"5xx", "5xx", 5, NULL},
    {"401", "401", 401, NULL},
    {"402", "402, money", 402, NULL},
    {"429", "429, rate", 429, NULL},
    {"blocked", "blocked", 0, "blocked"},
    {"upstream_error", "provider error", 0, "upstream_error"},
    {"client_gone", "client left", 0, "client_gone"},
    {"cut", "cut off", 0, "cut"},
    {LOG_SERVED, "served", 0, NULL, LOG_YES},
    {LOG_UNSERVED, "not served", 0, NULL, LOG_NO},
};

static struct str param(struct web *w, const char *name)
{
    struct str value = request_query(w->req, name);

    return value.p ? str_trim(value) : STR("");
}

/* Days hold before a period, which a form always has; but where the form already showed days (it says so by
 * `days`), a period is what was chosen in it, and holds. */
static void read_time(struct web *w, struct log_params *p)
{
    struct civil day;

    if (p->period.n && param(w, "days").n)
        p->from = p->to = STR("");
    if (civil_parse_day(p->from, &day))
        p->filter.from_us = zone_unix_us(w->zone, &day);
    if (civil_parse_day(p->to, &day)) {
        day = civil_plus_days(&day, 1);
        p->filter.to_us = zone_unix_us(w->zone, &day);
    }
    if (p->filter.from_us || p->filter.to_us) {
        p->period = STR("");
        return;
    }
    p->from = p->to = STR("");
    if (!p->period.n)
        p->period = STR(PERIOD_DEFAULT);
    for (size_t i = 0; i < ARRAY_LEN(periods); i++)
        if (str_eq_c(p->period, periods[i].value) && periods[i].us)
            p->filter.from_us = w->now_us - periods[i].us;
}

static void read_status(struct log_params *p)
{
    int64_t number;

    for (size_t i = 0; i < ARRAY_LEN(statuses); i++)
        if (str_eq_c(p->status, statuses[i].value)) {
            p->filter.status = statuses[i].status;
            p->filter.outcome = str_c(statuses[i].outcome);
            p->filter.served = statuses[i].served;
            return;
        }
    if (str_i64(p->status, &number) == STR_OK && number >= 100 && number <= 599)
        p->filter.status = (int)number;
    else
        p->status = STR("");
}

static void read_id(struct str *text, int64_t *ret)
{
    if (str_i64(*text, ret) != STR_OK || *ret <= 0) {
        *ret = 0;
        *text = STR("");
    }
}

static struct str given(struct str text)
{
    return text.n ? text : STR_NONE;
}

static const struct {
    const char *value, *label;
} caches[] = {
    {"hit", "kept answer"},
    {LOG_SIMILAR, "of a similar question"},
    {"miss", "asked anew"},
    {LOG_NO_CACHE, "not used"},
};

static void read_cache(struct log_params *p)
{
    p->filter.cache = STR_NONE;
    for (size_t i = 0; i < ARRAY_LEN(caches); i++)
        if (str_eq_c(p->cache, caches[i].value))
            p->filter.cache = p->cache;
    if (!p->filter.cache.p)
        p->cache = STR("");
}

void log_params_read(struct web *w, bool operator_view, struct log_params *ret)
{
    struct log_params p = {
        .period = param(w, "period"),     .from = param(w, "from"),
        .to = param(w, "to"),             .key = param(w, "key"),
        .project = param(w, "project"),   .model = param(w, "model"),
        .provider = param(w, "provider"), .status = param(w, "status"),
        .fallback = param(w, "fallback"), .above = param(w, "above"),
        .tag = param(w, "tag"),           .cache = param(w, "cache"),
        .guardrail = param(w, "guardrail"), .rule = param(w, "rule"),
    };

    if (!operator_view)
        p.filter.team = w->session.team;
    read_time(w, &p);
    read_status(&p);
    read_id(&p.key, &p.filter.key.v);
    read_id(&p.project, &p.filter.project.v);
    p.filter.model = given(p.model);
    p.filter.provider = given(p.provider);
    p.filter.tag = given(p.tag);
    p.filter.guardrail = given(p.guardrail);
    p.filter.rule = given(p.rule);
    p.filter.fallback = str_eq_c(p.fallback, "yes")  ? LOG_YES
                        : str_eq_c(p.fallback, "no") ? LOG_NO
                                                     : LOG_ANY;
    if (p.filter.fallback == LOG_ANY)
        p.fallback = STR("");
    read_cache(&p);
    p.filter.cost_above.nano = -1;
    if (!p.above.n || money_parse(p.above, &p.filter.cost_above) != MONEY_OK ||
        p.filter.cost_above.nano < 0) {
        p.above = STR("");
        p.filter.cost_above.nano = -1;
    }
    *ret = p;
}

struct str log_params_link(struct web *w, const struct log_params *p, struct str path,
                           const char *but)
{
    const struct {
        const char *name;
        struct str value;
    } all[] = {
        {"period", str_eq_c(p->period, PERIOD_DEFAULT) ? STR("") : p->period},
        {"from", p->from},         {"to", p->to},
        {"key", p->key},           {"project", p->project},
        {"model", p->model},       {"provider", p->provider},
        {"status", p->status},     {"fallback", p->fallback},
        {"above", p->above},       {"tag", p->tag},
        {"cache", p->cache},       {"guardrail", p->guardrail},
        {"rule", p->rule},
    };
    struct buf url;
    struct str copy;

    buf_init(&url, 8192);
    buf_put_str(&url, path);
    for (size_t i = 0; i < ARRAY_LEN(all); i++)
        if (!but || strcmp(but, all[i].name) != 0)
            query_put(&url, all[i].name, all[i].value);
    copy = arena_str(w->arena, buf_str(&url));
    buf_done(&url);
    return copy;
}

/* --- the controls and the chips --- */

struct shown {
    struct web *w;
    const struct log_params *p;
    struct str path;
    struct json_object *filter, *chips;
};

static void add_chip(struct shown *s, const char *name, const char *says, struct str value)
{
    struct json_object *chip;

    if (!value.n)
        return;
    chip = json_new_object();
    json_set_cstr(chip, "says", says);
    json_set_str(chip, "value", value);
    json_set_str(chip, "link", log_params_link(s->w, s->p, s->path, name));
    json_push(s->chips, chip);
}

static struct json_object *add_options(struct shown *s, const char *name, const char *any)
{
    struct json_object *options = json_new_array();

    if (any)
        view_choice(options, STR(""), str_c(any), false);
    json_set(s->filter, name, options);
    return options;
}

/* A key or project by which one filters is told of by its name, or by its id where it is none of the team's,
 * and stays an option. */
static void chosen_view(struct shown *s, struct json_object *options, const char *name, const char *says,
                        struct str id, struct str label)
{
    if (!label.p && id.n)
        view_choice(options, id, id, true);
    add_chip(s, name, says, label.p ? label : id);
}

static void keys_view(struct shown *s, const struct log_choices *choices)
{
    struct json_object *options = add_options(s, "keys", "any");
    struct str name = STR_NONE;

    for (size_t i = 0; i < choices->keys.n; i++) {
        const struct log_key *key = &choices->keys.v[i];
        bool chosen = key->id.v == s->p->filter.key.v;

        if (key->deleted && !chosen)
            continue;
        view_choice(options, arena_strf(s->w->arena, "%" PRId64, key->id.v), key->name, chosen);
        if (chosen)
            name = key->name;
    }
    chosen_view(s, options, "key", "key is", s->p->key, name);
}

static int projects_view(struct shown *s)
{
    struct json_object *options = add_options(s, "projects", "any");
    struct project_page projects = {0};
    struct str name = STR_NONE;
    int r = 0;

    if (s->p->filter.team.v)
        r = project_list(s->w->db, s->w->arena, s->p->filter.team, &projects);
    for (size_t i = 0; r == 0 && i < projects.n; i++) {
        bool chosen = projects.v[i].id.v == s->p->filter.project.v;

        view_choice(options, arena_strf(s->w->arena, "%" PRId64, projects.v[i].id.v),
                    projects.v[i].name, chosen);
        if (chosen)
            name = projects.v[i].name;
    }
    chosen_view(s, options, "project", "project is", s->p->project, name);
    return r;
}

/* What was chosen stays an option, also when no recent call has it. */
static void texts_view(struct shown *s, const char *name, const struct str *v, size_t n,
                       struct str chosen)
{
    struct json_object *options = add_options(s, name, "any");
    bool seen = !chosen.n;

    for (size_t i = 0; i < n; i++) {
        if (!v[i].n) /* calls that were refused have none */
            continue;
        view_choice(options, v[i], v[i], str_eq(v[i], chosen));
        seen |= str_eq(v[i], chosen);
    }
    if (!seen)
        view_choice(options, chosen, chosen, true);
}

static int choices_view(struct shown *s)
{
    struct log_choices choices = {0};
    int r = log_choices(s->w->db, s->w->arena, s->p->filter.team, &choices);

    if (r != 0)
        return r;
    texts_view(s, "models", choices.models, choices.n_models, s->p->model);
    texts_view(s, "providers", choices.providers, choices.n_providers, s->p->provider);
    add_chip(s, "model", "model is", s->p->model);
    add_chip(s, "provider", "provider is", s->p->provider);
    keys_view(s, &choices);
    return 0;
}

static void fixed_view(struct shown *s)
{
    struct json_object *options = add_options(s, "periods", s->p->period.n ? NULL : "days below");

    for (size_t i = 0; i < ARRAY_LEN(periods); i++)
        view_choice(options, str_c(periods[i].value), str_c(periods[i].label),
                    str_eq_c(s->p->period, periods[i].value));
    options = add_options(s, "statuses", "any");
    for (size_t i = 0; i < ARRAY_LEN(statuses); i++)
        view_choice(options, str_c(statuses[i].value), str_c(statuses[i].label),
                    str_eq_c(s->p->status, statuses[i].value));
    options = add_options(s, "fallbacks", "any");
    view_choice(options, STR("yes"), STR("with fallback"), str_eq_c(s->p->fallback, "yes"));
    view_choice(options, STR("no"), STR("first try"), str_eq_c(s->p->fallback, "no"));
    options = add_options(s, "caches", "any");
    for (size_t i = 0; i < ARRAY_LEN(caches); i++)
        view_choice(options, str_c(caches[i].value), str_c(caches[i].label),
                    str_eq_c(s->p->cache, caches[i].value));
    json_set_str(s->filter, "above", s->p->above);
    json_set_str(s->filter, "from", s->p->from);
    json_set_str(s->filter, "to", s->p->to);
    json_set_bool(s->filter, "days", s->p->from.n || s->p->to.n);
    json_set_cstr(s->filter, "usual_period", PERIOD_DEFAULT);
    json_set_str(s->filter, "tag", s->p->tag);
    json_set_str(s->filter, "guardrail", s->p->guardrail);
    json_set_str(s->filter, "rule", s->p->rule);
}

/* A word of the address may be told by others. */
static struct str status_label(struct str status)
{
    return str_eq_c(status, LOG_UNSERVED) ? STR("served by no model")
           : str_eq_c(status, LOG_SERVED) ? STR("served by a model")
                                          : status;
}

static void fixed_chips(struct shown *s)
{
    if (!str_eq_c(s->p->period, PERIOD_DEFAULT))
        add_chip(s, "period", "time is", s->p->period);
    add_chip(s, "from", "from", s->p->from);
    add_chip(s, "to", "to", s->p->to);
    add_chip(s, "status", "status is", status_label(s->p->status));
    if (s->p->fallback.n)
        add_chip(s, "fallback", "fallback is", s->p->fallback);
    add_chip(s, "cache", "cache is", s->p->cache);
    add_chip(s, "above", "cost above $", s->p->above);
    add_chip(s, "tag", "tag is", s->p->tag);
    add_chip(s, "guardrail", "guardrail is", s->p->guardrail);
    add_chip(s, "rule", "rule is", s->p->rule);
}

int log_params_view(struct web *w, const struct log_params *p, struct str path,
                    struct json_object *view)
{
    struct shown s = {.w = w,
                      .p = p,
                      .path = path,
                      .filter = json_new_object(),
                      .chips = json_new_array()};
    int r;

    json_set(view, "filter", s.filter);
    json_set(view, "chips", s.chips);
    json_set_str(view, "path", path);
    fixed_view(&s);
    fixed_chips(&s);
    r = choices_view(&s);
    if (r == 0)
        r = projects_view(&s);
    json_set_bool(s.filter, "of_team", p->filter.team.v != 0);
    return r;
}
