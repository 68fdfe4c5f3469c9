/* Blocks, ceilings and defers of the arena; growth, ceilings and the sticky failure of the buf. */
#include "unit.h"

#include <errno.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/random.h"

static void blocks_are_zeroed_aligned_and_apart(void **state)
{
    struct arena *a = arena_new(10 << 20);
    unsigned char *blocks[400];
    size_t sizes[400];

    random_drive(3);
    for (size_t i = 0; i < ARRAY_LEN(blocks); i++) {
        sizes[i] = random_below(i % 50 == 49 ? 100000 : 300);
        blocks[i] = arena_alloc(a, sizes[i]);
        assert_non_null(blocks[i]);
        assert_int_equal((uintptr_t)blocks[i] % 16, 0);
        for (size_t k = 0; k < sizes[i]; k++)
            assert_int_equal(blocks[i][k], 0);
        memset(blocks[i], (int)(i & 255), sizes[i]);
    }
    random_undrive();
    for (size_t i = 0; i < ARRAY_LEN(blocks); i++)
        for (size_t k = 0; k < sizes[i]; k++)
            assert_int_equal(blocks[i][k], i & 255);
    arena_free(a);
}

static void only_a_part_is_zeroed_where_that_is_asked(void **state)
{
    bool keeps = arena_keep_chunks(true);
    char *block = NULL;

    for (int round = 0; round < 2; round++) {
        struct arena *a = arena_new_large(1 << 20);

        block = arena_alloc_part(a, 8000, 100);
        assert_non_null(block);
        for (size_t k = 0; k < 100; k++)
            assert_int_equal(block[k], 0);
        if (keeps && round)
            assert_int_equal(block[7999], 'x');
        memset(block, 'x', 8000);
        arena_free(a);
    }
    (void)arena_keep_chunks(false);
}

static void a_kept_chunk_comes_back_zeroed(void **state)
{
    bool keeps = arena_keep_chunks(true);
    char *first = NULL;

    for (int round = 0; round < 3; round++) {
        struct arena *a = arena_new_large(1 << 20);
        char *block = arena_alloc(a, 8000);

        for (size_t i = 0; i < 8000; i++)
            assert_int_equal(block[i], 0);
        memset(block, 'x', 8000);
        assert_non_null(arena_alloc(a, 100000)); /* one of its own, which is not kept */
        if (round == 0)
            first = block;
        if (keeps)
            assert_ptr_equal(block, first);
        arena_free(a);
    }
    assert_false(arena_keep_chunks(false));
}

static void ceiling_refuses_and_stays_usable(void **state)
{
    struct arena *a = arena_new(1024);

    assert_null(arena_alloc(a, 1025));
    assert_null(arena_alloc(a, SIZE_MAX));
    assert_null(arena_alloc_n(a, SIZE_MAX / 2, 3));
    assert_null(arena_str(a, str_n("x", SIZE_MAX)).p);
    assert_non_null(arena_alloc(a, 1000));
    assert_null(arena_alloc(a, 100));
    assert_null(arena_strf(a, "%0100d", 1).p);
    assert_non_null(arena_alloc(a, 8));
    assert_true(arena_used(a) <= 1024);
    arena_free(a);
    arena_free(NULL);
}

static void copies_end_in_nul(void **state)
{
    struct arena *a = arena_new(100000);

    assert_string_equal(arena_cstr(a, STR("abc")), "abc");
    assert_string_equal(arena_cstr(a, STR_NONE), "");
    assert_str(arena_strf(a, "%s=%d", "n", 7), "n=7");
    assert_str(arena_i64(a, 0, ""), "0");
    assert_str(arena_i64(a, 1234567890, "s"), "1234567890s");
    assert_str(arena_i64(a, INT64_MAX, ""), "9223372036854775807");
    assert_str(arena_i64(a, INT64_MIN, " ms"), "-9223372036854775808 ms");
    assert_int_equal(arena_str(a, str_n("a\0b", 3)).n, 3);
    arena_free(a);
}

static char order[8];

static void note(void *arg)
{
    order[strlen(order)] = *(char *)arg;
}

static void defers_run_newest_first(void **state)
{
    struct arena *a = arena_new(1000);
    char marks[] = "123";

    for (int i = 0; i < 3; i++)
        assert_int_equal(arena_defer(a, note, &marks[i]), 0);
    arena_freep(&a);
    assert_null(a);
    assert_string_equal(order, "321");
}

static void buf_fits_exactly_its_maximum(void **state)
{
    struct buf b;

    buf_init(&b, 10);
    buf_puts(&b, "12345");
    buf_printf(&b, "%05d", 7);
    assert_int_equal(buf_finish(&b), 0);
    assert_str(buf_str(&b), "1234500007");
    buf_putc(&b, 'x');
    assert_int_equal(buf_finish(&b), -EMSGSIZE);
    buf_reset(&b);
    assert_int_equal(buf_finish(&b), 0);
    buf_printf(&b, "%011d", 7);
    assert_int_equal(buf_finish(&b), -EMSGSIZE);
    assert_int_equal(b.n, 0);
    buf_done(&b);
}

static void buf_failure_is_sticky(void **state)
{
    struct buf b;

    buf_init(&b, 4);
    buf_puts(&b, "12345");
    buf_puts(&b, "1");
    buf_printf(&b, "%d", 1);
    assert_null(buf_reserve(&b, 1));
    assert_int_equal(buf_finish(&b), -EMSGSIZE);
    assert_int_equal(buf_str(&b).n, 0);
    buf_done(&b);
    buf_init(&b, 0);
    buf_put(&b, NULL, 0);
    assert_int_equal(buf_finish(&b), 0);
    buf_done(&b);
}

static void buf_consumes_from_the_front(void **state)
{
    struct buf b;

    buf_init(&b, 1 << 20);
    for (int i = 0; i < 50000; i++)
        buf_puts(&b, "0123456789");
    assert_int_equal(buf_finish(&b), 0);
    assert_int_equal(b.n, 500000);
    buf_consume(&b, 499998);
    assert_str(buf_str(&b), "89");
    buf_consume(&b, 2);
    assert_int_equal(b.n, 0);
    assert_true(b.cap <= 65536);
    buf_puts(&b, "again");
    assert_str(buf_str(&b), "again");
    buf_done(&b);
}

static void buf_prints_integers_to_their_ends(void **state)
{
    struct buf b;

    buf_init(&b, 1000);
    buf_put_i64(&b, INT64_MIN);
    buf_putc(&b, ' ');
    buf_put_i64(&b, 0);
    buf_putc(&b, ' ');
    buf_put_u64(&b, UINT64_MAX);
    assert_str(buf_str(&b), "-9223372036854775808 0 18446744073709551615");
    buf_done(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocks_are_zeroed_aligned_and_apart),
        cmocka_unit_test(only_a_part_is_zeroed_where_that_is_asked),
        cmocka_unit_test(a_kept_chunk_comes_back_zeroed),
        cmocka_unit_test(ceiling_refuses_and_stays_usable),
        cmocka_unit_test(copies_end_in_nul),
        cmocka_unit_test(defers_run_newest_first),
        cmocka_unit_test(buf_fits_exactly_its_maximum),
        cmocka_unit_test(buf_failure_is_sticky),
        cmocka_unit_test(buf_consumes_from_the_front),
        cmocka_unit_test(buf_prints_integers_to_their_ends),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
