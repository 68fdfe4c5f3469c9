/* Mails as they are built: headers that nothing can be put into, lines that are not too long, both parts. */
#include "unit.h"

#include "base/base64.h"
#include "notices/letter.h"
#include "notices/notices.h"

#define TAG "0123456789abcdef0123456789abcdef"

static struct buf text;

static struct str built(const struct letter *l, const char *from)
{
    struct mail m = {.to = STR("ada@example.org"),
                     .tag = STR(TAG),
                     .host = STR("llm.example.org"),
                     .at_us = INT64_C(1795917605000000),
                     .letter = l};

    assert_true(mailbox_parse(str_c(from), &m.from));
    buf_done(&text);
    buf_init(&text, MAIL_BYTES_MAX);
    mail_put(&m, &text);
    assert_int_equal(buf_finish(&text), 0);
    return buf_str(&text);
}

static bool has(struct str s, const char *part)
{
    return memmem(s.p, s.n, part, strlen(part)) != NULL;
}

static size_t count(struct str s, const char *part)
{
    size_t n = 0;

    for (const char *at; (at = memmem(s.p, s.n, part, strlen(part))); n++)
        s = str_n(at + 1, s.n - (size_t)(at + 1 - s.p));
    return n;
}

static void a_plain_letter(void **state)
{
    static const struct str lines[] = {STR("Hello."), STR("Two = 2 ")};
    const struct letter l = {.subject = STR("Hello"), .lines = lines, .n_lines = 2,
                             .link = STR("https://llm.example.org/invite/x"),
                             .link_says = STR("Join"), .foot = STR("Why")};
    struct str s = built(&l, "Tollgate <ops@example.org>");

    (void)state;
    assert_true(str_starts(s, STR("Date: Sun, 29 Nov 2026 02:00:05 +0000\r\n"
                                  "From: \"Tollgate\" <ops@example.org>\r\n"
                                  "To: <ada@example.org>\r\n"
                                  "Subject: Hello\r\n"
                                  "Message-ID: <" TAG "@llm.example.org>\r\n")));
    assert_true(has(s, "\r\nHello.\r\n\r\nTwo =3D 2=20\r\n\r\nhttps://llm.example.org/invite/x\r\n"));
    assert_true(has(s, "Content-Type: text/plain; charset=utf-8\r\n"));
    assert_true(has(s, "Content-Type: text/html; charset=utf-8\r\n"));
    assert_int_equal(count(s, "--=_" TAG), 3);
    assert_true(str_ends(s, STR("--=_" TAG "--\r\n")));
}

static void no_line_is_too_long_and_all_end_in_cr_lf(void **state)
{
    char many[3000];
    struct str lines[] = {str_n(many, sizeof(many))};
    struct letter l = {.subject = str_n(many, 300), .lines = lines, .n_lines = 1, .foot = STR("x")};
    struct str s, line;

    (void)state;
    for (size_t i = 0; i < sizeof(many); i++)
        many[i] = "\xc3\xa4"[i % 2];
    s = built(&l, "\xc3\x84pfel <ops@example.org>");
    for (bool more = true; more;) {
        more = str_split(&s, '\n', &line);
        assert_true(!more || line.n <= 77);
        assert_true(!more || !line.n || line.p[line.n - 1] == '\r');
    }
}

/* Each encoded word stands for whole characters. */
static void encoded_words_split_between_characters(void **state)
{
    char subject[200];
    struct letter l = {.subject = str_n(subject, 180), .foot = STR("x")};
    struct str s, line;
    size_t words = 0;

    (void)state;
    for (size_t i = 0; i < 180; i++)
        subject[i] = "\xe2\x82\xac"[i % 3];
    s = built(&l, "ops@example.org");
    while (str_split(&s, '\n', &line)) {
        struct buf decoded;
        char *at = line.n ? memmem(line.p, line.n, "=?UTF-8?B?", 10) : NULL;

        if (!at)
            continue;
        at += 10;
        buf_init(&decoded, 100);
        assert_true(base64_read(str_n(at, line.n - (size_t)(at - line.p) - 3), &decoded));
        assert_true(str_utf8(buf_str(&decoded)));
        buf_done(&decoded);
        words++;
    }
    assert_int_equal(words, 5);
}

static void nothing_ends_a_header(void **state)
{
    static const struct str hostile[] = {
        STR("x\r\nBcc: eve@example.org"), STR("x\nBcc: eve@example.org"), STR("x\rBcc: eve@example.org"),
        STR("=?UTF-8?Q?x?=\r\n\r\nbody"), STR("\r\n.\r\nMAIL FROM:<eve@example.org>"),
        STR("x\0Bcc: eve@example.org"),
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(hostile); i++) {
        struct letter l = {.subject = hostile[i], .lines = &hostile[i], .n_lines = 1,
                           .link = hostile[i], .link_says = hostile[i], .foot = hostile[i]};
        struct str s = built(&l, "ops@example.org");
        const char *end = memmem(s.p, s.n, "\r\n\r\n", 4);
        struct str head = str_n(s.p, (size_t)(end - s.p));

        assert_false(has(head, "Bcc"));
        assert_false(has(head, "MAIL FROM"));
        assert_int_equal(count(s, "Subject:"), 1);
        assert_int_equal(count(s, "\n.\r\n"), 0);
        assert_int_equal(count(s, "--=_" TAG), 3);
    }
}

static void nothing_ends_an_element(void **state)
{
    static const struct str lines[] = {STR("<script>alert(1)</script> & \"x\"")};
    const struct letter l = {.subject = lines[0], .lines = lines, .n_lines = 1,
                             .link = STR("https://x/\"><b>"), .link_says = STR("<b>"),
                             .foot = lines[0]};
    struct buf html;

    (void)state;
    buf_init(&html, MAIL_BYTES_MAX);
    letter_put_html(&l, &html);
    assert_false(has(buf_str(&html), "<script"));
    assert_false(has(buf_str(&html), "<b>"));
    assert_true(has(buf_str(&html), "<p style=\"margin:0 0 16px\">&lt;script&gt;alert(1)&lt;/script&gt; "
                                    "&amp; &quot;x&quot;</p>"));
    buf_done(&html);
}

static void mailboxes_are_read(void **state)
{
    struct mailbox m;

    (void)state;
    assert_true(mailbox_parse(STR("ops@example.org"), &m));
    assert_str(m.address, "ops@example.org");
    assert_true(mailbox_parse(STR(" \"Toll, gate\" <ops@example.org> "), &m));
    assert_str(m.name, "Toll, gate");
    assert_str(m.address, "ops@example.org");
    for (const char *const *bad = (const char *const[]){"", "ops", "@x", "a@", "a b@c", "a@b@c", "<a@b",
                                                        "A <a@b> x", "a@b\r\nRCPT TO:<c@d>", "-f@x",
                                                        "A\nB <a@b>", NULL};
         *bad; bad++)
        assert_false(mailbox_parse(str_c(*bad), &m));
}

static int done(void **state)
{
    (void)state;
    buf_done(&text);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_plain_letter),
        cmocka_unit_test(no_line_is_too_long_and_all_end_in_cr_lf),
        cmocka_unit_test(encoded_words_split_between_characters),
        cmocka_unit_test(nothing_ends_a_header),
        cmocka_unit_test(nothing_ends_an_element),
        cmocka_unit_test(mailboxes_are_read),
    };

    return cmocka_run_group_tests(tests, NULL, done);
}
