/* test_router.c: which row answers a method and a raw path. */
#include "unit.h"

#include "http/router.h"

static const struct route routes[] = {
    {HTTP_GET, "/", AUTH_NONE, 0, RUNS_ON_LOOP},
    {HTTP_GET, "/v1/models", AUTH_KEY, 0, RUNS_ON_LOOP},
    {HTTP_GET, "/v1/models/{model*}", AUTH_KEY, 0, RUNS_ON_LOOP},
    {HTTP_POST, "/v1/chat/completions", AUTH_KEY, 100, RUNS_ON_LOOP},
    {HTTP_GET, "/keys", AUTH_VIEWER, 0, RUNS_ON_PAGES},
    {HTTP_POST, "/keys", AUTH_DEVELOPER, 100, RUNS_ON_PAGES},
    {HTTP_GET, "/keys/new", AUTH_DEVELOPER, 0, RUNS_ON_PAGES},
    {HTTP_GET, "/keys/{id}", AUTH_VIEWER, 0, RUNS_ON_PAGES},
    {HTTP_POST, "/keys/{id}/rotate", AUTH_DEVELOPER, 100, RUNS_ON_PAGES},
    {HTTP_DELETE, "/a/{one}/b/{two}", AUTH_ADMIN, 0, RUNS_ON_PAGES},
    {HTTP_POST, "/v1beta/models/{model}:generate", AUTH_KEY, 100, RUNS_ON_LOOP},
};

static struct router *router;
static const struct route *found;
static struct str params[4];
static const char *allow;

static int make(void **state)
{
    return router_new(routes, ARRAY_LEN(routes), &router);
}

static int unmake(void **state)
{
    router_free(router);
    return 0;
}

static int find(enum http_method method, const char *path)
{
    found = NULL;
    allow = NULL;
    return router_find(router, method, str_c(path), &found, params, &allow);
}

static void exact_paths_are_found(void **state)
{
    assert_int_equal(find(HTTP_GET, "/"), ROUTER_OK);
    assert_ptr_equal(found, &routes[0]);
    assert_int_equal(find(HTTP_POST, "/v1/chat/completions"), ROUTER_OK);
    assert_ptr_equal(found, &routes[3]);
    assert_null(params[0].p);
}

static void head_is_answered_by_get(void **state)
{
    assert_int_equal(find(HTTP_HEAD, "/v1/models"), ROUTER_OK);
    assert_ptr_equal(found, &routes[1]);
    assert_int_equal(find(HTTP_HEAD, "/v1/chat/completions"), ROUTER_E_METHOD);
}

static void parameters_are_cut_out(void **state)
{
    assert_int_equal(find(HTTP_POST, "/keys/42/rotate"), ROUTER_OK);
    assert_ptr_equal(found, &routes[8]);
    assert_str(params[0], "42");
    assert_int_equal(find(HTTP_DELETE, "/a/x%2fy/b/z"), ROUTER_OK);
    assert_str(params[0], "x%2fy");
    assert_str(params[1], "z");
    assert_null(params[2].p);
}

static void a_plain_path_wins_over_a_parameter(void **state)
{
    assert_int_equal(find(HTTP_GET, "/keys/new"), ROUTER_OK);
    assert_ptr_equal(found, &routes[6]);
    assert_int_equal(find(HTTP_GET, "/keys/7"), ROUTER_OK);
    assert_ptr_equal(found, &routes[7]);
}

static void a_rest_parameter_takes_slashes(void **state)
{
    assert_int_equal(find(HTTP_GET, "/v1/models/openai/gpt-4o"), ROUTER_OK);
    assert_ptr_equal(found, &routes[2]);
    assert_str(params[0], "openai/gpt-4o");
    assert_int_equal(find(HTTP_GET, "/v1/models/"), ROUTER_E_NONE);
}

static void text_around_a_parameter_must_be_there(void **state)
{
    assert_int_equal(find(HTTP_POST, "/v1beta/models/gemini-2:generate"), ROUTER_OK);
    assert_str(params[0], "gemini-2");
    assert_int_equal(find(HTTP_POST, "/v1beta/models/gemini-2:other"), ROUTER_E_NONE);
    assert_int_equal(find(HTTP_POST, "/v1beta/models/:generate"), ROUTER_E_NONE);
}

static void a_wrong_method_lists_the_right_ones(void **state)
{
    assert_int_equal(find(HTTP_DELETE, "/keys"), ROUTER_E_METHOD);
    assert_string_equal(allow, "GET, HEAD, POST");
    assert_non_null(found);
    assert_int_equal(find(HTTP_GET, "/keys/1/rotate"), ROUTER_E_METHOD);
    assert_string_equal(allow, "POST");
}

static void near_misses_are_not_found(void **state)
{
    static const char *const paths[] = {"",
                                        "/v1",
                                        "/v1/models2",
                                        "/V1/models",
                                        "/keys//",
                                        "//keys",
                                        "/keys/",
                                        "/keys/1/rotate/",
                                        "/keys//rotate",
                                        "/v1/chat/../models",
                                        "/%6beys",
                                        "/v1/models%00",
                                        "keys",
                                        NULL};

    for (const char *const *p = paths; *p; p++)
        if (find(HTTP_GET, *p) != ROUTER_E_NONE)
            fail_msg("found: %s", *p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(exact_paths_are_found),
        cmocka_unit_test(head_is_answered_by_get),
        cmocka_unit_test(parameters_are_cut_out),
        cmocka_unit_test(a_plain_path_wins_over_a_parameter),
        cmocka_unit_test(a_rest_parameter_takes_slashes),
        cmocka_unit_test(text_around_a_parameter_must_be_there),
        cmocka_unit_test(a_wrong_method_lists_the_right_ones),
        cmocka_unit_test(near_misses_are_not_found),
    };

    return cmocka_run_group_tests(tests, make, unmake);
}
