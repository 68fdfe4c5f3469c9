/* How long sounds are by their headers, from files made here byte by byte. */
#include "unit.h"

#include "base/bounds.h"
#include "base/buf.h"
#include "translation/openai_media/sound.h"

static struct buf file;

static int set_up(void **state)
{
    buf_init(&file, MIB(8));
    return 0;
}

static int tear_down(void **state)
{
    buf_done(&file);
    return 0;
}

static void put(const char *bytes, size_t n)
{
    buf_put(&file, bytes, n);
}

static void put_big(uint64_t v, size_t n)
{
    for (size_t i = n; i > 0; i--)
        buf_putc(&file, (char)(v >> (8 * (i - 1))));
}

static void put_little(uint64_t v, size_t n)
{
    for (size_t i = 0; i < n; i++)
        buf_putc(&file, (char)(v >> (8 * i)));
}

static void put_zeros(size_t n)
{
    for (size_t i = 0; i < n; i++)
        buf_putc(&file, 0);
}

static int64_t length(void)
{
    assert_int_equal(buf_finish(&file), 0);
    return sound_length_ms(buf_str(&file));
}

static void put_wav(uint32_t data_says, uint32_t bytes)
{
    put("RIFF", 4);
    put_little(36 + bytes, 4);
    put("WAVELIST", 8); /* a chunk of odd length before what counts */
    put_little(3, 4);
    put("abc\0", 4);
    put("fmt ", 4);
    put_little(16, 4);
    put_little(1, 2);
    put_little(1, 2);
    put_little(16000, 4);
    put_little(32000, 4);
    put_little(2, 2);
    put_little(16, 2);
    put("data", 4);
    put_little(data_says, 4);
    put_zeros(bytes);
}

static void wav_by_its_rate(void **state)
{
    put_wav(48000, 48000);
    assert_int_equal(length(), 1500);
}

static void a_wav_that_was_streamed_says_nothing_of_its_size(void **state)
{
    put_wav(UINT32_MAX, 16001);
    assert_int_equal(length(), 501); /* a part of a millisecond is one */
}

/* So many frames of MPEG 1 layer 3, 128 kbit/s, 44.1 kHz: 417 bytes and 1,152 samples each. */
static void put_mp3(unsigned frames)
{
    for (unsigned i = 0; i < frames; i++) {
        put_big(0xfffb9000, 4);
        put_zeros(413);
    }
}

static void mp3_by_its_frames_behind_a_tag(void **state)
{
    put("ID3\x04\0\0\0\0\x01\0", 10); /* 128 bytes of tag */
    put_zeros(128);
    put_mp3(100);
    assert_int_equal(length(), 2613); /* 115,200 samples */
}

static void junk_between_frames_is_stepped_over(void **state)
{
    put_mp3(10);
    put("junk\xff\0jk", 8);
    put_mp3(10);
    assert_int_equal(length(), 523);
}

static void aac_by_its_frames(void **state)
{
    for (int i = 0; i < 50; i++) { /* 100 bytes and 1,024 samples of 24 kHz */
        put_big(0xfff15840, 4);
        put_big((100u >> 3) & 0xff, 1);
        put_big((100u & 7) << 5 | 0x1f, 1);
        put_big(0xfc, 1);
        put_zeros(93);
    }
    assert_int_equal(length(), 2134);
}

static void flac_by_its_first_block(void **state)
{
    put("fLaC", 4);
    put_big(0x00000022, 4);
    put_zeros(10);
    put_big((uint64_t)44100 << 44 | (uint64_t)1 << 41 | (uint64_t)15 << 36 | 88200, 8);
    put_zeros(64);
    assert_int_equal(length(), 2000);
}

static void put_page(uint64_t position, const char *body, size_t n)
{
    put("OggS\0\0", 6);
    put_little(position, 8);
    put_zeros(12);
    put("\x01", 1);
    put_big(n, 1);
    put(body, n);
}

static void opus_by_its_last_page(void **state)
{
    put_page(0, "OpusHead\x01\x01\x38\x01\x80\xbb\0\0\0\0\0", 19); /* 312 samples to skip */
    put_page(48000 * 3 + 312, "abc", 3);
    put_page(UINT64_MAX, "d", 1); /* a page on which nothing ends */
    assert_int_equal(length(), 3000);
}

static void vorbis_by_its_last_page(void **state)
{
    put_page(0, "\x01vorbis\0\0\0\0\x02\x44\xac\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01", 30);
    put_page(441000, "abc", 3);
    assert_int_equal(length(), 10000);
}

static void put_box(const char *name, size_t inside)
{
    put_big(8 + inside, 4);
    put(name, 4);
}

static void mp4_by_its_header(void **state)
{
    put_box("ftyp", 8);
    put("M4A \0\0\0\0", 8);
    put_box("mdat", 500);
    put_zeros(500);
    put_box("moov", 108);
    put_box("mvhd", 100);
    put_zeros(12);
    put_big(1000, 4);
    put_big(61500, 4);
    put_zeros(80);
    assert_int_equal(length(), 61500);
}

static void a_header_that_says_too_little_is_not_believed(void **state)
{
    put_box("ftyp", 8);
    put("M4A \0\0\0\0", 8);
    put_box("moov", 108);
    put_box("mvhd", 100);
    put_zeros(12);
    put_big(1000, 4);
    put_big(1, 4);
    put_zeros(80);
    put_box("mdat", 5000000);
    put_zeros(5000000);
    assert_int_equal(length(), 4340); /* of uncompressed sound */
}

static void what_is_not_known_has_no_length(void **state)
{
    static const char *const others[] = {"", "\x1a\x45\xdf\xa3 a webm file", "RIFF....AVI LIST....",
                                         "just some words of no kind", "OggS", "fLaC\0\0\0\x22"};

    for (size_t i = 0; i < ARRAY_LEN(others); i++)
        assert_int_equal(sound_length_ms(str_c(others[i])), -1);
    put_wav(0, 0);
    assert_int_equal(length(), -1);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(wav_by_its_rate),
        TEST(a_wav_that_was_streamed_says_nothing_of_its_size),
        TEST(mp3_by_its_frames_behind_a_tag),
        TEST(junk_between_frames_is_stepped_over),
        TEST(aac_by_its_frames),
        TEST(flac_by_its_first_block),
        TEST(opus_by_its_last_page),
        TEST(vorbis_by_its_last_page),
        TEST(mp4_by_its_header),
        TEST(a_header_that_says_too_little_is_not_believed),
        TEST(what_is_not_known_has_no_length),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
