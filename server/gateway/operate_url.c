/* operate_url.c: the rules for base URLs (fetch/guard.h), for pages, which do not know fetch. */
#include "gateway/operate.h"

#include "fetch/guard.h"

int operate_check_url(bool private_network, struct str url, const char **ret_sentence)
{
    int r = guard_url(private_network ? GUARD_PRIVATE : GUARD_PUBLIC, url);

    if (r == GUARD_OK)
        return OPERATE_OK;
    *ret_sentence = guard_reason(r);
    return OPERATE_E_URL;
}
