/* serve.h: a listener on its own loop thread, for tests; its clients are in talk.h. */
#pragma once

#include "patience.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "http/listener.h"

struct served {
    struct loop *loop;
    struct router *router;
    struct listener *listener;
    struct listener_config config; /* change before served_start */
    pthread_t thread;
    uint16_t port;
};

static inline void served_init(struct served *s)
{
    (void)signal(SIGPIPE, SIG_IGN);
    *s = (struct served){0};
    s->config = (struct listener_config){
        .address = "127.0.0.1",
        .max_connections = 200,
        .max_per_address = 100,
        .head_timeout_ms = TEST_PATIENCE_MS,
        .body_timeout_ms = TEST_PATIENCE_MS,
        .idle_timeout_ms = TEST_PATIENCE_MS,
        .write_timeout_ms = TEST_PATIENCE_MS,
    };
}

static inline void *served_thread(void *p)
{
    assert_int_equal(loop_run(p), 0);
    return NULL;
}

static inline void served_start(struct served *s, const struct route *routes, size_t n)
{
    s->loop = loop_new("test");
    assert_non_null(s->loop);
    assert_int_equal(router_new(routes, n, &s->router), 0);
    s->config.loop = s->loop;
    s->config.router = s->router;
    assert_int_equal(listener_new(&s->config, &s->listener), LISTENER_OK);
    s->port = listener_port(s->listener);
    assert_int_equal(pthread_create(&s->thread, NULL, served_thread, s->loop), 0);
}

struct round_trip {
    struct loop_msg message;
    atomic_bool done;
};

static inline void round_trip_done(struct loop_msg *m)
{
    container_of(m, struct round_trip, message)->done = true;
}

/* The loop has run a whole turn that began after the call: what was ready before it is done. */
static inline void served_turn(struct served *s)
{
    for (int i = 0; i < 2; i++) {
        struct round_trip trip = {.message.fn = round_trip_done};

        loop_post(s->loop, &trip.message);
        wait_until(trip.done);
    }
}

/* The stopped clock goes on by this much, and what is due on the loop by then has fired. */
static inline void served_step(struct served *s, int64_t ms)
{
    test_clock_step(ms);
    served_turn(s);
}

static inline void served_stop(struct served *s)
{
    loop_stop(s->loop);
    (void)pthread_join(s->thread, NULL);
    listener_free(s->listener);
    router_free(s->router);
    loop_free(s->loop);
    test_clock_go_on();
}
