/* media.c: images and documents in Anthropic's messages: in content, in the results of tools, and in
 * documents that are made of blocks. */
#include "translation/anthropic_messages/bytes.h"
#include "translation/elements.h"
#include "translation/media.h"
#include "translation/wire.h"

enum { DEPTH_MAX = 3 }; /* a message's block, a result's, a document's */

enum { TYPE, SOURCE_TYPE, SOURCE_DATA, SOURCE_CONTENT, CONTENT, WATCHES };

static const char *const paths[WATCHES] = {
    [TYPE] = "type",
    [SOURCE_TYPE] = "source.type",
    [SOURCE_DATA] = "source.data",
    [SOURCE_CONTENT] = "source.content",
    [CONTENT] = "content",
};

static bool look(struct str object, struct json_watch w[WATCHES])
{
    struct json_scan_result result;
    struct json_fault fault;

    for (size_t i = 0; i < WATCHES; i++)
        w[i] = (struct json_watch){.path = paths[i]};
    return json_scan(object, w, WATCHES, &result, &fault) == JSON_OK;
}

static void blocks(struct str raw, unsigned depth, struct media *media);

/* A source of type text is counted with the text. */
static void one(struct str block, unsigned depth, struct media *media)
{
    struct json_watch w[WATCHES];
    enum media_kind kind;

    if (!look(block, w))
        return;
    kind = json_span_is(block, w[TYPE].span, "image") ? MEDIA_IMAGE : MEDIA_FILE;
    if (json_span_is(block, w[SOURCE_TYPE].span, "base64"))
        media_inline(media, kind, w[SOURCE_DATA].span);
    else if (json_span_is(block, w[SOURCE_TYPE].span, "url") ||
             json_span_is(block, w[SOURCE_TYPE].span, "file"))
        media_elsewhere(media, kind);
    if (w[SOURCE_CONTENT].span.n)
        blocks(json_span_str(block, w[SOURCE_CONTENT].span), depth + 1, media);
    if (w[CONTENT].span.n)
        blocks(json_span_str(block, w[CONTENT].span), depth + 1, media);
}

static void blocks(struct str raw, unsigned depth, struct media *media)
{
    struct str rest = elements_of(raw), block;

    if (depth > DEPTH_MAX || !rest.n || rest.p[0] == '"')
        return;
    while (element_next(&rest, &block))
        one(block, depth, media);
}

void anthropic_count_media(struct str messages, struct media *media)
{
    struct str rest = elements_of(messages), message;
    struct json_watch w[WATCHES];

    while (element_next(&rest, &message))
        if (look(message, w) && w[CONTENT].span.n)
            blocks(json_span_str(message, w[CONTENT].span), 1, media);
}
