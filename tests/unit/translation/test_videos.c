/* Jobs that make videos, in OpenAI's format: how long and how large a video is asked for, and what
 * the job that answers says of it. */
#include "dialect_test.h"

#include "translation/video.h"

#define TYPE "multipart/form-data; boundary=b"
#define PART(name, value) "--b\r\nContent-Disposition: form-data; name=\"" name "\"\r\n\r\n" value "\r\n"
#define FILE_PART(name) \
    "--b\r\nContent-Disposition: form-data; name=\"" name "\"; filename=\"a.png\"\r\n" \
    "Content-Type: image/png\r\n\r\nPNG\r\n"
#define WHOLE PART("model", "m") PART("prompt", "a cat")

static int read_form(const char *parts, struct wire_request *ret, struct json_fault *fault)
{
    struct str body = arena_strf(arena, "%s--b--\r\n", parts);

    return openai_videos.read_form(arena, STR(TYPE), body, ret, fault);
}

static struct wire_request form_of(const char *parts)
{
    struct json_fault fault = {0};
    struct wire_request r = {0};

    if (read_form(parts, &r, &fault) != DIALECT_OK)
        fail_msg("%s: %s", fault.path, fault.reason);
    return r;
}

static void form_faults(const char *parts, const char *path)
{
    struct json_fault fault = {0};
    struct wire_request r;

    assert_int_equal(read_form(parts, &r, &fault), DIALECT_E_FIELD);
    assert_string_equal(fault.path, path);
    assert_true(fault.reason[0]);
}

static void json_says_how_long_and_how_large(void **state)
{
    struct wire_request r;

    subject = &openai_videos;
    r = request_of("{\"model\":\"m\",\"prompt\":\"a cat\"}");
    assert_int_equal(r.llm.seconds, VIDEO_SECONDS_DEFAULT);
    assert_null(r.llm.visual.size.p);
    assert_int_equal(r.llm.pictures, 0);
    assert_int_equal(r.llm.prompt_bytes, 7); /* as it is written */
    r = request_of("{\"model\":\"m\",\"prompt\":\"a\",\"seconds\":\"8\",\"size\":\"1024x1792\","
                   "\"input_reference\":{\"file_id\":\"f\"}}");
    assert_int_equal(r.llm.seconds, 8);
    assert_str(r.llm.visual.size, "1024x1792");
    assert_int_equal(r.llm.pictures, 1);
    assert_int_equal(request_of("{\"model\":\"m\",\"prompt\":\"a\",\"seconds\":12}").llm.seconds, 12);
    r = request_of("{\"model\":\"m\",\"prompt\":\"a\",\"width\":1280,\"height\":720,\"seconds\":null}");
    assert_str(r.llm.visual.size, "1280x720");
    assert_int_equal(r.llm.seconds, VIDEO_SECONDS_DEFAULT);
    edits("{\"prompt\":\"a\", \"model\":\"m\",\"x\":1}", (struct wire_request_edit){.model = STR("up")},
          "{\"prompt\":\"a\", \"model\":\"up\",\"x\":1}");
}

static void lengths_that_could_cost_anything_are_refused(void **state)
{
    static const struct {
        const char *body, *path;
    } bad[] = {
        {"{\"model\":\"m\"}", "prompt"},
        {"{\"prompt\":\"a\"}", "model"},
        {"{\"model\":\"m\",\"prompt\":[]}", "prompt"},
        {"{\"model\":\"m\",\"prompt\":\"a\",\"seconds\":0}", "seconds"},
        {"{\"model\":\"m\",\"prompt\":\"a\",\"seconds\":\"\"}", "seconds"},
        {"{\"model\":\"m\",\"prompt\":\"a\",\"seconds\":4.5}", "seconds"},
        {"{\"model\":\"m\",\"prompt\":\"a\",\"seconds\":\"3601\"}", "seconds"},
        {"{\"model\":\"m\",\"prompt\":\"a\",\"seconds\":\"\\u0038\"}", "seconds"},
        {"{\"model\":\"m\",\"prompt\":\"a\",\"seconds\":true}", "seconds"},
        {"{\"model\":\"m\",\"prompt\":\"a\",\"num_frames\":900}", "num_frames"},
        {"{\"model\":\"m\",\"prompt\":\"a\",\"size\":\"large\"}", "size"},
        {"{\"model\":\"m\",\"prompt\":\"a\",\"size\":\"01792x1024\"}", "size"},
        {"{\"model\":\"m\",\"prompt\":\"a\",\"size\":\"1\\u0078 2\"}", "size"},
        {"{\"model\":\"m\",\"prompt\":\"a\",\"size\":720}", "size"},
        {"{\"model\":\"m\",\"prompt\":\"a\",\"width\":1280}", "width"},
        {"{\"model\":\"m\",\"prompt\":\"a\",\"height\":1280}", "height"},
        {"{\"model\":\"m\",\"prompt\":\"a\",\"width\":-1,\"height\":4}", "width"},
        {"{\"model\":\"m\",\"prompt\":\"a\",\"size\":\"4x4\",\"width\":4,\"height\":4}", "width"},
    };

    subject = &openai_videos;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        faults(bad[i].body, DIALECT_E_FIELD, bad[i].path);
}

static void forms_say_the_same(void **state)
{
    struct wire_request r = form_of(WHOLE);
    struct buf out;
    struct str rest;

    assert_str(r.llm.model, "m");
    assert_int_equal(r.llm.seconds, VIDEO_SECONDS_DEFAULT);
    assert_int_equal(r.llm.prompt_bytes, 5);
    r = form_of(WHOLE PART("seconds", "12") PART("size", "1792x1024") FILE_PART("input_reference"));
    assert_int_equal(r.llm.seconds, 12);
    assert_str(r.llm.visual.size, "1792x1024");
    assert_int_equal(r.llm.pictures, 1);
    assert_str(form_of(WHOLE PART("width", "64") PART("height", "32")).llm.visual.size, "64x32");
    form_faults(PART("model", "m"), "prompt");
    form_faults(PART("prompt", "a"), "model");
    form_faults(WHOLE PART("seconds", "long"), "seconds");
    form_faults(WHOLE PART("size", "720p"), "size");
    form_faults(WHOLE PART("num_frames", "900"), "num_frames");
    form_faults(WHOLE PART("height", "900"), "height");
    buf_init(&out, KIB(4));
    openai_videos.edit_request(&r, &(struct wire_request_edit){.model = STR("sora")}, &out);
    assert_int_equal(buf_finish(&out), 0);
    rest = buf_str(&out);
    assert_true(str_starts(rest, STR(PART("model", "sora"))));
    buf_done(&out);
}

static void the_job_says_what_is_made(void **state)
{
    struct wire_report r;

    subject = &openai_videos;
    r = reply_of("{\"id\":\"video_1\",\"object\":\"video\",\"status\":\"queued\",\"seconds\":\"8\","
                 "\"size\":\"720x1280\",\"error\":null}");
    assert_true(r.has_data);
    assert_false(r.error);
    assert_str(r.llm.id, "video_1");
    assert_str(r.llm.visual.size, "720x1280");
    assert_true(r.llm.has_usage && r.llm.lacks_prompt && r.llm.lacks_output);
    assert_int_equal(r.llm.usage.n[USAGE_SECOND], 8);
    assert_int_equal(reply_of("{\"id\":\"v\",\"seconds\":4}").llm.usage.n[USAGE_SECOND], 4);
    assert_false(reply_of("{\"id\":\"v\",\"seconds\":\"long\"}").llm.has_usage);
    assert_false(reply_of("{\"id\":\"\",\"seconds\":\"4\"}").has_data);
    assert_true(reply_of("{\"id\":\"v\",\"error\":{\"code\":\"x\"}}").error);
    replies("{\"id\":\"v\"}", (struct wire_report_edit){.members = STR("\"t\":1")},
            "{\"id\":\"v\",\"t\":1}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(json_says_how_long_and_how_large, set_up, tear_down),
        cmocka_unit_test_setup_teardown(lengths_that_could_cost_anything_are_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(forms_say_the_same, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_job_says_what_is_made, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
