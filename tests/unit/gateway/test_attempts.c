/* The attempts of a call as JSON. */
#include "unit.h"

#include "base/bounds.h"
#include "gateway/attempts.h"

static void attempts_are_listed_in_order(void **state)
{
    struct arena *a = arena_new(MIB(1));
    struct call_record *r = calloc(1, sizeof(*r));

    r->attempts = 2;
    r->attempt[0] = (struct attempt_record){.ordinal = 1,
                                            .provider = STR("openai"),
                                            .account_name = STR("main"),
                                            .upstream_model = STR("gpt"),
                                            .status = 429,
                                            .reason = STR("rate_limited"),
                                            .latency_us = 1500,
                                            .error_text = STR("slow \"down\"")};
    r->attempt[1] = (struct attempt_record){.ordinal = 2, .reason = STR("ok")};
    assert_str(attempts_json(a, r),
               "[{\"attempt\":1,\"provider\":\"openai\",\"account\":\"main\",\"model\":\"gpt\","
               "\"status\":429,\"reason\":\"rate_limited\",\"started_ms\":0,\"first_byte_ms\":0,"
               "\"latency_ms\":2,\"error\":\"slow \\\"down\\\"\"},"
               "{\"attempt\":2,\"provider\":null,\"account\":null,\"model\":null,\"status\":null,"
               "\"reason\":\"ok\",\"started_ms\":0,\"first_byte_ms\":0,\"latency_ms\":0}]");
    r->attempts = 0;
    assert_str(attempts_json(a, r), "[]");
    free(r);
    arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(attempts_are_listed_in_order)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
