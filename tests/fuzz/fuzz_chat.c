/* OpenAI chat: requests, replies and stream events. What is read and edited stays JSON, keeps what
 * was not to change, and never counts a figure that is out of bounds. */
#include "fuzz.h"

#include "base/bounds.h"
#include "translation/dialect.h"

static void is_json(const struct buf *doc)
{
    struct json_scan_result result;
    struct json_fault fault;

    HOLDS(buf_finish(doc) == 0);
    HOLDS(json_scan(buf_str(doc), NULL, 0, &result, &fault) == JSON_OK);
}

static void request(struct arena *a, struct str body)
{
    struct wire_request_edit edit = {.model = STR("upstream \"m\""), .output_limit = 77,
                                     .limit_name = "max_tokens", .ask_usage = true};
    struct wire_request read = {0}, again = {0};
    struct json_fault fault = {0};
    struct buf out;

    if (openai_chat.read_request(a, body, &read, &fault) != DIALECT_OK) {
        HOLDS(fault.reason[0]);
        return;
    }
    buf_init(&out, body.n * 2 + KIB(4));
    openai_chat.edit_request(&read, &edit, &out);
    is_json(&out);
    HOLDS(openai_chat.read_request(a, buf_str(&out), &again, &fault) == DIALECT_OK);
    HOLDS(str_eq(again.llm.model, edit.model));
    HOLDS(again.llm.stream == read.llm.stream);
    buf_done(&out);
}

static void reply(struct str body)
{
    struct wire_report_edit edit = {.has_cost = true, .cost = {123456789},
                                    .members = STR("\"tollgate\":{}")};
    struct wire_report read = {0};
    struct buf out;

    if (openai_chat.read_reply(body, &read) != DIALECT_OK)
        return;
    buf_init(&out, body.n * 2 + KIB(4));
    openai_chat.edit_reply(&read, &edit, &out);
    is_json(&out);
    buf_done(&out);
}

static void stream(struct str bytes)
{
    struct wire_report_edit edit = {.has_cost = true, .cost = {1}};
    struct sse_event event;
    struct sse sse;
    struct buf out;

    buf_init(&out, BOUND_SSE_EVENT_BYTES * 2);
    sse_init(&sse);
    HOLDS(sse_push(&sse, bytes) == SSE_OK);
    sse_end(&sse);
    while (sse_next(&sse, &event) == SSE_OK) {
        struct wire_report read = {0};

        if (openai_chat.read_event(&event, &read) != DIALECT_OK || !event.data.p || read.done)
            continue;
        buf_reset(&out);
        openai_chat.edit_event(&event, &read, &edit, &out);
        HOLDS(buf_finish(&out) == 0 && str_ends(buf_str(&out), STR("\n\n")));
    }
    sse_done(&sse);
    buf_done(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str in = {(const char *)data, size};
    unsigned kind = fuzz_byte(&in) % 4;
    char *copy = fuzz_copy(in);
    struct arena *a = arena_new(MIB(32));
    struct llm_report usage = {.has_usage = false};

    HOLDS(a);
    in.p = copy;
    if (kind == 0)
        request(a, in);
    else if (kind == 1)
        reply(in);
    else if (kind == 2)
        stream(in);
    else
        (void)openai_chat.find_usage(in, &usage);
    arena_free(a);
    free(copy);
    return 0;
}
