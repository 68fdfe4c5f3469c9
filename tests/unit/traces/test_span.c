/* What a collector is told of a call. That it is JSON is seen by the collector of the scenario `traces`. */
#include "unit.h"

#include "traces/header_list.h"
#include "traces/span.h"

static const struct call_id id = {{1, 0x9a, 0x25, 0xa4, 0xa9, 0xa9, 0x71, 0x47, 0xa2, 0x5a, 0, 0, 0, 0, 0, 0xff}};

static struct call_record *record(void)
{
    struct call_record *r = test_calloc(1, sizeof(*r));

    *r = (struct call_record){
        .call_id = id,
        .team_id = 7,
        .started_at = INT64_C(1764392765123456),
        .latency_us = 250000,
        .endpoint = STR("chat.completions"),
        .requested_model = STR("a \"model\""),
        .outcome = STR("ok"),
        .status = 200,
        .finish_reason = STR("stop"),
        .attempts = 2,
        .charge_nano = {7000},
    };
    r->attempt[0] = (struct attempt_record){.ordinal = 1,
                                            .provider = STR("azure"),
                                            .upstream_model = STR("one"),
                                            .status = 429,
                                            .reason = STR("rate_limited"),
                                            .latency_us = 50000};
    r->attempt[1] = (struct attempt_record){.ordinal = 2,
                                            .provider = STR("mistral"),
                                            .upstream_model = STR("two"),
                                            .status = 200,
                                            .served = true,
                                            .started_us = 50000,
                                            .latency_us = 200000,
                                            .prompt_tokens = 3,
                                            .completion_tokens = 2};
    return r;
}

static size_t times(struct str text, const char *what)
{
    size_t n = 0;

    for (const char *at = text.p; (at = strstr(at, what)); at++)
        n++;
    return n;
}

static void a_call_is_a_span_and_its_tries_are_beneath_it(void **state)
{
    struct call_record *r = record();
    struct trace_context t;
    struct buf out;
    struct str text;

    trace_context_read(STR("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"), id, &t);
    buf_init(&out, SPAN_CALL_BYTES);
    span_write_head(&out, STR("tollgate"), STR("0.1.0"), STR("node"));
    span_write(&out, &t, r);
    span_write_tail(&out);
    buf_putc(&out, '\0');
    assert_int_equal(buf_finish(&out), 0);
    text = str_n(out.p, out.n - 1);
    assert_int_equal(times(text, "\"traceId\":\"0af7651916cd43dd8448eb211c80319c\""), 3);
    assert_int_equal(times(text, "\"spanId\":\"a25a0000000000ff\",\"parentSpanId\":\"b7ad6b7169203331\""), 1);
    /* Ids of tries go on from the call's, and round. */
    assert_int_equal(times(text, "\"spanId\":\"a25a000000000000\",\"parentSpanId\":\"a25a0000000000ff\""), 1);
    assert_int_equal(times(text, "\"spanId\":\"a25a000000000001\",\"parentSpanId\":\"a25a0000000000ff\""), 1);
    assert_int_equal(times(text, "\"name\":\"chat a \\\"model\\\"\",\"kind\":2,"
                                 "\"startTimeUnixNano\":\"1764392765123456000\","
                                 "\"endTimeUnixNano\":\"1764392765373456000\""), 1);
    assert_int_equal(times(text, "\"startTimeUnixNano\":\"1764392765173456000\""), 1);
    assert_int_equal(times(text, "{\"key\":\"gen_ai.provider.name\",\"value\":{\"stringValue\":\"azure.ai.openai\"}}"), 1);
    assert_int_equal(times(text, "{\"key\":\"gen_ai.provider.name\",\"value\":{\"stringValue\":\"mistral_ai\"}}"), 1);
    assert_int_equal(times(text, "{\"key\":\"gen_ai.usage.input_tokens\",\"value\":{\"intValue\":\"3\"}}"), 1);
    assert_int_equal(times(text, "{\"key\":\"tollgate.charge_nano_usd\",\"value\":{\"intValue\":\"7000\"}}"), 1);
    assert_int_equal(times(text, "\"status\":{\"code\":2,\"message\":\"rate_limited\"}"), 1);
    assert_int_equal(times(text, "\"status\""), 1);
    buf_done(&out);
    test_free(r);
}

static void a_call_that_was_refused_is_one_span_without_an_error_of_ours(void **state)
{
    struct call_record *r = record();
    struct trace_context t;
    struct buf out;

    r->attempts = 0;
    r->outcome = STR("blocked");
    r->error_code = STR("budget_exceeded");
    trace_context_read(STR_NONE, id, &t);
    buf_init(&out, SPAN_CALL_BYTES);
    span_write(&out, &t, r);
    buf_putc(&out, '\0');
    assert_int_equal(times(buf_str(&out), "\"spanId\""), 1);
    assert_int_equal(times(buf_str(&out), "parentSpanId"), 0);
    assert_int_equal(times(buf_str(&out), "\"status\""), 0);
    assert_int_equal(times(buf_str(&out), "{\"key\":\"error.type\",\"value\":{\"stringValue\":\"budget_exceeded\"}}"), 1);
    buf_done(&out);
    test_free(r);
}

static void headers_are_read_as_the_convention_has_them(void **state)
{
    static const char *const wrong[] = {"name", "=value", "a=b,c", "a=%zz", "a=1,,b=2"};
    struct arena *a = arena_new(KIB(64));
    struct header_list list;

    assert_int_equal(header_list_read(a, STR(" api-key = se%2Ccret , x-scope=one=two "), &list), 0);
    assert_int_equal(list.n, 3);
    assert_string_equal(list.v[1].name, "api-key");
    assert_true(str_eq_c(list.v[1].value, "se,cret"));
    assert_true(str_eq_c(list.v[2].value, "one=two"));
    assert_int_equal(header_list_read(a, STR(""), &list), 0);
    assert_int_equal(list.n, 1);
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++)
        assert_int_not_equal(header_list_read(a, str_c(wrong[i]), &list), 0);
    arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_call_is_a_span_and_its_tries_are_beneath_it),
        cmocka_unit_test(a_call_that_was_refused_is_one_span_without_an_error_of_ours),
        cmocka_unit_test(headers_are_read_as_the_convention_has_them),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
