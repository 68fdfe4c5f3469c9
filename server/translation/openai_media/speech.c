/* speech.c: OpenAI's speech ("Create speech"): text in, sound out, as bytes that are no document or
 * as a stream of events that carry them. Sound as bytes comes without any figures. */
#include "base/err.h"
#include "translation/openai_chat/chat.h"
#include "translation/openai_media/media.h"
#include "translation/plain.h"
#include "translation/report.h"
#include "translation/said.h"

enum { INPUT = PLAIN_OWN, STREAM_FORMAT, STREAM, WATCHES };

static const struct field fields[WATCHES] = {
    PLAIN_FIELDS,
    [INPUT] = {"input", "must be a string", JSON_STRING},
    [STREAM_FORMAT] = {"stream_format", "must be sse or audio", JSON_STRING},
    [STREAM] = {"stream", "must be true or false", JSON_BOOL}, /* Together's */
};

static const struct plain_shape shape = {.fields = fields, .n = WATCHES, .needed = INPUT};

static const struct media_form form = {
    .classes = {USAGE_INPUT, USAGE_AUDIO_OUTPUT}, .made = "audio", .last_event = ".done"};

/* Unicode's characters, as they are sold. */
static uint64_t count_characters(struct str s)
{
    uint64_t n = 0;

    for (size_t i = 0; i < s.n; i++)
        n += ((unsigned char)s.p[i] & 0xc0) != 0x80;
    return n;
}

static int read_request(struct arena *a, struct str body, struct wire_request *ret,
                        struct json_fault *fault)
{
    struct json_watch w[WATCHES];
    struct wire_request request;
    const struct marks *m;
    struct str input = STR_NONE;
    int r = plain_read(a, body, &shape, w, &request, &m, fault);

    if (r != DIALECT_OK)
        return r;
    r = wire_text(a, body, m->at[INPUT], &input);
    if (r < 0)
        return err_trace(r);
    request.llm.characters = count_characters(input);
    request.llm.prompt_bytes = input.n;
    request.llm.stream =
        json_span_is(body, m->at[STREAM_FORMAT], "sse") || wire_true(body, m->at[STREAM]);
    request.llm.wants_usage = true;
    request.llm.wants_audio = true;
    *ret = request;
    return DIALECT_OK;
}

/* In place of sound: an error. */
static int read_reply(struct str body, struct wire_report *ret)
{
    return media_read_report(body, &form, ret);
}

static int read_event(const struct sse_event *event, struct wire_report *ret)
{
    return media_read_event(event, &form, ret);
}

const struct dialect openai_speech = {
    .name = "openai_speech",
    .read_request = read_request,
    .edit_request = plain_edit_request,
    .read_reply = read_reply,
    .edit_reply = wire_edit_reply,
    .passes = true,
    .edit_error = openai_chat_edit_error,
    .error_status = wire_error_status,
    .read_event = read_event,
    .edit_event = wire_edit_event,
    .put_note = wire_put_note,
    .put_error = media_put_error,
    .put_stop = media_put_stop,
};
