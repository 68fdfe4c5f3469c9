/* The formats that are passed on: requests, replies, events, tails and errors of each. What is read
 * and edited stays JSON, keeps what was not to change, and never counts a figure out of bounds; an event
 * that is taken for a repetition says what reading it would say; what the gateway says in a stream of
 * its own accord are whole events. */
#include "fuzz.h"

#include "base/bounds.h"
#include "translation/count_tokens.h"
#include "translation/dialect.h"
#include "translation/repeat.h"

static const struct dialect *const dialects[] = {
    &openai_chat, &openai_embeddings, &anthropic_messages, &gemini,
    &openai_responses, &gemini_embed, &gemini_embed_batch, &cohere_chat, &cohere_embed};
static const struct count_dialect *const counts[] = {&anthropic_count_tokens,
                                                     &gemini_count_tokens};

static void is_json(const struct buf *doc)
{
    struct json_scan_result result;
    struct json_fault fault;

    HOLDS(buf_finish(doc) == 0);
    HOLDS(json_scan(buf_str(doc), NULL, 0, &result, &fault) == JSON_OK);
}

static void is_in_bounds(const struct llm_report *r)
{
    for (size_t i = 0; r->has_usage && i < USAGE_UNITS; i++)
        HOLDS(r->usage.n[i] >= 0 && r->usage.n[i] <= BOUND_USAGE_QUANTITY);
}

static bool has_model(const struct dialect *d)
{
    return d == &openai_chat || d == &openai_embeddings || d == &anthropic_messages ||
           d == &openai_responses || d == &cohere_chat || d == &cohere_embed;
}

static void request(const struct dialect *d, struct arena *a, struct str body)
{
    struct wire_request_edit edit = {.model = STR("upstream \"m\""), .output_limit = 77,
                                     .limit_name = "max_tokens", .ask_usage = true};
    struct wire_request read = {0}, again = {0};
    struct json_fault fault = {0};
    struct buf out;
    int r = d->read_request(a, body, &read, &fault);

    if (r != DIALECT_OK) {
        HOLDS(r > 0 && fault.reason[0]);
        return;
    }
    HOLDS(read.llm.text_bytes <= body.n && read.llm.choices > 0);
    buf_init(&out, body.n * 8 + KIB(4));
    d->edit_request(&read, &edit, &out);
    is_json(&out);
    HOLDS(d->read_request(a, buf_str(&out), &again, &fault) == DIALECT_OK);
    HOLDS(!has_model(d) || str_eq(again.llm.model, edit.model));
    HOLDS(again.llm.stream == read.llm.stream);
    HOLDS(again.llm.image_parts == read.llm.image_parts);
    HOLDS(!read.llm.has_output_limit || again.llm.output_limit == read.llm.output_limit);
    buf_done(&out);
}

static void count(const struct count_dialect *d, struct arena *a, struct str body)
{
    struct wire_request_edit edit = {.model = STR("upstream \"m\"")};
    struct wire_request read = {0};
    struct json_fault fault = {0};
    uint64_t tokens;
    struct buf out;

    (void)d->read_reply(body, &tokens);
    if (d->read_request(a, body, &read, &fault) != DIALECT_OK)
        return;
    buf_init(&out, body.n * 2 + KIB(4));
    d->edit_request(&read, &edit, &out);
    is_json(&out);
    HOLDS(d->read_request(a, buf_str(&out), &read, &fault) == DIALECT_OK);
    buf_done(&out);
}

static void reply(const struct dialect *d, struct str body)
{
    struct wire_report_edit edit = {.has_cost = true, .cost = {123456789},
                                    .members = STR("\"tollgate\":{}")};
    struct wire_report read = {0};
    struct buf out;

    if (d->read_reply(body, &read) != DIALECT_OK)
        return;
    is_in_bounds(&read.llm);
    buf_init(&out, body.n * 2 + KIB(4));
    d->edit_reply(&read, &edit, &out);
    is_json(&out);
    buf_done(&out);
}

static void same_span(struct json_span a, struct json_span b)
{
    HOLDS(a.n == b.n && (!a.n || a.at == b.at));
}

/* As in the gateway: what repeats the event before is not read. */
static void repetition(const struct dialect *d, struct repeat *p, const struct sse_event *event)
{
    struct wire_report taken = {0}, read = {0};
    bool is = repeat_take(p, event, &taken);

    if (d->read_event(event, &read) != DIALECT_OK || !event->data.p) {
        HOLDS(!is);
        return;
    }
    if (!is) {
        repeat_note(p, event, &read);
        return;
    }
    HOLDS(str_eq(taken.bytes, read.bytes) && taken.llm.output_bytes == read.llm.output_bytes);
    HOLDS(!read.llm.has_usage && !read.done && !read.error && !read.usage_only);
    HOLDS(!read.llm.images && !read.llm.pages && !read.llm.finish_reason.n && !read.root_empty);
    HOLDS(taken.llm.has_service == read.llm.has_service && taken.llm.service == read.llm.service);
    HOLDS(taken.has_choices == read.has_choices && taken.has_data == read.has_data);
    HOLDS(taken.close_at == read.close_at);
    same_span(taken.text, read.text);
    same_span(taken.usage_at, read.usage_at);
    same_span(taken.cost_at, read.cost_at);
}

static void stream(const struct dialect *d, struct str bytes)
{
    struct wire_report_edit edit = {.has_cost = true, .cost = {1}}, none = {.has_cost = false};
    struct llm_report last = {0};
    struct sse_event event;
    struct repeat repeat;
    struct sse sse;
    struct buf out;

    repeat_init(&repeat);
    buf_init(&out, BOUND_SSE_EVENT_BYTES * 2);
    sse_init(&sse);
    HOLDS(sse_push(&sse, bytes) == SSE_OK);
    sse_end(&sse);
    while (sse_next(&sse, &event) == SSE_OK) {
        struct wire_report read = {0};

        repetition(d, &repeat, &event);
        if (d->read_event(&event, &read) != DIALECT_OK || !event.data.p)
            continue;
        if (read.llm.has_usage)
            llm_take_usage(&last, &read.llm);
        is_in_bounds(&last);
        buf_reset(&out);
        d->edit_event(&event, &read, &none, &out);
        HOLDS(str_eq(buf_str(&out), event.raw));
        buf_reset(&out);
        d->edit_event(&event, &read, &edit, &out);
        HOLDS(buf_finish(&out) == 0);
        HOLDS(!read.usage_at.n || str_ends(buf_str(&out), STR("\n\n")));
    }
    sse_done(&sse);
    repeat_done(&repeat);
    buf_done(&out);
}

/* Whole events, whose data are documents or the mark of the end. */
static void are_events(struct buf *out)
{
    struct json_scan_result result;
    struct json_fault fault;
    struct sse_event event;
    size_t seen = 0;
    struct sse sse;

    HOLDS(buf_finish(out) == 0);
    sse_init(&sse);
    HOLDS(sse_push(&sse, buf_str(out)) == SSE_OK);
    while (sse_next(&sse, &event) == SSE_OK) {
        seen += event.raw.n;
        HOLDS(!event.data.p || str_eq(event.data, STR("[DONE]")) ||
              json_scan(event.data, NULL, 0, &result, &fault) == JSON_OK);
    }
    HOLDS(seen == out->n);
    sse_done(&sse);
}

/* What the gateway says of its own accord: the cost of a stream, and its end where it is cut. The names
 * in it are an upstream's. */
static void own_words(const struct dialect *d, struct str in)
{
    const struct wire_report_edit edit = {.has_cost = true, .cost = {(int64_t)in.n * -INT64_C(987654321)},
                                          .members = STR("\"tollgate\":{}")};
    struct wire_stop stop = {.created_s = 1, .reason = "length", .choices = 1 + fuzz_byte(&in) % 4};
    struct buf out;

    stop.usage.n[USAGE_INPUT] = fuzz_byte(&in) * INT64_C(8421504);
    stop.usage.n[USAGE_OUTPUT] = fuzz_byte(&in) * INT64_C(8421504);
    stop.id = fuzz_take(&in, fuzz_byte(&in));
    stop.model = in;
    if (!str_utf8(stop.id) || !str_utf8(stop.model))
        return;
    buf_init(&out, in.n * 64 + KIB(64));
    if (d->put_note) {
        d->put_note(&edit, &out);
        are_events(&out);
    }
    if (d->put_stop) {
        d->put_stop(&stop, &out);
        if (d->end_mark)
            buf_puts(&out, d->end_mark);
        are_events(&out);
    }
    buf_done(&out);
}

/* The event that an error becomes is one, and its data a document. */
static void error(const struct dialect *d, struct str body)
{
    const struct wire_error otherwise = {.message = STR("It \"failed\"."), .type = "upstream_error",
                                         .status = 502};
    struct json_scan_result result;
    struct json_fault fault;
    struct sse_event event;
    struct buf doc, out;
    struct sse sse;
    int status = d->error_status(body);

    HOLDS(!status || (status >= 400 && status <= 599));
    buf_init(&doc, body.n * 8 + KIB(4));
    buf_init(&out, body.n * 16 + KIB(64));
    if (d->edit_error(body, &otherwise, &doc)) {
        is_json(&doc);
        if (d->put_error) {
            d->put_error(buf_str(&doc), &out);
            HOLDS(buf_finish(&out) == 0);
            sse_init(&sse);
            HOLDS(sse_push(&sse, buf_str(&out)) == SSE_OK);
            HOLDS(sse_next(&sse, &event) == SSE_OK && event.raw.n == out.n);
            HOLDS(json_scan(event.data, NULL, 0, &result, &fault) == JSON_OK);
            sse_done(&sse);
        }
    }
    buf_done(&doc);
    buf_done(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str in = {(const char *)data, size};
    unsigned kind = fuzz_byte(&in) % 7, which = fuzz_byte(&in);
    const struct dialect *d = dialects[which % ARRAY_LEN(dialects)];
    char *copy = fuzz_copy(in);
    struct arena *a = arena_new(MIB(32));
    struct llm_report usage = {.has_usage = false};

    HOLDS(a);
    in.p = copy;
    if (kind == 0)
        request(d, a, in);
    else if (kind == 1)
        reply(d, in);
    else if (kind == 2 && d->read_event)
        stream(d, in);
    else if (kind == 3 && d->find_usage && d->find_usage(in, &usage))
        is_in_bounds(&usage);
    else if (kind == 4)
        error(d, in);
    else if (kind == 5)
        count(counts[which % ARRAY_LEN(counts)], a, in);
    else if (kind == 6)
        own_words(d, in);
    arena_free(a);
    free(copy);
    return 0;
}
