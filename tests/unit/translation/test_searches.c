/* Searches of the web that a provider makes itself: who asks for them, and how many were made. */
#include "translation/dialect_test.h"

#include "translation/searches.h"

static void asks(const struct dialect *d, const char *body, uint64_t searches, const char *path)
{
    struct wire_request r;

    subject = d;
    r = request_of(body);
    if (r.llm.searches != searches)
        fail_msg("%s: %llu", body, (unsigned long long)r.llm.searches);
    if (path)
        assert_str(r.llm.search_path, path);
    else
        assert_null(r.llm.search_path.p);
}

#define MESSAGES(tools) \
    "{\"model\":\"m\",\"max_tokens\":1,\"messages\":[{\"role\":\"user\",\"content\":\"x\"}],\"tools\":" tools "}"
static void anthropics_tools_have_a_bound_each(void **state)
{
    const struct dialect *d = &anthropic_messages;

    asks(d, MESSAGES("[]"), 0, NULL);
    asks(d, MESSAGES("null"), 0, NULL);
    asks(d, MESSAGES("[{\"name\":\"web_search\",\"input_schema\":{\"type\":\"object\"}}]"), 0, NULL);
    asks(d, MESSAGES("[{\"type\":\"custom\",\"name\":\"research\",\"description\":\"web_search_20250305\"}]"),
         0, NULL);
    asks(d, MESSAGES("[{\"type\":\"web_fetch_20250910\",\"name\":\"web_fetch\",\"max_uses\":9}]"), 0, NULL);
    asks(d, MESSAGES("[{\"name\":\"f\"},{\"type\":\"web_search_20250305\",\"name\":\"web_search\",\"max_uses\":2}]"),
         2, "tools[1]");
    asks(d, MESSAGES("[{\"type\":\"web_search_20260209\",\"name\":\"web_search\"}]"), SEARCHES_UNBOUND,
         "tools[0]");
    asks(d, MESSAGES("[{\"type\":\"web_search_20250305\",\"max_uses\":3},"
                     "{\"type\":\"web_search_20260209\",\"max_uses\":4}]"),
         7, "tools[0]");
    /* A bound that is none. */
    asks(d, MESSAGES("[{\"type\":\"web_search_20250305\",\"max_uses\":0}]"), SEARCHES_UNBOUND, "tools[0]");
    asks(d, MESSAGES("[{\"type\":\"web_search_20250305\",\"max_uses\":\"many\"}]"), SEARCHES_UNBOUND,
         "tools[0]");
    asks(d, MESSAGES("[{\"type\":\"web_search_20250305\",\"max_uses\":18446744073709551615}]"),
         BOUND_USAGE_QUANTITY, "tools[0]");
    /* Written so that no eye sees it, but its provider reads it all the same. */
    asks(d, MESSAGES("[{\"t\\u0079pe\":\"web_s\\u0065arch_20250305\",\"max_uses\":5}]"), 5, "tools[0]");
}

#define RESPONSE(rest) "{\"model\":\"m\",\"input\":\"x\"," rest "}"
static void one_bound_is_for_all_of_openais_tools(void **state)
{
    const struct dialect *d = &openai_responses;

    asks(d, RESPONSE("\"tools\":[{\"type\":\"function\",\"name\":\"web_search\"}],\"max_tool_calls\":3"), 0,
         NULL);
    asks(d, RESPONSE("\"tools\":[{\"type\":\"web_search\"}]"), SEARCHES_UNBOUND, "tools[0]");
    asks(d, RESPONSE("\"tools\":[{\"type\":\"code_interpreter\"},{\"type\":\"web_search_preview_2025_03_11\"}],"
                     "\"max_tool_calls\":3"),
         3, "tools[1]");
    asks(d, RESPONSE("\"tools\":[{\"type\":\"web_search_2025_08_26\"}],\"max_tool_calls\":null"),
         SEARCHES_UNBOUND, "tools[0]");
    asks(d, RESPONSE("\"tools\":[{\"type\":\"x_search\"},{\"type\":\"web_search\"}]"), 2 * SEARCHES_UNBOUND,
         "tools[0]");
    asks(d, RESPONSE("\"max_tool_calls\":3"), 0, NULL);
}

#define CHAT(rest) "{\"model\":\"m\",\"messages\":[]," rest "}"
static void a_chat_asks_by_options_plugins_or_tools(void **state)
{
    const struct dialect *d = &openai_chat;

    asks(d, CHAT("\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"search\"}}]"), 0, NULL);
    asks(d, CHAT("\"web_search_options\":null"), 0, NULL);
    assert_false(request_of(CHAT("\"n\":1")).llm.searches_always);
    asks(d, CHAT("\"web_search_options\":{}"), SEARCHES_UNBOUND, "web_search_options");
    assert_true(request_of(CHAT("\"web_search_options\":{}")).llm.searches_always);
    asks(d, CHAT("\"plugins\":[{\"id\":\"file-parser\"},{\"id\":\"web\",\"max_results\":3}]"),
         SEARCHES_UNBOUND, "plugins[1]");
    asks(d, CHAT("\"plugins\":[{\"id\":\"web\",\"enabled\":false}]"), 0, NULL);
    asks(d, CHAT("\"plugins\":[{\"id\":\"webhook\"}]"), 0, NULL);
    asks(d, CHAT("\"tools\":[{\"type\":\"openrouter:web_search\",\"parameters\":{\"max_uses\":4}}]"), 4,
         "tools[0]");
    assert_false(request_of(CHAT("\"tools\":[{\"type\":\"openrouter:web_search\"}]")).llm.searches_always);
    asks(d, CHAT("\"tools\":[{\"type\":\"web_search\",\"web_search\":{\"enable\":true}}]"),
         SEARCHES_UNBOUND, "tools[0]");
}

#define CONTENTS(tools) "{\"contents\":[{\"parts\":[{\"text\":\"x\"}]}],\"tools\":" tools "}"
static void googles_tools_are_told_by_their_member(void **state)
{
    static const char *const words[] = {"googleSearch", "google_search", "googleSearchRetrieval",
                                        "google_search_retrieval", "enterpriseWebSearch"};
    const struct dialect *d = &gemini;

    asks(d, CONTENTS("[{\"functionDeclarations\":[{\"name\":\"googleSearch\"}]},{\"fileSearch\":{}},"
                     "{\"googleMaps\":{}},{\"urlContext\":{}}]"),
         0, NULL);
    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        asks(d, arena_strf(arena, CONTENTS("[{\"codeExecution\":{}},{\"%s\":{}}]"), words[i]).p,
             SEARCHES_UNBOUND, "tools[1]");
}

/* What is told of searches, and what else is seen of them; told < 0: nothing. */
static void made(const struct wire_report *r, int64_t told, uint32_t seen)
{
    bool silent = !r->llm.has_usage || (r->llm.silent & LLM_SILENT(USAGE_SEARCH));

    assert_int_equal(silent ? -1 : unit_of(r, USAGE_SEARCH), told);
    assert_int_equal(r->llm.searches, seen);
}

static void replied(const struct dialect *d, const char *body, int64_t told, uint32_t seen)
{
    struct wire_report r;

    subject = d;
    r = reply_of(body);
    made(&r, told, seen);
}

static void anthropic_counts_them_in_its_usage(void **state)
{
#define ANSWER(use, blocks) \
    "{\"type\":\"message\",\"content\":[" blocks "],\"usage\":{\"input_tokens\":5,\"output_tokens\":3" use "}}"
#define FOUND "{\"type\":\"web_search_tool_result\",\"content\":[{\"type\":\"web_search_result\"}]}"
#define MISSED "{\"type\":\"web_search_tool_result\",\"content\":{\"type\":\"web_search_tool_result_error\"}}"
    const struct dialect *d = &anthropic_messages;

    replied(d, ANSWER(",\"server_tool_use\":{\"web_search_requests\":2,\"web_fetch_requests\":7}", ""), 2, 0);
    replied(d, ANSWER(",\"server_tool_use\":{\"web_search_requests\":0}", ""), 0, 0);
    replied(d, ANSWER("", ""), -1, 0);
    replied(d, ANSWER(",\"server_tool_use\":null", ""), -1, 0);
    /* No counts; and what is seen in their stead. */
    replied(d, ANSWER(",\"server_tool_use\":{\"web_search_requests\":-1}", ""), -1, 0);
    replied(d, ANSWER(",\"server_tool_use\":{\"web_search_requests\":99999999999}", FOUND "," MISSED), -1, 1);
    replied(d, ANSWER(",\"server_tool_use\":{\"web_search_requests\":1.5}",
                      "{\"type\":\"text\",\"text\":\"web_search_tool_result\"}"),
            -1, 0);
}

/* The last count of a stream, which is of all of it; its start says nothing of searches. */
static void anthropics_streams_count_up(void **state)
{
    struct llm_report last = {0};
    struct wire_report r;

    subject = &anthropic_messages;
    r = event_of("event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"usage\":{\"input_tokens\":5,"
                 "\"output_tokens\":1,\"server_tool_use\":{\"web_search_requests\":0}}}}\n\n");
    made(&r, -1, 0);
    llm_take_usage(&last, &r.llm);
    r = event_of("event: content_block_start\ndata: {\"type\":\"content_block_start\",\"index\":1,"
                 "\"content_block\":" FOUND "}\n\n");
    made(&r, -1, 1);
    r = event_of("event: content_block_start\ndata: {\"type\":\"content_block_start\",\"index\":1,"
                 "\"content_block\":" MISSED "}\n\n");
    made(&r, -1, 0);
    assert_true(last.silent & LLM_SILENT(USAGE_SEARCH));
    r = event_of("event: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{},\"usage\":{\"output_tokens\":9,"
                 "\"server_tool_use\":{\"web_search_requests\":3}}}\n\n");
    llm_take_usage(&last, &r.llm);
    r = event_of("event: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{},"
                 "\"usage\":{\"output_tokens\":12}}\n\n");
    llm_take_usage(&last, &r.llm);
    assert_int_equal(last.usage.n[USAGE_SEARCH], 3);
    assert_false(last.silent & LLM_SILENT(USAGE_SEARCH));
    assert_int_equal(last.usage.n[USAGE_OUTPUT], 12);
}

#define SEARCH_ITEM "{\"type\":\"web_search_call\",\"action\":{\"type\":\"search\",\"query\":\"q\"}}"
#define OPEN_ITEM "{\"type\":\"web_search_call\",\"action\":{\"type\":\"open_page\"}}"
#define SPENT "\"usage\":{\"input_tokens\":5,\"output_tokens\":3,\"total_tokens\":8"
static void responses_count_them_beside_their_usage(void **state)
{
    const struct dialect *d = &openai_responses;
    struct wire_report r;

    replied(d, "{\"output\":[" SEARCH_ITEM "," SEARCH_ITEM "]," SPENT "},"
               "\"tool_usage\":{\"image_gen\":{},\"web_search\":{\"num_requests\":3}}}", 3, 2);
    /* Where that is absent, or no count, the items that searched. */
    replied(d, "{\"output\":[" SEARCH_ITEM "," OPEN_ITEM ",{\"type\":\"web_search_call\"}]," SPENT "}}", -1, 2);
    replied(d, "{\"output\":[" SEARCH_ITEM "]," SPENT "},\"tool_usage\":{\"web_search\":{\"num_requests\":-4}}}",
            -1, 1);
    replied(d, "{\"output\":[{\"type\":\"message\",\"content\":[{\"text\":\"web_search_call\"}]}]," SPENT "}}", -1,
            0);
    /* xAI, OpenRouter and Perplexity tell it in theirs. */
    replied(d, "{\"output\":[" SEARCH_ITEM "]," SPENT ",\"server_side_tool_usage_details\":"
               "{\"web_search_calls\":2,\"x_search_calls\":3}}}", 5, 1);
    replied(d, "{\"output\":[]," SPENT ",\"server_tool_use_details\":{\"web_search_requests\":4}}}", 4, 0);
    replied(d, "{\"output\":[]," SPENT ",\"tool_calls_details\":{\"search_web\":{\"invocation\":6}}}}", 6, 0);
    r = event_of("data: {\"type\":\"response.output_item.done\",\"item\":" SEARCH_ITEM "}\n\n");
    made(&r, -1, 1);
    r = event_of("data: {\"type\":\"response.output_item.done\",\"item\":" OPEN_ITEM "}\n\n");
    made(&r, -1, 0);
    r = event_of("data: {\"type\":\"response.output_item.added\",\"item\":" SEARCH_ITEM "}\n\n");
    made(&r, -1, 0);
    r = event_of("data: {\"type\":\"response.completed\",\"response\":{\"output\":[" SEARCH_ITEM "]," SPENT "},"
                 "\"tool_usage\":{\"web_search\":{\"num_requests\":1}}}}\n\n");
    made(&r, 1, 0);
}

/* The end of an answer that is too large to be read. */
static void the_tail_of_a_response_tells_them_too(void **state)
{
    struct llm_report r = {0};

    assert_true(openai_responses.find_usage(STR("\"}]}],\"tool_usage\":{\"web_search\":{\"num_requests\":7}}," SPENT
                                                "}}"), &r));
    assert_int_equal(r.usage.n[USAGE_SEARCH], 7);
    assert_false(r.silent & LLM_SILENT(USAGE_SEARCH));
}

static void chats_count_them_under_two_names(void **state)
{
#define CHATTED(more) \
    "{\"choices\":[{\"message\":{\"content\":\"x\"}}],\"usage\":{\"prompt_tokens\":5,\"completion_tokens\":3" more "}}"
    const struct dialect *d = &openai_chat;

    replied(d, CHATTED(""), -1, 0);
    replied(d, CHATTED(",\"num_search_queries\":21"), 21, 0);
    replied(d, CHATTED(",\"server_tool_use_details\":{\"web_search_requests\":2,\"tool_calls_executed\":2}"), 2, 0);
    replied(d, CHATTED(",\"server_tool_use\":{\"web_search_requests\":1}"), 1, 0);
    replied(d, CHATTED(",\"num_search_queries\":-1"), -1, 0);
}

/* Google bills a prompt by models before Gemini 3, each query by later ones. */
static void google_bills_prompts_or_queries(void **state)
{
#define GROUNDED(model, queries, usage)                                                   \
    "{\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"x\"}]},\"groundingMetadata\":{" \
    "\"webSearchQueries\":" queries "}}]," usage "\"modelVersion\":\"" model "\"}"
#define COUNTED "\"usageMetadata\":{\"promptTokenCount\":5,\"candidatesTokenCount\":3,\"totalTokenCount\":8},"
    const struct dialect *d = &gemini;
    const char *two = "[\"a\",\"\",\"b\",\"a\"]";

    replied(d, GROUNDED("gemini-2.5-pro", "[\"a\",\"b\"]", COUNTED), 1, 0);
    replied(d, GROUNDED("gemini-robotics-er-1.5-preview", "[\"a\",\"b\"]", COUNTED), 1, 0);
    replied(d, GROUNDED("gemini-3-flash-preview", "[\"a\",\"\",\"b\",\"a\"]", COUNTED), 2, 0);
    replied(d, GROUNDED("gemini-3.1-pro-preview", "[]", COUNTED), -1, 0);
    replied(d, GROUNDED("gemini-3.1-pro-preview", "[\"\"]", COUNTED), -1, 0);
    replied(d, GROUNDED("gemini-3.1-pro-preview", "{\"no\":\"list\"}", COUNTED), -1, 0);
    replied(d, GROUNDED("gemini-3.1-pro-preview", "[\"a\",\"b\"]", ""), -1, 2);
    replied(d, "{\"candidates\":[{\"content\":{\"parts\":[]},\"groundingMetadata\":{\"groundingChunks\":[]}}],"
               COUNTED "\"modelVersion\":\"gemini-2.5-pro\"}", -1, 0);
    assert_int_equal(searches_of_candidates(
                         arena_strf(arena, "[{\"groundingMetadata\":{\"webSearchQueries\":%s}},"
                                           "{\"groundingMetadata\":{\"webSearchQueries\":[\"c\",\"b\"]}}]", two),
                         STR("gemini-10-flash")),
                     3);
    assert_int_equal(searches_of_candidates(STR("[{\"groundingMetadata\":{\"webSearchQueries\":[\"a\",\"b\"]}}]"),
                                            STR_NONE),
                     2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(anthropics_tools_have_a_bound_each),
        cmocka_unit_test(one_bound_is_for_all_of_openais_tools),
        cmocka_unit_test(a_chat_asks_by_options_plugins_or_tools),
        cmocka_unit_test(googles_tools_are_told_by_their_member),
        cmocka_unit_test(anthropic_counts_them_in_its_usage),
        cmocka_unit_test(anthropics_streams_count_up),
        cmocka_unit_test(responses_count_them_beside_their_usage),
        cmocka_unit_test(the_tail_of_a_response_tells_them_too),
        cmocka_unit_test(chats_count_them_under_two_names),
        cmocka_unit_test(google_bills_prompts_or_queries),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
