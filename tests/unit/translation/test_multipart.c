/* Forms: what is read of them, what is refused because a provider could read it otherwise, and the
 * model that is put in. */
#include "unit.h"

#include "base/bounds.h"
#include "translation/dialect.h"
#include "translation/multipart.h"

#define TYPE "multipart/form-data; boundary=b"
#define PART(name, value) "--b\r\nContent-Disposition: form-data; name=\"" name "\"\r\n\r\n" value "\r\n"
#define FILE_PART                                                                             \
    "--b\r\ncontent-disposition: form-data; name=file; filename=\"a.mp3\"\r\nContent-Type: " \
    "audio/mpeg\r\n\r\n\x00\r\n--c\r\n\xff\r\n"
#define END "--b--\r\n"

static struct multipart read;
static const char *reason;

static int read_as(const char *type, struct str body)
{
    return multipart_read(str_c(type), body, &read, &reason);
}

#define STR_OF(literal) str_n(literal, sizeof(literal) - 1)

static void parts_are_spans_of_the_body(void **state)
{
    static const char body[] = PART("model", "m") FILE_PART PART("tag[]", "1") PART("tag[]", "") END;

    assert_int_equal(read_as(TYPE, STR_OF(body)), MULTIPART_OK);
    assert_int_equal(read.n, 4);
    assert_str(read.part[0].name, "model");
    assert_str(read.part[0].value, "m");
    assert_null(read.part[0].filename.p);
    assert_str(read.part[1].name, "file");
    assert_str(read.part[1].filename, "a.mp3");
    assert_int_equal(read.part[1].value.n, 9);
    assert_int_equal(read.part[3].value.n, 0);
    assert_true(read.part[1].value.p > body && read.part[1].value.p < body + sizeof(body));
}

static void the_boundary_may_be_quoted_and_stand_anywhere(void **state)
{
    static const char *const types[] = {
        "multipart/form-data;boundary=b", "Multipart/Form-Data; charset=utf-8; Boundary=\"b\"",
        "multipart/form-data; boundary=b; charset=utf-8"};

    for (size_t i = 0; i < ARRAY_LEN(types); i++)
        assert_int_equal(read_as(types[i], STR_OF(PART("a", "1") END)), MULTIPART_OK);
}

static void a_form_that_could_be_read_otherwise_is_refused(void **state)
{
    static const struct {
        const char *type, *body, *reason;
    } bad[] = {
        {"multipart/form-data", PART("a", "1") END, "names no boundary"},
        {"multipart/form-data; boundary=", PART("a", "1") END, "names no boundary"},
        {"multipart/form-data; boundary=b; boundary=c", PART("a", "1") END, "names no boundary"},
        {"multipart/form-data; boundary=b\"", PART("a", "1") END, "names no boundary"},
        {"multipart/form-data-x; boundary=b", PART("a", "1") END, "names no boundary"},
        {TYPE, "", "does not begin"},
        {TYPE, "x\r\n" PART("a", "1") END, "does not begin"},
        {TYPE, "\r\n" PART("a", "1") END, "does not begin"},
        {TYPE, PART("a", "1"), "does not end"},
        {TYPE, PART("a", "1") "--b-", "not a line of its own"},
        {TYPE, PART("a", "1") "--bb\r\n" END, "not a line of its own"},
        {TYPE, PART("a", "1") END "x", "behind its end"},
        {TYPE, PART("a", "1") END PART("a", "2") END, "behind its end"},
        {TYPE, PART("a", "1") PART("a", "2") END, "same name"},
        {TYPE, PART("", "1") END, "no plain name"},
        {TYPE, PART("a\\", "1") END, "no plain name"},
        {TYPE, PART("a%22", "1") END, "no plain name"},
        {TYPE, "--b\r\n\r\nx\r\n" END, "has no name"},
        {TYPE, "--b\r\nContent-Disposition: form-data\r\n\r\nx\r\n" END, "no plain name"},
        {TYPE, "--b\r\nContent-Disposition: attachment; name=a\r\n\r\nx\r\n" END, "no form-data"},
        {TYPE, "--b\r\nContent-Disposition: form-data; name=a; name=c\r\n\r\nx\r\n" END, "not understood"},
        {TYPE, "--b\r\nContent-Disposition: form-data; name=\"a\"c\r\n\r\nx\r\n" END, "cannot be read"},
        {TYPE, "--b\r\nContent-Disposition: form-data; name=a\r\nContent-Disposition: form-data; "
               "name=c\r\n\r\nx\r\n" END, "two names"},
        {TYPE, "--b\r\nContent-Disposition: form-data; name=a\r\nContent-Transfer-Encoding: "
               "base64\r\n\r\nx\r\n" END, "transfer encoding"},
        {TYPE, "--b\r\nContent-Disposition: form-data; name=a\r\nnonsense\r\n\r\nx\r\n" END,
         "header cannot be read"},
        {TYPE, "--b\r\nContent-Disposition: form-data; name=a\n\nx\r\n" END, "no plain name"},
    };

    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        if (read_as(bad[i].type, str_c(bad[i].body)) != MULTIPART_E_BAD)
            fail_msg("taken: %s", bad[i].body);
        if (!strstr(reason, bad[i].reason))
            fail_msg("%s: %s, not %s", bad[i].body, reason, bad[i].reason);
    }
}

static void there_are_bounds(void **state)
{
    struct buf many, wide;

    buf_init(&many, MIB(1));
    for (int i = 0; i <= MULTIPART_PARTS; i++)
        buf_puts(&many, PART("a[]", "1"));
    buf_puts(&many, END);
    assert_int_equal(read_as(TYPE, buf_str(&many)), MULTIPART_E_BAD);
    assert_non_null(strstr(reason, "64 parts"));
    buf_done(&many);
    buf_init(&wide, MIB(1));
    buf_puts(&wide, "--b\r\nX: ");
    for (int i = 0; i < 9000; i++)
        buf_putc(&wide, 'x');
    buf_puts(&wide, "\r\nContent-Disposition: form-data; name=a\r\n\r\n1\r\n" END);
    assert_int_equal(read_as(TYPE, buf_str(&wide)), MULTIPART_E_BAD);
    assert_non_null(strstr(reason, "do not end"));
    buf_done(&wide);
}

static void only_the_model_changes(void **state)
{
    static const char body[] = PART("language", "model") PART("model", "our/name") FILE_PART END;
    static const char expected[] = PART("language", "model") PART("model", "x") FILE_PART END;
    struct arena *a = arena_new(MIB(1));
    struct json_fault fault = {.at = 0};
    struct wire_request request;
    struct buf out;

    buf_init(&out, KIB(4));
    assert_int_equal(openai_transcriptions.read_form(a, STR(TYPE), STR_OF(body), &request, &fault),
                     DIALECT_OK);
    assert_str(request.llm.model, "our/name");
    assert_str(request.content_type, TYPE);
    assert_int_equal(request.llm.sound_bytes, 9);
    openai_transcriptions.edit_request(&request, &(struct wire_request_edit){.model = STR("x")}, &out);
    assert_int_equal(buf_finish(&out), 0);
    assert_int_equal(out.n, sizeof(expected) - 1);
    assert_memory_equal(buf_str(&out).p, expected, out.n);
    buf_done(&out);
    arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parts_are_spans_of_the_body),
        cmocka_unit_test(the_boundary_may_be_quoted_and_stand_anywhere),
        cmocka_unit_test(a_form_that_could_be_read_otherwise_is_refused),
        cmocka_unit_test(there_are_bounds),
        cmocka_unit_test(only_the_model_changes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
