/* accounts.c: the credential of a provider account at rest. */
#include "catalog/accounts.h"

#include <errno.h>
#include <inttypes.h>

#include "base/err.h"
#include "base/secret.h"

/* What the sealed bytes are bound to: moved to another row they do not open. */
static struct str account_ad(struct arena *a, struct account_id id)
{
    return arena_strf(a, "provider_account:%" PRId64, id.v);
}

int account_key_seal(struct arena *a, const uint8_t seal_key[32], struct account_id id,
                     struct str key, struct str *ret)
{
    struct str ad = account_ad(a, id), sealed;

    if (!ad.p)
        return err_origin(-ENOMEM);
    sealed = secret_seal(a, seal_key, ad, key);
    if (!sealed.p)
        return err_origin(-ENOMEM);
    *ret = sealed;
    return 0;
}

int account_key_open(struct arena *a, const uint8_t seal_key[32], struct account_id id,
                     struct str sealed, struct str *ret)
{
    struct str ad = account_ad(a, id);
    int r;

    if (!ad.p)
        return err_origin(-ENOMEM);
    r = secret_open(a, seal_key, ad, sealed, ret);
    return r < 0 ? err_trace(r) : r;
}
