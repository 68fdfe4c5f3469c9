/* one_served.h: one listener that each test of a file configures, starts itself and leaves stopped. */
#pragma once

#include "http/talk.h"

static struct served server;

/* Of each test; what the file counts besides is set back by a setup of its own that calls this. */
static inline int server_setup(void **state)
{
    (void)state;
    served_init(&server);
    return 0;
}

static inline int server_teardown(void **state)
{
    (void)state;
    served_stop(&server);
    return 0;
}

/* With the routes of the file, once the test has changed server.config as it wants it. */
#define run() served_start(&server, routes, ARRAY_LEN(routes))

static inline struct listener_stats stats(void)
{
    struct listener_stats now;

    listener_read_stats(server.listener, &now);
    return now;
}

#define IN_EACH_WITH(setup, test) cmocka_unit_test_setup_teardown(test, setup, server_teardown)
#define IN_EACH(test) IN_EACH_WITH(server_setup, test)
