/* Long strings are read in blocks: text_long_end(), and what reads them for each kind of vectors that this
 * machine has, stops where a reader that goes byte by byte does, or between two characters in front of it. */
#include "unit.h"

#include <stdio.h>

#include "base/buf.h"
#include "base/random.h"
#include "json/text.h"
#include "json/text_block.h"

enum {
    ROOM = 1024,
    TAIL_BYTES = 160, /* behind what is looked at, so that the blocks reach it */
    SLACK_BYTES = 80, /* at the end of a document, left to the other functions */
};

/* Where a reader may go on: where characters begin that are whole, and among the digits of escapes; the
 * last one is the end: a quote, or what is wrong. */
struct places {
    bool at[ROOM];
    size_t end;
};

/* Bytes of one character or escape at p, by the simplest functions there are; 0: the string ends here. */
static size_t one_bytes(const char *p, const char *end)
{
    if (p == end || *p == '"' || (unsigned char)*p < 0x20)
        return 0;
    if (*p == '\\')
        return text_unescape(p, end).n_in;
    return str_utf8_length(p, (size_t)(end - p));
}

static void find_places(const char *p, size_t n, struct places *ret)
{
    size_t bytes;

    *ret = (struct places){.end = 0};
    ret->at[0] = true;
    while ((bytes = one_bytes(p + ret->end, p + n)) > 0) {
        for (size_t i = 2; p[ret->end] == '\\' && i < bytes; i++)
            ret->at[ret->end + i] = i % 6 != 1; /* not between a backslash and its letter */
        ret->end += bytes;
        ret->at[ret->end] = true;
    }
}

typedef const char *text_reader(const char *p, const char *end);

static bool reads_blocks(text_reader *read)
{
    char plain[BLOCK_BYTES * 3];
    const char *stop;

    memset(plain, 'x', sizeof(plain));
    stop = read(plain, plain + sizeof(plain));
    return stop && stop > plain;
}

static void compare_by(text_reader *read, const char *p, size_t n, const struct places *places)
{
    const char *stopped = read(p, p + n);
    size_t stop = (size_t)(stopped - p);

    if (!stopped)
        return;
    if (stop > places->end || !places->at[stop])
        fail_msg("stopped at %zu, the end is at %zu: %.*s", stop, places->end, (int)n, p);
    if (!reads_blocks(read) || places->end + SLACK_BYTES > n)
        return;
    if (p[places->end] == '"' ? stop != places->end : stop + BLOCK_BYTES + 3 < places->end)
        fail_msg("stopped early at %zu, the end is at %zu: %.*s", stop, places->end, (int)n, p);
}

static void compare(const char *p, size_t n)
{
    struct places places;
    char *copy = malloc(n); /* exact, so that a sanitizer sees a step too far */

    memcpy(copy, p, n);
    find_places(copy, n, &places);
    compare_by(text_long_end, copy, n, &places);
    compare_by(text_by_avx2, copy, n, &places);
    compare_by(text_by_avx512, copy, n, &places);
    free(copy);
}

/* Does the kernel name all of these as what the processor has? */
static bool machine_has(const char *const *flags, size_t n)
{
    FILE *f = fopen("/proc/cpuinfo", "re");
    static char text[16384];
    size_t got = f ? fread(text, 1, sizeof(text) - 1, f) : 0;

    if (f)
        fclose(f);
    text[got] = '\0';
    for (size_t i = 0; i < n; i++)
        if (!strstr(text, flags[i]))
            return false;
    return true;
}

/* Else all of this might hold of nothing. */
static void vectors_are_used_where_they_are(void **state)
{
    bool avx2 = machine_has((const char *[]){" avx2 "}, 1);
    bool avx512 = machine_has((const char *[]){" avx512bw ", " avx512vbmi "}, 2);

    assert_int_equal(reads_blocks(text_by_avx2), avx2);
    assert_int_equal(reads_blocks(text_by_avx512), avx512);
    assert_int_equal(reads_blocks(text_long_end), avx2 || avx512);
}

/* The bytes at every place of two blocks, and what follows them. */
static void compare_everywhere(const char *bytes, size_t n)
{
    char text[ROOM];

    for (size_t at = 0; at < BLOCK_BYTES * 2; at += at % 32 == 4 ? 24 : 1) { /* around the borders */
        memset(text, 'x', sizeof(text));
        memcpy(text + at, bytes, n);
        text[at + n + TAIL_BYTES / 2] = '"';
        compare(text, at + n + TAIL_BYTES);
    }
}

static void characters_of_every_kind_are_judged(void **state)
{
    static const unsigned char later[] = {0x00, 0x41, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc2, 0xe2, 0xf1, 0xff};
    static const unsigned char seconds[] = {0x20, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xaf, 0xb0, 0xbf, 0xc0, 0xf0};
    char bytes[4];

    for (int first = 0; first < 256; first++)
        for (size_t second = 0; second < ARRAY_LEN(seconds); second++)
            for (size_t k = 0; k < ARRAY_LEN(later) * ARRAY_LEN(later); k++) {
                bytes[0] = (char)first;
                bytes[1] = (char)seconds[second];
                bytes[2] = (char)later[k % ARRAY_LEN(later)];
                bytes[3] = (char)later[k / ARRAY_LEN(later)];
                if (first >= 0xe0 || k < ARRAY_LEN(later))
                    compare_everywhere(bytes, first >= 0xe0 ? 4 : 2);
            }
}

static void every_escape_is_judged(void **state)
{
    char bytes[8] = "\\";

    for (int c = 0; c < 256; c++) {
        bytes[1] = (char)c;
        compare_everywhere(bytes, 2);
    }
    for (int c = 0; c < 256; c++)
        for (int digit = 2; digit < 6; digit++) {
            memcpy(bytes, "\\u00fA", 6);
            bytes[digit] = (char)c;
            compare_everywhere(bytes, 6);
        }
}

static void runs_of_backslashes_are_paired(void **state)
{
    char bytes[BLOCK_BYTES * 2 + 8];

    for (size_t n = 1; n < BLOCK_BYTES * 2; n++) {
        memset(bytes, '\\', n);
        bytes[n] = '"';
        compare_everywhere(bytes, n + 1);
    }
}

static void random_texts_end_where_they_should(void **state)
{
    static const char *const pieces[] = {
        "plain text of some length ", "x", "\xc3\xa9", "\xe6\xbc\xa2", "\xf0\x9f\x98\x80", "\\n", "\\\"",
        "\\\\", "\\u00e9", "\\ud83d\\ude00", "\\udc00", "/", "{\\\"a\\\":1}",
    };
    static const char *const ends[] = {"\"", "\"", "\n", "\x80", "\xc3\"", "\xe6\xbc", "\\x", "\\u12", "\xf5\x80\x80\x80", "\xed\xa0\x80"};

    random_drive(7);
    for (int round = 0; round < 100000; round++) {
        struct buf b;
        uint32_t n = random_below(24);

        buf_init(&b, ROOM - 8);
        for (uint32_t i = 0; i < n; i++)
            buf_puts(&b, pieces[random_below(ARRAY_LEN(pieces))]);
        buf_puts(&b, ends[random_below(ARRAY_LEN(ends))]);
        for (uint32_t left = random_below(TAIL_BYTES); left; left--)
            buf_putc(&b, (char)random_below(256));
        assert_int_equal(buf_finish(&b), 0);
        compare(b.p, b.n);
        buf_done(&b);
    }
    random_undrive();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(vectors_are_used_where_they_are),
        cmocka_unit_test(characters_of_every_kind_are_judged),
        cmocka_unit_test(every_escape_is_judged),
        cmocka_unit_test(runs_of_backslashes_are_paired),
        cmocka_unit_test(random_texts_end_where_they_should),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
