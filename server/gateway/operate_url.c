/* operate_url.c: the rules for base URLs (fetch/guard.h), for pages and the management API, which do not
 * know fetch. */
#include "gateway/operate.h"

#include "fetch/guard.h"

int operate_check_url(const struct provider *provider, const struct account_draft *draft,
                      struct identity_fault *fault)
{
    bool own = draft->base_url.n > 0;
    struct str url = own ? draft->base_url : str_c(provider->origin);
    int r;

    /* What a region is put into stands in the table; the region is checked with the account. */
    if (!url.n || (!own && str_find(url, '{') >= 0))
        return CHANGE_OK;
    r = guard_url(draft->private_network ? GUARD_PRIVATE : GUARD_PUBLIC, url);
    if (r == GUARD_OK)
        return CHANGE_OK;
    if (own && draft->team.v && r == GUARD_E_SCHEME) /* it has no private network to choose */
        return identity_fault_set(fault, "base_url", "The URL must begin with https://.");
    if (own)
        return identity_fault_set(fault, "base_url", guard_reason(r));
    return identity_fault_set(fault, "network",
                              "This kind’s usual address is on this machine: choose private, or name "
                              "another base URL.");
}
