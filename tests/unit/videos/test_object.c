/* Jobs that make videos as clients see them, and their names. */
#include "unit.h"

#include "base/bounds.h"
#include "videos/object.h"

#define HEX "01902d8a7b6c7d8e8f90a1b2c3d4e5f6"

static struct call_id id_of(const char *text)
{
    struct call_id id;

    assert_true(video_name_parse(str_c(text), &id));
    return id;
}

static void a_job_has_its_calls_digits(void **state)
{
    struct call_id id = id_of("video_" HEX), other;
    char text[VIDEO_NAME_TEXT], call[CALL_ID_TEXT];

    (void)state;
    video_name(id, text);
    call_id_text(id, call);
    assert_string_equal(text, "video_" HEX);
    assert_string_equal(call, "call_" HEX);
    assert_false(video_name_parse(STR("call_" HEX), &other));
    assert_false(video_name_parse(STR("video_" HEX "0"), &other));
    assert_false(video_name_parse(STR("video_01902d8a-7b6c-7d8e-8f90-a1b2c3d4"), &other));
    assert_false(video_name_parse(STR("video_"), &other));
    assert_false(video_name_parse(STR_NONE, &other));
}

static void shows(const struct video_job *job, const char *wanted)
{
    struct buf out;

    buf_init(&out, KIB(4));
    video_object_put(job, &out);
    assert_int_equal(buf_finish(&out), 0);
    assert_str(buf_str(&out), wanted);
    buf_done(&out);
}

static void a_job_is_a_video_object(void **state)
{
    struct video_job job = {
        .call = id_of("video_" HEX),
        .model = STR("film"),
        .state = VIDEO_IN_PROGRESS,
        .progress = 40,
        .created_us = 1700000000999999,
        .seconds = 8,
        .size = STR("720x1280"),
    };

    (void)state;
    shows(&job, "{\"id\":\"video_" HEX "\",\"object\":\"video\",\"model\":\"film\",\"status\":\"in_progress\","
                "\"progress\":40,\"created_at\":1700000000,\"completed_at\":null,\"expires_at\":null,"
                "\"prompt\":null,\"size\":\"720x1280\",\"seconds\":\"8\",\"remixed_from_video_id\":null,"
                "\"error\":null}");
    job.state = VIDEO_FAILED;
    job.size = STR_NONE;
    job.ended_us = 1700000001000000;
    job.error_code = STR("blocked");
    job.error_message = STR("No.");
    job.remixed_from = job.call;
    shows(&job, "{\"id\":\"video_" HEX "\",\"object\":\"video\",\"model\":\"film\",\"status\":\"failed\","
                "\"progress\":40,\"created_at\":1700000000,\"completed_at\":null,\"expires_at\":null,"
                "\"prompt\":null,\"size\":null,\"seconds\":\"8\",\"remixed_from_video_id\":\"video_" HEX "\","
                "\"error\":{\"code\":\"blocked\",\"message\":\"No.\"}}");
}

static void a_list_names_its_ends(void **state)
{
    struct video_list none = {.n = 0};
    struct buf out;

    (void)state;
    buf_init(&out, KIB(4));
    video_list_put(&none, &out);
    assert_str(buf_str(&out),
               "{\"object\":\"list\",\"data\":[],\"first_id\":null,\"last_id\":null,\"has_more\":false}");
    buf_done(&out);
}

static void what_is_said_is_kept_in_whole_characters(void **state)
{
    char text[1200];
    struct video_told told = {.error_code = STR("a\0b"), .error_message = {text, sizeof(text)}, .size = STR("")};

    (void)state;
    memset(text, 'x', sizeof(text));
    memcpy(text + 999, "\u00f3", 2);
    video_told_clip(&told);
    assert_str(told.error_code, "a");
    assert_int_equal(told.error_message.n, 999);
    assert_null(told.size.p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_job_has_its_calls_digits),
        cmocka_unit_test(a_job_is_a_video_object),
        cmocka_unit_test(a_list_names_its_ends),
        cmocka_unit_test(what_is_said_is_kept_in_whole_characters),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
