/* operator_model_form.c: see operator_model_form.h. */
#include "web/pages/operator_model_form.h"

#include <errno.h>
#include <inttypes.h>

#include "base/bounds.h"
#include "base/err.h"
#include "web/links.h"
#include "web/view.h"

#define HOUR_MS 3600000

static const struct form_field fields[MODEL_FIELDS] = {
    [MODEL_FIELD_NAME] = {"name", "Name", FORM_TEXT, .required = true, .min = 1, .max = 128,
                          .help = "What customers send as “model”. It cannot be changed later.",
                          .placeholder = "vendor-model-1", .autocomplete = "off"},
    [MODEL_FIELD_KIND] = {"kind", "Kind", FORM_CHOICE},
    [MODEL_FIELD_VENDOR] = {"vendor", "Vendor", FORM_TEXT, .required = true, .min = 1, .max = 60,
                            .help = "Who made the model.", .autocomplete = "off"},
    [MODEL_FIELD_DESCRIPTION] = {"description", "Description", FORM_LINES, .max = 1000,
                                 .help = "Stands on the public page of models and prices."},
    [MODEL_FIELD_CONTEXT] = {"context_tokens", "Context window", FORM_INTEGER,
                             .max = BOUND_MODEL_TOKENS, .placeholder = "not known",
                             .help = "Tokens."},
    [MODEL_FIELD_OUTPUT] = {"max_output_tokens", "Longest answer", FORM_INTEGER,
                            .max = BOUND_MODEL_TOKENS, .placeholder = "not known",
                            .help = "Tokens."},
    [MODEL_FIELD_MEDIA] = {"media_tokens", "Image or sound", FORM_INTEGER, .max = 10000000,
                           .help = "Tokens at most."},
    [MODEL_FIELD_ABILITIES_KNOWN] = {"abilities_known", "Refuse requests for what is not checked",
                                     FORM_SWITCH,
                                     .help =
                                         "Off: what it can do is not known, nothing is refused."},
    [MODEL_FIELD_ABILITIES] = {"abilities", "What it can do", FORM_MANY},
    [MODEL_FIELD_ENABLED] = {"enabled", "Enabled", FORM_SWITCH,
                             .help = "Served once it has a price and a target."},
    [MODEL_FIELD_STRATEGY] = {"strategy", "Which target is asked first", FORM_CHOICE,
                              .help = "A request may name another order, and what fails comes last."},
    [MODEL_FIELD_MAX_ATTEMPTS] = {"max_attempts", "Tries in all", FORM_INTEGER, .required = true,
                                  .min = 1, .max = BOUND_ATTEMPTS},
    [MODEL_FIELD_RETRIES] = {"retries", "Retries of one target", FORM_INTEGER, .max = 5},
    [MODEL_FIELD_DROP] = {"drop_unsupported", "Leave out what a provider cannot express", FORM_SWITCH,
                          .help = "Named in x-tollgate-dropped. Off: such a request is refused."},
    [MODEL_FIELD_TRIGGERS] = {"triggers", "The next target has its turn after", FORM_MANY},
    [MODEL_FIELD_CONNECT] = {"connect_timeout_ms", "Connect, ms", FORM_INTEGER, .max = 600000},
    [MODEL_FIELD_FIRST_BYTE] = {"first_byte_timeout_ms", "First byte, ms", FORM_INTEGER,
                                .max = HOUR_MS},
    [MODEL_FIELD_IDLE] = {"idle_timeout_ms", "Silence, ms", FORM_INTEGER, .max = HOUR_MS},
    [MODEL_FIELD_TOTAL] = {"total_timeout_ms", "Whole call, ms", FORM_INTEGER, .max = HOUR_MS},
};

static const char *const trigger_labels[ROUTE_TRIGGERS] = {
    [TRIGGER_CONNECT] = "no connection",
    [TRIGGER_TIMEOUT] = "a time-out before the first byte",
    [TRIGGER_RATE_LIMITED] = "too many requests (429)",
    [TRIGGER_SERVER_ERROR] = "a server error (5xx)",
    [TRIGGER_BAD_REPLY] = "an answer that makes no sense",
    [TRIGGER_CREDENTIAL] = "a refused credential (401, 402, 403)",
    [TRIGGER_CONTEXT_LENGTH] = "a prompt that is too long, where its own context is longer",
    [TRIGGER_CONTENT_POLICY] = "content that the provider’s rules refuse",
};

static void add_options(struct form *form)
{
    for (enum model_kind k = 0; k < MODEL_KINDS; k++)
        form_option(form, MODEL_FIELD_KIND, str_c(model_kind_name(k)), str_c(model_kind_label(k)));
    for (enum route_strategy s = 0; s < ROUTE_STRATEGIES; s++)
        form_option(form, MODEL_FIELD_STRATEGY, str_c(route_strategy_name(s)),
                    str_c(route_strategy_label(s)));
    for (enum ability a = 0; a < ABILITIES; a++)
        form_option(form, MODEL_FIELD_ABILITIES, str_c(ability_name(a)), str_c(ability_label(a)));
    for (enum route_trigger t = 0; t < ROUTE_TRIGGERS; t++)
        form_option(form, MODEL_FIELD_TRIGGERS, str_c(route_trigger_name(t)),
                    str_c(trigger_labels[t]));
}

int model_form_open(struct web *w, struct form *form, const struct model_draft *d)
{
    struct str abilities[ABILITIES], triggers[ROUTE_TRIGGERS];
    int r = form_init(form, w->arena, fields, ARRAY_LEN(fields));

    if (r < 0)
        return err_trace(r);
    add_options(form);
    form_set(form, MODEL_FIELD_NAME, d->name);
    form_set(form, MODEL_FIELD_KIND, str_c(model_kind_name(d->kind)));
    form_set(form, MODEL_FIELD_VENDOR, d->vendor);
    form_set(form, MODEL_FIELD_DESCRIPTION, d->description);
    form_set_i64(form, MODEL_FIELD_CONTEXT, d->context_tokens);
    form_set_i64(form, MODEL_FIELD_OUTPUT, d->max_output_tokens);
    form_set(form, MODEL_FIELD_MEDIA, arena_strf(w->arena, "%" PRId64, d->media_tokens));
    form_set_on(form, MODEL_FIELD_ABILITIES_KNOWN, d->abilities_known);
    form_set_on(form, MODEL_FIELD_ENABLED, d->enabled);
    form_set(form, MODEL_FIELD_STRATEGY, str_c(route_strategy_name(d->strategy)));
    form_set_i64(form, MODEL_FIELD_MAX_ATTEMPTS, d->max_attempts);
    form_set(form, MODEL_FIELD_RETRIES, arena_strf(w->arena, "%" PRId32, d->retries));
    form_set_on(form, MODEL_FIELD_DROP, d->drop_unsupported);
    form_set_i64(form, MODEL_FIELD_CONNECT, d->connect_timeout_ms);
    form_set_i64(form, MODEL_FIELD_FIRST_BYTE, d->first_byte_timeout_ms);
    form_set_i64(form, MODEL_FIELD_IDLE, d->idle_timeout_ms);
    form_set_i64(form, MODEL_FIELD_TOTAL, d->total_timeout_ms);
    r = form_set_many(form, MODEL_FIELD_ABILITIES, abilities,
                      ability_words(d->abilities, abilities));
    if (r == 0)
        r = form_set_many(form, MODEL_FIELD_TRIGGERS, triggers,
                          trigger_words(d->triggers, triggers));
    return r < 0 ? err_trace(r) : 0;
}

static uint32_t read_triggers(const struct form_value *v)
{
    uint32_t bits = 0;
    enum route_trigger t;

    for (size_t i = 0; i < v->n_many; i++)
        if (route_trigger_parse(v->many[i], &t) == WORD_OK)
            bits |= TRIGGER_BIT(t);
    return bits;
}

static void take(const struct form_value *v, struct model_draft *d)
{
    d->vendor = v[MODEL_FIELD_VENDOR].text;
    d->description = v[MODEL_FIELD_DESCRIPTION].text;
    d->context_tokens = v[MODEL_FIELD_CONTEXT].number;
    d->max_output_tokens = v[MODEL_FIELD_OUTPUT].number;
    d->media_tokens = v[MODEL_FIELD_MEDIA].number;
    d->abilities_known = v[MODEL_FIELD_ABILITIES_KNOWN].on;
    d->abilities = ability_bits_of(v[MODEL_FIELD_ABILITIES].many, v[MODEL_FIELD_ABILITIES].n_many);
    d->enabled = v[MODEL_FIELD_ENABLED].on;
    if (route_strategy_parse(v[MODEL_FIELD_STRATEGY].text, &d->strategy) != WORD_OK)
        d->strategy = STRATEGY_PRIORITY; /* the form has no other */
    d->max_attempts = (int32_t)v[MODEL_FIELD_MAX_ATTEMPTS].number;
    d->retries = (int32_t)v[MODEL_FIELD_RETRIES].number;
    d->drop_unsupported = v[MODEL_FIELD_DROP].on;
    d->triggers = read_triggers(&v[MODEL_FIELD_TRIGGERS]);
    d->connect_timeout_ms = (int32_t)v[MODEL_FIELD_CONNECT].number;
    d->first_byte_timeout_ms = (int32_t)v[MODEL_FIELD_FIRST_BYTE].number;
    d->idle_timeout_ms = (int32_t)v[MODEL_FIELD_IDLE].number;
    d->total_timeout_ms = (int32_t)v[MODEL_FIELD_TOTAL].number;
}

/* A model that exists sends neither, so they are put in as if it had. */
static int with_fixed(struct web *w, const struct model_draft *d, struct pairs *ret)
{
    struct pair *v = arena_array(w->arena, struct pair, w->submitted.n + 2);

    if (!v)
        return err_origin(-ENOMEM);
    v[0] = (struct pair){STR("name"), d->name};
    v[1] = (struct pair){STR("kind"), str_c(model_kind_name(d->kind))};
    if (w->submitted.n)
        memcpy(v + 2, w->submitted.v, w->submitted.n * sizeof(*v));
    *ret = (struct pairs){v, w->submitted.n + 2};
    return 0;
}

int model_form_read(struct web *w, struct form *form, bool is_new, struct model_draft *draft)
{
    struct pairs submitted = w->submitted;
    int r = is_new ? 0 : with_fixed(w, draft, &submitted);

    if (r == 0)
        r = form_read(form, &submitted);
    if (r < 0)
        return err_trace(r);
    if (is_new) {
        draft->name = form->v[MODEL_FIELD_NAME].text;
        if (model_kind_parse(form->v[MODEL_FIELD_KIND].text, &draft->kind) != WORD_OK)
            draft->kind = MODEL_CHAT;
    }
    take(form->v, draft);
    return 0;
}

static void set_default(struct web *w, struct json_object *form, const char *field, int ms)
{
    json_set_str(json_get(form, field), "placeholder", arena_strf(w->arena, "%d", ms));
}

void model_form_view(struct web *w, const struct form *form, struct json_object *view)
{
    const struct services *s = w->services;
    struct json_object *f;
    bool open = false;

    for (size_t i = MODEL_FIELD_MAX_ATTEMPTS; i < MODEL_FIELDS; i++)
        open |= form->v[i].fault != NULL;
    form_view(form, view, "form");
    f = json_get(view, "form");
    json_set_bool(f, "open", open);
    json_set_bool(json_get(f, "media_tokens"), "required", true); /* have defaults */
    json_set_bool(json_get(f, "retries"), "required", true);
    set_default(w, f, "connect_timeout_ms", s->connect_timeout_ms);
    set_default(w, f, "first_byte_timeout_ms", s->first_byte_timeout_ms);
    set_default(w, f, "idle_timeout_ms", s->idle_timeout_ms);
    set_default(w, f, "total_timeout_ms", s->total_timeout_ms);
}

static void state_view(const struct model_row *row, struct json_object *view)
{
    json_set_bool(view, "off", !row->is.enabled || row->off_reason.p);
    if (row->off_reason.p)
        view_badge(view, "state", VIEW_BAD, "Switched off");
    else if (!row->is.enabled)
        view_badge(view, "state", VIEW_NEUTRAL, "Disabled");
    else if (row->pinned.v)
        view_badge(view, "state", VIEW_WARN, "Pinned");
    else if (!row->targets && row->ruled)
        view_badge(view, "state", VIEW_GOOD, "By its rules");
    else if (!row->targets)
        view_badge(view, "state", VIEW_WARN, "No target");
    else if (!row->priced)
        view_badge(view, "state", VIEW_WARN, "No price");
    else
        view_badge(view, "state", VIEW_GOOD, "Served");
}

void model_common_view(struct web *w, const struct model_row *row, struct json_object *view)
{
    json_set_str(view, "name", row->is.name);
    json_set_str(view, "link", link_model(w->arena, row->id, NULL));
    json_set_str(view, "prices_link", link_model(w->arena, row->id, "prices"));
    json_set_str(view, "vendor", row->is.vendor);
    json_set_cstr(view, "kind", model_kind_label(row->is.kind));
    json_set_str(view, "family", row->family);
    json_set_bool(view, "demo", row->is.demo);
    json_set_bool(view, "priced", row->priced);
    view_count(view, "targets", row->targets);
    state_view(row, view);
}
