/* hand_port.h: a node's port in the test's hands: leases are answered when the test says so, everything else
 * at once, unless `beat` says otherwise. */
#pragma once

#include "unit.h"

#include "lease/hold.h"
#include "lease/inside.h"
#include "lease/till.h"

static int64_t now_ms;
static struct till *soon;
static struct grant_call *grant;
static int outcome, beat; /* beat < 0: the heartbeat is not answered */
static unsigned nodes = 1, backs;
static struct session_call *unanswered;

static int64_t port_now_ms(void *ctx)
{
    return now_ms;
}

static int port_soon(void *ctx, struct till *till)
{
    soon = till;
    return 0;
}

static void port_grant(void *ctx, void *hand, struct grant_call *call)
{
    grant = call;
}

static void port_back(void *ctx, void *hand, struct back_call *call)
{
    backs++;
    call->done(call, PORT_OK);
}

static void port_open(void *ctx, struct session_call *call)
{
    static int64_t sessions;

    call->session = ++sessions;
    call->done(call, PORT_OK);
}

static void port_heartbeat(void *ctx, struct session_call *call)
{
    if (beat < 0) {
        unanswered = call;
        return;
    }
    call->nodes = nodes;
    call->done(call, beat);
}

static void port_look(void *ctx, struct look_call *call)
{
    call->done(call, PORT_OK);
}

static const struct ledger_port port = {.now_ms = port_now_ms,
                                        .soon = port_soon,
                                        .grant = port_grant,
                                        .back = port_back,
                                        .open = port_open,
                                        .heartbeat = port_heartbeat,
                                        .look = port_look};

static void answered(struct hold_ask *ask, int how)
{
    outcome = how;
}
