/* call_headers.c: see call_headers.h. What a client says must not look like a fault of the account that
 * it would be sent to, so it is judged before anybody is asked. */
#include "gateway/call_headers.h"

#include "gateway/call_flow.h"
#include "translation/wire.h"

size_t call_headers_own(const struct call *c,
                        struct provider_header own[PROVIDER_CLIENT_HEADERS_MAX])
{
    const char *const *name = c->leg.way->way->client_headers;
    size_t n = 0;

    if (c->leg.kind != &leg_same)
        return 0;
    for (; name && *name && n < PROVIDER_CLIENT_HEADERS_MAX; name++) {
        own[n] = (struct provider_header){*name, request_header(c->r, *name)};
        n += own[n].value.n > 0;
    }
    return n;
}

bool call_headers_good(const struct call *c, struct json_fault *fault)
{
    const char *const *last = NULL;

    for (size_t i = 0; i < c->plan.n; i++) {
        const struct catalog_target *t = c->plan.candidates[i];
        const struct catalog_way *way =
            catalog_account_way(t->account, t->upstream_model, c->endpoint->format);
        const char *const *name =
            way && way->way->format == c->endpoint->format ? way->way->client_headers : NULL;

        if (name == last)
            continue;
        for (last = name; name && *name; name++)
            if (!provider_value_allowed(request_header(c->r, *name))) {
                (void)wire_wrong(fault, *name, "must be ASCII, and at most 2000 bytes");
                return false;
            }
    }
    return true;
}
