/* metrics_node.h: what this process is at, for Prometheus: its connections, what it turned away, its
 * memory, the lanes' queues, and the breakers of the provider accounts. */
#pragma once

#include "gateway/gateway.h"

/* On the gateway's loop, whose catalogue names the accounts. */
void metrics_print_node(const struct gateway *g, struct buf *out);
