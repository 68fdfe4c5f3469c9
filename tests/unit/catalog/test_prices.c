/* Price versions: immutable, newest counts, the future waits, the absurd is refused. */
#include "catalog_fixture.h"

#include "base/clock.h"

#define SECOND_US INT64_C(1000000)

DB_QUERY(spoil_price, "UPDATE price SET note = 'x' WHERE id = $1")
DB_QUERY(add_figure, "INSERT INTO price_unit (price_id, unit, charge_per_million_nano,"
                     "                        cost_per_million_nano) VALUES ($1, 'page', 1, 1)")

static struct price_version *history(struct model_id model, size_t *ret_n)
{
    struct price_version *v;

    assert_int_equal(price_history(db, arena, model, &v, ret_n), CHANGE_OK);
    return v;
}

static void a_new_version_ends_the_one_before(void **state)
{
    struct model_id model = add_model("m");
    struct price_id first = add_price(model, 1, 2), second = add_price(model, 3, 4);
    struct price_version *v;
    size_t n;

    v = history(model, &n);
    assert_int_equal(n, 2);
    assert_int_equal(v[0].id.v, second.v);
    assert_int_equal(v[0].state, PRICE_CURRENT);
    assert_int_equal(v[1].id.v, first.v);
    assert_int_equal(v[1].state, PRICE_PAST);
    assert_int_equal(v[0].n_figures, 2);
    assert_int_equal(v[0].figures[0].unit, USAGE_INPUT);
    assert_int_equal(v[0].figures[0].charge, INT64_C(3000000000));
    assert_int_equal(v[1].figures[1].charge, INT64_C(2000000000));
    assert_str(v[0].source, "operator");
}

static void the_future_waits(void **state)
{
    struct model_id model = add_model("m");
    struct price_figure figures[2];
    struct price_draft d = a_price(model, figures, 9, 9);
    struct price_id id;
    struct price_version *v;
    size_t n;

    (void)add_price(model, 1, 2);
    d.effective_from_us = clock_wall_us() + 3600 * SECOND_US;
    assert_int_equal(price_publish(db, &the_operator, &d, &id, &fault), CHANGE_OK);
    v = history(model, &n);
    assert_int_equal(v[0].state, PRICE_SCHEDULED);
    assert_int_equal(v[1].state, PRICE_CURRENT);
    assert_int_equal(v[0].effective_from_us, d.effective_from_us);
}

static void assert_fault(int r, const char *field)
{
    assert_int_equal(r, CHANGE_E_FAULT);
    assert_string_equal(fault.field, field);
    assert_true(strlen(fault.sentence) > 10);
}

static void the_past_is_never_priced_anew(void **state)
{
    struct model_id model = add_model("m");
    struct price_figure figures[2];
    struct price_draft d = a_price(model, figures, 1, 2);
    struct price_id id;

    d.effective_from_us = clock_wall_us() - 60 * SECOND_US;
    assert_fault(price_publish(db, &the_operator, &d, &id, &fault), "effective_from");
}

static void a_version_cannot_be_changed(void **state)
{
    struct price_id id = add_price(add_model("m"), 1, 2);

    /* The application has no such right; append_only would refuse it to anybody else. */
    assert_true(db_exec(db, &spoil_price, DB_ARGS(db_i64(id.v)), NULL) != 0);
}

static void a_version_cannot_be_added_to(void **state)
{
    struct price_id id;
    struct model_id model = add_model("m");

    id = add_price(model, 1, 2);
    assert_int_equal(db_commit(db), 0);
    assert_int_equal(db_begin(db, DB_OPERATOR, false), 0);
    assert_int_equal(db_exec(db, &add_figure, DB_ARGS(db_i64(id.v)), NULL), DB_E_REFUSED);
}

static int publish(struct model_id model, enum usage_unit unit, int64_t charge, bool override)
{
    struct price_figure figures[3];
    struct price_draft d = a_price(model, figures, 1, 2);
    struct price_id id;

    d.override = override;
    if (unit == USAGE_INPUT) {
        figures[0].charge = charge;
    } else {
        figures[2] = (struct price_figure){unit, 0, charge, 0};
        d.n_figures = 3;
    }
    return price_publish(db, &the_operator, &d, &id, &fault);
}

static void absurd_prices_are_refused(void **state)
{
    const int64_t ceiling = INT64_C(10000) * 1000000000; /* $10,000 per million */
    struct model_id model = add_model("m");

    assert_int_equal(publish(model, USAGE_INPUT, ceiling, false), CHANGE_OK);
    assert_fault(publish(model, USAGE_INPUT, ceiling + 1, false), "override");
    assert_int_equal(publish(model, USAGE_INPUT, ceiling + 1, true), CHANGE_OK);
    assert_int_equal(publish(model, USAGE_INPUT, 100 * ceiling, true), CHANGE_OK);
    assert_fault(publish(model, USAGE_INPUT, 100 * ceiling + 1, true), "input");
    assert_fault(publish(model, USAGE_INPUT, -1, true), "input");
    /* A request or an image is a thing, not a token: $10 apiece. */
    assert_int_equal(publish(model, USAGE_REQUEST, 1000 * ceiling, false), CHANGE_OK);
    assert_fault(publish(model, USAGE_REQUEST, 1000 * ceiling + 1, false), "override");
    assert_fault(publish(model, USAGE_IMAGE, INT64_C(1000000000000000001), true), "image");
}

static void a_price_names_input_and_output_once_each(void **state)
{
    struct model_id model = add_model("m");
    struct price_figure figures[3];
    struct price_draft d = a_price(model, figures, 1, 2);
    struct price_id id;

    d.n_figures = 1;
    assert_fault(price_publish(db, &the_operator, &d, &id, &fault), "output");
    d.n_figures = 0;
    assert_fault(price_publish(db, &the_operator, &d, &id, &fault), "input");
    d.n_figures = 3;
    figures[2] = figures[0];
    assert_fault(price_publish(db, &the_operator, &d, &id, &fault), "input");
    figures[2].above_input_tokens = 1000;
    assert_int_equal(price_publish(db, &the_operator, &d, &id, &fault), CHANGE_OK);
}

static void a_service_tier_is_sold_whole(void **state)
{
    struct model_id model = add_model("m");
    struct price_figure figures[4];
    struct price_draft d = a_price(model, figures, 1, 2);
    struct price_version *v;
    struct price_id id;
    size_t n;

    figures[2] = (struct price_figure){USAGE_INPUT, 0, 3, 3, SERVICE_PRIORITY};
    d.n_figures = 3;
    assert_fault(price_publish(db, &the_operator, &d, &id, &fault), "priority_output");
    figures[2].unit = USAGE_OUTPUT;
    assert_fault(price_publish(db, &the_operator, &d, &id, &fault), "priority_input");
    figures[3] = (struct price_figure){USAGE_INPUT, 0, 5, 4, SERVICE_PRIORITY};
    d.n_figures = 4;
    assert_int_equal(price_publish(db, &the_operator, &d, &id, &fault), CHANGE_OK);
    v = history(model, &n);
    assert_int_equal(v[0].n_figures, 4);
    assert_int_equal(v[0].figures[2].service, SERVICE_PRIORITY); /* behind the standard ones */
    assert_int_equal(v[0].figures[2].unit, USAGE_INPUT);
    assert_int_equal(v[0].figures[2].charge, 5);
    assert_int_equal(v[0].figures[2].cost, 4);
}

static void a_price_is_for_a_target_of_its_own_model(void **state)
{
    struct model_id model = add_model("m"), other = add_model("other");
    struct target_id target = add_target(other, add_account("openai", "a", "sk-1"), "up");
    struct price_figure figures[2];
    struct price_draft d = a_price(model, figures, 1, 2);
    struct price_id id;

    d.target = target;
    assert_fault(price_publish(db, &the_operator, &d, &id, &fault), "target");
}

static void a_price_of_no_model_is_not_there(void **state)
{
    struct price_figure figures[2];
    struct price_draft d = a_price((struct model_id){999999}, figures, 1, 2);
    struct price_id id;

    assert_int_equal(price_publish(db, &the_operator, &d, &id, &fault), CHANGE_E_NONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, in_transaction, roll_back)
        TEST(a_new_version_ends_the_one_before),
        TEST(the_future_waits),
        TEST(the_past_is_never_priced_anew),
        TEST(a_version_cannot_be_changed),
        TEST(absurd_prices_are_refused),
        TEST(a_price_names_input_and_output_once_each),
        TEST(a_service_tier_is_sold_whole),
        TEST(a_price_is_for_a_target_of_its_own_model),
        TEST(a_price_of_no_model_is_not_there),
        TEST(a_version_cannot_be_added_to), /* commits */
#undef TEST
    };

    return cmocka_run_group_tests(tests, catalog_fixture_start, catalog_fixture_stop);
}
