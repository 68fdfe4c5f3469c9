/* provider.c: kinds looked up, how their URLs are joined, and which headers an operator may set. */
#include "providers/provider.h"

#include <errno.h>

#include "base/err.h"

const struct provider *provider_find(struct str kind)
{
    for (size_t i = 0; i < providers_count; i++)
        if (str_eq_c(kind, providers[i].kind))
            return &providers[i];
    return NULL;
}

const struct provider_way *provider_way_of(const struct provider *p,
                                           const struct wire_format *format)
{
    for (size_t i = 0; i < PROVIDER_WAYS_MAX && p->ways[i].format; i++)
        if (p->ways[i].format == format)
            return &p->ways[i];
    return NULL;
}

bool provider_way_takes(const struct provider *p, const struct provider_way *way, struct str model)
{
    if (way->models)
        return str_starts(model, str_c(way->models));
    for (size_t i = 0; i < PROVIDER_WAYS_MAX && p->ways[i].format; i++)
        if (p->ways[i].models && str_starts(model, str_c(p->ways[i].models)))
            return false;
    return true;
}

/* --- URLs --- */

static bool has_hole(const char *text, const char *hole)
{
    return text && strstr(text, hole);
}

bool provider_wants_region(const struct provider *p)
{
    return p->auth == PROVIDER_AUTH_AWS || has_hole(p->origin, "{region") ||
           has_hole(p->root, "{region");
}

bool provider_wants_project(const struct provider *p)
{
    return has_hole(p->origin, "{project}") || has_hole(p->root, "{project}");
}

/* The hole at the start of the text, as the place fills it; p NULL: it is none, or not told. */
static struct str filling(const struct provider_place *place, const char *at, size_t *ret_length)
{
    static const char region[] = "{region}", prefix[] = "{region-}", project[] = "{project}";

    if (strncmp(at, region, strlen(region)) == 0) {
        *ret_length = strlen(region);
        return place->region.n ? place->region : STR_NONE;
    }
    if (strncmp(at, prefix, strlen(prefix)) == 0) {
        *ret_length = strlen(prefix);
        return str_eq_c(place->region, "global") ? STR("")
               : place->region.n                 ? place->region
                                                 : STR_NONE;
    }
    *ret_length = strlen(project);
    return strncmp(at, project, strlen(project)) == 0 && place->project.n ? place->project
                                                                           : STR_NONE;
}

/* Origins and roots of the table, with the account's place in them. */
static int fill(struct arena *a, const struct provider_place *place, const char *text,
                struct str *ret)
{
    struct str out = STR("");
    const char *brace;

    while ((brace = strchr(text, '{'))) {
        size_t length;
        struct str in = filling(place, brace, &length);
        const char *hyphen = brace[length - 2] == '-' && in.n ? "-" : "";

        if (!in.p)
            return PROVIDER_E_NO_PLACE;
        out = arena_strf(a, "%.*s%.*s%.*s%s", STR_FMT(out), (int)(brace - text), text, STR_FMT(in),
                         hyphen);
        if (!out.p)
            return err_origin(-ENOMEM);
        text = brace + length;
    }
    out = arena_strf(a, "%.*s%s", STR_FMT(out), text);
    if (!out.p)
        return err_origin(-ENOMEM);
    *ret = out;
    return PROVIDER_OK;
}

struct str provider_origin(struct str url)
{
    size_t at = 0;

    for (size_t i = 0; i + 3 <= url.n; i++)
        if (memcmp(url.p + i, "://", 3) == 0) {
            at = i + 3;
            break;
        }
    while (at < url.n && url.p[at] != '/' && url.p[at] != '?')
        at++;
    return str_n(url.p, at);
}

static struct str without_slashes(struct str s)
{
    while (s.n && s.p[s.n - 1] == '/')
        s.n--;
    return s;
}

static bool drop_end(struct str *s, struct str tail)
{
    if (!tail.n || !str_ends(*s, tail))
        return false;
    *s = without_slashes(str_n(s->p, s->n - tail.n));
    return true;
}

/* Somebody pasted the whole address of one of the ways. */
static bool drop_pasted(const struct provider *p, struct str *where)
{
    for (size_t i = 0; i < PROVIDER_WAYS_MAX && p->ways[i].format; i++)
        if (drop_end(where, str_c(p->ways[i].path)))
            return true;
    return false;
}

/* A query of the base goes behind that of the path. */
static struct str query_behind(struct arena *a, const char *path, struct str query)
{
    return query.n > 1 && strchr(path, '?') ? arena_strf(a, "&%.*s", (int)query.n - 1, query.p + 1)
                                            : query;
}

static int join(const struct provider *p, struct arena *a, const struct provider_place *place,
                struct str base, const char *path, bool beside_root, struct str *ret)
{
    struct str origin, where, query = STR(""), root = STR(""), url;
    bool pasted;
    ssize_t mark;
    int r;

    mark = str_find(base, '?');
    if (mark >= 0) {
        query = str_n(base.p + mark, base.n - (size_t)mark);
        base.n = (size_t)mark;
    }
    origin = provider_origin(base);
    where = without_slashes(str_n(base.p + origin.n, base.n - origin.n));
    pasted = drop_pasted(p, &where);
    r = (!pasted && !where.n) || beside_root ? fill(a, place, p->root, &root) : PROVIDER_OK;
    if (r != PROVIDER_OK)
        return r;
    if (beside_root) {
        (void)drop_end(&where, root);
        root = STR("");
    }
    query = query_behind(a, path, query);
    url = arena_strf(a, "%.*s%.*s%.*s%s%.*s", STR_FMT(origin), STR_FMT(where), STR_FMT(root), path,
                     STR_FMT(query));
    if (!url.p)
        return err_origin(-ENOMEM);
    *ret = url;
    return PROVIDER_OK;
}

static int based(const struct provider *p, struct arena *a, const struct provider_place *place,
                 struct str base, const char *path, bool beside_root, struct str *ret)
{
    int r = PROVIDER_OK;

    base = str_trim(base);
    if (!base.n && !p->origin)
        return PROVIDER_E_NO_URL;
    if (!base.n)
        r = fill(a, place, p->origin, &base);
    return r == PROVIDER_OK ? join(p, a, place, base, path, beside_root, ret) : r;
}

int provider_url(const struct provider *p, struct arena *a, const struct provider_place *place,
                 struct str base, const char *path, struct str *ret)
{
    return based(p, a, place, base, path, false, ret);
}

int provider_way_url(const struct provider *p, struct arena *a, const struct provider_place *place,
                     struct str base, const struct provider_way *way, bool stream, struct str *ret)
{
    const char *path = stream && way->stream_path ? way->stream_path : way->path;

    return based(p, a, place, base, path, way->beside_root, ret);
}

/* --- headers of operators --- */

static bool is_ours(struct str name)
{
    static const char *const ours[] = {
        "accept-encoding",
        "authorization",
        "connection",
        "content-encoding",
        "content-length",
        "content-type",
        "cookie",
        "expect",
        "host",
        "keep-alive",
        "te",
        "trailer",
        "upgrade",
        "transfer-encoding",
    };

    for (size_t i = 0; i < ARRAY_LEN(ours); i++)
        if (str_ieq(name, str_c(ours[i])))
            return true;
    return name.n > 6 && str_ieq(str_n(name.p, 6), STR("proxy-"));
}

bool provider_value_allowed(struct str value)
{
    return value.n <= 2000 && str_is_field(value) && str_is_ascii(value);
}

bool provider_header_allowed(struct str name, struct str value)
{
    return name.n <= 100 && str_is_token(name) && !is_ours(name) && provider_value_allowed(value);
}
