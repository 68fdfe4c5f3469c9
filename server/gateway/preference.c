/* preference.c: see preference.h. The two members are small, so they are read as trees. */
#include "gateway/preference.h"

#include <errno.h>
#include <stdio.h>

#include "base/err.h"

static int wrong(struct json_fault *fault, const char *path, const char *reason)
{
    *fault = (struct json_fault){.at = 0};
    (void)snprintf(fault->path, sizeof(fault->path), "%s", path);
    (void)snprintf(fault->reason, sizeof(fault->reason), "%s", reason);
    return PREFERENCE_E_FIELD;
}

/* The strings of an array, at most max of them. */
static int read_names(struct arena *a, const struct json_object *array, size_t max,
                      const char *path, struct str *ret, size_t *ret_n, struct json_fault *fault)
{
    size_t n = array ? json_length(array) : 0;

    if (!array || json_kind(array) == JSON_NULL)
        return PREFERENCE_OK;
    if (json_kind(array) != JSON_ARRAY)
        return wrong(fault, path, "must be an array of names");
    if (n > max)
        return wrong(fault, path, "has too many names");
    for (size_t i = 0; i < n; i++) {
        struct json_object *name = json_at(array, i);

        if (!name || json_kind(name) != JSON_STRING)
            return wrong(fault, path, "must be an array of names");
        ret[i] = arena_str(a, json_text(name));
        if (!ret[i].p)
            return err_origin(-ENOMEM);
    }
    *ret_n = n;
    return PREFERENCE_OK;
}

/* Dollars per million tokens, or per request; a number, or its text. */
static int read_price(const struct json_object *object, const char *key, const char *path,
                      int scale, int64_t *ret, struct json_fault *fault)
{
    struct json_object *v = json_get(object, key);
    int64_t nano;

    if (!v || json_kind(v) == JSON_NULL)
        return PREFERENCE_OK;
    if (json_kind(v) != JSON_INT && json_kind(v) != JSON_NUMBER && json_kind(v) != JSON_STRING)
        return wrong(fault, path, "must be a number of dollars");
    if (money_parse_scaled(json_text(v), scale, &nano) != MONEY_OK || nano < 0)
        return wrong(fault, path, "must be an exact, positive number of dollars");
    *ret = nano;
    return PREFERENCE_OK;
}

static int read_max_price(const struct json_object *provider, struct route_preference *p,
                          struct json_fault *fault)
{
    struct json_object *o = json_get(provider, "max_price");
    int r;

    if (!o || json_kind(o) == JSON_NULL)
        return PREFERENCE_OK;
    if (json_kind(o) != JSON_OBJECT)
        return wrong(fault, "provider.max_price", "must be an object");
    r = read_price(o, "prompt", "provider.max_price.prompt", 9, &p->max_input_price, fault);
    if (r == PREFERENCE_OK)
        r = read_price(o, "completion", "provider.max_price.completion", 9, &p->max_output_price,
                       fault);
    /* Given per request, kept per million requests. */
    if (r == PREFERENCE_OK)
        r = read_price(o, "request", "provider.max_price.request", 15, &p->max_request_price,
                       fault);
    return r;
}

static int read_provider(struct arena *a, const struct json_object *provider,
                         struct route_preference *p, struct json_fault *fault)
{
    const struct {
        const char *key, *path;
        struct route_names *names;
    } lists[] = {
        {"order", "provider.order", &p->order},
        {"only", "provider.only", &p->only},
        {"ignore", "provider.ignore", &p->ignore},
    };
    struct json_object *fallbacks = json_get(provider, "allow_fallbacks");

    for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
        int r = read_names(a, json_get(provider, lists[i].key), ROUTE_NAMES_MAX, lists[i].path,
                           lists[i].names->v, &lists[i].names->n, fault);

        if (r != PREFERENCE_OK)
            return r;
    }
    if (fallbacks && json_kind(fallbacks) != JSON_NULL) {
        if (json_kind(fallbacks) != JSON_BOOL)
            return wrong(fault, "provider.allow_fallbacks", "must be true or false");
        p->no_fallbacks = !json_true(fallbacks);
    }
    return read_max_price(provider, p, fault);
}

static int parse(struct str text, struct json_object **ret, struct json_fault *fault)
{
    int r = json_parse(text, ret, fault);

    return r < 0 ? err_trace(r) : r == JSON_OK ? PREFERENCE_OK : PREFERENCE_E_FIELD;
}

int preference_read(struct arena *a, const struct llm_request *llm, struct route_preference *ret,
                    struct json_fault *fault)
{
    struct route_preference p = ROUTE_PREFERENCE_NONE;
    int r = PREFERENCE_OK;

    if (llm->models_json.p) {
        _cleanup_json_ struct json_object *models = NULL;

        r = parse(llm->models_json, &models, fault);
        if (r == PREFERENCE_OK)
            r = read_names(a, models, ROUTE_MODELS_MAX, "models", p.models, &p.n_models, fault);
    }
    if (r == PREFERENCE_OK && llm->provider_json.p) {
        _cleanup_json_ struct json_object *provider = NULL;

        r = parse(llm->provider_json, &provider, fault);
        if (r == PREFERENCE_OK)
            r = read_provider(a, provider, &p, fault);
    }
    if (r == PREFERENCE_OK)
        *ret = p;
    return r;
}
