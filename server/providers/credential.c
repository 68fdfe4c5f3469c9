/* credential.c: see credential.h. */
#include "providers/credential.h"

#include "base/err.h"
#include "base/secret.h"
#include "providers/sigv4.h"

static void wipe(struct str s)
{
    if (s.p)
        secret_wipe((void *)(uintptr_t)s.p, s.n);
}

void provider_credential_wipe(struct provider_credential *c)
{
    wipe(c->bearer);
    wipe(c->aws.secret);
    wipe(c->aws.session);
    wipe(c->google.private_key);
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
    static const char scheme[] = "Bearer ";
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

static int put_signature(const struct provider_ask *ask, struct arena *a,
                         struct provider_headers *out)
{
    const struct sigv4_key key = {
        .id = ask->credential->aws.id,
        .secret = ask->credential->aws.secret,
        .session = ask->credential->aws.session,
        .region = ask->place->region,
        .service = STR("bedrock"),
    };
    const struct sigv4_request request = {
        .method = ask->method, .url = ask->url, .body = ask->body, .now_us = ask->now_us};
    struct sigv4_headers h;
    int r = sigv4_sign(a, &key, &request, &h);

    if (r < 0)
        return err_trace(r);
    put(out, "authorization", h.authorization);
    put(out, "x-amz-date", h.date);
    if (key.session.n)
        put(out, "x-amz-security-token", key.session);
    return PROVIDER_OK;
}

static int put_credential(const struct provider_ask *ask, struct arena *a,
                          struct provider_headers *out)
{
    if (ask->credential->aws.id.p)
        return put_signature(ask, a, out);
    if (ask->credential->google.email.p) {
        if (!ask->token.p)
            return PROVIDER_E_NO_TOKEN;
        put(out, "authorization", ask->token);
        return PROVIDER_OK;
    }
    put_key(ask, out);
    return PROVIDER_OK;
}

int provider_put_headers(const struct provider_ask *ask, struct arena *a,
                         struct provider_headers *out)
{
    const struct provider_fixed *fixed = ask->way->headers;
    int r = put_credential(ask, a, out);

    if (r != PROVIDER_OK)
        return r;
    for (size_t i = 0; i < ask->n_client; i++)
        put(out, ask->client[i].name, ask->client[i].value);
    for (size_t i = 0; i < ask->n_extra; i++)
        put(out, ask->extra[i].name, ask->extra[i].value);
    for (; fixed && fixed->name; fixed++)
        put(out, fixed->name, str_c(fixed->value));
    return PROVIDER_OK;
}
