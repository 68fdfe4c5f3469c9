/* What is counted adds up over loops and is printed in Prometheus' text format. */
#include "unit.h"

#include <stdio.h>

#include "base/bounds.h"
#include "gateway/metrics.h"

static char *text_of(const struct metrics *m)
{
    struct buf out;
    char *z;

    buf_init(&out, MIB(1));
    metrics_print(m, &out);
    assert_int_equal(buf_finish(&out), 0);
    z = strndup(out.p, out.n);
    buf_done(&out);
    return z;
}

static void has(const char *text, const char *line)
{
    if (!strstr(text, line))
        fail_msg("no line: %s", line);
}

static void calls_of_two_loops_add_up(void **state)
{
    struct metrics a = {0}, b = {0}, sum = {0};
    struct call_record r = {.outcome = STR("ok"),
                            .status = 200,
                            .repeat = 1,
                            .latency_us = 7000,
                            .ttfb_us = 900,
                            .input_tokens = 5,
                            .cached_input_tokens = 2,
                            .output_tokens = 3,
                            .charge_nano = {1500000000}};
    char *text;

    metrics_call(&a, &r);
    r.outcome = STR("blocked");
    r.status = 402;
    r.repeat = 40;
    r.ttfb_us = 0;
    metrics_call(&b, &r);
    metrics_attempt(&b, TRY_RATE_LIMITED);
    metrics_refused(&a, REFUSED_BAD_KEY);
    metrics_add(&sum, &a);
    metrics_add(&sum, &b);
    text = text_of(&sum);
    has(text, "\ntollgate_calls_total{outcome=\"ok\"} 1\n");
    has(text, "\ntollgate_calls_total{outcome=\"blocked\"} 40\n");
    has(text, "\ntollgate_answers_total{status=\"4xx\"} 40\n");
    has(text, "\ntollgate_attempts_total{outcome=\"rate_limited\"} 1\n");
    has(text, "\ntollgate_refused_total{reason=\"bad_key\"} 1\n");
    has(text, "\ntollgate_call_seconds_bucket{le=\"0.005000\"} 0\n");
    has(text, "\ntollgate_call_seconds_bucket{le=\"0.010000\"} 2\n");
    has(text, "\ntollgate_call_seconds_sum 0.014000\n");
    has(text, "\ntollgate_first_byte_seconds_count 1\n");
    has(text, "\ntollgate_input_tokens_total 14\n");
    has(text, "\ntollgate_charge_usd_total 3\n");
    free(text);
}

static void beyond_the_last_bound_is_counted_too(void **state)
{
    struct metrics m = {0};
    struct call_record r = {.outcome = STR("ok"), .repeat = 1, .latency_us = 61000000};
    char *text;

    metrics_call(&m, &r);
    text = text_of(&m);
    has(text, "tollgate_call_seconds_bucket{le=\"60.000000\"} 0\n");
    has(text, "tollgate_call_seconds_bucket{le=\"+Inf\"} 1\n");
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(calls_of_two_loops_add_up),
        cmocka_unit_test(beyond_the_last_bound_is_counted_too),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
