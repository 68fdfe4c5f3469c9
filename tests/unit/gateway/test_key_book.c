/* What a node's loops tell each other of keys, and what a change makes of it. */
#include "gateway/key_book.h"
#include "unit.h"

static struct digest digest_of(uint8_t n)
{
    return (struct digest){{n}};
}

/* The database told of it; the caller's reference. */
static struct key_facts *facts_of(int64_t key, int64_t team)
{
    struct key_facts *f = key_facts_new();
    struct arena *a = arena_new(1024);

    assert_non_null(f);
    assert_non_null(a);
    f->policy = arena_alloc(a, sizeof(*f->policy));
    assert_non_null(f->policy);
    f->policy->arena_ = a;
    atomic_store(&f->policy->refs, 1);
    f->policy->key.v = key;
    f->policy->team.v = team;
    return f;
}

static void put(struct key_book *b, uint8_t n, int64_t key, int64_t team)
{
    struct digest d = digest_of(n);
    struct key_facts *f = facts_of(key, team);

    key_book_put(b, &d, f, key_book_turn(b));
    key_facts_unref(f);
}

static bool knows(struct key_book *b, uint8_t n)
{
    struct digest d = digest_of(n);
    struct key_facts *f = key_book_get(b, &d);

    key_facts_unref(f);
    return f;
}

static void what_one_was_told_another_finds(void **state)
{
    struct key_book *b;
    struct digest d = digest_of(1);
    struct key_facts *f;

    assert_int_equal(key_book_new(&b), 0);
    assert_false(knows(b, 1));
    put(b, 1, 10, 100);
    put(b, 1, 11, 100); /* told again */
    f = key_book_get(b, &d);
    assert_non_null(f);
    assert_int_equal(f->policy->key.v, 11);
    key_book_drop(b, &d);
    assert_false(knows(b, 1));
    assert_int_equal(f->policy->team.v, 100); /* whoever has it keeps it */
    key_facts_unref(f);
    key_book_free(b);
}

static void a_change_takes_what_it_is_about(void **state)
{
    struct key_book *b;

    assert_int_equal(key_book_new(&b), 0);
    put(b, 1, 10, 100);
    put(b, 2, 20, 100);
    put(b, 3, 30, 300);
    key_book_drop_key(b, (struct key_id){10});
    assert_false(knows(b, 1));
    assert_true(knows(b, 2));
    key_book_drop_team(b, (struct team_id){100});
    assert_false(knows(b, 2));
    assert_true(knows(b, 3));
    key_book_free(b);
}

/* Was read before a change, perhaps of this very key, and comes after it. */
static void what_a_change_overtook_is_not_kept(void **state)
{
    struct key_book *b;
    struct digest d = digest_of(1);
    struct key_facts *f = facts_of(10, 100);
    uint64_t turn;

    assert_int_equal(key_book_new(&b), 0);
    turn = key_book_turn(b);
    key_book_drop_key(b, (struct key_id){10});
    key_book_put(b, &d, f, turn);
    assert_false(knows(b, 1));
    key_book_put(b, &d, f, key_book_turn(b));
    assert_true(knows(b, 1));
    key_facts_unref(f);
    key_book_free(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_one_was_told_another_finds),
        cmocka_unit_test(a_change_takes_what_it_is_about),
        cmocka_unit_test(what_a_change_overtook_is_not_kept),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
