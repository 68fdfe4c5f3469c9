/* media.h: what OpenAI's image, video, speech and transcription endpoints have in common: forms, and answers.
 *
 * Source: OpenAI's API reference, "Images", "Audio" and their streaming events. */
#pragma once

#include "translation/dialect.h"
#include "translation/form_body.h"

/* form_body_read() of a form in which that part has to be there; the text of the request is its `prompt`,
 * which may be absent where it is not the needed one. */
int media_read_form(struct arena *a, struct str content_type, struct str body, const char *needed,
                    struct wire_request *ret, const struct form_body **ret_form,
                    struct json_fault *fault) _must_use_;
/* The edit_request of requests that come as forms and in JSON. */
void media_edit_request(const struct wire_request *request, const struct wire_request_edit *edit,
                        struct buf *out);

/* Which classes the tokens of an endpoint are of that its usage object does not tell apart. */
struct media_classes {
    enum usage_unit input, output;
};

/* A usage object: `input_tokens` and `output_tokens` or chat's names of them, with their details, or
 * `seconds` of sound, of which a part is counted as a whole one. False: no figure in it. */
bool media_usage_read(struct str object, const struct media_classes *classes,
                      struct llm_report *ret);

/* What is looked for in an answer or an event. */
struct media_form {
    struct media_classes classes;
    const char *made;     /* there is what an answer is made of: "data" */
    const char *each;     /* of images, each one of them; NULL: it makes none */
    const char *texts[2]; /* what a model has written; NULL: nothing */
    /* The ends of an event's type: of one that carries a whole image, and of the one that ends the
     * stream, with the figures. NULL: there is no such event. */
    const char *image_event, *last_event;
};
int media_read_report(struct str doc, const struct media_form *form,
                      struct wire_report *ret) _must_use_;
/* `type` of the document says what the event is. */
int media_read_event(const struct sse_event *event, const struct media_form *form,
                     struct wire_report *ret) _must_use_;
/* An error ends such a stream as an event of that name. */
void media_put_error(struct str document, struct buf *out);
/* A stream that is cut here ends without a mark: there is nothing to say it with. */
void media_put_stop(const struct wire_stop *stop, struct buf *out);
