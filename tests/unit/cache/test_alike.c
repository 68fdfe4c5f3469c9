/* Answers found by likeness: the nearest, within a bucket, bounded, forgotten with their team, by many threads. */
#include "unit.h"

#include <math.h>
#include <pthread.h>
#include <stdlib.h>

#include "base/bounds.h"
#include "cache/answers.h"

enum { MOST = 64 }; /* answers.h: of a bucket */

static struct digest digest_of(unsigned n)
{
    struct digest d = {{0}};

    d.b[0] = (uint8_t)n;
    d.b[1] = (uint8_t)(n >> 8);
    d.b[31] = 1;
    return d;
}

/* At that cosine to the one of 1. */
static struct likeness at(unsigned bucket, double cosine, float v[2])
{
    struct likeness l = {.bucket = digest_of(bucket), .vector = {.v = v, .n = 2}};

    v[0] = (float)cosine;
    v[1] = (float)sqrt(1 - cosine * cosine);
    return l;
}

static bool keep(struct answers *all, unsigned n, struct team_id team, int64_t now_ms)
{
    const struct digest d = digest_of(n);
    const struct answer_facts facts = {.target = {n}};

    return answers_keep(all, &d, team, &facts, STR("bytes"), now_ms, 1000);
}

static void keep_at(struct answers *all, unsigned n, unsigned bucket, double cosine)
{
    const struct digest d = digest_of(n);
    float v[2];
    struct likeness l = at(bucket, cosine, v);

    assert_true(keep(all, n, (struct team_id){1}, 0));
    answers_place(all, &d, &l);
}

static bool any(void *ctx, const struct answer *a)
{
    return !ctx || a->facts.target.v != *(const int64_t *)ctx;
}

/* The target of what is found; 0: nothing. */
static int64_t find(struct answers *all, unsigned bucket, double cosine, int least_bp, int64_t *but, int *ret_bp)
{
    float v[2];
    struct likeness l = at(bucket, cosine, v);
    const struct answer *a = answers_find_alike(all, &l, 1, 1000, least_bp, any, but, ret_bp);
    int64_t target = a ? a->facts.target.v : 0;

    answer_unref(a);
    return target;
}

static struct answers_view view_of(struct answers *all)
{
    struct answers_view v;

    answers_read(all, &v);
    return v;
}

static void the_nearest_at_or_above_the_threshold_is_given(void **state)
{
    int64_t but = 2;
    struct answers *all;
    int bp = 0;

    assert_int_equal(answers_new(MIB(1), &all), 0);
    keep_at(all, 1, 1, 0.5);
    keep_at(all, 2, 1, 0.99);
    assert_int_equal(find(all, 1, 1, 9900, NULL, &bp), 2);
    assert_int_equal(bp, 9900);
    assert_int_equal(find(all, 1, 1, 9901, NULL, &bp), 0);
    assert_int_equal(find(all, 1, 0.5, 9000, NULL, &bp), 1);
    assert_int_equal(bp, 10000);
    assert_int_equal(find(all, 1, 1, 5000, &but, &bp), 1);
    assert_int_equal(bp, 5000);
    assert_int_equal(find(all, 2, 1, 5000, NULL, &bp), 0);
    assert_int_equal(view_of(all).alike_hits, 3);
    assert_int_equal(view_of(all).alike_misses, 2);
    answers_free(all);
}

static void what_is_over_too_old_or_gone_is_not_found(void **state)
{
    const struct digest bucket = digest_of(1);
    struct answers *all;
    float v[2];
    struct likeness l = at(1, 1, v);
    int bp;

    assert_int_equal(answers_new(MIB(1), &all), 0);
    assert_false(answers_has_alike(all, &bucket, 0, 1000));
    keep_at(all, 1, 1, 1);
    assert_true(answers_has_alike(all, &bucket, 500, 500));
    assert_false(answers_has_alike(all, &bucket, 501, 500));
    assert_false(answers_has_alike(all, &bucket, 1000, 5000));
    assert_null(answers_find_alike(all, &l, 1000, 5000, 9000, any, NULL, &bp));
    answers_forget(all, (struct team_id){1});
    assert_false(answers_has_alike(all, &bucket, 0, 1000));
    assert_int_equal(view_of(all).vectors, 0);
    assert_int_equal(view_of(all).bytes, 0);
    answers_free(all);
}

static void other_models_and_turned_words_are_not_compared(void **state)
{
    const struct digest d = digest_of(1);
    struct answers *all;
    float v[2], w[4] = {1, 0, 0, 0};
    struct likeness l = at(1, 1, v);
    int bp;

    assert_int_equal(answers_new(MIB(1), &all), 0);
    assert_true(question_read(STR("from a to b"), &l.question));
    assert_true(keep(all, 1, (struct team_id){1}, 0));
    answers_place(all, &d, &l);
    assert_true(question_read(STR("from b to a"), &l.question));
    assert_null(answers_find_alike(all, &l, 1, 1000, 5000, any, NULL, &bp));
    assert_true(question_read(STR("From A to B?"), &l.question));
    l.vector.space.b[0] = 1;
    assert_null(answers_find_alike(all, &l, 1, 1000, 5000, any, NULL, &bp));
    l.vector = (struct alike_vector){.v = w, .n = 4};
    assert_null(answers_find_alike(all, &l, 1, 1000, 5000, any, NULL, &bp));
    answers_free(all);
}

static void who_was_found_longest_ago_makes_room_and_stays_for_the_same_question(void **state)
{
    struct answers *all;
    int bp;

    assert_int_equal(answers_new(MIB(1), &all), 0);
    for (unsigned i = 1; i <= MOST; i++)
        keep_at(all, i, 1, 0.1 + 0.01 * i);
    assert_int_equal(find(all, 1, 0.11, 9999, NULL, &bp), 1);
    keep_at(all, MOST + 1, 1, 0.05);
    assert_int_equal(view_of(all).vectors, MOST);
    assert_int_equal(find(all, 1, 0.11, 10000, NULL, &bp), 1);
    assert_int_not_equal(find(all, 1, 0.12, 10000, NULL, &bp), 2);
    assert_int_equal(view_of(all).entries, MOST + 1);
    answers_free(all);
}

static void vectors_are_within_the_bound(void **state)
{
    enum { DIMENSIONS = 1000 };
    static float v[DIMENSIONS] = {1};
    struct answers *all;

    assert_int_equal(answers_new(KIB(64), &all), 0);
    for (unsigned i = 1; i <= 100; i++) {
        const struct digest d = digest_of(i);
        struct likeness l = {.bucket = digest_of(i % 7), .vector = {.v = v, .n = DIMENSIONS}};

        assert_true(keep(all, i, (struct team_id){1}, 0));
        answers_place(all, &d, &l);
        answers_place(all, &d, &l);
        assert_true(view_of(all).bytes <= KIB(64));
    }
    assert_true(view_of(all).vectors >= 10);
    assert_true(view_of(all).bytes > view_of(all).vectors * DIMENSIONS * sizeof(float));
    answers_free(all);
}

static void a_vector_without_a_length_is_none(void **state)
{
    float zero[2] = {0, 0}, wrong[2] = {INFINITY, 0}, odd[] = {3, 4, 0, 0, 0, 0, 0, 0, 12};
    struct alike_vector v = {.v = zero, .n = 2};

    assert_false(alike_normalize(&v));
    v.v = wrong;
    assert_false(alike_normalize(&v));
    v = (struct alike_vector){.v = odd, .n = ARRAY_LEN(odd)};
    assert_true(alike_normalize(&v));
    assert_float_equal(odd[8], 12.0 / 13, 1e-6);
    assert_int_equal(alike_bp(&v, &v), 10000);
}

enum { THREADS = 4, ROUNDS = 2000 };

static void *work(void *ctx)
{
    struct answers *all = ctx;
    int bp;

    for (unsigned i = 0; i < ROUNDS; i++) {
        const struct digest d = digest_of(i % 200);
        float v[2];
        struct likeness l = at(i % 5, 0.9, v);

        (void)keep(all, i % 200, (struct team_id){i % 3 + 1}, 0);
        answers_place(all, &d, &l);
        answer_unref(answers_find_alike(all, &l, 1, 1000, 9000, any, NULL, &bp));
        if (i % 500 == 0)
            answers_forget(all, (struct team_id){i % 3 + 1});
    }
    return NULL;
}

static void threads_share_them(void **state)
{
    pthread_t thread[THREADS];
    struct answers *all;

    assert_int_equal(answers_new(KIB(32), &all), 0);
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&thread[i], NULL, work, all), 0);
    for (size_t i = 0; i < THREADS; i++)
        pthread_join(thread[i], NULL);
    assert_true(view_of(all).bytes <= KIB(32));
    assert_int_equal(view_of(all).alike_hits + view_of(all).alike_misses, THREADS * ROUNDS);
    answers_free(all);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_nearest_at_or_above_the_threshold_is_given),
        cmocka_unit_test(what_is_over_too_old_or_gone_is_not_found),
        cmocka_unit_test(other_models_and_turned_words_are_not_compared),
        cmocka_unit_test(who_was_found_longest_ago_makes_room_and_stays_for_the_same_question),
        cmocka_unit_test(vectors_are_within_the_bound),
        cmocka_unit_test(a_vector_without_a_length_is_none),
        cmocka_unit_test(threads_share_them),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
