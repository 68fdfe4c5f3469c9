/* metrics_money.h: what this node's session, leases and journal are at, for Prometheus. */
#pragma once

#include "gateway/gateway.h"

/* Any thread. */
void metrics_print_money(const struct gateways *all, struct buf *out);
