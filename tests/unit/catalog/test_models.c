/* Models, their routes and targets. */
#include "catalog_fixture.h"

static void assert_fault(int r, const char *field)
{
    assert_int_equal(r, CHANGE_E_FAULT);
    assert_string_equal(fault.field, field);
    assert_true(strlen(fault.sentence) > 10);
}

static struct model_row row_of(struct model_id id)
{
    struct model_row row;

    assert_int_equal(model_get(db, arena, id, &row), CHANGE_OK);
    return row;
}

static void what_was_typed_is_what_is_read(void **state)
{
    struct model_draft d = a_model("acme/one:free");
    struct model_id id;
    struct model_row row;

    d.kind = MODEL_EMBEDDING;
    d.description = STR("Words.");
    d.context_tokens = 8192;
    d.abilities_known = true;
    d.abilities = ABILITY_BIT(ABILITY_VISION) | ABILITY_BIT(ABILITY_TOOLS);
    d.strategy = STRATEGY_FASTEST;
    d.triggers = TRIGGER_BIT(TRIGGER_TIMEOUT);
    d.max_attempts = 2;
    d.retries = 1;
    d.first_byte_timeout_ms = 5000;
    assert_int_equal(model_add(db, &the_operator, &d, &id, &fault), CHANGE_OK);
    row = row_of(id);
    assert_str(row.is.name, "acme/one:free");
    assert_str(row.family, "openai-embeddings");
    assert_int_equal(row.is.kind, MODEL_EMBEDDING);
    assert_str(row.is.description, "Words.");
    assert_int_equal(row.is.context_tokens, 8192);
    assert_int_equal(row.is.max_output_tokens, 0);
    assert_int_equal(row.is.abilities, d.abilities);
    assert_int_equal(row.is.strategy, STRATEGY_FASTEST);
    assert_int_equal(row.is.triggers, d.triggers);
    assert_int_equal(row.is.max_attempts, 2);
    assert_int_equal(row.is.retries, 1);
    assert_int_equal(row.is.first_byte_timeout_ms, 5000);
    assert_int_equal(row.is.idle_timeout_ms, 0);
    assert_false(row.priced);
    assert_null(row.off_reason.p);
}

static void abilities_may_be_unknown_or_none(void **state)
{
    struct model_draft d = a_model("m");
    struct model_id id = add_model("m");

    assert_false(row_of(id).is.abilities_known);
    d.abilities_known = true;
    assert_int_equal(model_edit(db, &the_operator, id, &d, &fault), CHANGE_OK);
    assert_true(row_of(id).is.abilities_known);
    assert_int_equal(row_of(id).is.abilities, 0);
}

static void what_is_wrong_is_named(void **state)
{
    struct model_draft d = a_model("m");
    struct model_id id = add_model("taken");

    d.name = STR("two words");
    assert_fault(model_add(db, &the_operator, &d, &id, &fault), "name");
    d.name = STR("-x");
    assert_fault(model_add(db, &the_operator, &d, &id, &fault), "name");
    d.name = STR("taken");
    assert_fault(model_add(db, &the_operator, &d, &id, &fault), "name");
    d = a_model("m");
    d.vendor = STR("  ");
    assert_fault(model_add(db, &the_operator, &d, &id, &fault), "vendor");
    d = a_model("m");
    d.max_attempts = 0;
    assert_fault(model_add(db, &the_operator, &d, &id, &fault), "max_attempts");
    d = a_model("m");
    d.idle_timeout_ms = 5;
    assert_fault(model_add(db, &the_operator, &d, &id, &fault), "idle_timeout_ms");
    d = a_model("m");
    d.context_tokens = -1;
    assert_fault(model_add(db, &the_operator, &d, &id, &fault), "context_tokens");
    assert_int_equal(model_enable(db, &the_operator, (struct model_id){999999}, true),
                     CHANGE_E_NONE);
}

static void names_and_aliases_are_one_space(void **state)
{
    struct model_id one = add_model("one"), two = add_model("two"), id;
    struct model_draft d = a_model("uno");
    struct model_row row;
    struct str *aliases;
    size_t n;

    assert_int_equal(model_add_alias(db, &the_operator, one, STR("uno"), &fault), CHANGE_OK);
    assert_fault(model_add_alias(db, &the_operator, two, STR("uno"), &fault), "alias");
    assert_fault(model_add_alias(db, &the_operator, two, STR("one"), &fault), "alias");
    assert_fault(model_add(db, &the_operator, &d, &id, &fault), "name");
    assert_int_equal(model_by_name(db, arena, STR("uno"), &row), CHANGE_OK);
    assert_int_equal(row.id.v, one.v);
    assert_int_equal(model_aliases(db, arena, one, &aliases, &n), CHANGE_OK);
    assert_int_equal(n, 1);
    assert_str(aliases[0], "uno");
    assert_int_equal(model_drop_alias(db, &the_operator, two, STR("uno")), CHANGE_E_NONE);
    assert_int_equal(model_drop_alias(db, &the_operator, one, STR("uno")), CHANGE_OK);
    assert_int_equal(model_by_name(db, arena, STR("uno"), &row), CHANGE_E_NONE);
}

static void a_list_is_narrowed_by_name_or_vendor(void **state)
{
    struct model_row *rows;
    size_t n;

    (void)add_model("alpha-1");
    (void)add_model("beta-1");
    assert_int_equal(model_list(db, arena, STR("ALPHA"), &rows, &n), CHANGE_OK);
    assert_int_equal(n, 1);
    assert_str(rows[0].is.name, "alpha-1");
    assert_int_equal(model_list(db, arena, STR("acme"), &rows, &n), CHANGE_OK);
    assert_int_equal(n, 2);
    assert_int_equal(model_list(db, arena, STR("%"), &rows, &n), CHANGE_OK);
    assert_int_equal(n, 0); /* no pattern, plain text */
}

static void switches_are_set_and_taken_back(void **state)
{
    struct model_id id = add_model("m"), other = add_model("other");
    struct account_id account = add_account("openai", "a", "sk-1");
    struct target_id target = add_target(id, account, "up");

    assert_int_equal(model_pin(db, &the_operator, id, target), CHANGE_OK);
    assert_int_equal(row_of(id).pinned.v, target.v);
    assert_int_equal(model_pin(db, &the_operator, other, target), CHANGE_E_NONE);
    assert_int_equal(model_pin(db, &the_operator, id, (struct target_id){0}), CHANGE_OK);
    assert_int_equal(row_of(id).pinned.v, 0);
    assert_int_equal(model_switch_off(db, &the_operator, id, STR("leak"), &fault), CHANGE_OK);
    assert_str(row_of(id).off_reason, "leak");
    assert_fault(model_switch_off(db, &the_operator, id, STR(" "), &fault), "reason");
    assert_int_equal(model_switch_off(db, &the_operator, id, STR_NONE, &fault), CHANGE_OK);
    assert_null(row_of(id).off_reason.p);
}

static void targets_are_added_edited_and_deleted(void **state)
{
    struct model_id model = add_model("m");
    struct account_id account = add_account("openai", "a", "sk-1");
    struct target_id id = add_target(model, account, "up");
    struct target_draft d = {.upstream_model = STR(" up-2 "),
                             .output_limit_field = STR("max_tokens"),
                             .priority = 4,
                             .weight = 0};
    struct target_row *rows;
    size_t n;

    assert_int_equal(row_of(model).targets, 1);
    assert_int_equal(target_edit(db, &the_operator, id, &d, &fault), CHANGE_OK);
    assert_int_equal(target_list(db, arena, model, &rows, &n), CHANGE_OK);
    assert_int_equal(n, 1);
    assert_str(rows[0].is.upstream_model, "up-2");
    assert_str(rows[0].is.output_limit_field, "max_tokens");
    assert_str(rows[0].account_name, "a");
    assert_int_equal(rows[0].is.priority, 4);
    assert_int_equal(rows[0].is.weight, 0);
    assert_false(rows[0].is.enabled);
    assert_int_equal(row_of(model).targets, 0);
    d.output_limit_field = STR("limit");
    assert_fault(target_edit(db, &the_operator, id, &d, &fault), "output_limit_field");
    assert_int_equal(target_delete(db, &the_operator, id), CHANGE_OK);
    assert_int_equal(target_delete(db, &the_operator, id), CHANGE_E_NONE);
    (void)add_target(model, account, "up-2");
}

static void the_same_target_twice_is_a_fault(void **state)
{
    struct model_id model = add_model("m");
    struct account_id account = add_account("openai", "a", "sk-1");
    const struct target_draft d = {.upstream_model = STR("up"), .weight = 1};
    struct target_id id;

    (void)add_target(model, account, "up");
    assert_fault(target_add(db, &the_operator, model, account, &d, &id, &fault), "upstream_model");
}

static void a_target_needs_a_living_account(void **state)
{
    struct model_id model = add_model("m");
    struct account_id account = add_account("openai", "a", "sk-1");
    const struct target_draft d = {.upstream_model = STR("up"), .weight = 1};
    struct target_id id;

    assert_int_equal(account_delete(db, &the_operator, account), CHANGE_OK);
    assert_int_equal(target_add(db, &the_operator, model, account, &d, &id, &fault), CHANGE_E_NONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, in_transaction, roll_back)
        TEST(what_was_typed_is_what_is_read),
        TEST(abilities_may_be_unknown_or_none),
        TEST(what_is_wrong_is_named),
        TEST(names_and_aliases_are_one_space),
        TEST(a_list_is_narrowed_by_name_or_vendor),
        TEST(switches_are_set_and_taken_back),
        TEST(targets_are_added_edited_and_deleted),
        TEST(the_same_target_twice_is_a_fault),
        TEST(a_target_needs_a_living_account),
#undef TEST
    };

    return cmocka_run_group_tests(tests, catalog_fixture_start, catalog_fixture_stop);
}
