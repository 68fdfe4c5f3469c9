/* What browsers send in heads and forms: form fields, percent-encoding, forwarded addresses, and
 * the session's cookie. */
#include "fuzz.h"

#include "base/bounds.h"
#include "http/exchange.h"
#include "http/forwarded.h"
#include "http/percent.h"
#include "urlencoded.h"

static void form(struct arena *a, struct str in)
{
    struct pairs pairs;

    if (pairs_parse(a, in, &pairs) != PAIRS_OK)
        return;
    HOLDS(pairs.n <= BOUND_FORM_PAIRS);
    for (size_t i = 0; i < pairs.n; i++) {
        struct buf query;
        struct pairs again;

        HOLDS(str_utf8(pairs.v[i].name) && str_utf8(pairs.v[i].value));
        if (!pairs.v[i].value.n)
            continue;
        buf_init(&query, in.n * 4 + 64);
        query_put(&query, "x", pairs.v[i].value);
        HOLDS(buf_finish(&query) == 0);
        HOLDS(pairs_parse(a, str_n(query.p + 1, query.n - 1), &again) == PAIRS_OK);
        HOLDS(str_eq(pairs_get(&again, "x"), pairs.v[i].value));
        buf_done(&query);
    }
}

static void forwarded(struct str in)
{
    struct gate_header header = {STR("x-forwarded-for"), in};
    struct net_address peer;
    struct net_block trusted;
    struct forwarded got;

    HOLDS(net_address_parse(STR("10.0.0.1"), &peer) && net_block_parse(STR("10.0.0.0/8"), &trusted));
    forwarded_read(&peer, &header, 1, &trusted, 1, &got);
    HOLDS(got.through_peer);
    forwarded_read(&peer, &header, 1, NULL, 0, &got);
    HOLDS(!got.through_peer && !memcmp(got.client.ip, peer.ip, sizeof(peer.ip)));
}

/* The session's cookie among others, and a field of the query: slices of what was sent. */
static void named(struct arena *a, struct str in)
{
    struct gate_header headers[2] = {{STR("cookie"), STR("tollgate_theme=dark")}, {STR("Cookie"), in}};
    struct exchange x = {.request = {.arena = a, .query = in}, .headers = headers, .header_count = 2};
    struct str value = request_cookie(&x.request, "tollgate_session");

    HOLDS(str_eq_c(request_cookie(&x.request, "tollgate_theme"), "dark"));
    if (value.n)
        HOLDS(value.p >= in.p && value.p + value.n <= in.p + in.n && str_find(value, ';') < 0);
    value = request_query(&x.request, "q");
    if (value.p)
        HOLDS(value.n <= in.n && str_utf8(value) && str_find(value, '\0') < 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *copy = fuzz_copy(str_n((const char *)data, size));
    struct str in = {copy, size}, decoded;
    struct arena *a = arena_new(MIB(64));

    HOLDS(a);
    decoded = percent_decode(a, in, true);
    if (decoded.p)
        HOLDS(decoded.n <= in.n && str_utf8(decoded) && str_find(decoded, '\0') < 0);
    form(a, in);
    named(a, in);
    forwarded(in);
    arena_free(a);
    free(copy);
    return 0;
}
