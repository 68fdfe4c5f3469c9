/* Which outcomes move on, and what each tells about the account. */
#include "unit.h"

#include "routing/fallback.h"

static const struct catalog_model usual = {.triggers = (1u << ROUTE_TRIGGERS) - 1,
                                           .max_attempts = 3};

static void statuses_fall_into_their_outcomes(void **state)
{
    static const struct {
        int status;
        enum try_outcome outcome;
    } cases[] = {
        {200, TRY_OK},           {204, TRY_OK},           {302, TRY_BAD_REPLY},
        {400, TRY_CLIENT_ERROR}, {401, TRY_CREDENTIAL},   {402, TRY_CREDENTIAL},
        {403, TRY_CREDENTIAL},   {404, TRY_NO_MODEL},     {408, TRY_SERVER_ERROR},
        {413, TRY_CLIENT_ERROR}, {422, TRY_CLIENT_ERROR}, {429, TRY_RATE_LIMITED},
        {500, TRY_SERVER_ERROR}, {503, TRY_SERVER_ERROR}, {529, TRY_SERVER_ERROR},
        {101, TRY_BAD_REPLY},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        assert_int_equal(try_outcome_of_status(cases[i].status), cases[i].outcome);
}

static void what_the_client_did_goes_back_to_it(void **state)
{
    assert_false(fallback_may_move_on(&usual, TRY_CLIENT_ERROR, 1));
    assert_false(fallback_may_move_on(&usual, TRY_OK, 1));
}

static void what_the_upstream_did_moves_on(void **state)
{
    static const enum try_outcome moving[] = {TRY_CONNECT,      TRY_TIMEOUT,   TRY_RATE_LIMITED,
                                              TRY_SERVER_ERROR, TRY_BAD_REPLY, TRY_CREDENTIAL,
                                              TRY_NO_MODEL};

    for (size_t i = 0; i < ARRAY_LEN(moving); i++)
        assert_true(fallback_may_move_on(&usual, moving[i], 1));
}

static void what_another_may_take_moves_on_if_the_model_says_so(void **state)
{
    struct catalog_model m = usual, longer = usual;
    const struct catalog_target here = {.model = &m}, there = {.model = &longer}, same = {.model = &m};

    m.triggers = TRIGGERS_USUAL;
    assert_true(fallback_may_move_on(&m, TRY_CONTEXT_LENGTH, 1));
    assert_false(fallback_may_move_on(&m, TRY_CONTENT_POLICY, 1));
    m.triggers |= TRIGGER_BIT(TRIGGER_CONTENT_POLICY);
    assert_true(fallback_may_move_on(&m, TRY_CONTENT_POLICY, 1));
    m.context_tokens = 1000;
    longer.context_tokens = 2000;
    assert_false(fallback_in_vain(TRY_CONTEXT_LENGTH, &here, &there));
    assert_true(fallback_in_vain(TRY_CONTEXT_LENGTH, &there, &here));
    assert_true(fallback_in_vain(TRY_CONTEXT_LENGTH, &here, &same));
    assert_false(fallback_in_vain(TRY_CONTENT_POLICY, &here, &same));
    assert_true(fallback_in_vain(TRY_CONTENT_POLICY, &here, &here)); /* a retry of itself */
    assert_false(fallback_in_vain(TRY_TIMEOUT, &here, &here));
    longer.context_tokens = 0; /* not known: it may fit */
    assert_false(fallback_in_vain(TRY_CONTEXT_LENGTH, &here, &there));
    assert_true(try_outcome_is_clients(TRY_CONTEXT_LENGTH));
    assert_false(try_outcome_is_clients(TRY_CREDENTIAL));
}

static void tries_have_an_end(void **state)
{
    assert_true(fallback_may_move_on(&usual, TRY_TIMEOUT, 2));
    assert_false(fallback_may_move_on(&usual, TRY_TIMEOUT, 3));
}

static void a_model_may_take_a_trigger_away(void **state)
{
    struct catalog_model m = usual;

    m.triggers = TRIGGER_BIT(TRIGGER_CONNECT);
    assert_true(fallback_may_move_on(&m, TRY_CONNECT, 1));
    assert_false(fallback_may_move_on(&m, TRY_RATE_LIMITED, 1));
    assert_false(fallback_may_move_on(&m, TRY_SERVER_ERROR, 1));
}

static void health_hears_of_the_upstreams_faults_only(void **state)
{
    struct health_board *b;
    struct health *h;

    assert_int_equal(health_board_new(&b), 0);
    h = health_of(b, (struct account_id){1});
    for (int i = 0; i < 10; i++) {
        fallback_tell_health(h, 1000, TRY_CLIENT_ERROR, -1, 0, 0);
        fallback_tell_health(h, 1000, TRY_NO_MODEL, -1, 0, 0);
    }
    assert_int_equal(health_state(h, 1000), HEALTH_UP);
    fallback_tell_health(h, 1000, TRY_RATE_LIMITED, 5000, 0, 0);
    assert_int_equal(health_state(h, 5999), HEALTH_COOLING);
    assert_int_equal(health_state(h, 6000), HEALTH_PROBING);
    fallback_tell_health(h, 6000, TRY_OK, -1, 10, 20);
    assert_int_equal(health_state(h, 6000), HEALTH_UP);
    health_board_free(b);
}

static void retry_after_is_seconds_or_a_date(void **state)
{
    const int64_t now = INT64_C(784111777) * 1000000; /* Sun, 06 Nov 1994 08:49:37 GMT */

    assert_int_equal(retry_after_ms(STR("120"), now), 120000);
    assert_int_equal(retry_after_ms(STR(" 0 "), now), 0);
    assert_int_equal(retry_after_ms(STR("Sun, 06 Nov 1994 08:49:47 GMT"), now), 10000);
    assert_int_equal(retry_after_ms(STR("Sun, 06 Nov 1994 08:49:07 GMT"), now), 0);
    assert_int_equal(retry_after_ms(STR(""), now), -1);
    assert_int_equal(retry_after_ms(STR("-5"), now), -1);
    assert_int_equal(retry_after_ms(STR("1.5"), now), -1);
    assert_int_equal(retry_after_ms(STR("soon"), now), -1);
    assert_int_equal(retry_after_ms(STR("Sun, 06 Nov 1994 08:49:37 GMT and more"), now), -1);
    assert_true(retry_after_ms(STR("18446744073709551615"), now) > 0);
    assert_int_equal(retry_after_ms(STR("99999999999999999999"), now), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(statuses_fall_into_their_outcomes),
        cmocka_unit_test(what_the_client_did_goes_back_to_it),
        cmocka_unit_test(what_the_upstream_did_moves_on),
        cmocka_unit_test(what_another_may_take_moves_on_if_the_model_says_so),
        cmocka_unit_test(tries_have_an_end),
        cmocka_unit_test(a_model_may_take_a_trigger_away),
        cmocka_unit_test(health_hears_of_the_upstreams_faults_only),
        cmocka_unit_test(retry_after_is_seconds_or_a_date),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
