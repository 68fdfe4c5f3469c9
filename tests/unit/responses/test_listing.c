/* Response objects and the lists of a conversation's items, as clients get them. */
#include "unit.h"

#include "base/bounds.h"
#include "responses/listing.h"
#include "responses/object.h"

static struct arena *a;
static const struct call_id call = {.b = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}};
#define OWN "0102030405060708090a0b0c0d0e0f10"

static int setup(void **state)
{
    a = arena_new(MIB(8));
    return a ? 0 : -1;
}

static int teardown(void **state)
{
    arena_free(a);
    return 0;
}

/* --- objects --- */

static void marked(const char *doc, bool is_event, struct object_marks marks, const char *wanted)
{
    struct buf out;

    buf_init(&out, KIB(8));
    assert_int_equal(object_mark(str_c(doc), is_event, &marks, &out), wanted != NULL);
    assert_str(buf_str(&out), wanted ? wanted : "");
    buf_done(&out);
}

static void what_the_provider_was_not_told_is_put_in(void **state)
{
    const struct object_marks both = {.previous_id = STR("resp_\"0"), .kept = true}, none = {.kept = false};

    marked("{\"id\":\"r\",\"store\":false,\"previous_response_id\":null}", false, both,
           "{\"id\":\"r\",\"store\":true,\"previous_response_id\":\"resp_\\\"0\"}");
    marked("{ \"id\":\"r\"}", false, both,
           "{\"previous_response_id\":\"resp_\\\"0\",\"store\":true, \"id\":\"r\"}");
    marked("{\"id\":\"r\",\"store\":true}", false, none,
           "{\"previous_response_id\":null,\"id\":\"r\",\"store\":false}");
    marked("{\"type\":\"response.created\",\"response\":{\"id\":\"r\",\"store\":false}}", true, both,
           "{\"type\":\"response.created\",\"response\":{\"previous_response_id\":\"resp_\\\"0\","
           "\"id\":\"r\",\"store\":true}}");
    marked("{\"type\":\"response.output_text.delta\",\"delta\":\"x\"}", true, both, NULL);
    marked("{\"response\":", true, both, NULL);
    marked("{}", false, both, NULL);
}

static void ids_are_plain_words(void **state)
{
    char longest[BOUND_STORED_ID_BYTES + 2];

    memset(longest, 'x', sizeof(longest));
    assert_str(object_id(a, STR("{\"id\":\"resp_1\"}")), "resp_1");
    assert_null(object_id(a, STR("{\"id\":\"\"}")).p);
    assert_null(object_id(a, STR("{\"id\":\"a b\"}")).p);
    assert_null(object_id(a, STR("{\"id\":\"a\\u0000b\"}")).p);
    assert_null(object_id(a, STR("{\"id\":7}")).p);
    assert_null(object_id(a, STR("{}")).p);
    assert_true(object_is_id(str_n(longest, BOUND_STORED_ID_BYTES)));
    assert_false(object_is_id(str_n(longest, BOUND_STORED_ID_BYTES + 1)));
}

static void the_last_event_carries_the_answer(void **state)
{
    assert_str(object_of_event(
                   STR("{\"type\":\"response.completed\",\"response\":{\"id\":\"r\"}}")),
               "{\"id\":\"r\"}");
    assert_str(object_of_event(
                   STR("{\"response\":{\"id\":\"r\"},\"type\":\"response.incomplete\"}")),
               "{\"id\":\"r\"}");
    assert_null(object_of_event(STR("{\"type\":\"response.failed\",\"response\":{}}")).p);
    assert_null(object_of_event(STR("{\"type\":\"response.created\",\"response\":{}}")).p);
    assert_null(object_of_event(STR("[DONE]")).p);
}

/* --- lists --- */

static const char items[] = "[{\"role\":\"user\",\"content\":\"Hi\"},"
                            "{\"type\":\"message\",\"id\":\"msg_9\",\"role\":\"assistant\","
                            "\"status\":\"completed\",\"content\":[]},"
                            "{\"type\":\"function_call_output\",\"call_id\":\"c\",\"output\":\"7\"}]";

static void lists(struct listing_want want, const char *wanted)
{
    struct buf out;

    buf_init(&out, KIB(8));
    assert_int_equal(listing_put(a, str_c(items), call, &want, &out), LISTING_OK);
    assert_str(buf_str(&out), wanted);
    buf_done(&out);
}

#define FIRST                                                                                      \
    "{\"role\":\"user\",\"content\":[{\"type\":\"input_text\",\"text\":\"Hi\"}],"                  \
    "\"id\":\"msg_" OWN "_0\",\"type\":\"message\",\"status\":\"completed\"}"
#define SECOND                                                                                     \
    "{\"type\":\"message\",\"id\":\"msg_9\",\"role\":\"assistant\",\"status\":\"completed\","      \
    "\"content\":[]}"
#define THIRD                                                                                      \
    "{\"type\":\"function_call_output\",\"call_id\":\"c\",\"output\":\"7\","                       \
    "\"id\":\"fco_" OWN "_2\",\"status\":\"completed\"}"

static void items_have_ids_and_an_order(void **state)
{
    lists((struct listing_want){.limit = 20},
          "{\"object\":\"list\",\"data\":[" THIRD "," SECOND "," FIRST "],\"first_id\":\"fco_" OWN
          "_2\",\"last_id\":\"msg_" OWN "_0\",\"has_more\":false}");
    lists((struct listing_want){.limit = 1, .oldest_first = true},
          "{\"object\":\"list\",\"data\":[" FIRST "],\"first_id\":\"msg_" OWN
          "_0\",\"last_id\":\"msg_" OWN "_0\",\"has_more\":true}");
    lists((struct listing_want){.limit = 1, .oldest_first = true, .after = STR("msg_" OWN "_0")},
          "{\"object\":\"list\",\"data\":[" SECOND
          "],\"first_id\":\"msg_9\",\"last_id\":\"msg_9\",\"has_more\":true}");
    lists((struct listing_want){.limit = 5, .after = STR("msg_" OWN "_0")},
          "{\"object\":\"list\",\"data\":[],\"first_id\":\"\",\"last_id\":\"\",\"has_more\":false}");
}

static void an_unknown_item_is_refused(void **state)
{
    const struct listing_want want = {.limit = 20, .after = STR("msg_8")};
    struct buf out;

    buf_init(&out, KIB(8));
    assert_int_equal(listing_put(a, str_c(items), call, &want, &out), LISTING_E_AFTER);
    assert_int_equal(out.n, 0);
    assert_int_equal(listing_put(a, STR("[]"), call, &want, &out), LISTING_E_AFTER);
    buf_done(&out);
}

/* A key that stands twice where nothing is read is no reason to refuse the call, nor its list. */
static void odd_items_are_listed_as_they_came(void **state)
{
#define TWICE "{\"type\":\"function_call_output\",\"call_id\":\"c\",\"output\":[{\"a\":1,\"a\":2}]}"
    const struct listing_want want = {.limit = 20, .oldest_first = true};
    struct buf out;

    buf_init(&out, KIB(8));
    assert_int_equal(listing_put(a, STR("[" TWICE ",7]"), call, &want, &out), LISTING_OK);
    assert_str(buf_str(&out), "{\"object\":\"list\",\"data\":[" TWICE ",7],\"first_id\":\"fco_" OWN "_0\","
                              "\"last_id\":\"msg_" OWN "_1\",\"has_more\":false}");
    buf_done(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_the_provider_was_not_told_is_put_in),
        cmocka_unit_test(ids_are_plain_words),
        cmocka_unit_test(the_last_event_carries_the_answer),
        cmocka_unit_test(items_have_ids_and_an_order),
        cmocka_unit_test(an_unknown_item_is_refused),
        cmocka_unit_test(odd_items_are_listed_as_they_came),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
