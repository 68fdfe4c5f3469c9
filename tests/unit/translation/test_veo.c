/* Google's jobs that make videos: what Veo is asked for, what it cannot make, what its operations say, and
 * where the video is. */
#include "dialect_test.h"

#include "translation/format.h"
#include "translation/veo/veo.h"
#include "translation/video_prompt.h"

#define PIXEL "data:image/png;base64,iVBORw0KGgo="
#define GEMINI "https://generativelanguage.googleapis.com/v1beta/models/{model}:predictLongRunning"
#define VERTEX "https://aiplatform.googleapis.com/v1/projects/p/locations/global/publishers/google/models/" \
               "{model}:predictLongRunning"
#define OPERATION "projects/p/locations/global/publishers/google/models/veo-3.1-generate-001/operations/8-f"

static const struct video_dialect *host;
static struct chat_losses losses;
static struct json_fault fault;

/* What a request of OpenAI's is written as; p NULL: refused, and *fault says why. */
static struct str written(const char *model, const char *body)
{
    struct wire_request request = request_of(body);
    struct video_prompt prompt;
    struct str text = STR_NONE;
    struct buf out;

    losses = (struct chat_losses){.n = 0};
    fault = (struct json_fault){.at = 0};
    if (video_prompt_read(arena, &request, &prompt, &fault) != DIALECT_OK)
        return STR_NONE;
    buf_init(&out, MIB(1));
    if (host->write_request(&prompt, str_c(model), &out, &losses, &fault) == VIDEO_OK) {
        assert_int_equal(buf_finish(&out), 0);
        text = arena_str(arena, buf_str(&out));
    }
    buf_done(&out);
    return text;
}

static void refused(const char *model, const char *body, const char *path)
{
    assert_null(written(model, body).p);
    assert_string_equal(fault.path, path);
    assert_true(fault.reason[0]);
}

static void a_size_becomes_a_shape_and_a_resolution(void **state)
{
    subject = &openai_videos;
    host = &gemini_video_jobs;
    assert_str(written("veo-3.1-generate-preview", "{\"model\":\"m\",\"prompt\":\"a \\\"cat\\\"\"}"),
               "{\"instances\":[{\"prompt\":\"a \\\"cat\\\"\"}],\"parameters\":{\"aspectRatio\":\"9:16\","
               "\"resolution\":\"720p\",\"durationSeconds\":4}}");
    assert_str(written("veo-3.1-generate-preview",
                       "{\"model\":\"m\",\"prompt\":\"a\",\"seconds\":\"8\",\"size\":\"3840x2160\"}"),
               "{\"instances\":[{\"prompt\":\"a\"}],\"parameters\":{\"aspectRatio\":\"16:9\","
               "\"resolution\":\"4k\",\"durationSeconds\":8}}");
    assert_str(written("veo-2.0-generate-001",
                       "{\"model\":\"m\",\"prompt\":\"a\",\"seconds\":5,\"size\":\"1280x720\"}"),
               "{\"instances\":[{\"prompt\":\"a\"}],\"parameters\":{\"aspectRatio\":\"16:9\","
               "\"durationSeconds\":5}}");
    host = &vertex_video_jobs;
    assert_str(written("veo-3.1-generate-001",
                       "{\"model\":\"m\",\"prompt\":\"a\",\"seconds\":\"6\",\"size\":\"1080x1920\"}"),
               "{\"instances\":[{\"prompt\":\"a\"}],\"parameters\":{\"aspectRatio\":\"9:16\","
               "\"resolution\":\"1080p\",\"durationSeconds\":6,\"sampleCount\":1,\"generateAudio\":true}}");
    assert_int_equal(losses.n, 0);
}

static void what_veo_cannot_make_is_refused(void **state)
{
    subject = &openai_videos;
    host = &gemini_video_jobs;
    refused("veo-3.1-generate-preview", "{\"model\":\"m\",\"prompt\":\"a\",\"seconds\":12}", "seconds");
    refused("veo-3.1-generate-preview", "{\"model\":\"m\",\"prompt\":\"a\",\"seconds\":5}", "seconds");
    refused("veo-2.0-generate-001", "{\"model\":\"m\",\"prompt\":\"a\"}", "seconds");
    refused("veo-3.1-generate-preview", "{\"model\":\"m\",\"prompt\":\"a\",\"size\":\"1024x1792\"}", "size");
    refused("veo-2.0-generate-001", "{\"model\":\"m\",\"prompt\":\"a\",\"seconds\":8,\"size\":\"1920x1080\"}",
            "size");
    refused("veo-3.1-lite-generate-preview",
            "{\"model\":\"m\",\"prompt\":\"a\",\"seconds\":8,\"size\":\"3840x2160\"}", "size");
    refused("veo-3.0-generate-001", "{\"model\":\"m\",\"prompt\":\"a\",\"seconds\":8,\"size\":\"2160x3840\"}",
            "size");
    refused("veo-3.1-generate-preview", "{\"model\":\"m\",\"prompt\":\"a\",\"size\":\"1920x1080\"}", "seconds");
    host = &vertex_video_jobs;
    refused("veo-3.1-generate-001", "{\"model\":\"m\",\"prompt\":\"a\",\"seconds\":8,\"size\":\"2160x3840\"}",
            "size");
    assert_non_null(written("veo-3.1-generate-preview",
                            "{\"model\":\"m\",\"prompt\":\"a\",\"x\":1,\"user\":\"u\"}").p);
    assert_int_equal(losses.n, 2); /* the route's policy decides */
}

static void an_image_goes_along(void **state)
{
    struct str text;

    subject = &openai_videos;
    host = &gemini_video_jobs;
    text = written("veo-3.1-generate-preview",
                   "{\"model\":\"m\",\"prompt\":\"a\",\"input_reference\":{\"image_url\":\"" PIXEL "\"}}");
    assert_true(str_starts(text, STR("{\"instances\":[{\"prompt\":\"a\",\"image\":{\"bytesBase64Encoded\":"
                                     "\"iVBORw0KGgo=\",\"mimeType\":\"image/png\"}}]")));
    refused("veo-3.1-generate-preview",
            "{\"model\":\"m\",\"prompt\":\"a\",\"input_reference\":{\"file_id\":\"f\"}}", "input_reference");
    refused("veo-3.1-generate-preview",
            "{\"model\":\"m\",\"prompt\":\"a\",\"input_reference\":{\"image_url\":\"https://x/y.png\"}}",
            "input_reference.image_url");
    refused("veo-3.1-generate-preview",
            "{\"model\":\"m\",\"prompt\":\"a\",\"input_reference\":{\"image_url\":\"data:text/html;base64,AA==\"}}",
            "input_reference.image_url");
    refused("veo-3.1-generate-preview", "{\"model\":\"m\",\"prompt\":\"a\",\"input_reference\":\"f\"}",
            "input_reference");
}

static void a_file_goes_along(void **state)
{
    static const char form[] =
        "--b\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\nm\r\n"
        "--b\r\nContent-Disposition: form-data; name=\"prompt\"\r\n\r\na\r\n"
        "--b\r\nContent-Disposition: form-data; name=\"seed\"\r\n\r\n7\r\n"
        "--b\r\nContent-Disposition: form-data; name=\"input_reference\"; filename=\"x\"\r\n\r\n"
        "%s\r\n--b--\r\n";
    const struct str type = STR("multipart/form-data; boundary=b");
    struct wire_request request;
    struct video_prompt prompt;
    struct str body = arena_strf(arena, form, "\xff\xd8\xff\xe0");
    struct buf out;

    assert_int_equal(openai_videos.read_form(arena, type, body, &request, &fault), DIALECT_OK);
    assert_int_equal(video_prompt_read(arena, &request, &prompt, &fault), DIALECT_OK);
    assert_string_equal(prompt.picture_type, "image/jpeg");
    losses = (struct chat_losses){.n = 0};
    buf_init(&out, KIB(4));
    assert_int_equal(vertex_video_jobs.write_request(&prompt, STR("veo-3.1"), &out, &losses, &fault), VIDEO_OK);
    assert_int_equal(buf_finish(&out), 0);
    assert_true(str_starts(buf_str(&out), STR("{\"instances\":[{\"prompt\":\"a\",\"image\":{\"bytesBase64Encoded\":"
                                              "\"/9j/4A==\",\"mimeType\":\"image/jpeg\"}}]")));
    buf_done(&out);
    assert_int_equal(losses.n, 1);
    assert_str(losses.path[0], "seed");
    body = arena_strf(arena, form, "GIF89a");
    assert_int_equal(openai_videos.read_form(arena, type, body, &request, &fault), DIALECT_OK);
    assert_int_equal(video_prompt_read(arena, &request, &prompt, &fault), DIALECT_E_FIELD);
    assert_string_equal(fault.path, "input_reference");
}

static struct video_told told_by(const char *body)
{
    struct video_told told = {0};

    assert_int_equal(host->read_state(arena, str_c(body), &told), VIDEO_OK);
    return told;
}

static void operations_end_well_or_say_why_not(void **state)
{
    struct video_told t;

    host = &gemini_video_jobs;
    t = told_by("{\"name\":\"models/veo-3.1/operations/a1\"}");
    assert_int_equal(t.state, VIDEO_IN_PROGRESS);
    assert_str(t.id, "models/veo-3.1/operations/a1");
    t = told_by("{\"name\":\"models/v/operations/a\",\"done\":true,\"response\":{\"generateVideoResponse\":"
                "{\"generatedSamples\":[{\"video\":{\"uri\":\"https://x/f:download?alt=media\"}}]}}}");
    assert_int_equal(t.state, VIDEO_COMPLETED);
    t = told_by("{\"name\":\"models/v/operations/a\",\"done\":true,\"error\":{\"code\":3,\"message\":\"No \\u0022.\"}}");
    assert_int_equal(t.state, VIDEO_FAILED);
    assert_str(t.error_code, "invalid_request");
    assert_str(t.error_message, "No \".");
    t = told_by("{\"name\":\"models/v/operations/a\",\"done\":true,\"response\":{\"generateVideoResponse\":"
                "{\"raiMediaFilteredCount\":1,\"raiMediaFilteredReasons\":[\"Blocked for safety.\"]}}}");
    assert_int_equal(t.state, VIDEO_FAILED);
    assert_str(t.error_code, "moderation_blocked");
    assert_str(t.error_message, "Blocked for safety.");
    t = told_by("{\"name\":\"models/v/operations/a\",\"done\":true,\"response\":{}}");
    assert_int_equal(t.state, VIDEO_FAILED);
    assert_str(t.error_code, "no_video");
    host = &vertex_video_jobs;
    t = told_by("{\"name\":\"" OPERATION "\",\"done\":true,\"response\":{\"videos\":"
                "[{\"bytesBase64Encoded\":\"AAAA\",\"mimeType\":\"video/mp4\"}]}}");
    assert_int_equal(t.state, VIDEO_COMPLETED);
    t = told_by("{\"name\":\"" OPERATION "\",\"done\":true,\"response\":{\"raiMediaFilteredCount\":1,"
                "\"raiMediaFilteredReasons\":[\"Not this.\"]}}");
    assert_str(t.error_message, "Not this.");
}

static void names_that_lead_elsewhere_are_none(void **state)
{
    static const char *const bad[] = {"", "/", "a/", "/a", "a//b", "a/../b", "..", "a?b", "a#b", "a b", "a%2e",
                                      "a\\\\b", "a:b"};
    struct video_told told;

    host = &gemini_video_jobs;
    assert_true(veo_is_name(STR(OPERATION)));
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct str body = arena_strf(arena, "{\"name\":\"%s\"}", bad[i]);

        if (host->read_state(arena, body, &told) != VIDEO_E_BAD)
            fail_msg("%s", bad[i]);
    }
    assert_int_equal(host->read_state(arena, STR("{\"done\":true}"), &told), VIDEO_E_BAD);
    assert_int_equal(host->read_state(arena, STR("[]"), &told), VIDEO_E_BAD);
}

static void jobs_are_asked_after_by_their_names(void **state)
{
    struct video_ask what = {.what = VIDEO_ASK_STATE, .id = STR("models/veo-3.1/operations/a1")};
    struct video_request request;

    assert_int_equal(gemini_video_jobs.ask(arena, STR(GEMINI), &what, &request), VIDEO_OK);
    assert_string_equal(request.method, "GET");
    assert_str(request.url, "https://generativelanguage.googleapis.com/v1beta/models/veo-3.1/operations/a1");
    assert_null(request.body.p);
    what.what = VIDEO_ASK_DELETE;
    assert_int_equal(gemini_video_jobs.ask(arena, STR(GEMINI), &what, &request), VIDEO_E_UNSUPPORTED);
    what = (struct video_ask){.what = VIDEO_ASK_CONTENT, .id = STR(OPERATION), .variant = VIDEO_VARIANT_THUMBNAIL};
    assert_int_equal(vertex_video_jobs.ask(arena, STR(VERTEX), &what, &request), VIDEO_E_UNSUPPORTED);
    what.variant = VIDEO_VARIANT_VIDEO;
    assert_int_equal(vertex_video_jobs.ask(arena, STR(VERTEX "?x=1"), &what, &request), VIDEO_OK);
    assert_string_equal(request.method, "POST");
    assert_str(request.url, "https://aiplatform.googleapis.com/v1/projects/p/locations/global/publishers/google/"
                            "models/veo-3.1-generate-001:fetchPredictOperation?x=1");
    assert_str(request.body, "{\"operationName\":\"" OPERATION "\"}");
}

static void content_is_found(void **state)
{
    struct video_content c;

    assert_int_equal(gemini_video_jobs.find_content(
                         arena, STR("{\"response\":{\"generateVideoResponse\":{\"generatedSamples\":[{\"video\":"
                                    "{\"uri\":\"https:\\/\\/x/f?alt=media\"}}]}}}"), &c), VIDEO_OK);
    assert_str(c.url, "https://x/f?alt=media");
    assert_int_equal(gemini_video_jobs.find_content(arena, STR("{\"response\":{}}"), &c), VIDEO_E_BAD);
    assert_int_equal(vertex_video_jobs.find_content(
                         arena, STR("{\"response\":{\"videos\":[{\"bytesBase64Encoded\":\"AAAA\"}]}}"), &c),
                     VIDEO_OK);
    assert_null(c.url.p);
    assert_str(c.base64, "AAAA");
    assert_int_equal(vertex_video_jobs.find_content(
                         arena, STR("{\"response\":{\"videos\":[{\"gcsUri\":\"gs://b/x\"}]}}"), &c), VIDEO_E_BAD);
}

static void only_clients_of_videos_are_served(void **state)
{
    assert_true(format_can_translate(&format_openai_videos, &format_gemini_videos));
    assert_true(format_can_translate(&format_openai_videos, &format_vertex_videos));
    assert_false(format_can_translate(&format_openai_videos, &format_gemini));
    assert_false(format_can_translate(&format_openai_images, &format_gemini_videos));
    assert_false(format_can_translate(&format_openai_chat, &format_vertex_videos));
    assert_false(format_can_translate(&format_gemini_embed, &format_openai_videos));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_size_becomes_a_shape_and_a_resolution, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_veo_cannot_make_is_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_image_goes_along, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_file_goes_along, set_up, tear_down),
        cmocka_unit_test_setup_teardown(operations_end_well_or_say_why_not, set_up, tear_down),
        cmocka_unit_test_setup_teardown(names_that_lead_elsewhere_are_none, set_up, tear_down),
        cmocka_unit_test_setup_teardown(jobs_are_asked_after_by_their_names, set_up, tear_down),
        cmocka_unit_test_setup_teardown(content_is_found, set_up, tear_down),
        cmocka_unit_test_setup_teardown(only_clients_of_videos_are_served, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
