/* test_video.c: the demo upstream's films, and the jobs that make them. */
#include "demo/openai.h"

#include "base/bounds.h"
#include "demo/film.h"

static uint32_t u32_at(struct str s, size_t at)
{
    uint32_t v = 0;

    for (size_t i = 0; i < 4; i++)
        v = v << 8 | (uint8_t)s.p[at + i];
    return v;
}

static void a_film_is_its_boxes(void **state)
{
    static const char *const names[] = {"ftyp", "mdat", "moov"};
    struct buf out;
    size_t at = 0;

    (void)state;
    buf_init(&out, MIB(1));
    film_put(4, &out);
    assert_int_equal(buf_finish(&out), 0);
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        assert_true(at + 8 <= out.n);
        assert_memory_equal(out.p + at + 4, names[i], 4);
        at += u32_at(buf_str(&out), at);
    }
    assert_int_equal(at, out.n);
    buf_done(&out);
}

/* No two zero bytes in a row within a picture: none would have to be escaped. */
static void pictures_are_as_long_as_they_say(void **state)
{
    struct buf out;
    size_t at = 28 + 8;

    (void)state;
    buf_init(&out, MIB(1));
    film_put(FILM_SECONDS_MAX, &out);
    for (unsigned i = 0; i < FILM_SECONDS_MAX; i++) {
        size_t n = u32_at(buf_str(&out), at);

        assert_true(at + 4 + n <= out.n);
        assert_int_equal(out.p[at + 4], 0x65);
        assert_null(memmem(out.p + at + 4, n, "\0\0", 2));
        at += 4 + n;
    }
    assert_memory_equal(out.p + at + 4, "moov", 4);
    buf_done(&out);
}

static char *get(const char *path)
{
    char *request, *answer;

    assert_true(asprintf(&request, "GET %s HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n", path) > 0);
    answer = ask(&server, request);
    free(request);
    return answer;
}

static void a_job_is_made_and_fails_as_its_prompt_orders(void **state)
{
    char *answer = post("/v1/videos", "", "{\"model\":\"demo-video\",\"prompt\":\"Please fail\",\"seconds\":\"8\"}");
    struct json_object *job = tree_of(body_of(answer));
    struct str id = json_text(json_get(job, "id"));

    (void)state;
    assert_true(str_eq(json_text(json_get(job, "status")), STR("queued")));
    assert_true(str_eq(json_text(json_get(job, "seconds")), STR("8")));
    assert_true(str_ends(id, STR("-8-720x1280-fail")));
    json_unref(job);
    free(answer);
}

static void asks(const char *path, const char *wanted)
{
    char *answer = get(path);

    assert_has(answer, wanted);
    free(answer);
}

static void an_old_job_has_ended(void **state)
{
    (void)state;
    asks("/v1/videos/video_demo-1700000000000-4-1280x720-ok", "\"status\":\"completed\"");
    asks("/v1/videos/video_demo-1700000000000-4-1280x720-ok/content", "content-type: video/mp4");
    asks("/v1/videos/video_demo-1700000000000-4-1280x720-ok/content?variant=thumbnail", "404 ");
    asks("/v1/videos/video_demo-1700000000000-4-1280x720-fail", "\"code\":\"video_generation_failed\"");
    asks("/v1/videos/video_demo-1700000000000-4-1280x720-fail/content", "404 ");
    asks("/v1/videos/video_demo-1-999-1280x720-ok", "404 ");
    asks("/v1/videos/video_1", "404 ");
}

static void a_form_is_read_and_what_is_wrong_is_named(void **state)
{
    static const char form[] = "--b\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\ndemo-video\r\n"
                               "--b\r\nContent-Disposition: form-data; name=\"prompt\"\r\n\r\nA cat\r\n"
                               "--b\r\nContent-Disposition: form-data; name=\"seconds\"\r\n\r\n12\r\n--b--\r\n";
    char *answer = post("/v1/videos", "Content-Type: multipart/form-data; boundary=b\r\n", form);

    (void)state;
    assert_has(answer, "-12-720x1280-ok\"");
    free(answer);
    answer = post("/v1/videos", "", "{\"model\":\"demo-video\",\"prompt\":\"a\",\"seconds\":\"61\"}");
    assert_has(answer, "400 ");
    assert_has(answer, "\"param\":\"seconds\"");
    free(answer);
    answer = post("/v1/videos", "", "{\"model\":\"demo-video+429\",\"prompt\":\"a\"}");
    assert_has(answer, "429 ");
    free(answer);
    answer = post("/v1/videos", "", "{\"model\":\"demo-small\",\"prompt\":\"a\"}");
    assert_has(answer, "404 ");
    free(answer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_film_is_its_boxes),
        cmocka_unit_test(pictures_are_as_long_as_they_say),
        cmocka_unit_test(a_job_is_made_and_fails_as_its_prompt_orders),
        cmocka_unit_test(an_old_job_has_ended),
        cmocka_unit_test(a_form_is_read_and_what_is_wrong_is_named),
    };

    return cmocka_run_group_tests(tests, demo_start, demo_stop);
}
