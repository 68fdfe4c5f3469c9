/* What is no chat: forms, sounds, and the dialects' readers of requests, answers and events. Parts
 * are slices of the form, whatever its type says of its boundary, an edited form reads as the same with
 * another model, and what is written is JSON. */
#include "fuzz.h"

#include "base/bounds.h"
#include "json/scan.h"
#include "translation/dialect.h"
#include "translation/multipart.h"
#include "translation/openai_media/sound.h"

static const struct dialect *const dialects[] = {
    &openai_completions, &openai_images, &openai_image_edits, &openai_speech,
    &openai_transcriptions, &openai_moderations, &rerank, &ocr, &openai_embeddings,
    &openai_videos};

static const struct wire_request_edit edit = {
    .model = STR("other"), .output_limit = 5, .limit_name = "max_tokens", .ask_usage = true};

static void is_json(struct buf *doc)
{
    struct json_scan_result result;
    struct json_fault fault;

    HOLDS(buf_finish(doc) == 0);
    HOLDS(json_scan(buf_str(doc), NULL, 0, &result, &fault) == JSON_OK);
}

static bool is_within(struct str part, struct str whole)
{
    return part.p >= whole.p && part.p + part.n <= whole.p + whole.n;
}

/* The type and the body as they are: parts are within it, each named once. */
static void any_form(struct str type, struct str in)
{
    static struct multipart m;
    const char *reason = NULL;

    if (multipart_read(type, in, &m, &reason) != MULTIPART_OK) {
        HOLDS(reason);
        return;
    }
    HOLDS(multipart_is_form(type) && m.n <= MULTIPART_PARTS);
    for (size_t i = 0; i < m.n; i++) {
        HOLDS(is_within(m.part[i].name, in) && is_within(m.part[i].value, in));
        for (size_t k = 0; k < i; k++)
            HOLDS(str_ends(m.part[i].name, STR("[]")) ||
                  !str_eq(m.part[i].name, m.part[k].name));
    }
}

static void form(struct arena *a, const struct dialect *d, struct str in)
{
    static struct multipart before, after;
    const struct str type = STR("multipart/form-data; boundary=b");
    struct json_fault fault = {.at = 0};
    struct wire_request request;
    const char *reason;
    struct buf out;
    int r;

    if (multipart_read(type, in, &before, &reason) == MULTIPART_OK)
        for (size_t i = 0; i < before.n; i++)
            HOLDS(before.part[i].name.n && is_within(before.part[i].name, in) &&
                  is_within(before.part[i].value, in));
    if (!d->read_form)
        return;
    r = d->read_form(a, type, in, &request, &fault);
    HOLDS(r == DIALECT_OK || fault.reason[0]);
    if (r != DIALECT_OK)
        return;
    HOLDS(request.llm.choices > 0);
    buf_init(&out, in.n + KIB(1));
    d->edit_request(&request, &edit, &out);
    HOLDS(buf_finish(&out) == 0);
    HOLDS(multipart_read(type, buf_str(&out), &after, &reason) == MULTIPART_OK);
    HOLDS(after.n == before.n);
    for (size_t i = 0; i < after.n; i++)
        HOLDS(str_eq(after.part[i].value, str_eq(after.part[i].name, STR("model"))
                                              ? edit.model
                                              : before.part[i].value));
    buf_done(&out);
}

static void request(struct arena *a, const struct dialect *d, struct str in)
{
    struct json_fault fault = {.at = 0};
    struct wire_request read;
    struct buf out;
    int r;

    if (!d->read_request)
        return;
    r = d->read_request(a, in, &read, &fault);
    HOLDS(r != DIALECT_E_FIELD || fault.reason[0]);
    if (r != DIALECT_OK)
        return;
    HOLDS(read.llm.choices > 0 && read.llm.prompt_bytes <= in.n);
    buf_init(&out, in.n * 2 + KIB(8));
    d->edit_request(&read, &edit, &out);
    is_json(&out);
    buf_done(&out);
}

static void reply(const struct dialect *d, struct str in)
{
    const struct wire_report_edit put = {
        .has_cost = true, .cost = {77}, .members = STR("\"tollgate\":1")};
    struct wire_report read = {.done = false};
    struct buf out;

    if (d->read_reply(in, &read) != DIALECT_OK)
        return;
    for (size_t i = 0; i < USAGE_UNITS; i++)
        HOLDS(read.llm.usage.n[i] >= 0 && read.llm.usage.n[i] <= BOUND_USAGE_QUANTITY);
    buf_init(&out, in.n + KIB(8));
    d->edit_reply(&read, &put, &out);
    HOLDS(buf_finish(&out) == 0);
    buf_done(&out);
}

static void events(const struct dialect *d, struct str in)
{
    const struct wire_report_edit put = {.has_cost = true, .cost = {77}};
    struct sse_event event;
    struct buf out;
    struct sse sse;

    if (!d->read_event)
        return;
    buf_init(&out, BOUND_SSE_EVENT_BYTES * 2);
    sse_init(&sse);
    HOLDS(sse_push(&sse, in) == SSE_OK);
    sse_end(&sse);
    while (sse_next(&sse, &event) == SSE_OK) {
        struct wire_report read = {.done = false};

        if (d->read_event(&event, &read) != DIALECT_OK || !event.data.p || read.done)
            continue;
        buf_reset(&out);
        d->edit_event(&event, &read, &put, &out);
        HOLDS(buf_finish(&out) == 0);
    }
    sse_done(&sse);
    buf_done(&out);
}

/* The most is no less than the best figure, and both are figures. */
static void sound(struct str in)
{
    struct sound_length l = sound_length(in);

    HOLDS(l.ms >= -1 && l.most_ms >= -1);
    HOLDS(l.ms < 0 || l.most_ms < 0 || l.ms <= l.most_ms);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str in = {(const char *)data, size};
    unsigned kind = fuzz_byte(&in) % 6;
    unsigned which = fuzz_byte(&in);
    const struct dialect *d = dialects[which % ARRAY_LEN(dialects)];
    char *copy = fuzz_copy(in);
    struct arena *a = arena_new(MIB(32));

    HOLDS(a);
    in.p = copy;
    if (kind == 0)
        form(a, d, in);
    else if (kind == 1)
        request(a, d, in);
    else if (kind == 2)
        reply(d, in);
    else if (kind == 3)
        events(d, in);
    else if (kind == 4)
        sound(in);
    else
        any_form(fuzz_take(&in, which), in);
    arena_free(a);
    free(copy);
    return 0;
}
