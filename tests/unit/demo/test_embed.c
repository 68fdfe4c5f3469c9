/* test_embed.c: the demo upstream's embeddings. */
#include "demo/openai.h"

static struct json_object *embed(const char *fields)
{
    char body[1000];
    struct json_object *tree;
    char *answer;

    (void)snprintf(body, sizeof(body), "{\"model\":\"demo-embedding\",%s}", fields);
    answer = post("/v1/embeddings", "", body);
    assert_has(answer, "200 OK");
    tree = tree_of(body_of(answer));
    free(answer);
    return tree;
}

static struct json_object *vector_of(struct json_object *tree, size_t i)
{
    return json_get(json_at(json_get(tree, "data"), i), "embedding");
}

static double number_of(struct json_object *v)
{
    double number;

    assert_int_equal(sscanf(json_text(v).p, "%lf", &number), 1);
    return number;
}

static double dot(struct json_object *a, struct json_object *b)
{
    double sum = 0;

    for (size_t i = 0; i < json_length(a); i++)
        sum += number_of(json_at(a, i)) * number_of(json_at(b, i));
    return sum;
}

static void embeddings_have_length_one_and_know_shared_words(void **state)
{
    struct json_object *tree = embed("\"input\":[\"the old river\",\"an old river\",\"tax form\"]");

    assert_int_equal(json_length(json_get(tree, "data")), 3);
    assert_int_equal(json_length(vector_of(tree, 0)), 256);
    assert_true(dot(vector_of(tree, 0), vector_of(tree, 0)) > 0.9999);
    assert_true(dot(vector_of(tree, 0), vector_of(tree, 0)) < 1.0001);
    assert_true(dot(vector_of(tree, 0), vector_of(tree, 1)) > 0.4);
    assert_true(dot(vector_of(tree, 0), vector_of(tree, 2)) < 0.4);
    assert_int_equal(usage_of(tree, "prompt_tokens"), 8);
    json_unref(tree);
    tree = embed("\"input\":[5,6,7],\"dimensions\":8");
    assert_int_equal(json_length(json_get(tree, "data")), 1);
    assert_int_equal(json_length(vector_of(tree, 0)), 8);
    assert_int_equal(usage_of(tree, "total_tokens"), 3);
    json_unref(tree);
    tree = embed("\"input\":[[5,6],[7]],\"dimensions\":8");
    assert_int_equal(json_length(json_get(tree, "data")), 2);
    json_unref(tree);
}

static void base64_holds_the_same_floats(void **state)
{
    struct json_object *plain = embed("\"input\":\"river\",\"dimensions\":1");
    struct json_object *coded = embed("\"input\":\"river\",\"dimensions\":1,"
                                      "\"encoding_format\":\"base64\"");
    double value = number_of(json_at(vector_of(plain, 0), 0));

    /* One float of length 1 is 1 or -1: 00 00 80 3f or 00 00 80 bf. */
    assert_str(json_text(vector_of(coded, 0)), value > 0 ? "AACAPw==" : "AACAvw==");
    json_unref(plain);
    json_unref(coded);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(embeddings_have_length_one_and_know_shared_words),
        cmocka_unit_test(base64_holds_the_same_floats),
    };

    return cmocka_run_group_tests(tests, demo_start, demo_stop);
}
