/* request.c: what handlers read of a request; see request.h. */
#include "http/request.h"

#include "http/exchange.h"
#include "http/percent.h"

struct str request_header(const struct request *r, const char *name)
{
    const struct exchange *x = exchange_of(r);
    struct str wanted = str_c(name);

    for (size_t i = 0; i < x->header_count; i++)
        if (str_ieq(x->headers[i].name, wanted))
            return x->headers[i].value;
    return STR_NONE;
}

void request_each_header(const struct request *r,
                         bool (*fn)(void *ctx, struct str name, struct str value), void *ctx)
{
    const struct exchange *x = exchange_of(r);

    for (size_t i = 0; i < x->header_count; i++)
        if (!fn(ctx, x->headers[i].name, x->headers[i].value))
            return;
}

/* "name=value" of a list; true when it is the wanted one. */
static bool pair_value(struct str pair, struct str name, struct str *ret)
{
    ssize_t equals = str_find(pair, '=');
    struct str found = equals < 0 ? pair : str_n(pair.p, (size_t)equals);

    if (!str_eq(found, name))
        return false;
    *ret = equals < 0 ? STR("") : str_n(pair.p + equals + 1, pair.n - (size_t)equals - 1);
    return true;
}

struct str request_cookie(const struct request *r, const char *name)
{
    const struct exchange *x = exchange_of(r);
    struct str pair, value;

    for (size_t i = 0; i < x->header_count; i++) {
        struct str rest = x->headers[i].value;

        if (!str_ieq(x->headers[i].name, STR("cookie")))
            continue;
        while (str_split(&rest, ';', &pair))
            if (pair_value(str_trim(pair), str_c(name), &value))
                return value;
    }
    return STR_NONE;
}

struct str request_query(struct request *r, const char *name)
{
    struct str rest = r->query, pair, value;

    while (str_split(&rest, '&', &pair)) {
        ssize_t equals = str_find(pair, '=');
        struct str key = equals < 0 ? pair : str_n(pair.p, (size_t)equals);

        key = percent_decode(r->arena, key, true);
        if (!key.p || !str_eq_c(key, name))
            continue;
        value = equals < 0 ? STR("") : str_n(pair.p + equals + 1, pair.n - (size_t)equals - 1);
        return percent_decode(r->arena, value, true);
    }
    return STR_NONE;
}
