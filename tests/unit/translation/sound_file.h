/* sound_file.h: files of sound that are made byte by byte, for the tests of their lengths. */
#pragma once

#include "unit.h"

#include "base/bounds.h"
#include "base/buf.h"
#include "translation/openai_media/sound.h"

static struct buf file;

static inline int set_up(void **state)
{
    buf_init(&file, MIB(8));
    return 0;
}

static inline int tear_down(void **state)
{
    buf_done(&file);
    return 0;
}

static inline void put(const char *bytes, size_t n)
{
    buf_put(&file, bytes, n);
}

static inline void put_big(uint64_t v, size_t n)
{
    for (size_t i = n; i > 0; i--)
        buf_putc(&file, (char)(v >> (8 * (i - 1))));
}

static inline void put_little(uint64_t v, size_t n)
{
    for (size_t i = 0; i < n; i++)
        buf_putc(&file, (char)(v >> (8 * i)));
}

static inline void put_zeros(size_t n)
{
    for (size_t i = 0; i < n; i++)
        buf_putc(&file, 0);
}

static inline struct sound_length length(void)
{
    assert_int_equal(buf_finish(&file), 0);
    return sound_length(buf_str(&file));
}

static inline void it_lasts(int64_t ms, int64_t most_ms)
{
    struct sound_length l = length();

    assert_int_equal(l.ms, ms);
    assert_int_equal(l.most_ms, most_ms);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
