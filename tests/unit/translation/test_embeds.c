/* Embeddings between formats, where golden cases do not reach: numbers and floats, Voyage's fields,
 * answers of very many numbers, and which format goes through which. */
#include "unit.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/base64.h"
#include "base/bounds.h"
#include "translation/format.h"
#include "translation/vector.h"

static struct arena *a;

static int set_up(void **state)
{
    (void)state;
    a = arena_new(MIB(256));
    return a ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    arena_free(a);
    return 0;
}

static uint32_t bits_of(float f)
{
    uint32_t bits;

    memcpy(&bits, &f, sizeof(bits));
    return bits;
}

/* The float that a number becomes on its way to a client that asks for base64. */
static float through(const char *number)
{
    struct embed_vector v;
    struct buf text, bytes;
    float f;

    if (vector_read(a, arena_strf(a, "[ %s ]", number), &v) != VECTOR_OK)
        fail_msg("%s is a number", number);
    assert_int_equal(v.n, 1);
    buf_init(&text, KIB(1));
    buf_init(&bytes, KIB(1));
    vector_put_base64(&v, &text);
    assert_true(base64_read(str_n(buf_str(&text).p + 1, text.n - 2), &bytes));
    assert_int_equal(bytes.n, sizeof(f));
    memcpy(&f, buf_str(&bytes).p, sizeof(f)); /* this machine's order is the one of the format */
    buf_done(&bytes);
    buf_done(&text);
    return f;
}

static void is_nearest(const char *number)
{
    float f = through(number);

    if (bits_of(f) != bits_of(strtof(number, NULL)))
        fail_msg("%s became %a", number, (double)f);
}

static void a_number_becomes_the_nearest_float(void **state)
{
    /* Half-way between two floats, and beside it by less than a double can tell. */
    static const char *const hard[] = {
        "16777217",
        "16777217.0000000001",
        "16777216.9999999999",
        "1.00000005960464477539062500000001",
        "1.000000059604644775390625",
        "1.00000005960464477539062499999999",
        "0.1",
        "-0",
        "0.0",
        "1e-45",
        "7.006492321624085e-46",
        "7.0064923216240853e-46",
        "1.1754943508222875e-38",
        "1.17549428e-38",
        "3.4028234663852886e38",
        "340282346638528859811704183484516925440",
        "123456789012345678901234567890",
        "9007199254740993e-10",
        "1e-400",
        "0e999999999999",
        "0.00000000000000000000000000000000000000000000000000000012345e20",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(hard); i++)
        is_nearest(hard[i]);
}

static void so_do_many(void **state)
{
    uint64_t seed = 42;
    char text[64];

    (void)state;
    for (size_t i = 0; i < 200000; i++) {
        int digits, scale;

        seed = seed * 6364136223846793005u + 1442695040888963407u;
        digits = (int)(seed >> 33) % 17 + 1;
        scale = (int)(seed >> 40) % 60 - 45;
        (void)snprintf(text, sizeof(text), "%s%.*fe%d", seed & 1 ? "-" : "", digits,
                       (double)(seed >> 11) / 9007199254740992.0, scale);
        if (isfinite(strtof(text, NULL)))
            is_nearest(text);
    }
}

static void floats_come_back_as_they_were(void **state)
{
    const float floats[] = {0.1f, -0.0f, 1e-45f, 3.40282347e38f, 16777215.0f, 0.333333343f};
    struct embed_vector v = {.floats = floats, .n = ARRAY_LEN(floats)}, again;
    struct buf text;

    (void)state;
    buf_init(&text, KIB(1));
    vector_put_base64(&v, &text);
    assert_int_equal(vector_read(a, buf_str(&text), &again), VECTOR_OK);
    assert_int_equal(again.n, v.n);
    for (size_t i = 0; i < v.n; i++)
        assert_int_equal(bits_of(again.floats[i]), bits_of(floats[i]));
    buf_reset(&text);
    vector_put_numbers(&again, &text);
    assert_int_equal(buf_finish(&text), 0);
    assert_int_equal(vector_read(a, buf_str(&text), &again), VECTOR_OK);
    assert_int_equal(again.n, v.n);
    assert_true(text.n <= vector_bytes(&v) + 2);
    assert_int_equal(bits_of(through("0.333333343")), bits_of(floats[5]));
    buf_done(&text);
}

static void what_is_no_vector_is_none(void **state)
{
    static const char *const wrong[] = {"[]",        "[1,\"2\"]", "[[1]]", "[1e39]", "[null]", "{}",
                                        "\"\"",      "\"AAA=\"",  "\"x\"", "1",      "null",   "",
                                        "[1,true]", "\"AACAfw==\""};
    struct embed_vector v;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++)
        if (vector_read(a, str_c(wrong[i]), &v) != VECTOR_E_NONE)
            fail_msg("%s is no vector", wrong[i]);
}

static struct embed_request request_of(const struct embed_dialect *d, const char *body)
{
    struct embed_request r = {.n_inputs = 0};
    struct json_fault fault;

    if (d->read_request(a, str_c(body), &r, &fault) != EMBED_OK)
        fail_msg("%s: %s", fault.path, fault.reason);
    return r;
}

/* What cannot be said there is in the losses. */
static struct chat_losses written(const struct embed_dialect *to, const struct embed_target *target,
                                  struct embed_request r, const char *expected)
{
    struct chat_losses losses = {.n = 0};
    struct json_fault fault;
    struct buf out;

    buf_init(&out, KIB(4));
    assert_int_equal(to->write_request(&r, target, &out, &losses, &fault), EMBED_OK);
    assert_str(buf_str(&out), expected);
    buf_done(&out);
    return losses;
}

static void voyage_has_names_of_its_own(void **state)
{
    const struct embed_target voyage = {
        .model = STR("v"), .dimensions_name = "output_dimension", .input_type = true};
    const struct embed_dialect *to = &openai_embeddings_neutral;
    struct chat_losses losses;

    (void)state;
    losses = written(to, &voyage,
                     request_of(&cohere_embed_neutral,
                                "{\"texts\":[\"a\"],\"input_type\":\"search_document\","
                                "\"output_dimension\":256,\"truncate\":\"NONE\"}"),
                     "{\"model\":\"v\",\"input\":[\"a\"],\"output_dimension\":256,"
                     "\"input_type\":\"document\",\"truncation\":false}");
    assert_int_equal(losses.n, 0);
    losses = written(to, &voyage,
                     request_of(&cohere_embed_neutral, "{\"texts\":[\"a\"],\"input_type\":\"clustering\","
                                                       "\"truncate\":\"START\"}"),
                     "{\"model\":\"v\",\"input\":[\"a\"]}");
    assert_int_equal(losses.refusable, 2);
    losses = written(to, &voyage, request_of(to, "{\"input\":\"a\",\"user\":\"u\"}"),
                     "{\"model\":\"v\",\"input\":[\"a\"]}");
    assert_int_equal(losses.n, 1);
    assert_str(losses.path[0], "user");
}

static void a_client_of_openai_need_not_know_voyages_name(void **state)
{
    const struct wire_request_edit voyage = {.model = STR("m"),
                                             .dimensions_name = "output_dimension"},
                                   others = {.model = STR("m")};
    static const struct {
        const char *body, *edited;
    } cases[] = {
        {"{\"model\":\"m\",\"input\":\"a\",\"dimensions\" : 8}",
         "{\"model\":\"m\",\"input\":\"a\",\"output_dimension\" : 8}"},
        {"{\"model\":\"m\",\"input\":\"a\",\"output_dimension\":8}",
         "{\"model\":\"m\",\"input\":\"a\",\"output_dimension\":8}"},
        {"{\"model\":\"m\",\"dimensions\":8,\"input\":\"a\",\"output_dimension\":8}",
         "{\"model\":\"m\",\"dimensions\":8,\"input\":\"a\",\"output_dimension\":8}"},
        {"{\"model\":\"m\",\"input\":\"a\",\"dimensions\":null}",
         "{\"model\":\"m\",\"input\":\"a\",\"dimensions\":null}"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct wire_request r;
        struct json_fault fault;
        struct buf out;

        assert_int_equal(openai_embeddings.read_request(a, str_c(cases[i].body), &r, &fault),
                         DIALECT_OK);
        buf_init(&out, KIB(4));
        openai_embeddings.edit_request(&r, &voyage, &out);
        assert_str(buf_str(&out), cases[i].edited);
        buf_reset(&out);
        openai_embeddings.edit_request(&r, &others, &out);
        assert_str(buf_str(&out), cases[i].body);
        buf_done(&out);
    }
}

/* On Bedrock, version 4 of Cohere's models has other words for where a text is cut. */
static void version_4_is_cut_left_or_right(void **state)
{
    const struct embed_target v4 = {.model = STR("eu.cohere.embed-v4:0")};

    (void)state;
    (void)written(&bedrock_cohere_embed_neutral, &v4,
                  request_of(&cohere_embed_neutral, "{\"texts\":[\"a\"],\"truncate\":\"START\"}"),
                  "{\"texts\":[\"a\"],\"input_type\":\"search_document\",\"truncate\":\"LEFT\"}");
}

/* More values than a tree may have, which an answer for some hundred inputs has. */
static void an_answer_may_have_very_many_numbers(void **state)
{
    enum { INPUTS = 300, NUMBERS = 1000 };
    struct embed_request r = {.inputs = arena_array(a, struct embed_input, INPUTS),
                              .n_inputs = INPUTS};
    struct embed_answer answer;
    struct buf body;

    (void)state;
    buf_init(&body, MIB(8));
    buf_puts(&body, "{\"embeddings\":[");
    for (size_t i = 0; i < INPUTS; i++) {
        buf_puts(&body, i ? ",[0" : "[0");
        for (size_t k = 1; k < NUMBERS; k++)
            buf_puts(&body, ",0.5");
        buf_putc(&body, ']');
    }
    buf_puts(&body, "],\"prompt_eval_count\":12}");
    assert_int_equal(buf_finish(&body), 0);
    _Static_assert(INPUTS * NUMBERS > BOUND_JSON_VALUES, "more than a tree may have");
    assert_int_equal(ollama_embed_neutral.read_answer(a, &r, buf_str(&body), &answer), EMBED_OK);
    assert_int_equal(answer.vectors[INPUTS - 1].n, NUMBERS);
    assert_int_equal(answer.told.usage.n[USAGE_INPUT], 12);
    buf_done(&body);
}

static void formats_are_translated_where_both_can(void **state)
{
    (void)state;
    assert_true(format_can_translate(&format_openai_embeddings, &format_gemini_embed_batch));
    assert_true(format_can_translate(&format_gemini_embed, &format_openai_embeddings));
    assert_true(format_can_translate(&format_cohere_embed, &format_bedrock_titan_embed));
    assert_true(format_can_translate(&format_openai_chat, &format_gemini));
    /* A batch tells its figures, a single one does not. */
    assert_false(format_can_translate(&format_openai_embeddings, &format_gemini_embed));
    assert_false(format_can_translate(&format_openai_embeddings, &format_gemini));
    assert_false(format_can_translate(&format_openai_chat, &format_cohere_embed));
    assert_false(format_can_translate(&format_rerank_v1, &format_cohere_embed));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_number_becomes_the_nearest_float),
        cmocka_unit_test(so_do_many),
        cmocka_unit_test(floats_come_back_as_they_were),
        cmocka_unit_test(what_is_no_vector_is_none),
        cmocka_unit_test(voyage_has_names_of_its_own),
        cmocka_unit_test(a_client_of_openai_need_not_know_voyages_name),
        cmocka_unit_test(version_4_is_cut_left_or_right),
        cmocka_unit_test(an_answer_may_have_very_many_numbers),
        cmocka_unit_test(formats_are_translated_where_both_can),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
