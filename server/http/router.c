/* router.c: see router.h.
 *
 * Rows of one path form an entry. Entries without parameters stand sorted and are found by
 * bisection; the others, a few dozen, are tried in the order of the table. */
#include "http/router.h"

#include <errno.h>
#include <stdio.h>

#include "base/err.h"

enum { METHODS = HTTP_OPTIONS + 1, PARAMS = 4 };

struct entry {
    struct str path;
    const struct route *by_method[METHODS];
    char allow[64];
};

struct router {
    struct entry *plain, *open; /* without and with parameters; one allocation each */
    size_t n_plain, n_open;
};

const char *http_method_name(enum http_method method)
{
    static const char *const names[] = {
        [HTTP_GET] = "GET",        [HTTP_HEAD] = "HEAD",   [HTTP_POST] = "POST",
        [HTTP_PUT] = "PUT",        [HTTP_PATCH] = "PATCH", [HTTP_DELETE] = "DELETE",
        [HTTP_OPTIONS] = "OPTIONS"};

    return names[method];
}

static struct entry *entry_find(struct entry *entries, size_t n, struct str path)
{
    for (size_t i = 0; i < n; i++)
        if (str_eq(entries[i].path, path))
            return &entries[i];
    return NULL;
}

static void entry_add(struct entry *entries, size_t *n, const struct route *route)
{
    struct str path = str_c(route->path);
    struct entry *e = entry_find(entries, *n, path);

    assert(path.n > 0);
    assert(path.p[0] == '/');
    assert(route->method != HTTP_HEAD);
    if (!e) {
        e = &entries[(*n)++];
        e->path = path;
    }
    assert(!e->by_method[route->method]);
    e->by_method[route->method] = route;
    if (route->method == HTTP_GET)
        e->by_method[HTTP_HEAD] = route;
}

static void entry_write_allow(struct entry *e)
{
    size_t at = 0;

    for (int m = 0; m < METHODS; m++)
        if (e->by_method[m])
            at += (size_t)snprintf(e->allow + at, sizeof(e->allow) - at, "%s%s", at ? ", " : "",
                                   http_method_name((enum http_method)m));
    assert(at < sizeof(e->allow));
}

static int entry_cmp(const void *a, const void *b)
{
    return str_cmp(((const struct entry *)a)->path, ((const struct entry *)b)->path);
}

int router_new(const struct route *routes, size_t n, struct router **ret)
{
    struct router *r = calloc(1, sizeof(*r));

    if (r) {
        r->plain = calloc(n + 1, sizeof(*r->plain));
        r->open = calloc(n + 1, sizeof(*r->open));
    }
    if (!r || !r->plain || !r->open) {
        router_free(r);
        return err_origin(-ENOMEM);
    }
    for (size_t i = 0; i < n; i++) {
        if (strchr(routes[i].path, '{'))
            entry_add(r->open, &r->n_open, &routes[i]);
        else
            entry_add(r->plain, &r->n_plain, &routes[i]);
    }
    for (size_t i = 0; i < r->n_plain; i++)
        entry_write_allow(&r->plain[i]);
    for (size_t i = 0; i < r->n_open; i++)
        entry_write_allow(&r->open[i]);
    qsort(r->plain, r->n_plain, sizeof(*r->plain), entry_cmp);
    *ret = r;
    return 0;
}

void router_free(struct router *r)
{
    if (!r)
        return;
    free(r->plain);
    free(r->open);
    free(r);
}

/* The end of the {name} that begins at pattern[0]. */
static size_t param_length(struct str pattern)
{
    ssize_t close = str_find(pattern, '}');

    assert(close > 1);
    return (size_t)close + 1;
}

/* One segment, which holds at most one {name}; what surrounds the name must be equal. */
static bool segment_matches(struct str pattern, struct str segment, struct str *ret_param)
{
    ssize_t open = str_find(pattern, '{');
    struct str before, after;

    ret_param->p = NULL;
    if (open < 0)
        return str_eq(pattern, segment);
    before = str_n(pattern.p, (size_t)open);
    after = str_n(pattern.p + open, pattern.n - (size_t)open);
    after.p += param_length(after);
    after.n = pattern.n - (size_t)(after.p - pattern.p);
    if (segment.n <= before.n + after.n || !str_starts(segment, before) ||
        !str_ends(segment, after))
        return false;
    *ret_param = str_n(segment.p + before.n, segment.n - before.n - after.n);
    return true;
}

static bool takes_the_rest(struct str pattern)
{
    return pattern.n > 3 && pattern.p[0] == '{' && str_ends(pattern, STR("*}"));
}

static bool path_matches(struct str pattern, struct str path, struct str params[PARAMS])
{
    struct str wanted, segment, param;
    size_t n = 0;

    for (size_t i = 0; i < PARAMS; i++)
        params[i] = STR_NONE;
    while (str_split(&pattern, '/', &wanted)) {
        if (takes_the_rest(wanted)) {
            assert(n < PARAMS);
            params[n] = path;
            return path.n > 0;
        }
        if (!str_split(&path, '/', &segment) || !segment_matches(wanted, segment, &param))
            return false;
        if (!param.p)
            continue;
        assert(n < PARAMS);
        params[n++] = param;
    }
    return !path.p;
}

static const struct entry *find_entry(const struct router *r, struct str path,
                                      struct str params[PARAMS])
{
    struct entry key = {.path = path};
    const struct entry *e = bsearch(&key, r->plain, r->n_plain, sizeof(key), entry_cmp);

    for (size_t i = 0; i < PARAMS; i++)
        params[i] = STR_NONE;
    if (e)
        return e;
    for (size_t i = 0; i < r->n_open; i++)
        if (path_matches(r->open[i].path, path, params))
            return &r->open[i];
    return NULL;
}

static const struct route *first_route(const struct entry *e)
{
    for (int m = 0; m < METHODS; m++)
        if (e->by_method[m])
            return e->by_method[m];
    return NULL;
}

int router_find(const struct router *r, enum http_method method, struct str path,
                const struct route **ret, struct str params[4], const char **ret_allow)
{
    const struct entry *e = find_entry(r, path, params);

    if (!e)
        return ROUTER_E_NONE;
    if (e->by_method[method]) {
        *ret = e->by_method[method];
        return ROUTER_OK;
    }
    *ret = first_route(e);
    *ret_allow = e->allow;
    return ROUTER_E_METHOD;
}
