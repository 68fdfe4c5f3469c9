/* Rules of models: what may be typed, their order, and what of them is in the snapshot. */
#include "catalog_fixture.h"

#include "catalog/rules.h"
#include "catalog/snapshot.h"
#include "catalog/suggest.h"

static struct rule_draft a_rule(const char *name, const char *serves)
{
    return (struct rule_draft){
        .name = str_c(name), .serves = str_c(serves), .enabled = true, .when = {.share_tag = STR("")}};
}

static struct rule_id add_rule(struct model_id model, const char *name, const char *serves, int64_t position)
{
    struct rule_draft d = a_rule(name, serves);
    struct rule_id id = {0};

    d.position = position;
    assert_int_equal(rule_add(db, &the_operator, model, &d, &id, &fault), CHANGE_OK);
    return id;
}

/* "a b c", as the rules stand. */
static void assert_order(struct model_id model, const char *names)
{
    struct rule_row *rows;
    struct buf text;
    size_t n;

    buf_init(&text, 1000);
    assert_int_equal(rule_list(db, arena, model, &rows, &n), CHANGE_OK);
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(rows[i].is.position, i + 1);
        buf_printf(&text, "%s%.*s", i ? " " : "", STR_FMT(rows[i].is.name));
    }
    assert_str(buf_str(&text), names);
    buf_done(&text);
}

static void assert_fault(const struct rule_draft *d, struct model_id model, const char *field)
{
    struct rule_id id;

    assert_int_equal(rule_add(db, &the_operator, model, d, &id, &fault), CHANGE_E_FAULT);
    assert_string_equal(fault.field, field);
    assert_true(strlen(fault.sentence) > 10);
}

static void what_was_typed_is_what_is_read(void **state)
{
    static const struct str tags[] = {STR("plan=free"), STR("q=a=b, c")};
    struct model_id model = add_model("asked");
    struct rule_draft d = a_rule("Free.plan-1", "cheap");
    struct rule_id id;
    struct rule_row row;

    (void)add_model("cheap");
    d.enabled = false;
    d.when = (struct rule_conditions){.tags = tags, .n_tags = 2, .asks = ABILITY_BIT(ABILITY_TOOLS),
                                      .asks_not = ABILITY_BIT(ABILITY_VISION) | ABILITY_BIT(ABILITY_AUDIO),
                                      .min_input_tokens = 10, .max_input_tokens = 4000, .share_percent = 25,
                                      .share_tag = STR("user")};
    assert_int_equal(rule_add(db, &the_operator, model, &d, &id, &fault), CHANGE_OK);
    assert_int_equal(rule_get(db, arena, id, &row), CHANGE_OK);
    assert_int_equal(row.model.v, model.v);
    assert_str(row.is.name, "Free.plan-1");
    assert_str(row.is.serves, "cheap");
    assert_true(row.serves_enabled);
    assert_false(row.is.enabled);
    assert_int_equal(row.is.when.n_tags, 2);
    assert_str(row.is.when.tags[1], "q=a=b, c");
    assert_int_equal(row.is.when.asks, d.when.asks);
    assert_int_equal(row.is.when.asks_not, d.when.asks_not);
    assert_int_equal(row.is.when.min_input_tokens, 10);
    assert_int_equal(row.is.when.max_input_tokens, 4000);
    assert_int_equal(row.is.when.share_percent, 25);
    assert_str(row.is.when.share_tag, "user");
    assert_int_equal(row.is.when.teams.n, 0);
    assert_int_equal(rule_delete(db, &the_operator, id), CHANGE_OK);
    assert_int_equal(rule_get(db, arena, id, &row), CHANGE_E_NONE);
    assert_int_equal(rule_delete(db, &the_operator, id), CHANGE_E_NONE);
    assert_int_equal(rule_edit(db, &the_operator, id, &d, &fault), CHANGE_E_NONE);
}

static void what_is_wrong_is_named(void **state)
{
    static const int64_t nobody[] = {999999}, twice[] = {1, 1}, below[] = {0};
    static const struct str bare[] = {STR("plan")}, line[] = {STR("plan=a\nb")};
    struct model_id model = add_model("asked"), cheap = add_model("cheap");
    const struct {
        const char *field;
        struct rule_conditions when;
    } cases[] = {
        {"team_ids", {.teams = {nobody, 1}}},     {"project_ids", {.projects = {nobody, 1}}},
        {"key_ids", {.keys = {nobody, 1}}},       {"team_ids", {.teams = {twice, 2}}},
        {"key_ids", {.keys = {below, 1}}},        {"tags", {.tags = bare, .n_tags = 1}},
        {"tags", {.tags = line, .n_tags = 1}},    {"asks", {.asks = ABILITY_BIT(ABILITY_CACHING)}},
        {"asks_not", {.asks = 1, .asks_not = 1}}, {"min_input_tokens", {.min_input_tokens = -1}},
        {"max_input_tokens", {.min_input_tokens = 9, .max_input_tokens = 8}},
        {"share_percent", {.share_percent = 100}}, {"share_tag", {.share_tag = STR("user")}},
        {"share_tag", {.share_percent = 5, .share_tag = STR("us er")}},
    };
    struct rule_draft d;

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        d = a_rule("r", "cheap");
        d.when = cases[i].when;
        assert_fault(&d, model, cases[i].field);
    }
    d = a_rule("-r", "cheap");
    assert_fault(&d, model, "name");
    d = a_rule("r", "");
    assert_fault(&d, model, "serves");
    d = a_rule("r", "nothing");
    assert_fault(&d, model, "serves");
    d = a_rule("r", "asked");
    assert_fault(&d, model, "serves");
    (void)add_rule(model, "taken", "cheap", 0);
    d = a_rule("TAKEN", "cheap");
    assert_fault(&d, model, "name");
    (void)add_rule(cheap, "taken", "asked", 0); /* of another model */
}

static void another_kind_does_not_serve(void **state)
{
    struct model_draft words = a_model("vectors");
    struct rule_draft d = a_rule("r", "vectors");
    struct model_id model = add_model("asked"), id;

    words.kind = MODEL_EMBEDDING;
    assert_int_equal(model_add(db, &the_operator, &words, &id, &fault), CHANGE_OK);
    assert_fault(&d, model, "serves");
}

static void rules_stand_in_an_order_without_gaps(void **state)
{
    struct model_id model = add_model("asked");
    struct rule_id a, b, c;
    struct rule_row row;

    (void)add_model("cheap");
    a = add_rule(model, "a", "cheap", 0);
    b = add_rule(model, "b", "cheap", 0);
    c = add_rule(model, "c", "cheap", 1);
    assert_order(model, "c a b");
    assert_int_equal(rule_get(db, arena, c, &row), CHANGE_OK);
    row.is.position = 2;
    assert_int_equal(rule_edit(db, &the_operator, c, &row.is, &fault), CHANGE_OK);
    assert_order(model, "a c b");
    row.is.position = 50;
    assert_int_equal(rule_edit(db, &the_operator, c, &row.is, &fault), CHANGE_OK);
    assert_order(model, "a b c");
    assert_int_equal(rule_delete(db, &the_operator, b), CHANGE_OK);
    assert_order(model, "a c");
    assert_int_equal(rule_delete(db, &the_operator, a), CHANGE_OK);
    assert_order(model, "c");
}

static void a_model_has_fifty_rules_at_most(void **state)
{
    struct model_id model = add_model("asked");
    struct rule_draft d = a_rule("one-more", "cheap");

    (void)add_model("cheap");
    for (int i = 0; i < RULES_MAX; i++) {
        char name[16];

        (void)snprintf(name, sizeof(name), "r%d", i);
        (void)add_rule(model, name, "cheap", 0);
    }
    assert_fault(&d, model, "name");
}

static void the_snapshot_has_those_that_are_switched_on_in_order(void **state)
{
    static const struct catalog_options here = {.seal_key = seal_key};
    struct model_id model = add_model("ruled"), serving = add_model("ruled-serving");
    struct rule_draft off = a_rule("off", "ruled-serving");
    const struct catalog_model *m;
    struct rule_id id;
    struct catalog *c = NULL;

    (void)add_rule(model, "second", "ruled-serving", 0);
    (void)add_rule(model, "first", "ruled-serving", 1);
    off.enabled = false;
    off.position = 1;
    assert_int_equal(rule_add(db, &the_operator, model, &off, &id, &fault), CHANGE_OK);
    (void)add_target(serving, add_account("openai", "ruled", "sk"), "up");
    (void)add_price(serving, 1, 1);
    assert_int_equal(db_commit(db), 0);
    assert_int_equal(catalog_load(db, &here, &c), CATALOG_OK);
    assert_int_equal(db_begin(db, DB_OPERATOR, false), 0);
    m = catalog_find_model(c, STR("ruled"));
    assert_int_equal(m->n_rules, 2);
    assert_str(m->rules[0].name, "first");
    assert_str(m->rules[1].name, "second");
    assert_ptr_equal(m->rules[0].serves, catalog_find_model(c, STR("ruled-serving")));
    assert_int_equal(m->n_targets, 0);
    assert_true(catalog_model_served(m)); /* by what its rules choose */
    assert_false(catalog_model_serves(m));
    assert_ptr_equal(catalog_suggest(c, MODEL_CHAT), catalog_find_model(c, STR("ruled-serving")));
    assert_int_equal(catalog_find_model(c, STR("ruled-serving"))->n_rules, 0);
    catalog_unref(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, in_transaction, roll_back)
        TEST(what_was_typed_is_what_is_read),
        TEST(what_is_wrong_is_named),
        TEST(another_kind_does_not_serve),
        TEST(rules_stand_in_an_order_without_gaps),
        TEST(a_model_has_fifty_rules_at_most),
        TEST(the_snapshot_has_those_that_are_switched_on_in_order),
#undef TEST
    };

    return cmocka_run_group_tests(tests, catalog_fixture_start, catalog_fixture_stop);
}
