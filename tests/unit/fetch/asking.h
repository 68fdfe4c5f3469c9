/* asking.h: a loop, its fetcher, and the request that the tests of fetch change as they need. */
#pragma once

#include "fetch/raw_upstream.h"
#include "fetch/transfer.h"

/* Plain connections go through libcurl, as those with TLS do: whoever includes this says so. */
#ifndef THROUGH_LIBCURL
#define THROUGH_LIBCURL false
#endif

static struct loop *loop;
static struct fetcher *fetcher;
static struct fetch_request request;
static char url[200];
static int waiting_for;

static inline void make_loop(void)
{
    loop = loop_new("test");
    assert_non_null(loop);
    assert_int_equal(fetcher_new(loop, &fetcher), 0);
    fetcher->through_libcurl = THROUGH_LIBCURL;
}

static inline void ask(const char *path)
{
    (void)snprintf(url, sizeof(url), "http://127.0.0.1:%u%s", port, path);
    request = (struct fetch_request){.method = "GET",
                                     .url = url,
                                     .network = GUARD_PRIVATE,
                                     .connect_timeout_ms = 20000,
                                     .first_byte_timeout_ms = 20000,
                                     .idle_timeout_ms = 20000,
                                     .total_timeout_ms = 40000,
                                     .reply_max = 8 << 20};
}

/* loop_run() ends for good, so each round has a loop and a pool of its own. */
static inline void run_loop(void)
{
    assert_int_equal(loop_run(loop), 0);
}

static inline void end_loop(void)
{
    fetcher_free(fetcher);
    loop_free(loop);
    waiting_for = 0;
}
