/* What is no chat: the hold is a bound of what can be charged, and only what the price names is
 * counted. */
#include "unit.h"

#include "base/bounds.h"
#include "base/random.h"
#include "gateway/things.h"

static struct price price;
static struct catalog_model model;
static struct catalog_target target;

static void sold_by(enum model_kind kind, const char *units)
{
    struct str rest = str_c(units), name;

    price_init(&price, (struct price_id){1});
    while (str_split(&rest, ' ', &name)) {
        struct price_figure f = {.charge = 1000000000, .cost = 1};

        assert_true(price_unit_parse(name, &f.unit, f.visual_kind));
        assert_int_equal(price_set(&price, &f), PRICE_SET_OK);
    }
    price_complete(&price);
    model = (struct catalog_model){.kind = kind, .media_tokens = 1000};
    target = (struct catalog_target){.model = &model, .price = &price};
}

static struct usage used(const struct llm_request *llm, const struct llm_report *told, uint32_t images)
{
    const struct things_seen seen = {.images = images, .output_bytes = 40};
    struct usage u;

    things_count(llm, &target, &seen, &u);
    (void)things_settle(told, &price, &u);
    return u;
}

static const struct llm_report nothing = {.has_usage = false};

static void only_what_the_price_names_is_counted(void **state)
{
    const struct llm_request llm = {.choices = 2, .prompt_bytes = 40, .text_bytes = 40};
    const struct llm_report told = {.has_usage = true,
                                    .usage = {.n = {[USAGE_INPUT] = 7, [USAGE_IMAGE_OUTPUT] = 99}}};
    struct usage u;

    sold_by(MODEL_IMAGE, "image");
    u = used(&llm, &told, 2);
    assert_int_equal(u.n[USAGE_IMAGE], 2);
    assert_int_equal(u.n[USAGE_INPUT] + u.n[USAGE_IMAGE_OUTPUT], 0);
    assert_int_equal(u.n[USAGE_REQUEST], 1);
    sold_by(MODEL_IMAGE, "input image_output");
    u = used(&llm, &told, 2);
    assert_int_equal(u.n[USAGE_IMAGE], 0);
    assert_int_equal(u.n[USAGE_INPUT], 7);
    assert_int_equal(u.n[USAGE_IMAGE_OUTPUT], 99);
    u = used(&llm, &nothing, 2); /* the provider told nothing */
    assert_int_equal(u.n[USAGE_INPUT], 10);
    assert_int_equal(u.n[USAGE_IMAGE_OUTPUT], 2000);
}

static void figures_of_nothing_are_not_believed(void **state)
{
    const struct llm_request llm = {.sound_bytes = 8000, .sound_ms = 2500, .sound_most_ms = 9000, .choices = 1};
    const struct llm_report zeros = {.has_usage = true};
    struct usage u;

    sold_by(MODEL_TRANSCRIPTION, "second");
    u = used(&llm, &zeros, 0);
    assert_int_equal(u.n[USAGE_SECOND], 3);
    sold_by(MODEL_TRANSCRIPTION, "input audio_input output");
    u = used(&llm, &zeros, 0);
    assert_int_equal(u.n[USAGE_AUDIO_INPUT], 30);
    assert_int_equal(u.n[USAGE_OUTPUT], 10);
}

static int64_t seconds_held(const struct llm_request *llm)
{
    struct price_estimate e;

    things_estimate(llm, &target, &e);
    return e.things.n[USAGE_SECOND];
}

static void a_claim_of_sound_is_charged_and_its_most_is_held(void **state)
{
    struct llm_request llm = {.sound_bytes = 750000, .sound_ms = 2500, .sound_most_ms = 9001, .choices = 1};

    sold_by(MODEL_TRANSCRIPTION, "second");
    assert_int_equal(seconds_held(&llm), 10);
    assert_int_equal(used(&llm, &nothing, 0).n[USAGE_SECOND], 3);
    llm.sound_most_ms = -1; /* what its bytes last at 6 kbit/s */
    assert_int_equal(seconds_held(&llm), 1001);
    assert_int_equal(used(&llm, &nothing, 0).n[USAGE_SECOND], 3);
    llm.sound_ms = -1; /* at 32 kbit/s */
    assert_int_equal(used(&llm, &nothing, 0).n[USAGE_SECOND], 188);
    llm.sound_most_ms = 9001;
    assert_int_equal(used(&llm, &nothing, 0).n[USAGE_SECOND], 10);
}

static void basis_tells_whose_figures_they_are(void **state)
{
    const struct llm_request llm = {.characters = 5, .prompt_bytes = 5, .choices = 1};
    struct llm_report told = {.has_usage = true, .usage = {.n = {[USAGE_SECOND] = 4}},
                              .lacks_prompt = true, .lacks_output = true};
    struct usage u;

    sold_by(MODEL_TRANSCRIPTION, "second");
    things_count(&llm, &target, &(struct things_seen){0}, &u);
    assert_true(things_settle(&told, &price, &u));
    assert_int_equal(u.n[USAGE_SECOND], 4);
    sold_by(MODEL_SPEECH, "character");
    things_count(&llm, &target, &(struct things_seen){0}, &u);
    assert_false(things_settle(&told, &price, &u));
    assert_int_equal(u.n[USAGE_CHARACTER], 5);
}

static void images_of_unknown_price_are_not_free(void **state)
{
    struct llm_request llm = {.choices = 1, .visual = {STR("low"), STR("64x64")}};
    struct price_estimate e;
    struct money hold;

    sold_by(MODEL_IMAGE, "image:1024x1024 image:hd/512x512");
    things_estimate(&llm, &target, &e);
    assert_int_equal(price_hold(&price, &e, &hold), PRICE_E_UNNAMED);
    llm.visual = (struct visual_kind){STR_NONE, STR_NONE};
    things_estimate(&llm, &target, &e);
    assert_int_equal(price_hold(&price, &e, &hold), PRICE_OK);
    assert_int_equal(hold.nano, 1000);
}

static void a_video_is_as_long_as_its_job_says(void **state)
{
    const struct llm_request llm = {.choices = 1, .seconds = 8, .prompt_bytes = 40};
    struct llm_report told = {.has_usage = true, .usage = {.n = {[USAGE_SECOND] = 5}},
                              .lacks_prompt = true, .lacks_output = true};
    struct price_estimate e;
    struct money hold;
    struct usage u;

    sold_by(MODEL_VIDEO, "second");
    things_estimate(&llm, &target, &e);
    assert_int_equal(price_hold(&price, &e, &hold), PRICE_OK);
    assert_int_equal(hold.nano, 8000);
    things_count(&llm, &target, &(struct things_seen){0}, &u);
    assert_int_equal(u.n[USAGE_SECOND], 8);
    assert_true(things_settle(&told, &price, &u));
    assert_int_equal(u.n[USAGE_SECOND], 5);
    assert_int_equal(u.n[USAGE_INPUT], 0);
    things_count(&llm, &target, &(struct things_seen){0}, &u);
    assert_false(things_settle(&nothing, &price, &u));
    assert_int_equal(u.n[USAGE_SECOND], 8);
}

/* Requests of any size: what is counted here is never charged more than its hold. */
static void what_is_counted_is_within_its_hold(void **state)
{
    static const struct {
        enum model_kind kind;
        const char *units;
    } models[] = {
        {MODEL_IMAGE, "image"},
        {MODEL_IMAGE, "input image_input output image_output"},
        {MODEL_SPEECH, "character"},
        {MODEL_SPEECH, "input audio_output"},
        {MODEL_TRANSCRIPTION, "second"},
        {MODEL_TRANSCRIPTION, "input audio_input output"},
        {MODEL_MODERATION, "input"},
        {MODEL_RERANK, "search"},
        {MODEL_RERANK, "input"},
        {MODEL_VIDEO, "second"},
    };

    random_drive(7);
    for (int i = 0; i < 20000; i++) {
        size_t which = random_below((uint32_t)ARRAY_LEN(models));
        uint64_t prompt = random_below(30000), seconds = random_below(500);
        struct llm_request llm = {
            .choices = 1 + random_below(10),
            .prompt_bytes = prompt,
            .text_bytes = prompt,
            .characters = prompt,
            .seconds = 1 + seconds,
            .pictures = random_below(4),
            .sound_bytes = seconds * 4000 + random_below(4000),
            .sound_ms = random_below(2) ? -1 : (int64_t)random_below(600000),
            .sound_most_ms = random_below(2) ? -1 : (int64_t)random_below(600000),
            .documents = 1 + random_below(1000),
            .query_bytes = random_below(3000),
            .wants_audio = models[which].kind == MODEL_SPEECH,
        };
        struct price_estimate e;
        struct money hold, charge, cost;
        bool of_bytes = llm.sound_ms < 0 && llm.sound_most_ms < 0; /* else no words are those of this sound */
        struct things_seen seen = {.images = llm.choices, .output_bytes = of_bytes ? seconds * 20 : 0};
        struct usage u;

        sold_by(models[which].kind, models[which].units);
        things_estimate(&llm, &target, &e);
        assert_int_equal(price_hold(&price, &e, &hold), PRICE_OK);
        things_count(&llm, &target, &seen, &u);
        (void)things_settle(&nothing, &price, &u);
        assert_int_equal(price_charge(&price, SERVICE_STANDARD, "", &u, &charge, &cost), PRICE_OK);
        if (charge.nano > hold.nano)
            fail_msg("%s by %s: %lld charged, %lld held", model_kind_name(models[which].kind),
                     models[which].units, (long long)charge.nano, (long long)hold.nano);
    }
    random_drive(0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_what_the_price_names_is_counted),
        cmocka_unit_test(figures_of_nothing_are_not_believed),
        cmocka_unit_test(a_claim_of_sound_is_charged_and_its_most_is_held),
        cmocka_unit_test(basis_tells_whose_figures_they_are),
        cmocka_unit_test(images_of_unknown_price_are_not_free),
        cmocka_unit_test(a_video_is_as_long_as_its_job_says),
        cmocka_unit_test(what_is_counted_is_within_its_hold),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
