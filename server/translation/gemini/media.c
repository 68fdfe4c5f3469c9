/* media.c: inline data and files in Google's contents, and in what functions have answered. */
#include "translation/media.h"

#include "translation/elements.h"
#include "translation/gemini/bytes.h"
#include "translation/wire.h"

enum { DEPTH_MAX = 2 }; /* a content's part, a function response's */

enum {
    INLINE,
    INLINE_SNAKE,
    FILE_CAMEL,
    FILE_SNAKE,
    RESPONSE,
    RESPONSE_SNAKE,
    WATCHES,
};

static const char *const paths[WATCHES] = {
    [INLINE] = "inlineData",
    [INLINE_SNAKE] = "inline_data",
    [FILE_CAMEL] = "fileData",
    [FILE_SNAKE] = "file_data",
    [RESPONSE] = "functionResponse.parts",
    [RESPONSE_SNAKE] = "function_response.parts",
};

/* A blob's or a file's kind, and the span of its bytes within the object. */
static enum media_kind kind_in(struct str object, struct json_span *ret_data)
{
    struct json_watch w[] = {{.path = "mimeType"}, {.path = "mime_type"}, {.path = "data"}};
    struct json_scan_result result;
    struct json_fault fault;
    size_t mime;

    if (json_scan(object, w, ARRAY_LEN(w), &result, &fault) != JSON_OK)
        return MEDIA_FILE;
    *ret_data = w[2].span;
    mime = wire_given(w[0].span) ? 0 : 1;
    if (!w[mime].span.n || w[mime].span.kind != JSON_STRING)
        return MEDIA_FILE;
    return media_kind_of(str_n(object.p + w[mime].span.at + 1, w[mime].span.n - 2));
}

static void parts(struct str raw, unsigned depth, struct media *media);

static void one(struct str part, unsigned depth, struct media *media)
{
    struct json_watch w[WATCHES] = {0};
    struct json_scan_result result;
    struct json_fault fault;
    struct json_span data = {.n = 0};

    for (size_t i = 0; i < WATCHES; i++)
        w[i].path = paths[i];
    if (json_scan(part, w, WATCHES, &result, &fault) != JSON_OK)
        return;
    for (size_t i = INLINE; i <= FILE_SNAKE; i++) {
        enum media_kind kind;

        if (!wire_given(w[i].span))
            continue;
        kind = kind_in(json_span_str(part, w[i].span), &data);
        if (i <= INLINE_SNAKE)
            media_inline(media, kind, data);
        else
            media_elsewhere(media, kind);
    }
    for (size_t i = RESPONSE; i <= RESPONSE_SNAKE; i++)
        if (w[i].span.n)
            parts(json_span_str(part, w[i].span), depth + 1, media);
}

static void parts(struct str raw, unsigned depth, struct media *media)
{
    struct str rest = elements_of(raw), part;

    while (depth <= DEPTH_MAX && element_next(&rest, &part))
        one(part, depth, media);
}

void gemini_count_media(struct str contents, struct media *media)
{
    struct str rest = elements_of(contents), content;

    while (element_next(&rest, &content)) {
        struct json_watch list = {.path = "parts"};
        struct json_scan_result result;
        struct json_fault fault;

        if (json_scan(content, &list, 1, &result, &fault) == JSON_OK && list.span.n)
            parts(json_span_str(content, list.span), 1, media);
    }
}
