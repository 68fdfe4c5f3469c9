/* Kept answers: found again until they are over, the bound and who leaves first, and many threads at once. */
#include "unit.h"

#include <pthread.h>
#include <stdatomic.h>

#include "base/bounds.h"
#include "cache/answers.h"

static struct digest digest_of(unsigned n)
{
    struct digest d = {{0}};

    d.b[0] = (uint8_t)n;
    d.b[1] = (uint8_t)(n >> 8);
    d.b[31] = 1;
    return d;
}

static const struct team_id us = {1}, others = {2};

static bool keep_as(struct answers *all, unsigned n, struct team_id team, struct str bytes, int64_t now_ms)
{
    const struct digest d = digest_of(n);
    const struct answer_facts facts = {.served_model = STR("m"), .provider = STR("p"), .finish_reason = STR("stop"),
                                       .target = {n}, .charge = {5}};

    return answers_keep(all, &d, team, &facts, bytes, now_ms, 1000);
}

static bool has(struct answers *all, unsigned n, int64_t now_ms)
{
    const struct digest d = digest_of(n);
    const struct answer *a = answers_find(all, &d, now_ms, 1000);
    bool found = a != NULL;

    answer_unref(a);
    return found;
}

static struct answers_view view_of(struct answers *all)
{
    struct answers_view v;

    answers_read(all, &v);
    return v;
}

static void an_answer_is_found_until_it_is_over(void **state)
{
    const struct digest d = digest_of(1);
    const struct answer *a;
    struct answers *all;

    assert_int_equal(answers_new(MIB(1), &all), 0);
    assert_false(has(all, 1, 0));
    assert_true(keep_as(all, 1, us, STR("bytes"), 100));
    a = answers_find(all, &d, 600, 500);
    assert_non_null(a);
    assert_true(str_eq(a->bytes, STR("bytes")));
    assert_true(str_eq(a->facts.finish_reason, STR("stop")));
    assert_null(a->facts.dropped.p);
    assert_int_equal(a->facts.target.v, 1);
    assert_int_equal(a->facts.charge.nano, 5);
    assert_int_equal(a->made_ms, 100);
    assert_null(answers_find(all, &d, 600, 499)); /* too old for this one, and still there */
    assert_true(has(all, 1, 1099));
    assert_false(has(all, 1, 1100));
    assert_int_equal(view_of(all).entries, 0);
    assert_true(str_eq(a->bytes, STR("bytes"))); /* whoever has found it still holds it */
    answer_unref(a);
    answer_unref(NULL);
    assert_int_equal(view_of(all).hits, 2);
    assert_int_equal(view_of(all).misses, 3);
    answers_free(all);
    answers_free(NULL);
}

static void a_newer_one_stands_in_its_place(void **state)
{
    const struct digest d = digest_of(1);
    const struct answer *a;
    struct answers *all;

    assert_int_equal(answers_new(MIB(1), &all), 0);
    assert_true(keep_as(all, 1, us, STR("old"), 0));
    assert_true(keep_as(all, 1, us, STR("new"), 10));
    a = answers_find(all, &d, 10, 0);
    assert_true(str_eq(a->bytes, STR("new")));
    answer_unref(a);
    assert_int_equal(view_of(all).entries, 1);
    answers_free(all);
}

static void what_was_used_longest_ago_leaves_first(void **state)
{
    enum { SIZE = 10000, BOUND = 120000 };
    static char bytes[SIZE];
    struct answers *all;
    unsigned n;

    assert_int_equal(answers_new(BOUND, &all), 0);
    for (n = 0; n < 11; n++)
        assert_true(keep_as(all, n, us, str_n(bytes, SIZE), 0));
    assert_int_equal(view_of(all).evicted, 0);
    assert_true(has(all, 0, 1));
    assert_true(keep_as(all, n, us, str_n(bytes, SIZE), 0));
    assert_int_equal(view_of(all).evicted, 1);
    assert_true(has(all, 0, 1));
    assert_false(has(all, 1, 1));
    assert_true(view_of(all).bytes <= BOUND);
    assert_int_equal(view_of(all).entries, 11);
    answers_free(all);
}

static void one_that_is_too_large_is_not_kept(void **state)
{
    static char bytes[20001];
    struct answers *all;

    assert_int_equal(answers_new(160000, &all), 0);
    assert_int_equal(answers_most(all), 20000);
    assert_true(keep_as(all, 1, us, str_n(bytes, 20000), 0));
    assert_false(keep_as(all, 2, us, str_n(bytes, 20001), 0));
    assert_int_equal(view_of(all).entries, 1);
    answers_free(all);
    assert_int_equal(answers_new(100, &all), 0); /* less than an answer needs beside its bytes */
    assert_false(keep_as(all, 1, us, STR("bytes"), 0));
    assert_int_equal(view_of(all).bytes, 0);
    answers_free(all);
}

static void a_team_is_forgotten_alone(void **state)
{
    struct answers *all;

    assert_int_equal(answers_new(MIB(1), &all), 0);
    for (unsigned n = 0; n < 200; n++)
        assert_true(keep_as(all, n, n % 2 ? us : others, STR("bytes"), 0));
    answers_forget(all, us);
    for (unsigned n = 0; n < 200; n++)
        assert_int_equal(has(all, n, 1), n % 2 == 0);
    assert_int_equal(view_of(all).entries, 100);
    answers_free(all);
}

/* --- many threads: each answer says which it is --- */

enum { THREADS = 4, ROUNDS = 20000, KINDS = 64 };

static void *take_part(void *arg)
{
    struct answers *all = arg;
    static atomic_uint seed;
    unsigned x = atomic_fetch_add(&seed, 7919) + 1;
    char text[2000];

    memset(text, 'x', sizeof(text));
    for (int i = 0; i < ROUNDS; i++) {
        unsigned n = (x = x * 1664525 + 1013904223) >> 8;
        const struct digest d = digest_of(n % KINDS);
        const struct answer *a;

        text[0] = text[sizeof(text) - 1] = (char)(n % KINDS);
        if (n % 5 == 0)
            (void)keep_as(all, n % KINDS, us, str_n(text, sizeof(text)), 0);
        a = answers_find(all, &d, 1, 1000);
        if (a && (a->bytes.p[0] != (char)(n % KINDS) || a->bytes.p[a->bytes.n - 1] != (char)(n % KINDS)))
            return arg;
        answer_unref(a);
        if (n % 997 == 0)
            answers_forget(all, us);
    }
    return NULL;
}

static void threads_share_them(void **state)
{
    pthread_t thread[THREADS];
    struct answers *all;
    void *wrong;

    assert_int_equal(answers_new(KIB(64), &all), 0);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&thread[i], NULL, take_part, all), 0);
    for (int i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(thread[i], &wrong), 0);
        assert_null(wrong);
    }
    assert_true(view_of(all).bytes <= KIB(64));
    assert_int_equal(view_of(all).hits + view_of(all).misses, THREADS * ROUNDS);
    assert_true(view_of(all).hits > 0 && view_of(all).evicted > 0);
    answers_free(all);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_answer_is_found_until_it_is_over),
        cmocka_unit_test(a_newer_one_stands_in_its_place),
        cmocka_unit_test(what_was_used_longest_ago_leaves_first),
        cmocka_unit_test(one_that_is_too_large_is_not_kept),
        cmocka_unit_test(a_team_is_forgotten_alone),
        cmocka_unit_test(threads_share_them),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
