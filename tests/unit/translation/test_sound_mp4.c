/* How long movies are by their tracks of sound, honest ones and forged ones. */
#include "translation/sound_file.h"

static void put_box(const char *name, size_t inside)
{
    put_big(8 + inside, 4);
    put(name, 4);
}

struct movie {
    const char *handler, *format;
    uint32_t samples, bytes_each, last_each; /* in 1/44,100 s */
};

enum { STSD = 8 + 16, STTS = 16, STSZ = 12, STBL = 8 + STSD + 8 + STTS + 8 + STSZ };
enum { MINF = 8 + STBL, MDIA = 8 + 24 + 8 + 24 + 8 + MINF, TRAK = 8 + MDIA };

static void put_track(const struct movie *m)
{
    put_box("trak", TRAK);
    put_box("mdia", MDIA);
    put_box("mdhd", 24);
    put_zeros(12);
    put_big(44100, 4);
    put_zeros(8);
    put_box("hdlr", 24);
    put_zeros(8);
    put(m->handler, 4);
    put_zeros(12);
    put_box("minf", MINF);
    put_box("stbl", STBL);
    put_box("stsd", STSD);
    put_zeros(4);
    put_big(1, 4);
    put_box(m->format, 8);
    put_zeros(8);
    put_box("stts", STTS);
    put_zeros(4);
    put_big(1, 4);
    put_big(m->samples, 4);
    put_big(m->last_each, 4);
    put_box("stsz", STSZ);
    put_zeros(4);
    put_big(m->bytes_each, 4);
    put_big(m->samples, 4);
}

/* With a head of the movie that says that it lasts a millisecond. */
static void put_mp4(const struct movie *m, size_t n)
{
    put_box("ftyp", 8);
    put("M4A \0\0\0\0", 8);
    put_box("mdat", 500);
    put_zeros(500);
    put_box("moov", 108 + n * (8 + TRAK));
    put_box("mvhd", 100);
    put_zeros(12);
    put_big(1000, 4);
    put_big(1, 4);
    put_zeros(80);
    for (size_t i = 0; i < n; i++)
        put_track(&m[i]);
}

static const struct movie aac = {"soun", "mp4a", 4307, 279, 1024}; /* 96 kbit/s for 100 s */

static void mp4_by_its_track_of_sound(void **state)
{
    const struct movie both[2] = {{"vide", "avc1", 30, 100000, 441000}, aac};

    put_mp4(both, 2);
    it_lasts(100009, 4307 * 279 * INT64_C(1000) / 750);
}

static void a_track_that_says_too_little_is_not_believed(void **state)
{
    struct movie forged = aac;

    forged.last_each = 1;
    put_mp4(&forged, 1);
    it_lasts(45942, 4307 * 279 * INT64_C(1000) / 750); /* at the highest rate that AAC has */
    forged.bytes_each = 6; /* silence, perhaps one place for all */
    buf_reset(&file);
    put_mp4(&forged, 1);
    it_lasts(45942, 600051); /* at the lowest */
    forged.format = "alac";
    forged.bytes_each = 400000;
    buf_reset(&file);
    put_mp4(&forged, 1);
    assert_int_equal(length().ms, 4307 * INT64_C(400000) * 1000 / 1152000 + 1); /* of uncompressed sound */
}

static void a_movie_that_can_be_read_in_two_ways_is_not_believed(void **state)
{
    put_mp4(&aac, 1);
    put_box("moof", 8);
    put_zeros(8);
    it_lasts(-1, -1);
    buf_reset(&file);
    put_mp4(&aac, 1);
    put_box("free", 16);
    put_box("moov", 8);
    put_zeros(8);
    it_lasts(-1, -1);
    buf_reset(&file);
    put_mp4(&aac, 0);
    it_lasts(-1, -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(mp4_by_its_track_of_sound),
        TEST(a_track_that_says_too_little_is_not_believed),
        TEST(a_movie_that_can_be_read_in_two_ways_is_not_believed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
