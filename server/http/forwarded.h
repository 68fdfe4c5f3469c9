/* forwarded.h: whom a request comes from when it came through proxies.
 *
 * Only what a trusted peer says counts: X-Forwarded-For is read from the right, hop by hop, as long
 * as the hop that wrote the entry is trusted. Pure. */
#pragma once

#include "http/gate.h"

struct forwarded {
    struct net_address client;
    bool https;        /* X-Forwarded-Proto of a trusted peer */
    bool through_peer; /* the peer is a trusted proxy */
};

void forwarded_read(const struct net_address *peer, const struct gate_header *headers, size_t n,
                    const struct net_block *trusted, size_t n_trusted, struct forwarded *ret);
