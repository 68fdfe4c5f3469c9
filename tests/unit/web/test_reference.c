/* What the page of the API makes of a document: types in words, fields within fields, who may call, and
 * commands that a shell takes as they stand. */
#include "unit.h"

#include "base/bounds.h"
#include "json/value.h"
#include "web/reference.h"
#include "web/schema.h"

static const char document_text[] =
    "{\"tags\":[{\"name\":\"things\",\"x-displayName\":\"Things\",\"description\":\"All of them\"},"
    "{\"name\":\"rest\",\"x-displayName\":\"The rest\",\"description\":\"\"}],"
    "\"paths\":{\"/api/v1/things/{id}/turn\":{\"parameters\":[{\"name\":\"id\",\"in\":\"path\","
    "\"required\":true,\"schema\":{\"type\":\"integer\"},\"example\":7}],"
    "\"patch\":{\"summary\":\"Turns it\",\"tags\":[\"things\"],\"security\":[{\"manage\":[\"admin\"]}],"
    "\"parameters\":[{\"name\":\"team\",\"in\":\"query\",\"required\":true,"
    "\"schema\":{\"type\":\"integer\"},\"example\":3},"
    "{\"name\":\"fast\",\"in\":\"query\",\"schema\":{\"type\":\"boolean\"}}],"
    "\"requestBody\":{\"required\":false,\"content\":{\"application/json\":{"
    "\"schema\":{\"$ref\":\"#/components/schemas/Turn\"},\"example\":{\"why\":\"it's $HOME\",\"list\":[1,null]}}}},"
    "\"responses\":{\"200\":{\"description\":\"Done\",\"content\":{\"application/json\":{\"schema\":"
    "{\"$ref\":\"#/components/schemas/ThingWhole\"}}}},"
    "\"404\":{\"$ref\":\"#/components/responses/Gone\"},"
    "\"default\":{\"description\":\"Wrong\",\"content\":{\"application/json\":{\"schema\":"
    "{\"$ref\":\"#/components/schemas/Error\"}}}}}},"
    "\"get\":{\"summary\":\"Reads it\",\"tags\":[\"rest\"],\"security\":[],"
    "\"responses\":{\"200\":{\"description\":\"Done\",\"content\":{\"application/pdf\":{\"schema\":"
    "{\"type\":\"string\",\"format\":\"binary\"}}}}}},"
    "\"post\":{\"summary\":\"Sets it up\",\"tags\":[\"rest\"],\"security\":[{\"manage\":[\"installation\"]}],"
    "\"responses\":{}}}},"
    "\"components\":{\"responses\":{\"Gone\":{\"description\":\"It is not there\"}},\"securitySchemes\":{\"manage\":{\"description\":\"Some key\"}},\"schemas\":{"
    "\"Turn\":{\"type\":\"object\",\"required\":[\"why\"],\"properties\":{\"why\":{\"type\":\"string\"}}},"
    "\"Thing\":{\"type\":\"object\",\"properties\":{\"object\":{\"const\":\"thing\",\"type\":\"string\"},"
    "\"parts\":{\"type\":\"integer\"}}},"
    "\"ThingWhole\":{\"type\":\"object\",\"properties\":{\"object\":{\"const\":\"thing\",\"type\":\"string\"},"
    "\"parts\":{\"type\":\"array\",\"items\":{\"type\":\"object\",\"required\":[\"name\"],"
    "\"properties\":{\"name\":{\"type\":\"string\",\"minLength\":1,\"maxLength\":80}}}},"
    "\"kin\":{\"type\":[\"array\",\"null\"],\"items\":{\"$ref\":\"#/components/schemas/Thing\"}}}},"
    "\"Error\":{\"type\":\"object\",\"properties\":{\"message\":{\"type\":\"string\"}}}}}}";

struct known {
    struct arena *arena;
    struct json_object *document, *view;
};

static int setup(void **state)
{
    static struct known k;
    struct json_fault fault;

    k.arena = arena_new(MIB(1));
    assert_non_null(k.arena);
    assert_int_equal(json_parse(str_c(document_text), &k.document, &fault), JSON_OK);
    k.view = json_new_object();
    reference_view(k.arena, k.document, STR("https://gate.example"), k.view);
    *state = &k;
    return 0;
}

static int teardown(void **state)
{
    struct known *k = *state;

    json_unref(k->view);
    json_unref(k->document);
    arena_free(k->arena);
    return 0;
}

static const struct json_object *operation(const struct known *k, size_t family, size_t i)
{
    return json_at(json_get(json_at(json_get(k->view, "families"), family), "operations"), i);
}

#define assert_text(o, key, text) assert_string_equal(json_text(json_get(o, key)).p, text)

static void operations_stand_in_the_family_of_their_tag(void **state)
{
    const struct known *k = *state;
    const struct json_object *turn = operation(k, 0, 0);

    assert_int_equal(json_length(json_get(k->view, "families")), 2);
    assert_text(json_at(json_get(k->view, "families"), 0), "name", "Things");
    assert_text(turn, "method", "PATCH");
    assert_text(turn, "path", "/api/v1/things/{id}/turn");
    assert_text(turn, "anchor", "patch-things-id-turn");
    assert_null(operation(k, 0, 1));
    assert_text(operation(k, 1, 0), "summary", "Reads it");
    assert_text(operation(k, 1, 1), "summary", "Sets it up");
}

static void errors_that_operations_share_are_told_by_each(void **state)
{
    const struct known *k = *state;
    const struct json_object *answers = json_get(operation(k, 0, 0), "answers");

    assert_int_equal(json_length(answers), 3);
    assert_true(json_true(json_get(json_at(answers, 0), "good")));
    assert_text(json_at(answers, 1), "status", "404");
    assert_text(json_at(answers, 1), "description", "It is not there");
    assert_true(json_true(json_get(json_at(answers, 1), "wrong")));
    assert_true(json_true(json_get(json_at(answers, 2), "other")));
    assert_false(json_true(json_get(json_at(answers, 2), "wrong")));
}

static void who_may_call_is_said_in_words(void **state)
{
    const struct known *k = *state;

    assert_text(operation(k, 0, 0), "who",
                "A management key of the team that may act as admin, or one of the installation");
    assert_text(operation(k, 1, 0), "who", "Anybody; no key is asked for");
    assert_text(operation(k, 1, 1), "who", "A management key of the installation");
}

static void parameters_of_the_path_and_the_operation_stand_together(void **state)
{
    const struct known *k = *state;
    const struct json_object *fields = json_get(json_get(operation(k, 0, 0), "params"), "fields");

    assert_int_equal(json_length(fields), 3);
    assert_text(json_at(fields, 0), "name", "id");
    assert_true(json_true(json_get(json_at(fields, 1), "required")));
    assert_false(json_true(json_get(json_at(fields, 2), "required")));
    assert_null(json_get(operation(k, 1, 1), "body"));
    assert_text(json_at(json_get(json_get(operation(k, 0, 0), "body"), "fields"), 0), "name", "why");
}

static void commands_hold_what_has_to_be_there_and_nothing_a_shell_would_read(void **state)
{
    const struct known *k = *state;

    assert_text(operation(k, 0, 0), "curl",
                "curl -sS -X PATCH \"https://gate.example/api/v1/things/7/turn?team=3\" \\\n"
                "  -H \"Authorization: Bearer $TOLLGATE_KEY\" \\\n"
                "  -H \"Content-Type: application/json\" \\\n"
                "  -d '{\n    \"why\": \"it'\\''s $HOME\",\n    \"list\": [1,null]\n  }'");
    assert_text(operation(k, 1, 0), "curl",
                "curl -sS \"https://gate.example/api/v1/things/7/turn\" \\\n  -o answer.pdf");
    assert_text(operation(k, 1, 1), "curl",
                "curl -sS -X POST \"https://gate.example/api/v1/things/7/turn\" \\\n"
                "  -H \"Authorization: Bearer $TOLLGATE_KEY\"");
}

static void objects_are_what_answers_are_made_of(void **state)
{
    const struct known *k = *state;
    const struct json_object *objects = json_get(k->view, "objects"), *whole = json_at(objects, 1);
    const struct json_object *fields = json_get(whole, "fields");

    assert_int_equal(json_length(objects), 3); /* not Turn, which is only sent */
    assert_text(json_at(objects, 0), "name", "Thing");
    assert_int_equal(json_text(json_get(json_at(objects, 0), "base")).n, 0);
    assert_text(whole, "name", "ThingWhole");
    assert_text(whole, "base", "Thing");
    assert_text(whole, "base_link", "#object-Thing");
    assert_int_equal(json_length(fields), 3); /* `object` is Thing's; `parts` is another here */
    assert_text(json_at(fields, 0), "name", "parts");
    assert_text(json_at(fields, 1), "name", "parts[].name");
    assert_text(json_at(fields, 1), "bounds", "1 to 80 characters");
    assert_true(json_true(json_get(json_at(fields, 1), "required")));
    assert_text(json_at(fields, 2), "name", "kin");
    assert_text(json_get(json_at(fields, 2), "type"), "words", "list of ");
    assert_text(json_get(json_at(fields, 2), "type"), "object", "Thing");
    assert_true(json_true(json_get(json_get(json_at(fields, 2), "type"), "or_null")));
}

static void types_are_words(void **state)
{
    static const struct {
        const char *schema, *words;
    } cases[] = {
        {"{\"type\":\"string\"}", "string"},
        {"{\"type\":[\"string\",\"number\",\"null\"]}", "string or number"},
        {"{\"type\":\"string\",\"format\":\"date-time\"}", "time"},
        {"{\"type\":\"string\",\"format\":\"date\"}", "day"},
        {"{\"type\":\"string\",\"pattern\":\"^-?[0-9]+(\\\\.[0-9]{1,9})?$\"}", "decimal string"},
        {"{\"type\":\"array\",\"items\":{\"type\":\"string\"}}", "list of strings"},
        {"{\"type\":\"object\",\"additionalProperties\":{\"type\":\"string\"}}", "object of strings"},
        {"{\"$ref\":\"#/components/schemas/Thing\"}", ""},
    };
    const struct known *k = *state;

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        _cleanup_json_ struct json_object *schema = NULL, *o = json_new_object();
        struct json_fault fault;

        assert_int_equal(json_parse(str_c(cases[i].schema), &schema, &fault), JSON_OK);
        schema_type(k->arena, schema, o);
        assert_text(json_get(o, "type"), "words", cases[i].words);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(operations_stand_in_the_family_of_their_tag),
        cmocka_unit_test(errors_that_operations_share_are_told_by_each),
        cmocka_unit_test(who_may_call_is_said_in_words),
        cmocka_unit_test(parameters_of_the_path_and_the_operation_stand_together),
        cmocka_unit_test(commands_hold_what_has_to_be_there_and_nothing_a_shell_would_read),
        cmocka_unit_test(objects_are_what_answers_are_made_of),
        cmocka_unit_test(types_are_words),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
