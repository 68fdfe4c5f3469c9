/* test_upstream.c: the demo upstream over real sockets, as an OpenAI client would use it. */
#include "demo/openai.h"

#include "demo/token.h"

static struct json_object *chat(const char *fields)
{
    char body[4000];
    struct json_object *tree;
    char *answer;

    (void)snprintf(body, sizeof(body),
                   "{%s,\"messages\":[{\"role\":\"system\",\"content\":\"Be kind.\"},"
                   "{\"role\":\"user\",\"content\":\"Use get_weather: rain in Bergen?\"}]}",
                   fields);
    answer = post("/v1/chat/completions", "", body);
    assert_has(answer, "HTTP/1.1 200 OK");
    tree = tree_of(body_of(answer));
    free(answer);
    return tree;
}

static struct json_object *choice_of(struct json_object *tree, size_t i)
{
    return json_at(json_get(tree, "choices"), i);
}

static struct str content_of(struct json_object *tree, size_t i)
{
    return json_text(json_get(json_get(choice_of(tree, i), "message"), "content"));
}

static void usage_is_what_was_emitted(void **state)
{
    static const char *const models[] = {"\"model\":\"demo-small\"", "\"model\":\"demo-large\"",
                                         "\"model\":\"demo-small\",\"n\":3"};

    for (size_t m = 0; m < ARRAY_LEN(models); m++) {
        struct json_object *tree = chat(models[m]);
        size_t tokens = 0;

        for (size_t i = 0; i < json_length(json_get(tree, "choices")); i++)
            tokens += token_count(content_of(tree, i));
        assert_true(tokens > 20);
        assert_int_equal(usage_of(tree, "completion_tokens"), tokens);
        /* "Be kind." and the question, four more for each */
        assert_int_equal(usage_of(tree, "prompt_tokens"), 3 + 10 + 8);
        assert_int_equal(usage_of(tree, "total_tokens"), tokens + 21);
        json_unref(tree);
    }
}

static void a_seed_repeats_the_answer(void **state)
{
    struct json_object *a = chat("\"model\":\"demo-small\",\"seed\":4");
    struct json_object *b = chat("\"model\":\"demo-small\",\"seed\":4");
    struct json_object *c = chat("\"model\":\"demo-small\",\"seed\":5");

    assert_true(str_eq(content_of(a, 0), content_of(b, 0)));
    assert_false(str_eq(content_of(a, 0), content_of(c, 0)));
    json_unref(a);
    json_unref(b);
    json_unref(c);
}

static void limits_and_stops_are_honoured(void **state)
{
    struct json_object *tree = chat("\"model\":\"demo-large\",\"max_tokens\":7");
    struct json_object *whole, *cut;

    assert_int_equal(token_count(content_of(tree, 0)), 7);
    assert_int_equal(usage_of(tree, "completion_tokens"), 7);
    assert_str(json_text(json_get(choice_of(tree, 0), "finish_reason")), "length");
    json_unref(tree);
    tree = chat("\"model\":\"demo-large\",\"max_tokens\":7,\"max_completion_tokens\":3");
    assert_int_equal(usage_of(tree, "completion_tokens"), 3);
    json_unref(tree);
    whole = chat("\"model\":\"demo-large\",\"seed\":1");
    cut = chat("\"model\":\"demo-large\",\"seed\":1,\"stop\":[\"zzz\",\".\"]");
    assert_int_equal(content_of(cut, 0).n, str_find(content_of(whole, 0), '.'));
    assert_str(json_text(json_get(choice_of(cut, 0), "finish_reason")), "stop");
    json_unref(whole);
    json_unref(cut);
}

#define TOOLS                                                                                  \
    "\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"get_time\"}},{\"type\":"       \
    "\"function\",\"function\":{\"name\":\"get_weather\",\"parameters\":{\"type\":\"object\"," \
    "\"properties\":{\"city\":{\"type\":\"string\"},\"days\":{\"type\":\"integer\"}}}}}]"

static struct str called(struct json_object *tree)
{
    struct json_object *message = json_get(choice_of(tree, 0), "message");
    struct json_object *call = json_at(json_get(message, "tool_calls"), 0);

    return json_text(json_get(json_get(call, "function"), "name"));
}

static void tools_are_called_when_named_or_demanded(void **state)
{
    struct json_object *tree = chat("\"model\":\"demo-small\"," TOOLS);
    struct json_object *call, *arguments;

    assert_str(called(tree), "get_weather");
    assert_str(json_text(json_get(choice_of(tree, 0), "finish_reason")), "tool_calls");
    call = json_at(json_get(json_get(choice_of(tree, 0), "message"), "tool_calls"), 0);
    arguments = tree_of(json_text(json_get(json_get(call, "function"), "arguments")));
    assert_int_equal(json_kind(json_get(arguments, "city")), JSON_STRING);
    assert_int_equal(json_kind(json_get(arguments, "days")), JSON_INT);
    assert_int_equal(usage_of(tree, "completion_tokens"),
                     token_count(STR("get_weather")) +
                         token_count(json_text(json_get(json_get(call, "function"), "arguments"))));
    json_unref(arguments);
    json_unref(tree);
    tree = chat("\"model\":\"demo-small\",\"tool_choice\":\"none\"," TOOLS);
    assert_int_equal(called(tree).n, 0);
    json_unref(tree);
    tree = chat("\"model\":\"demo-small\",\"tool_choice\":{\"type\":\"function\",\"function\":"
                "{\"name\":\"get_time\"}}," TOOLS);
    assert_str(called(tree), "get_time");
    json_unref(tree);
}

static void structured_output_fits_its_schema(void **state)
{
    struct json_object *tree =
        chat("\"model\":\"demo-small\",\"response_format\":{\"type\":\"json_schema\","
             "\"json_schema\":{\"name\":\"w\",\"strict\":true,\"schema\":{\"type\":\"object\","
             "\"properties\":{\"sky\":{\"enum\":[\"grey\"]},\"mm\":{\"type\":\"integer\"}}}}}");
    struct json_object *value = tree_of(content_of(tree, 0));

    assert_str(json_text(json_get(value, "sky")), "grey");
    assert_int_equal(json_kind(json_get(value, "mm")), JSON_INT);
    json_unref(value);
    json_unref(tree);
    tree = chat("\"model\":\"demo-small\",\"response_format\":{\"type\":\"json_object\"}");
    value = tree_of(content_of(tree, 0));
    assert_int_equal(json_kind(value), JSON_OBJECT);
    json_unref(value);
    json_unref(tree);
}

static void likelihoods_come_one_for_each_token(void **state)
{
    struct json_object *tree =
        chat("\"model\":\"demo-small\",\"logprobs\":true,\"top_logprobs\":2,\"max_tokens\":5");
    struct json_object *content = json_get(json_get(choice_of(tree, 0), "logprobs"), "content");

    assert_int_equal(json_length(content), 5);
    assert_int_equal(json_length(json_get(json_at(content, 0), "top_logprobs")), 2);
    assert_int_equal(json_kind(json_get(json_at(content, 0), "logprob")), JSON_NUMBER);
    json_unref(tree);
}

/* Takes the chunks of the body apart and hands each event's data on; returns how many. */
static size_t each_event(const char *answer, void (*fn)(struct str data, void *ctx), void *ctx)
{
    struct str rest = body_of(answer), size;
    struct buf all;
    size_t n = 0;

    buf_init(&all, 1 << 20);
    while (str_split(&rest, '\n', &size)) { /* chunk by chunk */
        unsigned long bytes = strtoul(size.p, NULL, 16);

        if (!bytes)
            break;
        assert_true(bytes + 2 <= rest.n);
        buf_put(&all, rest.p, bytes);
        rest = str_n(rest.p + bytes + 2, rest.n - bytes - 2);
    }
    rest = buf_str(&all);
    while (rest.p && rest.n) {
        const char *end = memmem(rest.p, rest.n, "\n\n", 2);

        assert_non_null(end);
        assert_true(str_starts(rest, STR("data: ")));
        fn(str_n(rest.p + 6, (size_t)(end - rest.p) - 6), ctx);
        rest = str_n(end + 2, rest.n - (size_t)(end - rest.p) - 2);
        n++;
    }
    buf_done(&all);
    return n;
}

struct streamed {
    struct buf text[3];
    size_t deltas;
    int64_t completion_tokens;
    bool done;
    size_t broken;
};

static void take_event(struct str data, void *ctx)
{
    struct streamed *s = ctx;
    struct json_object *tree, *choice;
    struct json_fault fault;
    struct str content;

    if (str_eq_c(data, "[DONE]")) {
        s->done = true;
        return;
    }
    assert_false(s->done);
    if (json_check(data, &fault) != JSON_OK) {
        s->broken++;
        return;
    }
    tree = tree_of(data);
    choice = choice_of(tree, 0);
    content = json_text(json_get(json_get(choice, "delta"), "content"));
    if (content.n) {
        buf_put_str(&s->text[json_i64(json_get(choice, "index"))], content);
        assert_int_equal(token_count(content), 1);
        s->deltas++;
    }
    if (usage_of(tree, "completion_tokens"))
        s->completion_tokens = usage_of(tree, "completion_tokens");
    json_unref(tree);
}

static struct streamed stream(const char *fields)
{
    struct streamed s = {0};
    char body[500];
    char *answer;

    for (size_t i = 0; i < ARRAY_LEN(s.text); i++)
        buf_init(&s.text[i], 100000);
    (void)snprintf(body, sizeof(body),
                   "{%s,\"stream\":true,\"messages\":[{\"role\":\"user\",\"content\":"
                   "[{\"type\":\"text\",\"text\":\"Tell me about rivers\"}]}]}",
                   fields);
    answer = post("/v1/chat/completions", "", body);
    assert_has(answer, "content-type: text/event-stream");
    (void)each_event(answer, take_event, &s);
    free(answer);
    return s;
}

static void streamed_done(struct streamed *s)
{
    for (size_t i = 0; i < ARRAY_LEN(s->text); i++)
        buf_done(&s->text[i]);
}

static void a_stream_says_what_the_plain_answer_says(void **state)
{
    struct streamed s = stream("\"model\":\"demo-small\",\"seed\":9,\"n\":2,"
                               "\"stream_options\":{\"include_usage\":true}");
    char *answer = post("/v1/chat/completions", "",
                        "{\"model\":\"demo-small\",\"seed\":9,\"n\":2,\"messages\":[{\"role\":"
                        "\"user\",\"content\":\"Tell me about rivers\"}]}");
    struct json_object *tree = tree_of(body_of(answer));

    assert_true(s.done);
    for (size_t i = 0; i < 2; i++)
        assert_true(str_eq(buf_str(&s.text[i]), content_of(tree, i)));
    assert_int_equal(s.deltas, usage_of(tree, "completion_tokens"));
    assert_int_equal(s.completion_tokens, usage_of(tree, "completion_tokens"));
    json_unref(tree);
    free(answer);
    streamed_done(&s);
}

static void usage_is_streamed_only_when_asked_for(void **state)
{
    struct streamed s = stream("\"model\":\"demo-small\"");

    assert_true(s.done);
    assert_int_equal(s.completion_tokens, 0);
    streamed_done(&s);
    s = stream("\"model\":\"demo-small+nousage\",\"stream_options\":{\"include_usage\":true}");
    assert_true(s.done);
    assert_int_equal(s.completion_tokens, 0);
    streamed_done(&s);
}

static void the_large_model_takes_its_time(void **state)
{
    int64_t began_ms = test_now_ms();
    struct streamed s = stream("\"model\":\"demo-large\",\"max_tokens\":10");

    assert_true(test_now_ms() - began_ms >= 200);
    assert_int_equal(s.deltas, 10);
    streamed_done(&s);
    test_clock_stop(); /* the small one takes none */
    s = stream("\"model\":\"demo-small\",\"max_tokens\":10");
    assert_int_equal(s.deltas, 10);
    streamed_done(&s);
    test_clock_go_on();
}

#define HELLO "\"messages\":[{\"role\":\"user\",\"content\":\"hello\"}]}"

static void failures_come_as_ordered(void **state)
{
    char *answer = post("/v1/chat/completions", "", "{\"model\":\"demo-small+429\"," HELLO);
    int64_t began_ms;
    struct streamed s;

    assert_has(answer, "HTTP/1.1 429 ");
    assert_has(answer, "retry-after: 1\r\n");
    assert_has(answer, "\"code\":\"rate_limit_exceeded\"");
    free(answer);
    answer = post("/v1/chat/completions", "X-Demo: 500\r\n", "{\"model\":\"demo-small\"," HELLO);
    assert_has(answer, "HTTP/1.1 500 ");
    assert_has(answer, "\"type\":\"server_error\"");
    free(answer);
    began_ms = test_now_ms();
    answer = post("/v1/chat/completions", "",
                  "{\"model\":\"demo-small\",\"metadata\":{\"demo\":\"delay=200,503\"}," HELLO);
    assert_has(answer, "HTTP/1.1 503 ");
    assert_true(test_now_ms() - began_ms >= 195);
    free(answer);
    answer =
        post("/v1/chat/completions", "", "{\"model\":\"demo-small+die\",\"stream\":true," HELLO);
    assert_has(answer, "\"delta\":{\"content\":");
    assert_has_not(answer, "[DONE]");
    assert_has_not(answer, "\r\n0\r\n\r\n");
    free(answer);
    answer = post("/v1/chat/completions", "", "{\"model\":\"demo-small+die\"," HELLO);
    assert_has(answer, "200 OK");
    assert_has_not(answer, "\r\n0\r\n\r\n");
    free(answer);
    answer = post("/v1/chat/completions", "", "{\"model\":\"demo-small+badjson\"," HELLO);
    assert_has(answer, "200 OK");
    assert_has_not(answer, "usage");
    free(answer);
    s = stream("\"model\":\"demo-small+badjson\"");
    assert_int_equal(s.broken, 1);
    assert_true(s.done);
    streamed_done(&s);
}

static void a_timeout_says_nothing_until_the_client_leaves(void **state)
{
    int fd = dial(&server, 0);
    bool closed;
    char *text;

    assert_true(say(fd,
                    "POST /v1/chat/completions HTTP/1.1\r\nHost: h\r\nContent-Length: 81\r\n\r\n"
                    "{\"model\":\"demo-small+timeout\",\"messages\":[{\"role\":\"user\","
                    "\"content\":\"hello\"}]}   "));
    wait_until(listener_active(server.listener) == 1);
    text = hear_for(fd, NULL, 300, &closed);
    assert_string_equal(text, "");
    assert_false(closed);
    assert_int_equal(listener_active(server.listener), 1);
    free(text);
    close(fd);
    wait_until(listener_active(server.listener) == 0);
}

struct bad {
    const char *body, *status, *part;
};

static void bad_requests_are_told_what_is_wrong(void **state)
{
    static const struct bad cases[] = {
        {"{\"model\":", "400", "\"code\":\"invalid_json\""},
        {"[]", "400", "\"code\":\"invalid_json\""},
        {"{}", "400", "\"param\":\"model\""},
        {"{\"model\":\"gpt-4\"," HELLO, "404", "\"code\":\"model_not_found\""},
        {"{\"model\":\"demo-embedding\"," HELLO, "404", "\"code\":\"model_not_found\""},
        {"{\"model\":\"demo-small+nonsense\"," HELLO, "404", "model_not_found"},
        {"{\"model\":\"demo-small\"}", "400", "\"param\":\"messages\""},
        {"{\"model\":\"demo-small\",\"messages\":[]}", "400", "\"param\":\"messages\""},
        {"{\"model\":\"demo-small\",\"messages\":[7]}", "400", "\"param\":\"messages\""},
        {"{\"model\":\"demo-small\",\"n\":9," HELLO, "400", "\"param\":\"n\""},
        {"{\"model\":\"demo-small\",\"max_tokens\":\"x\"," HELLO, "400",
         "\"param\":\"max_tokens\""},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char *answer = post("/v1/chat/completions", "", cases[i].body);

        assert_true(strncmp(answer + strlen("HTTP/1.1 "), cases[i].status, 3) == 0);
        assert_has(answer, cases[i].part);
        json_unref(tree_of(body_of(answer)));
        free(answer);
    }
}

static void models_are_listed_and_shown(void **state)
{
    char *text = ask(&server, "GET /v1/models HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
    struct json_object *tree = tree_of(body_of(text));

    assert_int_equal(json_length(json_get(tree, "data")), 4);
    json_unref(tree);
    free(text);
    text =
        ask(&server, "GET /v1/models/demo-large HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
    assert_has(text, "\"id\":\"demo-large\"");
    free(text);
    text = ask(&server, "GET /v1/models/x HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
    assert_has(text, "HTTP/1.1 404 ");
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(usage_is_what_was_emitted),
        cmocka_unit_test(a_seed_repeats_the_answer),
        cmocka_unit_test(limits_and_stops_are_honoured),
        cmocka_unit_test(tools_are_called_when_named_or_demanded),
        cmocka_unit_test(structured_output_fits_its_schema),
        cmocka_unit_test(likelihoods_come_one_for_each_token),
        cmocka_unit_test(a_stream_says_what_the_plain_answer_says),
        cmocka_unit_test(usage_is_streamed_only_when_asked_for),
        cmocka_unit_test(the_large_model_takes_its_time),
        cmocka_unit_test(failures_come_as_ordered),
        cmocka_unit_test(a_timeout_says_nothing_until_the_client_leaves),
        cmocka_unit_test(bad_requests_are_told_what_is_wrong),
        cmocka_unit_test(models_are_listed_and_shown),
    };

    return cmocka_run_group_tests(tests, demo_start, demo_stop);
}
