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

static int publish_figures(struct model_id model, struct price_figure *figures, size_t n)
{
    struct price_draft d = {.model = model, .figures = figures, .n_figures = n, .note = STR("")};
    struct price_id id;

    return price_publish(db, &the_operator, &d, &id, &fault);
}

static struct model_id add_of_kind(const char *name, enum model_kind kind)
{
    struct model_draft d = a_model(name);
    struct model_id id;

    d.kind = kind;
    assert_int_equal(model_add(db, &the_operator, &d, &id, &fault), CHANGE_OK);
    return id;
}

static void a_video_is_sold_by_nothing_but_its_seconds(void **state)
{
    struct model_id model = add_of_kind("director", MODEL_VIDEO);
    struct price_figure figures[] = {{USAGE_INPUT, 0, 2000, 1000}, {USAGE_SECOND, 0, 4000, 3000}};

    struct price_figure sized[] = {{USAGE_SECOND, 0, 4000, 3000},
                                   {USAGE_SECOND, 0, 8000, 6000, .visual_kind = "1024x1792"},
                                   {USAGE_IMAGE, 0, 8000, 6000, .visual_kind = "1024x1792"}};
    struct model_id listener = add_of_kind("listener", MODEL_TRANSCRIPTION);

    assert_fault(publish_figures(model, figures, 1), "second");
    assert_int_equal(publish_figures(model, figures, 2), CHANGE_OK);
    assert_int_equal(publish_figures(model, sized, 2), CHANGE_OK);
    assert_int_equal(publish_figures(model, &sized[1], 1), CHANGE_OK);
    assert_fault(publish_figures(model, sized, 3), "image"); /* one unit has kinds */
    assert_fault(publish_figures(listener, sized, 2), "second");
}

static void a_model_is_sold_by_what_its_kind_is_counted_in(void **state)
{
    static const struct {
        enum model_kind kind;
        enum usage_unit thing, output; /* USAGE_UNITS: none */
    } kinds[] = {
        {MODEL_IMAGE, USAGE_IMAGE, USAGE_IMAGE_OUTPUT},
        {MODEL_SPEECH, USAGE_CHARACTER, USAGE_AUDIO_OUTPUT},
        {MODEL_TRANSCRIPTION, USAGE_SECOND, USAGE_OUTPUT},
        {MODEL_MODERATION, USAGE_REQUEST, USAGE_UNITS},
        {MODEL_RERANK, USAGE_SEARCH, USAGE_UNITS},
    };

    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        struct model_id model = add_of_kind(model_kind_name(kinds[i].kind), kinds[i].kind);
        const char *thing = usage_unit_info(kinds[i].thing)->name;
        struct price_figure by_thing = {kinds[i].thing, 0, 4000, 3000};
        struct price_figure by_tokens[] = {{USAGE_INPUT, 0, 2000, 1000},
                                           {kinds[i].output, 0, 2000, 1000}};

        assert_int_equal(publish_figures(model, &by_thing, 1), CHANGE_OK);
        assert_fault(publish_figures(model, by_tokens, 0), thing);
        if (kinds[i].output == USAGE_UNITS) {
            assert_int_equal(publish_figures(model, by_tokens, 1), CHANGE_OK);
            continue;
        }
        assert_fault(publish_figures(model, by_tokens, 1), "output");
        assert_int_equal(publish_figures(model, by_tokens, 2), CHANGE_OK);
    }
}

static void images_have_prices_by_quality_and_size(void **state)
{
    struct model_id model = add_of_kind("painter", MODEL_IMAGE);
    struct price_figure figures[] = {
        {USAGE_IMAGE, 0, 80000, 70000, SERVICE_STANDARD, "hd/1024x1024"},
        {USAGE_IMAGE, 0, 40000, 30000, SERVICE_STANDARD, ""},
        {USAGE_IMAGE, 0, 60000, 50000, SERVICE_STANDARD, "1792x1024"},
    };
    struct price_version *versions = NULL;
    struct price price;
    size_t n;

    assert_int_equal(publish_figures(model, figures, 3), CHANGE_OK);
    assert_int_equal(price_history(db, arena, model, &versions, &n), CHANGE_OK);
    assert_int_equal(n, 1);
    assert_int_equal(versions[0].n_figures, 3);
    assert_string_equal(versions[0].figures[0].visual_kind, "");
    assert_string_equal(versions[0].figures[1].visual_kind, "1792x1024");
    assert_string_equal(versions[0].figures[2].visual_kind, "hd/1024x1024");
    assert_int_equal(price_read(db, arena, versions[0].id, &price), PRICE_READ_OK);
    assert_int_equal(price_visual_at(&price, "hd/1024x1024")->charge, 80000);
    assert_int_equal(price_visual_at(&price, "1792x1024")->cost, 50000);
    figures[2] = figures[0];
    assert_fault(publish_figures(model, figures, 3), "image");
    figures[2].service = SERVICE_PRIORITY;
    assert_fault(publish_figures(model, figures, 3), "image");
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
        TEST(a_video_is_sold_by_nothing_but_its_seconds),
        TEST(a_model_is_sold_by_what_its_kind_is_counted_in),
        TEST(images_have_prices_by_quality_and_size),
        TEST(a_service_tier_is_sold_whole),
        TEST(a_price_is_for_a_target_of_its_own_model),
        TEST(a_price_of_no_model_is_not_there),
        TEST(a_version_cannot_be_added_to), /* commits */
#undef TEST
    };

    return cmocka_run_group_tests(tests, catalog_fixture_start, catalog_fixture_stop);
}
