/* forwarded.c: see forwarded.h. */
#include "http/forwarded.h"

struct trust {
    const struct net_block *blocks;
    size_t n;
};

static bool trusts(const struct trust *t, const struct net_address *a)
{
    for (size_t i = 0; i < t->n; i++)
        if (net_block_has(&t->blocks[i], a))
            return true;
    return false;
}

/* Cuts the last element of a comma-separated list off *list. */
static bool take_last(struct str *list, struct str *ret)
{
    size_t at;

    if (!list->p)
        return false;
    for (at = list->n; at > 0 && list->p[at - 1] != ','; at--)
        ;
    *ret = str_trim(str_n(list->p + at, list->n - at));
    *list = at ? str_n(list->p, at - 1) : STR_NONE;
    return true;
}

/* Follows one header's entries from the right. True while the next header to the left may be read.
 */
static bool follow(struct str list, const struct trust *trust, struct net_address *client)
{
    struct net_address hop;
    struct str text;

    while (take_last(&list, &text)) {
        if (!net_address_parse(text, &hop))
            return false;
        *client = hop;
        if (!trusts(trust, &hop))
            return false;
    }
    return true;
}

void forwarded_read(const struct net_address *peer, const struct gate_header *headers, size_t n,
                    const struct net_block *trusted, size_t n_trusted, struct forwarded *ret)
{
    const struct trust trust = {trusted, n_trusted};
    bool more = true;

    *ret = (struct forwarded){.client = *peer, .through_peer = trusts(&trust, peer)};
    if (!ret->through_peer)
        return;
    for (size_t i = n; i-- > 0;) {
        if (more && str_ieq(headers[i].name, STR("x-forwarded-for")))
            more = follow(headers[i].value, &trust, &ret->client);
        else if (str_ieq(headers[i].name, STR("x-forwarded-proto")))
            ret->https = str_ieq(headers[i].value, STR("https"));
    }
}
