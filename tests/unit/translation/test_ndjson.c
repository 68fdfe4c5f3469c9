/* Lines of JSON: the same events whatever the cuts, and the ends of lines that servers have. */
#include "unit.h"

#include "base/bounds.h"
#include "translation/framing.h"

static void next_is(struct framing *f, const char *data, bool ended)
{
    struct sse_event e;

    assert_int_equal(framing_next(f, &e), FRAMING_OK);
    assert_str(e.data, data);
    assert_int_equal(e.ended, ended);
    assert_null(e.type.p);
}

static void lines_end_in_lf_crlf_or_nothing(void **state)
{
    struct framing f;
    struct sse_event e;

    (void)state;
    framing_init(&f, FRAMING_LINES, 0);
    assert_int_equal(framing_push(&f, STR("{\"a\":1}\n\r\n\n{\"b\":2}\r\n{\"c\"")), FRAMING_OK);
    next_is(&f, "{\"a\":1}", true);
    next_is(&f, "{\"b\":2}", true);
    assert_int_equal(framing_next(&f, &e), FRAMING_E_MORE);
    assert_int_equal(framing_push(&f, STR(":3}")), FRAMING_OK);
    assert_int_equal(framing_next(&f, &e), FRAMING_E_MORE);
    framing_end(&f);
    next_is(&f, "{\"c\":3}", false);
    assert_int_equal(framing_next(&f, &e), FRAMING_E_END);
    framing_done(&f);
}

static void nothing_is_no_line(void **state)
{
    struct framing f;
    struct sse_event e;

    (void)state;
    framing_init(&f, FRAMING_LINES, 0);
    assert_int_equal(framing_next(&f, &e), FRAMING_E_MORE);
    assert_int_equal(framing_push(&f, STR("\n \n")), FRAMING_OK);
    assert_int_equal(framing_next(&f, &e), FRAMING_E_MORE);
    framing_end(&f);
    assert_int_equal(framing_next(&f, &e), FRAMING_E_END);
    framing_done(&f);
}

static void a_line_without_end_has_a_ceiling(void **state)
{
    char *long_text = malloc(MIB(1));
    struct sse_event e;
    struct framing f;
    int r = FRAMING_OK;

    (void)state;
    assert_non_null(long_text);
    memset(long_text, 'x', MIB(1));
    framing_init(&f, FRAMING_LINES, 0);
    for (size_t sum = 0; sum <= BOUND_SSE_EVENT_BYTES && r == FRAMING_OK; sum += MIB(1)) {
        assert_int_equal(framing_push(&f, str_n(long_text, MIB(1))), FRAMING_OK);
        r = framing_next(&f, &e) == FRAMING_E_MORE ? FRAMING_OK : FRAMING_E_TOO_LARGE;
    }
    assert_int_equal(framing_next(&f, &e), FRAMING_E_TOO_LARGE);
    framing_done(&f);
    free(long_text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_end_in_lf_crlf_or_nothing),
        cmocka_unit_test(nothing_is_no_line),
        cmocka_unit_test(a_line_without_end_has_a_ceiling),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
