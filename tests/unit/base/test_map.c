/* The bounded map against a plain array, its eviction order, and who is dropped. */
#include "unit.h"

#include <stdio.h>

#include "base/map.h"
#include "base/random.h"

static int dropped, last_dropped;

static void count_drop(void *value)
{
    dropped++;
    last_dropped = *(int *)value;
}

static int reset(void **state)
{
    dropped = last_dropped = 0;
    return 0;
}

static void least_recently_used_leaves_first(void **state)
{
    struct map *m = map_new(3, count_drop);
    int v[] = {0, 1, 2, 3, 4};

    assert_int_equal(map_put(m, STR("a"), &v[1]), 0);
    assert_int_equal(map_put(m, STR("b"), &v[2]), 0);
    assert_int_equal(map_put(m, STR("c"), &v[3]), 0);
    assert_ptr_equal(map_get(m, STR("a")), &v[1]);
    assert_int_equal(map_put(m, STR("d"), &v[4]), 0);
    assert_int_equal(last_dropped, 2);
    assert_null(map_get(m, STR("b")));
    assert_int_equal(map_size(m), 3);
    map_drop_oldest(m);
    assert_int_equal(last_dropped, 3);
    assert_int_equal(map_size(m), 2);
    map_free(m);
    assert_int_equal(dropped, 4);
    m = map_new(0, count_drop);
    map_drop_oldest(m);
    assert_int_equal(dropped, 4);
    map_free(m);
}

static void put_replaces_and_drops_the_old(void **state)
{
    struct map *m = map_new(0, count_drop);
    int one = 1, two = 2;

    assert_int_equal(map_put(m, STR("k"), &one), 0);
    assert_int_equal(map_put(m, STR("k"), &two), 0);
    assert_int_equal(last_dropped, 1);
    assert_int_equal(map_size(m), 1);
    assert_ptr_equal(map_get(m, STR("k")), &two);
    map_del(m, STR("k"));
    map_del(m, STR("k"));
    assert_int_equal(dropped, 2);
    map_free(m);
}

static void keys_are_bytes_and_copied(void **state)
{
    struct map *m = map_new(0, NULL);
    char key[] = {'a', '\0', 'b'};
    int v = 1, empty = 2;

    assert_int_equal(map_put(m, str_n(key, 3), &v), 0);
    assert_int_equal(map_put(m, STR_NONE, &empty), 0);
    key[2] = 'c';
    assert_null(map_get(m, str_n(key, 3)));
    assert_ptr_equal(map_get(m, str_n("a\0b", 3)), &v);
    assert_ptr_equal(map_get(m, STR("")), &empty);
    map_free(m);
}

static bool keep_even(struct str key, void *value, void *ctx)
{
    (*(int *)ctx)++;
    return *(int *)value % 2 == 0;
}

static void behaves_like_an_array_under_random_use(void **state)
{
    enum { KEYS = 500 };
    static int values[KEYS];
    bool in[KEYS] = {false};
    struct map *m = map_new(0, NULL);
    size_t n = 0;
    int visited = 0;

    random_drive(11);
    for (int i = 0; i < KEYS; i++)
        values[i] = i;
    for (int step = 0; step < 20000; step++) {
        uint32_t k = random_below(KEYS);
        char text[16];
        struct str key = str_n(text, (size_t)snprintf(text, sizeof(text), "key-%u", k));

        assert_ptr_equal(map_get(m, key), in[k] ? &values[k] : NULL);
        if (random_below(3)) {
            assert_int_equal(map_put(m, key, &values[k]), 0);
            n += !in[k];
            in[k] = true;
        } else {
            map_del(m, key);
            n -= in[k];
            in[k] = false;
        }
        assert_int_equal(map_size(m), n);
    }
    random_undrive();
    map_filter(m, keep_even, &visited);
    assert_int_equal(visited, n);
    for (int i = 0; i < KEYS; i++) {
        char text[16];
        struct str key = str_n(text, (size_t)snprintf(text, sizeof(text), "key-%d", i));

        assert_ptr_equal(map_get(m, key), in[i] && i % 2 == 0 ? &values[i] : NULL);
    }
    map_clear(m);
    assert_int_equal(map_size(m), 0);
    map_free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(least_recently_used_leaves_first, reset),
        cmocka_unit_test_setup(put_replaces_and_drops_the_old, reset),
        cmocka_unit_test(keys_are_bytes_and_copied),
        cmocka_unit_test(behaves_like_an_array_under_random_use),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
