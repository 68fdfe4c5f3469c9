/* Answers that are kept for clients of the Responses API: requests that go on from one, the items that are
 * put in front of theirs, lists of items, and what is put into response objects. What is written is JSON
 * without a key that stands twice. */
#include "fuzz.h"

#include "base/bounds.h"
#include "json/scan.h"
#include "responses/conversation.h"
#include "responses/listing.h"
#include "responses/object.h"

static void is_json(struct str doc)
{
    struct json_scan_result result;
    struct json_fault fault;

    HOLDS(json_scan(doc, NULL, 0, &result, &fault) == JSON_OK);
}

/* before: items as conversation_items() gives them. */
static void request(struct arena *a, struct str in, struct str before)
{
    struct conversation_request read, again;
    struct json_fault fault = {0};
    struct str body, input;
    int r = conversation_read(a, in, &read, &fault);

    HOLDS(r >= CONVERSATION_OK && r <= CONVERSATION_E_UNSUPPORTED);
    if (r != CONVERSATION_OK) {
        HOLDS(r == CONVERSATION_E_SYNTAX || fault.reason[0]);
        return;
    }
    r = conversation_write(a, &read, before, &body, &input);
    HOLDS(r == CONVERSATION_OK || r == CONVERSATION_E_LARGE);
    if (r != CONVERSATION_OK)
        return;
    is_json(body);
    if (input.p)
        is_json(input);
    if (!read.editable) /* its reader refuses it */
        return;
    HOLDS(conversation_read(a, body, &again, &fault) == CONVERSATION_OK);
    HOLDS(!again.previous_id.p && again.store != CONVERSATION_STORE_YES);
    HOLDS(str_eq(again.model, read.model) && again.stream == read.stream);
}

static void items(struct arena *a, struct str input, struct str response, struct str body)
{
    struct str got = STR_NONE;
    int r = conversation_items(a, input, response, &got);
    struct buf list;

    HOLDS(r == CONVERSATION_OK || r == CONVERSATION_E_SYNTAX);
    if (r != CONVERSATION_OK)
        return;
    buf_init(&list, got.n + 16);
    buf_putc(&list, '[');
    buf_put_str(&list, got);
    buf_putc(&list, ']');
    HOLDS(buf_finish(&list) == 0);
    is_json(buf_str(&list));
    buf_done(&list);
    request(a, body, got);
}

static void list(struct arena *a, struct str input, unsigned how, struct str after)
{
    struct listing_want want = {.limit = 1 + how % LISTING_LIMIT_MAX, .oldest_first = how & 1};
    struct call_id call = {{0}};
    struct json_scan_result result;
    struct json_fault fault;
    struct buf out;
    int r;

    if (json_scan(input, NULL, 0, &result, &fault) != JSON_OK || result.root_kind != JSON_ARRAY)
        return;
    want.after = after.n ? after : STR_NONE;
    buf_init(&out, input.n * 2 + KIB(64) + input.n * 128);
    r = listing_put(a, input, call, &want, &out);
    HOLDS(r == LISTING_OK || r == LISTING_E_AFTER);
    if (r == LISTING_OK) {
        HOLDS(buf_finish(&out) == 0);
        is_json(buf_str(&out));
    }
    buf_done(&out);
}

static void object(struct arena *a, struct str doc, unsigned how)
{
    const struct object_marks marks = {.previous_id = how & 1 ? STR("resp_1") : STR_NONE,
                                       .kept = how & 2};
    struct str id, inside;
    struct buf out;

    buf_init(&out, doc.n + KIB(4));
    if (object_mark(doc, how & 4, &marks, &out)) {
        HOLDS(buf_finish(&out) == 0);
        is_json(buf_str(&out));
    } else {
        HOLDS(!out.n);
    }
    buf_done(&out);
    id = object_id(a, doc);
    HOLDS(!id.p || object_is_id(id));
    inside = object_of_event(doc);
    if (inside.p)
        is_json(inside);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *copy = fuzz_copy(str_n((const char *)data, size));
    struct str in = {copy, size}, first, second;
    unsigned kind = fuzz_byte(&in) % 4, how = fuzz_byte(&in);
    struct arena *a = arena_new(MIB(64));

    HOLDS(a);
    if (kind == 0) {
        request(a, in, STR(""));
    } else if (kind == 1) { /* three documents, with NULs between them */
        str_split(&in, '\0', &first);
        if (!str_split(&in, '\0', &second))
            second = STR("");
        items(a, first, second, in.p ? in : STR(""));
    } else if (kind == 2) {
        first = fuzz_take(&in, how % 32);
        list(a, in, how, first);
    } else {
        object(a, in, how);
    }
    arena_free(a);
    free(copy);
    return 0;
}
