/* Server-sent events: the same events whatever the cuts, and every byte given back. The recorded
 * streams of providers are read when RECORDINGS (or the folder beside the project) is there. */
#include "unit.h"

#include <glob.h>
#include <stdio.h>

#include "base/bounds.h"
#include "base/buf.h"
#include "translation/sse.h"

static void put_slice(struct buf *out, char tag, struct str s)
{
    buf_putc(out, s.p ? tag : '-');
    buf_put_str(out, s);
    buf_putc(out, '|');
}

static void take_all(struct sse *s, struct buf *out, struct buf *raw, int expected)
{
    struct sse_event e;
    int r;

    while ((r = sse_next(s, &e)) == SSE_OK) {
        put_slice(out, 't', e.type);
        put_slice(out, 'd', e.data);
        put_slice(out, e.ended ? 'r' : 'R', e.raw);
        buf_put_str(raw, e.raw);
    }
    assert_int_equal(r, expected);
}

/* The events of doc pushed in pieces of `piece` bytes after a first piece of `first`. */
static void read_cut(struct str doc, size_t first, size_t piece, struct buf *out)
{
    struct sse s;
    struct buf raw;
    size_t at = 0;

    buf_init(&raw, MIB(8));
    sse_init(&s);
    while (at < doc.n) {
        size_t n = MIN(at ? piece : first, doc.n - at);

        n = n ? n : MIN(piece, doc.n - at);
        assert_int_equal(sse_push(&s, str_n(doc.p + at, n)), SSE_OK);
        take_all(&s, out, &raw, SSE_E_MORE);
        at += n;
    }
    sse_end(&s);
    take_all(&s, out, &raw, SSE_E_END);
    assert_true(str_eq(buf_str(&raw), doc));
    sse_done(&s);
    buf_done(&raw);
}

static void same_at_every_cut(struct str doc)
{
    struct buf whole, cut;

    buf_init(&whole, MIB(16));
    buf_init(&cut, MIB(16));
    read_cut(doc, doc.n, doc.n, &whole);
    for (size_t i = 0; i <= doc.n; i++) {
        buf_reset(&cut);
        read_cut(doc, i, doc.n, &cut);
        assert_true(str_eq(buf_str(&whole), buf_str(&cut)));
    }
    for (size_t piece = 1; piece < 4; piece++) {
        buf_reset(&cut);
        read_cut(doc, piece, piece, &cut);
        assert_true(str_eq(buf_str(&whole), buf_str(&cut)));
    }
    buf_done(&whole);
    buf_done(&cut);
}

static void reads(struct str doc, const char *expected)
{
    struct buf out;

    buf_init(&out, MIB(1));
    read_cut(doc, doc.n, doc.n, &out);
    assert_str(buf_str(&out), expected);
    buf_done(&out);
    same_at_every_cut(doc);
}

static void line_ends_of_all_three_kinds(void **state)
{
    reads(STR("data: a\n\n"), "-|da|rdata: a\n\n|");
    reads(STR("data: a\r\n\r\n"), "-|da|rdata: a\r\n\r\n|");
    reads(STR("data: a\r\rdata: b\r\r"), "-|da|rdata: a\r\r|-|db|rdata: b\r\r|");
    reads(STR("data: a\n\r\ndata: b\r\n\n"), "-|da|rdata: a\n\r\n|-|db|rdata: b\r\n\n|");
}

static void several_data_lines_are_joined(void **state)
{
    reads(STR("data: a\ndata:b\ndata\ndata:  c\n\n"),
          "-|da\nb\n\n c|rdata: a\ndata:b\ndata\ndata:  c\n\n|");
    reads(STR("data\ndata\n\n"), "-|d\n|rdata\ndata\n\n|");
    reads(STR("data:\n\n"), "-|d|rdata:\n\n|");
}

static void comments_and_unknown_fields_are_kept_raw(void **state)
{
    reads(STR(": hello\n\n"), "-|-|r: hello\n\n|");
    reads(STR(": c\nevent: x\nid: 7\nretry: 3\nfoo\ndata: {}\n\n"),
          "tx|d{}|r: c\nevent: x\nid: 7\nretry: 3\nfoo\ndata: {}\n\n|");
    reads(STR("\n\n\ndata: a\n\n"), "-|-|r\n|-|-|r\n|-|-|r\n|-|da|rdata: a\n\n|");
}

static void the_end_may_lack_its_blank_line(void **state)
{
    reads(STR("data: a"), "-|da|Rdata: a|");
    reads(STR("data: a\n"), "-|da|Rdata: a\n|");
    reads(STR("data: a\r"), "-|da|Rdata: a\r|");
    reads(STR("data: a\n\ndata: [DONE]"), "-|da|rdata: a\n\n|-|d[DONE]|Rdata: [DONE]|");
    reads(STR("data: a\r\r"), "-|da|rdata: a\r\r|");
}

static void a_mark_in_front_is_passed_once(void **state)
{
    reads(STR("\xEF\xBB\xBF"
              "data: a\n\n"),
          "-|da|r\xEF\xBB\xBF"
          "data: a\n\n|");
    reads(STR("\xEF\xBB\xBF\n"), "-|-|r\xEF\xBB\xBF\n|");
    reads(STR("\xEF\xBB"), "-|-|R\xEF\xBB|");
    reads(STR("\n\xEF\xBB\xBF"
              "data: a\n\n"),
          "-|-|r\n|-|-|r\xEF\xBB\xBF"
          "data: a\n\n|");
}

static void hostile_bytes_are_only_bytes(void **state)
{
    struct str doc = STR("da\0ta: a\ndata: \0\xFF\n\n");
    struct sse s;
    struct sse_event e;

    sse_init(&s);
    assert_int_equal(sse_push(&s, doc), SSE_OK);
    assert_int_equal(sse_next(&s, &e), SSE_OK);
    assert_true(str_eq(e.data, STR("\0\xFF")));
    assert_true(str_eq(e.raw, doc));
    sse_done(&s);
    same_at_every_cut(doc);
}

static void too_large_is_said(void **state)
{
    struct sse s;
    struct sse_event e;
    char *block = calloc(1, KIB(64));
    int r = SSE_OK;

    memset(block, 'x', KIB(64));
    sse_init(&s);
    for (size_t i = 0; i < 65 && r == SSE_OK; i++) {
        assert_int_equal(sse_push(&s, str_n(block, KIB(64))), SSE_OK);
        r = sse_next(&s, &e) == SSE_E_MORE ? SSE_OK : SSE_E_TOO_LARGE;
    }
    assert_int_equal(r, SSE_E_TOO_LARGE);
    sse_done(&s);
    free(block);
}

static struct str read_file(const char *path)
{
    FILE *f = fopen(path, "rb");
    char *p = calloc(1, MIB(1));
    size_t n;

    assert_non_null(f);
    n = fread(p, 1, MIB(1), f);
    fclose(f);
    return str_n(p, n);
}

/* Every boundary of the file lies inside a window of three events that is cut everywhere. */
static void cut_in_windows(struct str doc)
{
    struct sse s;
    struct sse_event e;
    size_t start[4096], n = 0, at = 0;

    sse_init(&s);
    assert_int_equal(sse_push(&s, doc), SSE_OK);
    sse_end(&s);
    while (sse_next(&s, &e) == SSE_OK && n < ARRAY_LEN(start)) {
        start[n++] = at;
        at += e.raw.n;
    }
    assert_int_equal(at, doc.n);
    for (size_t i = 0; i < n; i++) {
        size_t end = i + 3 < n ? start[i + 3] : doc.n;

        same_at_every_cut(str_n(doc.p + start[i], end - start[i]));
    }
    sse_done(&s);
}

static void recorded_streams_at_every_cut(void **state)
{
    const char *root = getenv("RECORDINGS");
    char pattern[512];
    glob_t found = {0};

    (void)snprintf(pattern, sizeof(pattern), "%s/*/chat/*.sse",
                   root ? root : "../shared/recordings");
    if (glob(pattern, 0, NULL, &found) != 0 || !found.gl_pathc) {
        print_message("skipped: no recordings at %s\n", pattern);
        globfree(&found);
        skip();
    }
    for (size_t i = 0; i < found.gl_pathc; i++) {
        struct str doc = read_file(found.gl_pathv[i]);
        struct buf whole, bytewise;

        buf_init(&whole, MIB(8));
        buf_init(&bytewise, MIB(8));
        read_cut(doc, doc.n, doc.n, &whole);
        read_cut(doc, 1, 1, &bytewise);
        assert_true(str_eq(buf_str(&whole), buf_str(&bytewise)));
        cut_in_windows(doc);
        buf_done(&whole);
        buf_done(&bytewise);
        free((void *)doc.p);
    }
    globfree(&found);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(line_ends_of_all_three_kinds),
        cmocka_unit_test(several_data_lines_are_joined),
        cmocka_unit_test(comments_and_unknown_fields_are_kept_raw),
        cmocka_unit_test(the_end_may_lack_its_blank_line),
        cmocka_unit_test(a_mark_in_front_is_passed_once),
        cmocka_unit_test(hostile_bytes_are_only_bytes),
        cmocka_unit_test(too_large_is_said),
        cmocka_unit_test(recorded_streams_at_every_cut),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
