/* transcriptions.c: OpenAI's transcriptions and translations ("Create transcription"): a form with a
 * file of sound in, its words out: as JSON, as text or subtitles, or as a stream. */
#include "translation/openai_chat/chat.h"
#include "translation/openai_media/media.h"
#include "translation/openai_media/sound.h"
#include "translation/report.h"
#include "translation/said.h"

static const struct media_form whole = {
    .classes = {USAGE_AUDIO_INPUT, USAGE_OUTPUT}, .made = "text", .texts = {"text"}};
/* The last event says again what the ones before it have said. */
static const struct media_form event_form = {
    .classes = {USAGE_AUDIO_INPUT, USAGE_OUTPUT},
    .made = "text",
    .texts = {"delta"},
    .last_event = "transcript.text.done",
};

/* Formats of plain answers that are no JSON. */
static bool is_text(struct str format)
{
    return str_eq(format, STR("text")) || str_eq(format, STR("srt")) || str_eq(format, STR("vtt"));
}

static int read_form(struct arena *a, struct str content_type, struct str body,
                     struct wire_request *ret, struct json_fault *fault)
{
    struct wire_request request;
    const struct form_body *form;
    struct sound_length length;
    struct str sound;
    int r = media_read_form(a, content_type, body, "file", &request, &form, fault);

    if (r == DIALECT_OK)
        r = form_body_bool(form, "stream", &request.llm.stream, fault);
    if (r != DIALECT_OK)
        return r;
    sound = form_body_value(form, "file");
    length = sound_length(sound);
    request.wants_text = is_text(form_body_value(form, "response_format"));
    request.llm.wants_usage = true;
    request.llm.sound_bytes = sound.n;
    request.llm.sound_ms = length.ms;
    request.llm.sound_most_ms = length.most_ms;
    *ret = request;
    return DIALECT_OK;
}

static int read_reply(struct str body, struct wire_report *ret)
{
    return media_read_report(body, &whole, ret);
}

static int read_event(const struct sse_event *event, struct wire_report *ret)
{
    return media_read_event(event, &event_form, ret);
}

static bool read_usage(struct str object, struct llm_report *ret)
{
    return media_usage_read(object, &whole.classes, ret);
}

static bool find_usage(struct str part, struct llm_report *ret)
{
    return report_find_usage(part, STR("\"usage\""), read_usage, ret);
}

const struct dialect openai_transcriptions = {
    .name = "openai_transcriptions",
    .read_form = read_form,
    .edit_request = form_body_edit_request,
    .read_reply = read_reply,
    .edit_reply = wire_edit_reply,
    .find_usage = find_usage,
    .edit_error = openai_chat_edit_error,
    .error_status = wire_error_status,
    .read_event = read_event,
    .edit_event = wire_edit_event,
    .put_note = wire_put_note,
    .put_error = media_put_error,
    .put_stop = media_put_stop,
};
