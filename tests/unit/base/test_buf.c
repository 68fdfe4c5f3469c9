/* Builders of text: what they are lent is not copied, and stands where it was put. */
#include "unit.h"

#include <errno.h>

#include "base/buf.h"

enum { LARGE = 5000 };

static char large[LARGE];

static int set_up(void **state)
{
    memset(large, 'L', sizeof(large));
    return 0;
}

/* What the pieces say, put together, beside the text that was expected. */
static void says(const struct buf *b, const char *expected)
{
    struct str pieces[BUF_PIECES_MAX];
    struct buf whole;

    buf_init(&whole, 100000);
    for (size_t i = 0, n = buf_pieces(b, pieces); i < n; i++) {
        assert_true(pieces[i].n > 0);
        if (pieces[i].p == large)
            buf_puts(&whole, "<large>");
        else
            buf_put_str(&whole, pieces[i]);
    }
    assert_str(buf_str(&whole), expected);
    buf_done(&whole);
}

static void without_a_list_everything_is_copied(void **state)
{
    struct buf b;

    buf_init(&b, 100000);
    buf_puts(&b, "a");
    buf_lend(&b, str_n(large, LARGE));
    buf_puts(&b, "b");
    assert_int_equal(b.n, LARGE + 2);
    buf_join(&b);
    assert_int_equal(b.n, LARGE + 2);
    buf_done(&b);
}

static void large_parts_stand_where_they_were_put(void **state)
{
    struct buf_lent lent = {.n = 0};
    struct buf b;

    buf_init(&b, 100000);
    b.lent = &lent;
    says(&b, "");
    buf_lend(&b, str_n(large, LARGE));
    says(&b, "<large>");
    buf_lend(&b, str_n(large, LARGE));
    buf_puts(&b, "one");
    buf_lend(&b, STR("two"));
    buf_lend(&b, str_n(large, LARGE));
    buf_puts(&b, "three");
    says(&b, "<large><large>onetwo<large>three");
    buf_reset(&b);
    buf_puts(&b, "again");
    says(&b, "again");
    buf_done(&b);
}

static void more_than_the_list_holds_is_copied(void **state)
{
    struct buf_lent lent = {.n = 0};
    struct buf b;

    buf_init(&b, 100000);
    b.lent = &lent;
    for (int i = 0; i < BUF_LENT_MAX + 1; i++) {
        buf_putc(&b, '-');
        buf_lend(&b, str_n(large, LARGE));
    }
    assert_int_equal(lent.n, BUF_LENT_MAX);
    assert_int_equal(b.n, BUF_LENT_MAX + 1 + LARGE);
    buf_done(&b);
}

static void joined_it_is_one_text(void **state)
{
    struct buf_lent lent = {.n = 0};
    struct buf b;

    buf_init(&b, 100000);
    b.lent = &lent;
    buf_puts(&b, "a");
    buf_lend(&b, str_n(large, LARGE));
    buf_puts(&b, "b");
    buf_join(&b);
    assert_int_equal(b.n, LARGE + 2);
    assert_int_equal(b.p[0], 'a');
    assert_memory_equal(b.p + 1, large, LARGE);
    assert_int_equal(b.p[LARGE + 1], 'b');
    buf_lend(&b, str_n(large, LARGE)); /* and goes on as before */
    assert_int_equal(lent.n, 1);
    assert_int_equal(b.n, LARGE + 2);
    buf_done(&b);
}

static void what_is_lent_counts_against_the_maximum(void **state)
{
    struct buf_lent lent = {.n = 0};
    struct buf b;

    buf_init(&b, 2 * LARGE);
    b.lent = &lent;
    buf_lend(&b, str_n(large, LARGE));
    buf_lend(&b, str_n(large, LARGE));
    assert_int_equal(buf_finish(&b), 0);
    buf_lend(&b, str_n(large, LARGE));
    assert_int_equal(buf_finish(&b), -EMSGSIZE);
    buf_reset(&b);
    buf_puts(&b, "x");
    buf_lend(&b, str_n(large, LARGE));
    buf_lend(&b, str_n(large, LARGE));
    assert_int_equal(buf_finish(&b), -EMSGSIZE);
    buf_done(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_a_list_everything_is_copied),
        cmocka_unit_test(large_parts_stand_where_they_were_put),
        cmocka_unit_test(more_than_the_list_holds_is_copied),
        cmocka_unit_test(joined_it_is_one_text),
        cmocka_unit_test(what_is_lent_counts_against_the_maximum),
    };

    return cmocka_run_group_tests(tests, set_up, NULL);
}
