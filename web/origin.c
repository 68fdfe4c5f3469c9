/* origin.c: see origin.h. */
#include "web/origin.h"

bool origin_is_ours(struct str origin, struct str fetch_site, struct str public_url, struct str host,
                    bool https)
{
    struct str scheme = https ? STR("https://") : STR("http://");

    if (!origin.n)
        return str_eq_c(fetch_site, "same-origin");
    if (public_url.n && str_ieq(origin, public_url))
        return true;
    if (!host.n || !str_starts(origin, scheme))
        return false;
    return str_ieq(str_n(origin.p + scheme.n, origin.n - scheme.n), host);
}

bool origin_token_eq(struct str given, struct str expected)
{
    unsigned char differ = 0;

    if (!expected.n || given.n != expected.n)
        return false;
    for (size_t i = 0; i < given.n; i++)
        differ |= (unsigned char)(given.p[i] ^ expected.p[i]);
    return differ == 0;
}

bool origin_path_is_ours(struct str path)
{
    if (!path.n || path.p[0] != '/' || (path.n > 1 && path.p[1] == '/'))
        return false;
    for (size_t i = 0; i < path.n; i++)
        if (path.p[i] == '\\' || (unsigned char)path.p[i] <= ' ' || path.p[i] == 0x7f)
            return false;
    return true;
}
