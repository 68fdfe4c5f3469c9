/* The master key's file, sealing, passwords and tokens. */
#include "unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/secret.h"

struct place {
    char dir[64], path[96];
};

static int make_place(void **state)
{
    struct place *at = calloc(1, sizeof(*at));

    (void)snprintf(at->dir, sizeof(at->dir), "/tmp/secret-XXXXXX");
    if (!mkdtemp(at->dir))
        return -1;
    (void)snprintf(at->path, sizeof(at->path), "%s/key", at->dir);
    *state = at;
    return 0;
}

static int drop_place(void **state)
{
    struct place *at = *state;

    (void)unlink(at->path);
    if (rmdir(at->dir) != 0)
        return -1; /* something else was left behind */
    free(at);
    return 0;
}

static void write_file(const char *path, size_t n, mode_t mode)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, "0123456789abcdef0123456789abcdef!", n), n);
    assert_int_equal(fchmod(fd, mode), 0);
    close(fd);
}

static void create_makes_a_private_key_once(void **state)
{
    struct place *at = *state;
    struct master *first, *second;
    uint8_t a[32], b[32], c[32];
    struct stat st;

    assert_int_equal(master_create(at->path), 0);
    assert_int_equal(stat(at->path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(st.st_size, 32);
    assert_int_equal(master_load(at->path, &first), 0);
    assert_int_equal(master_create(at->path), 0);
    assert_int_equal(master_load(at->path, &second), 0);
    master_subkey(first, "session", a);
    master_subkey(second, "session", b);
    master_subkey(second, "api-key", c);
    assert_memory_equal(a, b, 32);
    assert_memory_not_equal(a, c, 32);
    master_free(first);
    master_free(second);
}

static void load_names_what_is_wrong(void **state)
{
    struct place *at = *state;
    struct master *m = NULL;

    assert_int_equal(master_load(at->path, &m), MASTER_E_MISSING);
    write_file(at->path, 31, 0600);
    assert_int_equal(master_load(at->path, &m), MASTER_E_LENGTH);
    write_file(at->path, 33, 0600);
    assert_int_equal(master_load(at->path, &m), MASTER_E_LENGTH);
    write_file(at->path, 32, 0640);
    assert_int_equal(master_load(at->path, &m), MASTER_E_MODE);
    write_file(at->path, 32, 0604);
    assert_int_equal(master_load(at->path, &m), MASTER_E_MODE);
    assert_null(m);
    write_file(at->path, 32, 0400);
    assert_int_equal(master_load(at->path, &m), MASTER_OK);
    master_free(m);
}

static void sealed_opens_only_with_key_and_data(void **state)
{
    const uint8_t key[32] = {1}, other[32] = {2};
    struct arena *a = arena_new(100000);
    struct str sealed = secret_seal(a, key, STR("row 7"), STR("sk-upstream")), plain = STR_NONE;
    struct str again = secret_seal(a, key, STR("row 7"), STR("sk-upstream"));

    assert_false(str_eq(sealed, again)); /* a nonce of its own each time */
    assert_int_equal(secret_open(a, key, STR("row 7"), sealed, &plain), SECRET_OK);
    assert_str(plain, "sk-upstream");
    plain = STR_NONE;
    assert_int_equal(secret_open(a, key, STR("row 8"), sealed, &plain), SECRET_E_FORGED);
    assert_int_equal(secret_open(a, other, STR("row 7"), sealed, &plain), SECRET_E_FORGED);
    for (size_t i = 0; i < sealed.n; i++) {
        struct str bent = arena_str(a, sealed);

        ((char *)bent.p)[i] ^= 1;
        assert_int_equal(secret_open(a, key, STR("row 7"), bent, &plain), SECRET_E_FORGED);
        assert_int_equal(secret_open(a, key, STR("row 7"), str_n(sealed.p, i), &plain),
                         SECRET_E_FORGED);
    }
    assert_null(plain.p);
    sealed = secret_seal(a, key, STR_NONE, STR_NONE);
    assert_int_equal(secret_open(a, key, STR_NONE, sealed, &plain), SECRET_OK);
    assert_int_equal(plain.n, 0);
    arena_free(a);
}

static void password_is_argon2id_with_its_parameters(void **state)
{
    char hash[SECRET_PASSWORD_SIZE], again[SECRET_PASSWORD_SIZE];

    assert_int_equal(secret_password_hash(STR("correct horse"), hash), 0);
    assert_int_equal(secret_password_hash(STR("correct horse"), again), 0);
    assert_true(str_starts(str_c(hash), STR("$argon2id$v=19$m=19456,t=2,p=1$")));
    assert_string_not_equal(hash, again);
    assert_true(secret_password_check(hash, STR("correct horse")));
    assert_false(secret_password_check(hash, STR("correct horsf")));
    assert_false(secret_password_check(hash, STR_NONE));
    assert_false(secret_password_check("no hash at all", STR("correct horse")));
    assert_false(secret_password_stale(hash));
    assert_true(secret_password_stale("$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHRzb21lc2FsdA$"
                                      "Iu9dyL5CL6hC7LmmfbA8GgMXCmfyAYkJy0BKAYbBBEs"));
}

static void token_carries_its_own_check(void **state)
{
    struct arena *a = arena_new(100000);
    struct str token = secret_token(a, "tg-"), other = secret_token(a, "tg-");

    assert_int_equal(token.n, 3 + 43 + 6);
    assert_false(str_eq(token, other));
    assert_true(secret_token_wellformed(token, "tg-"));
    assert_false(secret_token_wellformed(token, "tgm-"));
    assert_false(secret_token_wellformed(str_n(token.p, token.n - 1), "tg-"));
    for (size_t i = 0; i < token.n; i++) {
        struct str bent = arena_str(a, token);

        ((char *)bent.p)[i] = token.p[i] == 'a' ? 'b' : 'a';
        assert_false(secret_token_wellformed(bent, "tg-"));
        ((char *)bent.p)[i] = '\0';
        assert_false(secret_token_wellformed(bent, "tg-"));
    }
    arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(create_makes_a_private_key_once, make_place, drop_place),
        cmocka_unit_test_setup_teardown(load_names_what_is_wrong, make_place, drop_place),
        cmocka_unit_test(sealed_opens_only_with_key_and_data),
        cmocka_unit_test(password_is_argon2id_with_its_parameters),
        cmocka_unit_test(token_carries_its_own_check),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
