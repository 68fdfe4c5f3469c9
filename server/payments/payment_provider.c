/* payment_provider.c: the list of ways to pay. */
#include "payments/payment_provider.h"

#include <errno.h>

#include "base/bounds.h"
#include "base/err.h"
#include "identity/installation.h"

static const struct payment_provider *const all[] = {&payment_stripe, &payment_sandbox,
                                                    &payment_manual};

const struct payment_provider *payment_provider_find(struct str name)
{
    for (size_t i = 0; i < ARRAY_LEN(all); i++)
        if (str_eq_c(name, all[i]->name))
            return all[i];
    return NULL;
}

static bool is_offered(const struct payment_provider *p, bool sandbox, const struct stripe *stripe)
{
    return p == &payment_stripe ? stripe != NULL : !p->sandbox_only || sandbox;
}

int payment_provider_choices(struct db *db, const struct stripe *stripe, struct payment_choice *ret)
{
    _cleanup_(arena_freep) struct arena *a = arena_new(KIB(64));
    struct installation installation;
    int r = a ? installation_get(db, a, &installation) : err_origin(-ENOMEM);

    if (r < 0)
        return err_trace(r);
    ret->n = 0;
    for (size_t i = 0; i < ARRAY_LEN(all); i++)
        if (is_offered(all[i], installation.sandbox, stripe))
            ret->v[ret->n++] = all[i];
    return 0;
}
