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

/* Somebody pasted the whole address of one of the ways. */
static bool drop_pasted(const struct provider *p, struct str *where)
{
    for (size_t i = 0; i < PROVIDER_WAYS_MAX && p->ways[i].format; i++) {
        struct str tail = str_c(p->ways[i].path);

        if (str_ends(*where, tail)) {
            *where = without_slashes(str_n(where->p, where->n - tail.n));
            return true;
        }
    }
    return false;
}

/* A query of the base goes behind that of the path. */
static struct str query_behind(struct arena *a, const char *path, struct str query)
{
    return query.n > 1 && strchr(path, '?') ? arena_strf(a, "&%.*s", (int)query.n - 1, query.p + 1)
                                            : query;
}

int provider_url(const struct provider *p, struct arena *a, struct str base, const char *path,
                 struct str *ret)
{
    struct str origin, where, query = STR(""), url;
    const char *root = "";
    ssize_t mark;

    base = str_trim(base);
    if (!base.n && !p->origin)
        return PROVIDER_E_NO_URL;
    if (!base.n)
        base = str_c(p->origin);
    mark = str_find(base, '?');
    if (mark >= 0) {
        query = str_n(base.p + mark, base.n - (size_t)mark);
        base.n = (size_t)mark;
    }
    origin = provider_origin(base);
    where = without_slashes(str_n(base.p + origin.n, base.n - origin.n));
    if (!drop_pasted(p, &where) && !where.n)
        root = p->root;
    query = query_behind(a, path, query);
    url = arena_strf(a, "%.*s%.*s%s%s%.*s", STR_FMT(origin), STR_FMT(where), root, path,
                     STR_FMT(query));
    if (!url.p)
        return err_origin(-ENOMEM);
    *ret = url;
    return PROVIDER_OK;
}

static bool is_token(struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];

        if (c <= ' ' || c >= 0x7f || strchr("\"(),/:;<=>?@[\\]{}", c))
            return false;
    }
    return s.n > 0;
}

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

bool provider_header_allowed(struct str name, struct str value)
{
    if (name.n > 100 || value.n > 2000 || !is_token(name) || is_ours(name))
        return false;
    for (size_t i = 0; i < value.n; i++)
        if ((unsigned char)value.p[i] < ' ' || value.p[i] == 0x7f)
            return false;
    return true;
}
