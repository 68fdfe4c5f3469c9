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

/* "price", or {"by":"price"}; of several models none is sorted before those that stand before it. */
static int read_sort(const struct json_object *provider, struct route_preference *p,
                     struct json_fault *fault)
{
    static const struct {
        const char *name;
        enum route_sort sort;
    } sorts[] = {
        {"price", SORT_PRICE}, {"latency", SORT_LATENCY}, {"throughput", SORT_THROUGHPUT}};
    struct json_object *v = json_get(provider, "sort");

    if (v && json_kind(v) == JSON_OBJECT)
        v = json_get(v, "by");
    if (!v || json_kind(v) == JSON_NULL)
        return PREFERENCE_OK;
    for (size_t i = 0; json_kind(v) == JSON_STRING && i < ARRAY_LEN(sorts); i++)
        if (str_eq_c(json_text(v), sorts[i].name)) {
            p->sort = sorts[i].sort;
            return PREFERENCE_OK;
        }
    return wrong(fault, "provider.sort", "must be price, latency or throughput");
}

static int read_flag(const struct json_object *provider, const char *key, const char *path,
                     bool *ret, struct json_fault *fault)
{
    struct json_object *v = json_get(provider, key);

    if (!v || json_kind(v) == JSON_NULL)
        return PREFERENCE_OK;
    if (json_kind(v) != JSON_BOOL)
        return wrong(fault, path, "must be true or false");
    *ret = json_true(v);
    return PREFERENCE_OK;
}

/* What may become of the data: data_collection "deny", zdr true. */
static int read_data(const struct json_object *provider, struct route_preference *p,
                     struct json_fault *fault)
{
    struct json_object *v = json_get(provider, "data_collection");
    bool zdr = false;

    if (v && json_kind(v) != JSON_NULL) {
        struct str word = json_kind(v) == JSON_STRING ? json_text(v) : STR("");

        if (!str_eq_c(word, "allow") && !str_eq_c(word, "deny"))
            return wrong(fault, "provider.data_collection", "must be allow or deny");
        if (str_eq_c(word, "deny"))
            p->data_policy = DATA_NO_TRAINING;
    }
    if (read_flag(provider, "zdr", "provider.zdr", &zdr, fault) != PREFERENCE_OK)
        return PREFERENCE_E_FIELD;
    if (zdr)
        p->data_policy = DATA_NO_RETENTION;
    return PREFERENCE_OK;
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
    bool fallbacks = true;
    int r = PREFERENCE_OK;

    for (size_t i = 0; r == PREFERENCE_OK && i < ARRAY_LEN(lists); i++)
        r = read_names(a, json_get(provider, lists[i].key), ROUTE_NAMES_MAX, lists[i].path,
                       lists[i].names->v, &lists[i].names->n, fault);
    if (r == PREFERENCE_OK)
        r = read_flag(provider, "allow_fallbacks", "provider.allow_fallbacks", &fallbacks, fault);
    p->no_fallbacks = !fallbacks;
    if (r == PREFERENCE_OK)
        r = read_flag(provider, "require_parameters", "provider.require_parameters", &p->whole, fault);
    if (r == PREFERENCE_OK)
        r = read_sort(provider, p, fault);
    if (r == PREFERENCE_OK)
        r = read_data(provider, p, fault);
    return r == PREFERENCE_OK ? read_max_price(provider, p, fault) : r;
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
