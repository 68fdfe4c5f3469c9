/* Whose trace a call is in, and whether it is told. */
#include "unit.h"

#include "traces/context.h"

static const struct call_id call = {
    {0x01, 0x9a, 0x25, 0xa4, 0xa9, 0xa9, 0x71, 0x47, 0xa2, 0x5a, 0x86, 0x23, 0x42, 0x6d, 0xf9, 0xa2}};

#define TRACE "0af7651916cd43dd8448eb211c80319c"
#define PARENT "b7ad6b7169203331"

static void a_clients_trace_goes_on(void **state)
{
    static const uint8_t trace[] = {0x0a, 0xf7, 0x65, 0x19, 0x16, 0xcd, 0x43, 0xdd,
                                    0x84, 0x48, 0xeb, 0x21, 0x1c, 0x80, 0x31, 0x9c};
    static const uint8_t parent[] = {0xb7, 0xad, 0x6b, 0x71, 0x69, 0x20, 0x33, 0x31};
    struct trace_context t;

    trace_context_read(STR("00-" TRACE "-" PARENT "-01"), call, &t);
    assert_true(t.has_parent);
    assert_memory_equal(t.trace, trace, sizeof(trace));
    assert_memory_equal(t.parent, parent, sizeof(parent));
    assert_true(trace_context_kept(&t, call, 0));
    trace_context_read(STR(" 00-" TRACE "-" PARENT "-00 "), call, &t);
    assert_true(t.has_parent);
    assert_false(trace_context_kept(&t, call, 1000000));
    trace_context_read(STR("cc-" TRACE "-" PARENT "-03-what-will-be"), call, &t);
    assert_true(t.has_parent);
    assert_true(t.sampled);
}

static void what_is_no_traceparent_begins_a_trace(void **state)
{
    static const char *const none[] = {
        "",
        "00",
        "00-" TRACE "-" PARENT,
        "00-" TRACE "-" PARENT "-1",
        "00-" TRACE "-" PARENT "-01-more",
        "cc-" TRACE "-" PARENT "-01.more",
        "ff-" TRACE "-" PARENT "-01",
        "00-0AF7651916CD43DD8448EB211C80319C-" PARENT "-01",
        "00-00000000000000000000000000000000-" PARENT "-01",
        "00-" TRACE "-0000000000000000-01",
        "00_" TRACE "-" PARENT "-01",
        "00-" TRACE "_" PARENT "-01",
        "00-" TRACE "-" PARENT "_01",
        "0g-" TRACE "-" PARENT "-01",
    };
    struct trace_context t;

    for (size_t i = 0; i < ARRAY_LEN(none); i++) {
        trace_context_read(str_c(none[i]), call, &t);
        assert_false(t.has_parent);
        assert_memory_equal(t.trace, call.b, sizeof(call.b));
    }
    trace_context_read(STR_NONE, call, &t);
    assert_false(t.has_parent);
}

static void a_share_is_told(void **state)
{
    enum { CALLS = 20000 };
    struct trace_context t;
    int told = 0;

    for (int i = 0; i < CALLS; i++) {
        struct call_id one = call_id_new();

        trace_context_read(STR_NONE, one, &t);
        told += trace_context_kept(&t, one, 250000);
        assert_true(trace_context_kept(&t, one, 1000000));
        assert_false(trace_context_kept(&t, one, 0));
    }
    /* 5,000 with a deviation of 61: ten of them are never seen. */
    assert_in_range(told, 4390, 5610);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_clients_trace_goes_on),
        cmocka_unit_test(what_is_no_traceparent_begins_a_trace),
        cmocka_unit_test(a_share_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
