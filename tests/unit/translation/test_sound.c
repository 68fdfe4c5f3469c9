/* How long sounds are, from files made here byte by byte, honest ones and forged ones. */
#include "translation/sound_file.h"

/* 16 kHz, 16 bits, one channel, of which the header says that a second takes so many bytes. */
static void put_wav_at(uint32_t second_says, uint32_t kind, uint32_t data_says, uint32_t bytes)
{
    put("RIFF", 4);
    put_little(36 + bytes, 4);
    put("WAVELIST", 8); /* a chunk of odd length before what counts */
    put_little(3, 4);
    put("abc\0", 4);
    put("fmt ", 4);
    put_little(16, 4);
    put_little(kind, 2);
    put_little(1, 2);
    put_little(16000, 4);
    put_little(second_says, 4);
    put_little(2, 2);
    put_little(16, 2);
    put("data", 4);
    put_little(data_says, 4);
    put_zeros(bytes);
}

static void put_wav(uint32_t data_says, uint32_t bytes)
{
    put_wav_at(32000, 1, data_says, bytes);
}

static void wav_by_its_samples(void **state)
{
    put_wav(48000, 48000);
    it_lasts(1500, 1500);
}

static void a_wav_that_was_streamed_says_nothing_of_its_size(void **state)
{
    put_wav(UINT32_MAX, 16001);
    it_lasts(501, 501); /* a part of a millisecond is one */
}

static void what_a_wav_says_of_a_second_is_not_asked(void **state)
{
    put_wav_at(UINT32_MAX, 1, 48000, 48000);
    it_lasts(1500, 1500);
}

/* MP3 in a WAV: 8 kbyte a second are believed, no more than of uncompressed sound, no less than of speech. */
static void samples_of_no_fixed_size_are_as_long_as_claimed_within_reason(void **state)
{
    static const struct {
        uint32_t says;
        int64_t ms;
    } claims[] = {{8000, 6000}, {UINT32_MAX, 42}, {100, -1}, {0, -1}};

    for (size_t i = 0; i < ARRAY_LEN(claims); i++) {
        buf_reset(&file);
        put_wav_at(claims[i].says, 0x55, 48000, 48000);
        it_lasts(claims[i].ms, -1);
    }
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
    it_lasts(2613, 2613); /* 115,200 samples */
}

static void junk_between_frames_is_stepped_over(void **state)
{
    put_mp3(10);
    put("junk\xff\0jk", 8);
    put_mp3(10);
    it_lasts(523, 523 + 10); /* the most counts it as sound of 6 kbit/s */
}

/* MPEG 2.5 layer 3, 8 kbit/s, 8 kHz: 72 ms in 72 bytes, of which the last has fewer. */
static void put_small_frames(unsigned n, size_t last)
{
    for (unsigned i = 1; i <= n; i++) {
        put_big(0xffe31800, 4);
        put_zeros(i < n ? 68 : last - 4);
    }
}

/* MPEG 1 layer 2, 384 kbit/s, 32 kHz: 36 ms in 1,728 bytes, in which there are 24 small ones. */
static void put_large_frame(void)
{
    put_big(0xfffde800, 4);
    put_small_frames(24, 68);
}

static void frames_within_a_frame_are_played_by_some(void **state)
{
    for (int i = 0; i < 20; i++)
        put_large_frame();
    it_lasts(720, 720); /* as they stand, one after the other */
    buf_reset(&file);
    put_mp3(2);
    for (int i = 0; i < 20; i++)
        put_large_frame();
    struct sound_length l = length(); /* who goes by the first frame does not play the large ones */
    assert_int_equal(l.ms, -1);
    assert_true(l.most_ms >= 20 * 1728 * 1000 / 750);
}

static void put_adts(unsigned bytes)
{
    put_big(0xfff15840, 4); /* 24 kHz */
    put_big((bytes >> 3) & 0xff, 1);
    put_big((bytes & 7) << 5 | 0x1f, 1);
    put_big(0xfc, 1);
}

/* To one that plays AAC it is 20 frames, to one that goes by its name it is an MP3 of 8 kbit/s. */
static void a_file_of_two_kinds_is_as_long_as_the_longer(void **state)
{
    for (int i = 0; i < 20; i++) {
        put_adts(7 + 720);
        put_small_frames(10, 72);
    }
    struct sound_length l = length();
    assert_int_equal(l.ms, 200 * 72);
    assert_true(l.most_ms >= 200 * 72);
}

static void aac_by_its_frames(void **state)
{
    for (int i = 0; i < 50; i++) { /* 100 bytes and 1,024 samples of 24 kHz */
        put_adts(100);
        put_zeros(93);
    }
    it_lasts(2134, 5000 * 1000 / 750); /* one frame may have more in it */
}

static void put_streaminfo(uint64_t samples_say)
{
    put("fLaC", 4);
    put_big(0x80000022, 4);
    put_zeros(10);
    put_big((uint64_t)44100 << 44 | (uint64_t)1 << 41 | (uint64_t)15 << 36 | samples_say, 8);
    put_zeros(16);
}

static unsigned crc8(const char *p, size_t n)
{
    unsigned crc = 0;

    for (size_t i = 0; i < n * 8; i++) {
        unsigned bit = ((unsigned char)p[i / 8] >> (7 - i % 8) & 1) ^ crc >> 7;
        crc = (crc << 1 & 0xff) ^ (bit ? 7 : 0);
    }
    return crc;
}

/* A frame of 4,410 samples, said in 16 bits, at the rate that is named by the code. */
static void put_flac_frame(unsigned rate_code, unsigned number)
{
    char header[7] = {(char)0xff, (char)0xf8, (char)(0x70 | rate_code), 0x18, (char)number, 0x11, 0x39};

    put(header, 7);
    put_big(crc8(header, 7), 1);
    put_zeros(100);
}

static void flac_by_its_frames(void **state)
{
    put_streaminfo(88200);
    for (unsigned i = 0; i < 20; i++)
        put_flac_frame(0, i);
    it_lasts(2000, 2000);
}

static void what_a_flac_claims_is_not_asked(void **state)
{
    put_streaminfo(1);
    for (unsigned i = 0; i < 20; i++)
        put_flac_frame(4, i); /* 8 kHz, as who plays it takes it */
    put("\xff\xf8\x79\x18\0\x11\x39\0", 8); /* no frame, by its check */
    it_lasts(11025, 11025);
    buf_reset(&file);
    put_streaminfo(88200);
    put_zeros(64);
    it_lasts(-1, -1);
}

static void put_page_of(unsigned flags, uint64_t position, const unsigned char *sizes, unsigned n)
{
    put("OggS\0", 5);
    put_big(flags, 1);
    put_little(position, 8);
    put_zeros(12);
    put_big(n, 1);
    put((const char *)sizes, n);
}

static void put_page(unsigned flags, uint64_t position, const char *body, size_t n)
{
    unsigned char size = (unsigned char)n;

    put_page_of(flags, position, &size, 1);
    put(body, n);
}

static void put_opus_head(void)
{
    put_page(2, 0, "OpusHead\x01\x01\x38\x01\x80\xbb\0\0\0\0\0", 19);
    put_page(0, 0, "OpusTags\0\0\0\0", 12);
}

/* 50 packets on a page, each of two frames of 20 ms: 2 s. */
static void put_opus_page(uint64_t position)
{
    unsigned char sizes[50];

    memset(sizes, 3, sizeof(sizes));
    put_page_of(0, position, sizes, 50);
    for (int i = 0; i < 50; i++)
        put("\x09xy", 3);
}

static void opus_by_its_packets(void **state)
{
    put_opus_head();
    for (unsigned i = 1; i <= 3; i++)
        put_opus_page(i * 96000 + 312);
    put_page(0, UINT64_MAX, "\x1bx", 2); /* 0x1b: as many of 60 ms as the second byte says, at most 120 ms */
    it_lasts(6120, 6120);
}

static void where_a_page_of_opus_says_that_it_stands_is_not_asked(void **state)
{
    put_opus_head();
    for (unsigned i = 1; i <= 3; i++)
        put_opus_page(i);
    it_lasts(6000, 6000);
}

static void a_packet_that_goes_on_is_one(void **state)
{
    static const unsigned char long_one[2] = {255, 10}, rest[2] = {45, 3};

    put_opus_head();
    put_page_of(0, 0, long_one, 1);
    put("\x08", 1);
    put_zeros(254);
    put_page_of(1, 0, rest, 2);
    put("\x0b\x3f", 2); /* not the beginning of one */
    put_zeros(43);
    put("\x08xy", 3);
    it_lasts(40, 40);
}

static void pages_within_a_page_are_found_by_some(void **state)
{
    static const unsigned char sizes[10] = {255, 255, 255, 255, 255, 255, 255, 255, 255, 255};

    put_opus_head();
    put_page_of(0, 0, sizes, 10);
    for (int i = 0; i < 10; i++)
        put_opus_page(0); /* 227 bytes */
    put_zeros(2550 - 10 * 227);
    assert_true(length().ms >= 20000);
}

static void a_second_stream_is_not_of_the_first_ones_kind(void **state)
{
    put_opus_head();
    put_opus_page(0);
    put_opus_head();
    it_lasts(-1, -1);
}

/* 44.1 kHz, blocks of 256 and 2,048 samples. */
static void put_vorbis_head(void)
{
    put_page(2, 0, "\x01vorbis\0\0\0\0\x02\x44\xac\0\0\0\0\0\0\0\0\0\0\0\0\0\0\xb8\x01", 30);
    put_page(0, 0, "\x03vorbis", 7);
    put_page(0, 0, "\x05vorbis", 7);
}

static void vorbis_by_its_pages_within_what_packets_last(void **state)
{
    static const struct {
        uint64_t says;
        int64_t ms;
    } claims[] = {{441000, 10000}, {1, 2903}, {44100000, 23220}};

    for (size_t i = 0; i < ARRAY_LEN(claims); i++) {
        unsigned char sizes[250];

        buf_reset(&file);
        put_vorbis_head();
        memset(sizes, 2, sizeof(sizes));
        for (unsigned k = 0; k < 4; k++) { /* 1,000 packets */
            put_page_of(0, k == 1 ? claims[i].says : 0, sizes, 250);
            put_zeros(500);
        }
        it_lasts(claims[i].ms, 23220);
    }
}

static void what_is_not_known_has_no_length(void **state)
{
    static const char *const others[] = {"", "\x1a\x45\xdf\xa3 a webm file", "RIFF....AVI LIST....",
                                         "just some words of no kind", "OggS", "fLaC\0\0\0\x22"};

    for (size_t i = 0; i < ARRAY_LEN(others); i++)
        assert_int_equal(sound_length(str_c(others[i])).ms, -1);
    put_wav(0, 0);
    it_lasts(-1, -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(wav_by_its_samples),
        TEST(a_wav_that_was_streamed_says_nothing_of_its_size),
        TEST(what_a_wav_says_of_a_second_is_not_asked),
        TEST(samples_of_no_fixed_size_are_as_long_as_claimed_within_reason),
        TEST(mp3_by_its_frames_behind_a_tag),
        TEST(junk_between_frames_is_stepped_over),
        TEST(frames_within_a_frame_are_played_by_some),
        TEST(a_file_of_two_kinds_is_as_long_as_the_longer),
        TEST(aac_by_its_frames),
        TEST(flac_by_its_frames),
        TEST(what_a_flac_claims_is_not_asked),
        TEST(opus_by_its_packets),
        TEST(where_a_page_of_opus_says_that_it_stands_is_not_asked),
        TEST(a_packet_that_goes_on_is_one),
        TEST(pages_within_a_page_are_found_by_some),
        TEST(a_second_stream_is_not_of_the_first_ones_kind),
        TEST(vorbis_by_its_pages_within_what_packets_last),
        TEST(what_is_not_known_has_no_length),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
