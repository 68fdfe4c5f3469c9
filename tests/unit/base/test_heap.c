/* Blocks whose pages go back before they are freed: only theirs, and only of large ones. */
#include "unit.h"

#include "base/bounds.h"
#include "base/heap.h"

static bool all(const unsigned char *p, size_t n, unsigned char value)
{
    for (size_t i = 0; i < n; i++)
        if (p[i] != value)
            return false;
    return true;
}

static void a_large_block_lets_its_pages_go(void **state)
{
    const size_t n = KIB(300) + 77, most_of_a_page = KIB(64); /* the largest page there is */
    unsigned char *p[3];

    for (size_t i = 0; i < ARRAY_LEN(p); i++) {
        p[i] = malloc(n);
        assert_non_null(p[i]);
        memset(p[i], 0xa5, n);
    }
    heap_let_go(p[1], n);
    assert_true(all(p[1] + most_of_a_page, n - 2 * most_of_a_page, 0));
    assert_true(all(p[0], n, 0xa5));
    assert_true(all(p[2], n, 0xa5));
    memset(p[1], 0x5a, n);
    assert_true(all(p[1], n, 0x5a));
    for (size_t i = 0; i < ARRAY_LEN(p); i++)
        free(p[i]);
}

static void a_small_one_keeps_them(void **state)
{
    const size_t n = KIB(100);
    unsigned char *p = malloc(n);

    assert_non_null(p);
    memset(p, 0xa5, n);
    heap_let_go(p, n);
    assert_true(all(p, n, 0xa5));
    heap_let_go(NULL, 0);
    free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_large_block_lets_its_pages_go),
        cmocka_unit_test(a_small_one_keeps_them),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
