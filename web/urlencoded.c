/* urlencoded.c: see urlencoded.h. */
#include "web/urlencoded.h"

#include <errno.h>

#include "base/bounds.h"
#include "base/buf.h"
#include "base/err.h"
#include "http/percent.h"

int pairs_parse(struct arena *a, struct str body, struct pairs *ret)
{
    struct pair *v;
    struct str part;
    size_t n = 0;

    for (size_t i = 0; i < body.n; i++)
        n += body.p[i] == '&';
    if (n >= BOUND_FORM_PAIRS)
        return PAIRS_E_BROKEN;
    v = arena_array(a, struct pair, n + 1);
    if (!v)
        return err_origin(-ENOMEM);
    n = 0;
    while (body.n && str_split(&body, '&', &part)) {
        ssize_t equals = str_find(part, '=');
        size_t name_n = equals < 0 ? part.n : (size_t)equals;
        struct str value = equals < 0 ? STR("") : str_n(part.p + name_n + 1, part.n - name_n - 1);

        if (!part.n)
            continue;
        v[n].name = percent_decode(a, str_n(part.p, name_n), true);
        v[n].value = percent_decode(a, value, true);
        if (!v[n].name.p || !v[n].value.p)
            return PAIRS_E_BROKEN;
        n++;
    }
    *ret = (struct pairs){v, n};
    return PAIRS_OK;
}

struct str pairs_get(const struct pairs *p, const char *name)
{
    for (size_t i = 0; i < p->n; i++)
        if (str_eq_c(p->v[i].name, name))
            return p->v[i].value;
    return STR_NONE;
}

int pairs_all(struct arena *a, const struct pairs *p, const char *name, struct str **ret,
              size_t *ret_n)
{
    struct str *all = arena_array(a, struct str, p->n + 1);
    size_t n = 0;

    if (!all)
        return err_origin(-ENOMEM);
    for (size_t i = 0; i < p->n; i++)
        if (str_eq_c(p->v[i].name, name))
            all[n++] = p->v[i].value;
    *ret = all;
    *ret_n = n;
    return 0;
}

static bool unreserved(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c && strchr("-._~", c));
}

void query_encode(struct buf *url, struct str text)
{
    for (size_t i = 0; i < text.n; i++) {
        if (unreserved(text.p[i]))
            buf_putc(url, text.p[i]);
        else
            buf_printf(url, "%%%02X", (unsigned char)text.p[i]);
    }
}

void query_put(struct buf *url, const char *name, struct str value)
{
    if (!value.n)
        return;
    buf_putc(url, str_find(buf_str(url), '?') < 0 ? '?' : '&');
    buf_puts(url, name);
    buf_putc(url, '=');
    query_encode(url, value);
}
