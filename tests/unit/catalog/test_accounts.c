/* Provider accounts: what may be typed, the credential at rest, and what a deletion leaves. */
#include "catalog_fixture.h"

#include "base/secret.h"

DB_QUERY(sealed_of, "SELECT key_sealed, key_last4 FROM provider_account WHERE id = $1")
DB_QUERY(audits, "SELECT count(*) AS n, count(*) FILTER (WHERE coalesce(before::text, '') ||"
                 "       coalesce(after::text, '') LIKE '%sealed%') AS sealed"
                 "  FROM audit WHERE object = 'account:' || $1::bigint")
DB_QUERY(epoch, "SELECT epoch FROM change_epoch")

static int64_t epoch_now(void)
{
    int64_t v;

    assert_int_equal(db_one(db, &epoch, arena, DB_NO_ARGS, DB_COLS(db_col_i64("epoch", &v))), 0);
    return v;
}

static struct account_row row_of(struct account_id id)
{
    struct account_row row;

    assert_int_equal(account_get(db, arena, id, &row), CHANGE_OK);
    return row;
}

static void the_key_is_sealed_to_its_row(void **state)
{
    struct account_id id = add_account("openai", "main", "sk-abcdefghijklmnop");
    struct account_id other = {id.v + 1};
    struct str sealed, last4, plain;

    assert_int_equal(
        db_one(db, &sealed_of, arena, DB_ARGS(db_i64(id.v)),
               DB_COLS(db_col_bytes("key_sealed", &sealed), db_col_text("key_last4", &last4))),
        0);
    assert_str(last4, "mnop");
    for (size_t i = 0; i + 6 <= sealed.n; i++)
        assert_memory_not_equal(sealed.p + i, "abcdef", 6);
    assert_int_equal(account_key_open(arena, seal_key, id, sealed, &plain), SECRET_OK);
    assert_str(plain, "sk-abcdefghijklmnop");
    assert_int_equal(account_key_open(arena, seal_key, other, sealed, &plain), SECRET_E_FORGED);
}

static void every_change_is_audited_and_noted(void **state)
{
    int64_t before = epoch_now(), n, sealed;
    struct account_id id = add_account("openai", "main", "sk-1");
    struct account_draft d = an_account("openai", "renamed");

    assert_int_equal(account_edit(db, &the_operator, id, &d, &fault), CHANGE_OK);
    assert_int_equal(account_enable(db, &the_operator, id, false), CHANGE_OK);
    assert_int_equal(account_set_key(db, &the_operator, seal_key, id, STR("sk-2"), &fault),
                     CHANGE_OK);
    assert_int_equal(account_delete(db, &the_operator, id), CHANGE_OK);
    assert_int_equal(epoch_now(), before + 5);
    assert_int_equal(db_one(db, &audits, arena, DB_ARGS(db_i64(id.v)),
                            DB_COLS(db_col_i64("n", &n), db_col_i64("sealed", &sealed))),
                     0);
    assert_int_equal(n, 5);
    assert_int_equal(sealed, 0); /* no credential in the log, not even sealed */
}

static void an_edit_changes_all_but_kind_and_key(void **state)
{
    struct account_id id = add_account("openai", "main", "sk-abcdefghijklmnop");
    struct account_draft d = {.kind = STR("mistral"),
                              .name = STR("  Other  "),
                              .base_url = STR("https://API.openai.com/eu/v1"),
                              .extra_headers = STR("{\"OpenAI-Organization\": \"org-1\"}"),
                              .enabled = false,
                              .priority = 3,
                              .weight = 7,
                              .rpm = 60,
                              .tpm = 1000};
    struct account_row row;

    assert_int_equal(account_edit(db, &the_operator, id, &d, &fault), CHANGE_OK);
    row = row_of(id);
    assert_str(row.is.kind, "openai");
    assert_str(row.is.name, "Other");
    assert_str(row.is.base_url, "https://API.openai.com/eu/v1");
    assert_str(row.is.extra_headers, "{\"OpenAI-Organization\": \"org-1\"}");
    assert_false(row.is.enabled);
    assert_int_equal(row.is.priority, 3);
    assert_int_equal(row.is.weight, 7);
    assert_int_equal(row.is.rpm, 60);
    assert_int_equal(row.is.tpm, 1000);
    assert_true(row.has_key);
    assert_str(row.key_last4, "mnop");
}

static void assert_fault(int r, const char *field)
{
    assert_int_equal(r, CHANGE_E_FAULT);
    assert_string_equal(fault.field, field);
    assert_true(strlen(fault.sentence) > 10);
}

static void a_stored_key_goes_to_no_other_address(void **state)
{
    static const char *const elsewhere[] = {
        "https://eu.example/v1", "http://api.openai.com/v1", "https://api.openai.com:8443/v1",
        "https://api.openai.com.evil.example/v1", NULL};
    struct account_id id = add_account("openai", "at home", "sk-abcdefghijklmnop");
    struct account_id bare = {0};
    struct account_draft d = an_account("openai", "at home");

    for (const char *const *url = elsewhere; *url; url++) {
        d.base_url = str_c(*url);
        assert_fault(account_edit(db, &the_operator, id, &d, &fault), "base_url");
    }
    assert_int_equal(row_of(id).is.base_url.n, 0);
    d.base_url = STR("https://api.openai.com/other");
    assert_int_equal(account_edit(db, &the_operator, id, &d, &fault), CHANGE_OK);
    d = an_account("openai-compatible", "without a key");
    d.base_url = STR("https://one.example/v1");
    assert_int_equal(account_add(db, &the_operator, seal_key, &d, STR(""), &bare, &fault), 0);
    d.base_url = STR("https://two.example/v1");
    assert_int_equal(account_edit(db, &the_operator, bare, &d, &fault), CHANGE_OK);
    assert_str(row_of(bare).is.base_url, "https://two.example/v1");
}

static int try_add(struct account_draft d, const char *key)
{
    struct account_id id = {0};

    return account_add(db, &the_operator, seal_key, &d, str_c(key), &id, &fault);
}

static void what_is_wrong_is_named(void **state)
{
    struct account_draft good = an_account("openai", "x"), d;

    assert_fault(try_add(an_account("nokind", "x"), "k"), "kind");
    assert_fault(try_add(an_account("openai", " "), "k"), "name");
    assert_fault(try_add(good, ""), "key");
    assert_fault(try_add(good, "two words"), "key");
    assert_fault(try_add(good, "line\nbreak"), "key");
    assert_fault(try_add(an_account("openai-compatible", "x"), "k"), "base_url");
    d = good;
    d.weight = 0;
    assert_fault(try_add(d, "k"), "weight");
    d = good;
    d.priority = -1;
    assert_fault(try_add(d, "k"), "priority");
    d = good;
    d.rpm = -1;
    assert_fault(try_add(d, "k"), "rpm");
    d = good;
    d.extra_headers = STR("[1]");
    assert_fault(try_add(d, "k"), "extra_headers");
    d.extra_headers = STR("{\"Host\": \"x\"}");
    assert_fault(try_add(d, "k"), "extra_headers");
    d.extra_headers = STR("{\"X-N\": 5}");
    assert_fault(try_add(d, "k"), "extra_headers");
    d = an_account("demo", "x");
    d.base_url = STR("http://x");
    assert_fault(try_add(d, ""), "base_url");
}

static void a_name_is_taken_until_its_account_is_deleted(void **state)
{
    struct account_id id = add_account("openai", "main", "sk-1");

    assert_int_equal(account_delete(db, &the_operator, id), CHANGE_OK);
    (void)add_account("groq", "MAIN", "gsk-1");
    assert_fault(try_add(an_account("mistral", "main"), "k"), "name");
}

static void a_deletion_takes_targets_pins_and_the_key(void **state)
{
    struct account_id id = add_account("openai", "main", "sk-1");
    struct model_id model = add_model("m");
    struct target_id target = add_target(model, id, "up");
    struct target_row *targets;
    struct model_row m;
    struct account_row row;
    struct str sealed, last4;
    size_t n;

    assert_int_equal(model_pin(db, &the_operator, model, target), CHANGE_OK);
    assert_int_equal(account_delete(db, &the_operator, id), CHANGE_OK);
    assert_int_equal(target_list(db, arena, model, &targets, &n), CHANGE_OK);
    assert_int_equal(n, 0);
    assert_int_equal(model_get(db, arena, model, &m), CHANGE_OK);
    assert_int_equal(m.pinned.v, 0);
    assert_int_equal(account_get(db, arena, id, &row), CHANGE_E_NONE);
    assert_int_equal(account_delete(db, &the_operator, id), CHANGE_E_NONE);
    assert_int_equal(
        db_one(db, &sealed_of, arena, DB_ARGS(db_i64(id.v)),
               DB_COLS(db_col_bytes("key_sealed", &sealed), db_col_text("key_last4", &last4))),
        0);
    assert_null(sealed.p);
}

static void what_a_try_told_is_kept(void **state)
{
    struct account_id id = add_account("openai", "main", "sk-1");
    struct account_row row = row_of(id);

    assert_int_equal(row.last_ok_us, 0);
    assert_int_equal(account_note(db, id, STR("401 wrong key")), CHANGE_OK);
    assert_int_equal(account_note(db, id, STR_NONE), CHANGE_OK);
    row = row_of(id);
    assert_str(row.last_error, "401 wrong key");
    assert_true(row.last_ok_us > 0);
    assert_true(row.last_error_us > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, in_transaction, roll_back)
        TEST(the_key_is_sealed_to_its_row),
        TEST(every_change_is_audited_and_noted),
        TEST(an_edit_changes_all_but_kind_and_key),
        TEST(a_stored_key_goes_to_no_other_address),
        TEST(what_is_wrong_is_named),
        TEST(a_name_is_taken_until_its_account_is_deleted),
        TEST(a_deletion_takes_targets_pins_and_the_key),
        TEST(what_a_try_told_is_kept),
#undef TEST
    };

    return cmocka_run_group_tests(tests, catalog_fixture_start, catalog_fixture_stop);
}
