/* credential.c: see credential.h. */
#include "providers/credential.h"

#include <errno.h>

#include "base/err.h"
#include "base/secret.h"

static const char scheme[] = "Bearer ";

int provider_credential_open(const struct provider *p, struct arena *a, struct str stored,
                             struct provider_credential *ret)
{
    struct provider_credential c = {.bearer = STR_NONE};

    if (stored.n && p->auth != PROVIDER_AUTH_NONE) {
        c.bearer = arena_strf(a, "%s%.*s", scheme, STR_FMT(stored));
        if (!c.bearer.p)
            return err_origin(-ENOMEM);
    }
    *ret = c;
    return PROVIDER_OK;
}

void provider_credential_wipe(struct provider_credential *c)
{
    if (c->bearer.p)
        secret_wipe((void *)(uintptr_t)c->bearer.p, c->bearer.n);
}

static void put(struct provider_headers *out, const char *name, struct str value)
{
    for (size_t i = 0; i < out->n; i++)
        if (str_ieq(str_c(out->v[i].name), str_c(name)))
            return;
    if (out->n < PROVIDER_HEADERS_MAX)
        out->v[out->n++] = (struct provider_header){name, value};
}

static void put_key(const struct provider_ask *ask, struct provider_headers *out)
{
    const char *name = ask->way->key_header;
    struct str bearer = ask->credential->bearer;

    if (!bearer.p)
        return;
    if (!name && ask->provider->auth == PROVIDER_AUTH_HEADER)
        name = ask->provider->auth_header;
    if (name)
        put(out, name, str_n(bearer.p + strlen(scheme), bearer.n - strlen(scheme)));
    else
        put(out, "authorization", bearer);
}

int provider_put_headers(const struct provider_ask *ask, struct provider_headers *out)
{
    const struct provider_fixed *fixed = ask->way->headers;

    put_key(ask, out);
    for (size_t i = 0; i < ask->n_client; i++)
        put(out, ask->client[i].name, ask->client[i].value);
    for (size_t i = 0; i < ask->n_extra; i++)
        put(out, ask->extra[i].name, ask->extra[i].value);
    for (; fixed && fixed->name; fixed++)
        put(out, fixed->name, str_c(fixed->value));
    return PROVIDER_OK;
}
