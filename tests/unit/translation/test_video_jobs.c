/* OpenAI's jobs that make videos, once they were made: what is asked of one, and what its answers say. */
#include "unit.h"

#include "base/bounds.h"
#include "translation/video_dialect.h"

static struct arena *a;

static int setup(void **state)
{
    (void)state;
    a = arena_new(MIB(1));
    return a ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    arena_free(a);
    return 0;
}

static void asks(const char *url, struct video_ask what, const char *method, const char *wanted)
{
    struct video_request r;

    what.id = STR("video_1");
    assert_int_equal(openai_video_jobs.ask(a, str_c(url), &what, &r), VIDEO_OK);
    assert_string_equal(r.method, method);
    assert_str(r.url, wanted);
    assert_null(r.body.p);
}

static void a_job_is_asked_after_beneath_the_address_that_made_it(void **state)
{
    const char *url = "https://h/v1/videos", *azure = "https://h/v1/videos?api-version=2";

    (void)state;
    asks(url, (struct video_ask){.what = VIDEO_ASK_STATE}, "GET", "https://h/v1/videos/video_1");
    asks(url, (struct video_ask){.what = VIDEO_ASK_DELETE}, "DELETE", "https://h/v1/videos/video_1");
    asks(url, (struct video_ask){.what = VIDEO_ASK_CONTENT}, "GET", "https://h/v1/videos/video_1/content");
    asks(url, (struct video_ask){.what = VIDEO_ASK_CONTENT, .variant = VIDEO_VARIANT_THUMBNAIL}, "GET",
         "https://h/v1/videos/video_1/content?variant=thumbnail");
    asks(azure, (struct video_ask){.what = VIDEO_ASK_STATE}, "GET", "https://h/v1/videos/video_1?api-version=2");
    asks(azure, (struct video_ask){.what = VIDEO_ASK_CONTENT, .variant = VIDEO_VARIANT_SPRITESHEET}, "GET",
         "https://h/v1/videos/video_1/content?variant=spritesheet&api-version=2");
}

static struct video_told told(const char *body)
{
    struct video_told t;

    assert_int_equal(openai_video_jobs.read_state(a, str_c(body), &t), VIDEO_OK);
    return t;
}

static void what_is_said_of_it_is_read(void **state)
{
    struct video_told t = told("{\"id\":\"video_1\",\"status\":\"in_progress\",\"progress\":33,\"seconds\":\"8\","
                               "\"size\":\"720x1280\",\"expires_at\":1700000000,\"error\":null}");

    (void)state;
    assert_int_equal(t.state, VIDEO_IN_PROGRESS);
    assert_int_equal(t.progress, 33);
    assert_int_equal(t.seconds, 8);
    assert_int_equal(t.expires_s, 1700000000);
    assert_str(t.id, "video_1");
    assert_str(t.size, "720x1280");
    assert_null(t.error_code.p);
    assert_int_equal(told("{\"status\":\"queued\"}").state, VIDEO_QUEUED);
    assert_int_equal(told("{\"status\":\"completed\"}").state, VIDEO_COMPLETED);
    t = told("{\"status\":\"failed\",\"error\":{\"code\":\"moderation_blocked\",\"message\":\"N\\u00f3.\"}}");
    assert_int_equal(t.state, VIDEO_FAILED);
    assert_str(t.error_code, "moderation_blocked");
    assert_str(t.error_message, "N\u00f3.");
}

static void figures_that_cannot_be_are_not_said(void **state)
{
    struct video_told t = told("{\"status\":\"queued\",\"progress\":-1,\"seconds\":\"99999\",\"expires_at\":1e30}");

    (void)state;
    assert_int_equal(t.progress, -1);
    assert_int_equal(t.seconds, 0);
    assert_int_equal(t.expires_s, 0);
    assert_int_equal(told("{\"status\":\"queued\",\"progress\":101}").progress, -1);
}

static void what_is_no_job_is_refused(void **state)
{
    static const char *const bodies[] = {
        "",
        "[]",
        "{}",
        "{\"status\":\"done\"}",
        "{\"status\":1}",
        "{\"id\":\"a/b\",\"status\":\"queued\"}",
        "{\"id\":\"..\",\"status\":\"queued\"}",
        "{\"id\":\"a?b\",\"status\":\"queued\"}",
        "{\"id\":\"a\\u0000b\",\"status\":\"queued\"}",
    };
    struct video_told t;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bodies); i++)
        assert_int_equal(openai_video_jobs.read_state(a, str_c(bodies[i]), &t), VIDEO_E_BAD);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_job_is_asked_after_beneath_the_address_that_made_it),
        cmocka_unit_test(what_is_said_of_it_is_read),
        cmocka_unit_test(figures_that_cannot_be_are_not_said),
        cmocka_unit_test(what_is_no_job_is_refused),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
