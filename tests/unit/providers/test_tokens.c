/* Tokens of service accounts: whose they are, until when, and that a reader never gets half of one. */
#include "unit.h"

#include <pthread.h>
#include <stdatomic.h>

#include "providers/tokens.h"

enum { CREDENTIAL = 7, OTHER = 8 };
static const struct account_id account = {42}, another = {43};
static struct token_board *board;
static struct arena *arena;

static int setup(void **state)
{
    arena = arena_new(64 << 20);
    return token_board_new(&board);
}

static int teardown(void **state)
{
    token_board_free(board);
    arena_free(arena);
    return 0;
}

static int get(struct account_id of, uint64_t credential, int64_t now_us, struct str *ret)
{
    return token_get(board, of, credential, now_us, arena, ret);
}

static void a_token_is_good_until_its_end(void **state)
{
    struct str bearer;

    assert_int_equal(get(account, CREDENTIAL, 1, &bearer), TOKEN_E_NONE);
    assert_int_equal(token_put(board, account, CREDENTIAL, STR("ya29.one"), 1000), TOKEN_OK);
    assert_int_equal(get(account, CREDENTIAL, 999, &bearer), TOKEN_OK);
    assert_str(bearer, "Bearer ya29.one");
    assert_int_equal(token_expires_us(board, account, CREDENTIAL), 1000);
    assert_int_equal(get(account, CREDENTIAL, 1000, &bearer), TOKEN_E_NONE);
    assert_int_equal(token_put(board, account, CREDENTIAL, STR("ya29.another"), 2000), TOKEN_OK);
    assert_int_equal(get(account, CREDENTIAL, 1000, &bearer), TOKEN_OK);
    assert_str(bearer, "Bearer ya29.another");
}

static void a_token_is_of_one_account_and_credential(void **state)
{
    struct str bearer;

    assert_int_equal(token_put(board, account, CREDENTIAL, STR("t"), 1000), TOKEN_OK);
    assert_int_equal(get(another, CREDENTIAL, 1, &bearer), TOKEN_E_NONE);
    assert_int_equal(get(account, OTHER, 1, &bearer), TOKEN_E_NONE);
    assert_int_equal(token_expires_us(board, account, OTHER), 0);
}

static void the_longest_fits_and_no_longer_one(void **state)
{
    char text[TOKEN_BYTES + 1];
    struct str bearer;

    memset(text, 'x', sizeof(text));
    assert_int_equal(token_put(board, account, CREDENTIAL, str_n(text, TOKEN_BYTES), 9), TOKEN_OK);
    assert_int_equal(get(account, CREDENTIAL, 1, &bearer), TOKEN_OK);
    assert_int_equal(bearer.n, TOKEN_BYTES + strlen("Bearer "));
    assert_int_equal(token_put(board, account, CREDENTIAL, str_n(text, sizeof(text)), 9),
                     TOKEN_E_FULL);
}

static void a_full_board_says_so(void **state)
{
    struct token_board *full;
    struct str bearer;

    assert_int_equal(token_board_new(&full), 0);
    for (int64_t id = 1; id <= TOKEN_SLOTS; id++)
        assert_int_equal(token_put(full, (struct account_id){id}, 1, STR("t"), 9), TOKEN_OK);
    assert_int_equal(token_put(full, (struct account_id){TOKEN_SLOTS + 1}, 1, STR("t"), 9),
                     TOKEN_E_FULL);
    assert_int_equal(token_get(full, (struct account_id){TOKEN_SLOTS + 1}, 1, 1, arena, &bearer),
                     TOKEN_E_NONE);
    assert_int_equal(token_put(full, (struct account_id){5}, 1, STR("t"), 9), TOKEN_OK);
    token_board_free(full);
}

static bool is_above(const void *ctx, struct account_id id)
{
    return id.v > *(const int64_t *)ctx;
}

static void accounts_that_are_gone_make_room(void **state)
{
    struct token_board *full;
    struct str bearer;
    int64_t gone = 10;

    assert_int_equal(token_board_new(&full), 0);
    for (int64_t id = 1; id <= TOKEN_SLOTS; id++)
        assert_int_equal(token_put(full, (struct account_id){id}, 1, STR("old"), 9), TOKEN_OK);
    token_keep(full, is_above, &gone);
    assert_int_equal(token_get(full, (struct account_id){gone}, 1, 1, arena, &bearer), TOKEN_E_NONE);
    for (int64_t id = TOKEN_SLOTS + 1; id <= TOKEN_SLOTS + gone; id++)
        assert_int_equal(token_put(full, (struct account_id){id}, 1, STR("new"), 9), TOKEN_OK);
    assert_int_equal(token_put(full, (struct account_id){gone}, 1, STR("t"), 9), TOKEN_E_FULL);
    for (int64_t id = gone + 1; id <= TOKEN_SLOTS + gone; id++) {
        assert_int_equal(token_get(full, (struct account_id){id}, 1, 1, arena, &bearer), TOKEN_OK);
        assert_str(bearer, id > TOKEN_SLOTS ? "Bearer new" : "Bearer old");
    }
    assert_int_equal(token_get(full, (struct account_id){gone}, 1, 1, arena, &bearer), TOKEN_E_NONE);
    token_board_free(full);
}

enum { READS = 500 };
static _Atomic bool enough;

/* Each token is one letter, as often as the letter says. */
static void *write_many(void *arg)
{
    char text[TOKEN_BYTES];

    (void)arg;
    for (int i = 0; !atomic_load(&enough); i++) {
        char letter = (char)('a' + i % 26);
        size_t n = (size_t)(letter - 'a' + 1) * 100;

        memset(text, letter, n);
        if (token_put(board, account, CREDENTIAL, str_n(text, n), INT64_MAX) != TOKEN_OK)
            break;
    }
    return NULL;
}

static void a_reader_never_gets_half_of_one(void **state)
{
    pthread_t writer;
    int reads = 0, changes = 0;
    char last = 0;

    assert_int_equal(token_put(board, account, CREDENTIAL, STR("a"), INT64_MAX), TOKEN_OK);
    atomic_store(&enough, false);
    assert_int_equal(pthread_create(&writer, NULL, write_many, NULL), 0);
    while (reads < READS || changes < 2) {
        struct arena *a = arena_new(1 << 16);
        struct str bearer;

        if (token_get(board, account, CREDENTIAL, 1, a, &bearer) == TOKEN_OK) {
            struct str token = str_n(bearer.p + 7, bearer.n - 7);

            assert_true(token.n == 1 || token.n == (size_t)(token.p[0] - 'a' + 1) * 100);
            for (size_t i = 1; i < token.n; i++)
                assert_int_equal(token.p[i], token.p[0]);
            changes += token.p[0] != last;
            last = token.p[0];
            reads++;
        }
        arena_free(a);
    }
    atomic_store(&enough, true);
    pthread_join(writer, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_token_is_good_until_its_end),
        cmocka_unit_test(a_token_is_of_one_account_and_credential),
        cmocka_unit_test(the_longest_fits_and_no_longer_one),
        cmocka_unit_test(a_full_board_says_so),
        cmocka_unit_test(accounts_that_are_gone_make_room),
        cmocka_unit_test(a_reader_never_gets_half_of_one),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
