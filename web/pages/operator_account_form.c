/* operator_account_form.c: see operator_account_form.h. */
#include "web/pages/operator_account_form.h"

#include <inttypes.h>

#include "base/clock.h"
#include "gateway/operate.h"
#include "providers/health.h"
#include "web/links.h"
#include "web/pages/operator_area.h"
#include "web/view.h"

static const struct form_field fields[ACCOUNT_FIELDS] = {
    [ACCOUNT_FIELD_NAME] = {"name", "Name", FORM_TEXT, .required = true, .min = 1, .max = 100,
                            .help = "Stands in the log beside each call it served.",
                            .autocomplete = "off"},
    [ACCOUNT_FIELD_URL] = {"base_url", "Base URL", FORM_TEXT, .max = 2000, .autocomplete = "off"},
    [ACCOUNT_FIELD_NETWORK] = {"network", "Network", FORM_CHOICE},
    [ACCOUNT_FIELD_REGION] = {"region", "Region", FORM_TEXT, .max = 100,
                              .autocomplete = "off"},
    [ACCOUNT_FIELD_PROJECT] = {"project", "Project id", FORM_TEXT, .max = 100,
                               .autocomplete = "off"},
    [ACCOUNT_FIELD_KEY] = {"key", "API key", FORM_PASSWORD, .max = 4096, .autocomplete = "off",
                           .help = "Stored encrypted and never shown again."},
    [ACCOUNT_FIELD_ACCESS_KEY_ID] = {"access_key_id", "Access key id", FORM_TEXT, .max = 256,
                                     .autocomplete = "off",
                                     .help = "Of an IAM user or a role that may invoke models."},
    [ACCOUNT_FIELD_SECRET_ACCESS_KEY] = {"secret_access_key", "Secret access key", FORM_PASSWORD,
                                         .max = 4096, .autocomplete = "off",
                                         .help = "Stored encrypted and never shown again."},
    [ACCOUNT_FIELD_SESSION_TOKEN] = {"session_token", "Session token", FORM_PASSWORD, .max = 4096,
                                     .autocomplete = "off",
                                     .help = "Of temporary keys, which end with it."},
    [ACCOUNT_FIELD_SERVICE_ACCOUNT] = {"service_account", "Service account", FORM_LINES,
                                       .max = 16000, .placeholder = "{\"type\": \"service_account\", …}",
                                       .help = "The whole JSON file of its key. Stored encrypted and "
                                               "never shown again."},
    [ACCOUNT_FIELD_HEADERS] = {"extra_headers", "Extra headers", FORM_LINES, .max = 16000,
                               .placeholder = "{\"x-project\": \"gateway\"}",
                               .help = "A JSON object, sent with every request. Not for secrets: "
                                       "operators see it here."},
    [ACCOUNT_FIELD_PRIORITY] = {"priority", "Priority", FORM_INTEGER, .max = 1000,
                                .help = "Lower is tried first."},
    [ACCOUNT_FIELD_WEIGHT] = {"weight", "Weight", FORM_INTEGER, .required = true, .min = 1,
                              .max = 1000, .help = "Its share among equals."},
    [ACCOUNT_FIELD_POLICY] = {"data_policy", "What the provider does with the data", FORM_CHOICE,
                              .help = "Requests may ask for one (data_collection, zdr); only then it "
                                      "decides."},
    [ACCOUNT_FIELD_RPM] = {"rpm", "Requests per minute", FORM_INTEGER, .max = 1000000000,
                           .placeholder = "no limit",
                           .help = "Of all nodes together, each by its share. What is above goes to "
                                   "the next target."},
    [ACCOUNT_FIELD_TPM] = {"tpm", "Tokens per minute", FORM_INTEGER, .max = 1000000000000,
                           .placeholder = "no limit"},
    [ACCOUNT_FIELD_ENABLED] = {"enabled", "Enabled", FORM_SWITCH,
                               .help = "Calls may be sent to it."},
};

int account_form_open(struct web *w, struct form *form, const struct provider *provider)
{
    bool at_home = provider_has(provider, PROVIDER_SELF_HOSTED);
    int r = form_init(form, w->arena, fields, ARRAY_LEN(fields));

    if (r < 0)
        return r;
    form_option(form, ACCOUNT_FIELD_NETWORK, STR("public"), STR("Public"));
    form_option(form, ACCOUNT_FIELD_NETWORK, STR("private"), STR("Private"));
    for (enum data_policy p = 0; p < DATA_POLICIES; p++)
        form_option(form, ACCOUNT_FIELD_POLICY, str_c(data_policy_name(p)),
                    str_c(data_policy_label(p)));
    form_set(form, ACCOUNT_FIELD_POLICY, str_c(data_policy_name(DATA_UNKNOWN)));
    form_set(form, ACCOUNT_FIELD_NETWORK, at_home ? STR("private") : STR("public"));
    form_set(form, ACCOUNT_FIELD_PRIORITY, STR("0"));
    form_set(form, ACCOUNT_FIELD_WEIGHT, STR("100"));
    form_set_on(form, ACCOUNT_FIELD_ENABLED, true);
    return 0;
}

void account_form_show(struct form *form, const struct account_draft *d)
{
    struct arena *a = form->arena;

    form_set(form, ACCOUNT_FIELD_NAME, d->name);
    form_set(form, ACCOUNT_FIELD_URL, d->base_url);
    form_set(form, ACCOUNT_FIELD_NETWORK, d->private_network ? STR("private") : STR("public"));
    form_set(form, ACCOUNT_FIELD_POLICY, str_c(data_policy_name(d->data_policy)));
    form_set(form, ACCOUNT_FIELD_REGION, d->region);
    form_set(form, ACCOUNT_FIELD_PROJECT, d->project);
    form_set(form, ACCOUNT_FIELD_HEADERS, d->extra_headers);
    form_set(form, ACCOUNT_FIELD_PRIORITY, arena_strf(a, "%" PRId32, d->priority));
    form_set(form, ACCOUNT_FIELD_WEIGHT, arena_strf(a, "%" PRId32, d->weight));
    form_set_i64(form, ACCOUNT_FIELD_RPM, d->rpm);
    form_set_i64(form, ACCOUNT_FIELD_TPM, d->tpm);
    form_set_on(form, ACCOUNT_FIELD_ENABLED, d->enabled);
}

void account_form_draft(struct form *form, const struct provider *provider,
                        struct account_draft *ret)
{
    const struct form_value *v = form->v;
    struct identity_fault fault = {0};
    struct account_draft d = {
        .kind = str_c(provider->kind),
        .name = v[ACCOUNT_FIELD_NAME].text,
        .base_url = v[ACCOUNT_FIELD_URL].text,
        .extra_headers = v[ACCOUNT_FIELD_HEADERS].text,
        .region = provider_wants_region(provider) ? v[ACCOUNT_FIELD_REGION].text : STR(""),
        .project = provider_wants_project(provider) ? v[ACCOUNT_FIELD_PROJECT].text : STR(""),
        .private_network = str_eq_c(v[ACCOUNT_FIELD_NETWORK].text, "private"),
        .enabled = v[ACCOUNT_FIELD_ENABLED].on,
        .priority = (int32_t)v[ACCOUNT_FIELD_PRIORITY].number,
        .weight = (int32_t)v[ACCOUNT_FIELD_WEIGHT].number,
        .rpm = v[ACCOUNT_FIELD_RPM].number,
        .tpm = v[ACCOUNT_FIELD_TPM].number,
    };

    if (data_policy_parse(v[ACCOUNT_FIELD_POLICY].text, &d.data_policy) != WORD_OK)
        d.data_policy = DATA_UNKNOWN; /* the form has no other */
    if (!form->wrong && operate_check_url(provider, &d, &fault) != CHANGE_OK)
        form_fault(form, &fault);
    *ret = d;
}

int account_form_secret(struct form *form, const struct provider *provider, struct str *ret)
{
    const struct form_value *v = form->v;
    const struct credential_parts parts = {
        .key = str_trim(v[ACCOUNT_FIELD_KEY].text),
        .access_key_id = v[ACCOUNT_FIELD_ACCESS_KEY_ID].text,
        .secret_access_key = str_trim(v[ACCOUNT_FIELD_SECRET_ACCESS_KEY].text),
        .session_token = str_trim(v[ACCOUNT_FIELD_SESSION_TOKEN].text),
        .service_account = v[ACCOUNT_FIELD_SERVICE_ACCOUNT].text,
    };

    for (size_t i = ACCOUNT_FIELD_KEY; i <= ACCOUNT_FIELD_SERVICE_ACCOUNT; i++)
        form->wrong |= v[i].fault != NULL;
    return credential_join(provider, form->arena, &parts, ret);
}

/* Which parts the kind has. What was typed of a service account is no more sent back than a
 * password. */
static void parts_view(const struct provider *p, struct json_object *f)
{
    bool optional = provider_has(p, PROVIDER_KEY_OPTIONAL) || p->auth == PROVIDER_AUTH_AWS;

    json_set_bool(f, "with_aws", p->auth == PROVIDER_AUTH_AWS);
    json_set_bool(f, "with_google", p->auth == PROVIDER_AUTH_GOOGLE);
    json_set_bool(f, "with_key",
                  p->auth != PROVIDER_AUTH_NONE && p->auth != PROVIDER_AUTH_GOOGLE);
    json_set_bool(json_get(f, "key"), "required", !optional);
    if (p->auth == PROVIDER_AUTH_AWS) {
        json_set_cstr(json_get(f, "key"), "label", "Or an API key of Bedrock");
        json_set_cstr(json_get(f, "key"), "help", "Instead of an access key.");
    }
    json_set_str(json_get(f, "service_account"), "value", STR(""));
    json_set_bool(json_get(f, "service_account"), "required", true);
}

void account_secret_view(const struct form *form, const struct provider *provider,
                         struct json_object *view)
{
    struct json_object *f;

    form_view(form, view, "secret");
    f = json_get(view, "secret");
    parts_view(provider, f);
    json_set_bool(json_get(f, "key"), "required", false); /* empty takes it away */
    json_set_bool(json_get(f, "service_account"), "required", false);
}

void account_form_view(const struct form *form, const struct provider *provider,
                       struct json_object *view)
{
    const struct form_value *v = form->v;
    bool open = v[ACCOUNT_FIELD_HEADERS].text.n || v[ACCOUNT_FIELD_RPM].text.n ||
                v[ACCOUNT_FIELD_TPM].text.n;
    struct json_object *f;

    for (size_t i = ACCOUNT_FIELD_HEADERS; i < ACCOUNT_FIELD_ENABLED; i++)
        open |= v[i].fault != NULL;
    form_view(form, view, "form");
    f = json_get(view, "form");
    json_set_bool(f, "open", open);
    json_set_bool(f, "has_url", !provider_has(provider, PROVIDER_DEMO));
    json_set_bool(json_get(f, "base_url"), "required", !provider->origin);
    json_set_str(json_get(f, "base_url"), "placeholder",
                 provider->origin
                     ? arena_strf(form->arena, "%s%s", provider->origin, provider->root)
                     : arena_strf(form->arena, "https://llm.example.org%s", provider->root));
    json_set_bool(json_get(f, "priority"), "required", true); /* has a default; not “optional” */
    json_set_bool(f, "with_region", provider_wants_region(provider));
    json_set_bool(f, "with_project", provider_wants_project(provider));
    json_set_bool(json_get(f, "region"), "required", true); /* where the kind shows it */
    json_set_bool(json_get(f, "project"), "required", true);
    json_set_cstr(json_get(f, "region"), "placeholder",
                  provider->auth == PROVIDER_AUTH_GOOGLE ? "europe-west4, or global" : "us-east-1");
    parts_view(provider, f);
}

/* --- how it is doing --- */

/* Why it is left alone: what an operator mends is another thing each time. */
static const char *cooling_text(enum health_failure failure)
{
    switch (failure) {
    case HEALTH_RATE_LIMITED:
        return "Rate limited";
    case HEALTH_CREDENTIAL:
        return "Credential refused";
    case HEALTH_FAILED:
        break;
    }
    return "Failing";
}

static struct health *slot_of_row(struct web *w, const struct account_row *row)
{
    return health_at(w->services->health, row->id, row->is.team.v != 0);
}

bool account_is_up(struct web *w, const struct account_row *row)
{
    return !w->services->health || health_state(slot_of_row(w, row), clock_mono_ms()) == HEALTH_UP;
}

static void health_badge(struct web *w, const struct account_row *row, struct json_object *view)
{
    int64_t now_ms = clock_mono_ms();
    struct health_view h = {0};

    if (w->services->health)
        health_read(slot_of_row(w, row), now_ms, &h);
    if (h.state == HEALTH_COOLING)
        view_badge(view, "state", VIEW_BAD, cooling_text(h.last_failure));
    else if (h.state == HEALTH_PROBING)
        view_badge(view, "state", VIEW_WARN, "On trial again");
    else if (row->last_error_us > row->last_ok_us)
        view_badge(view, "state", VIEW_WARN, "Last test failed");
    else if (row->last_ok_us || h.tries > h.failures)
        view_badge(view, "state", VIEW_GOOD, "Up");
    else
        view_badge(view, "state", VIEW_NEUTRAL, "Not tried yet");
}

static void state_view(struct web *w, const struct account_row *row, struct json_object *view)
{
    json_set_bool(view, "off", !row->is.enabled || !row->provider);
    if (!row->provider)
        view_badge(view, "state", VIEW_BAD, "Kind not known here");
    else if (!row->is.enabled)
        view_badge(view, "state", VIEW_NEUTRAL, "Off");
    else
        health_badge(w, row, view);
}

void account_common_view(struct web *w, const struct account_row *row, struct json_object *view)
{
    bool failed = row->last_error_us > row->last_ok_us;

    json_set_str(view, "name", row->is.name);
    json_set_str(view, "link", link_provider_account(w->arena, row->id, NULL));
    json_set_str(view, "kind", row->is.kind);
    json_set_str(view, "kind_label", row->provider ? str_c(row->provider->label) : row->is.kind);
    json_set_bool(view, "enabled", row->is.enabled);
    json_set_bool(view, "private", row->is.private_network);
    json_set_bool(view, "own", row->is.team.v != 0);
    json_set_str(view, "key_last4", row->has_key ? row->key_last4 : STR(""));
    json_set_bool(view, "has_key", row->has_key);
    json_set_i64(view, "priority", row->is.priority);
    json_set_i64(view, "weight", row->is.weight);
    view_count(view, "targets", row->targets);
    json_set_str(view, "serves", view_plural(w->arena, row->targets, "model", NULL));
    json_set_str(view, "calls_link",
                 operator_page_link(w, link_to(LINK_operator_calls), "account", row->is.name, 0));
    json_set_str(view, "error", failed ? row->last_error : STR(""));
    view_time(view, "last", MAX(row->last_error_us, row->last_ok_us), w->zone, w->now_us);
    state_view(w, row, view);
}
