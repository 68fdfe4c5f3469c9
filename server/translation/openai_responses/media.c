/* media.c: pictures, files and sound in the items of the Responses format. */
#include "translation/media.h"

#include "translation/elements.h"
#include "translation/openai_responses/bytes.h"
#include "translation/wire.h"

enum { TYPE, IMAGE_URL, FILE_ID, FILE_DATA, FILE_URL, AUDIO, AUDIO_DATA, PARTS };

static const char *const part_paths[PARTS] = {
    [TYPE] = "type",
    [IMAGE_URL] = "image_url",
    [FILE_ID] = "file_id",
    [FILE_DATA] = "file_data",
    [FILE_URL] = "file_url",
    [AUDIO] = "input_audio",
    [AUDIO_DATA] = "input_audio.data",
};

enum { CONTENT, OUTPUT, RESULT, LISTS };

static const char *const list_paths[LISTS] = {
    [CONTENT] = "content", [OUTPUT] = "output", [RESULT] = "result"};

static bool look(struct str object, const char *const *paths, size_t n, struct json_watch *w)
{
    struct json_scan_result result;
    struct json_fault fault;

    for (size_t i = 0; i < n; i++)
        w[i] = (struct json_watch){.path = paths[i]};
    return json_scan(object, w, n, &result, &fault) == JSON_OK;
}

/* Pictures come as data within a URL, or from elsewhere. */
static void image(struct str part, struct json_span url, struct media *media)
{
    if (str_starts(json_span_str(part, url), STR("\"data:")))
        media_inline(media, MEDIA_IMAGE, url);
    else
        media_elsewhere(media, MEDIA_IMAGE);
}

static void one(struct str part, struct media *media)
{
    struct json_watch w[PARTS];
    bool picture;

    if (!look(part, part_paths, PARTS, w))
        return;
    picture = json_span_is(part, w[TYPE].span, "input_image") ||
              json_span_is(part, w[TYPE].span, "computer_screenshot");
    if (wire_given(w[IMAGE_URL].span))
        image(part, w[IMAGE_URL].span, media);
    else if (wire_given(w[FILE_DATA].span))
        media_inline(media, MEDIA_FILE, w[FILE_DATA].span);
    else if (wire_given(w[AUDIO].span))
        media_inline(media, MEDIA_AUDIO, w[AUDIO_DATA].span);
    else if (wire_given(w[FILE_ID].span) || wire_given(w[FILE_URL].span))
        media_elsewhere(media, picture ? MEDIA_IMAGE : MEDIA_FILE);
}

void responses_count_media(struct str input, struct media *media)
{
    struct str items = elements_of(input), item;
    struct json_watch w[LISTS];

    while (element_next(&items, &item)) {
        if (!look(item, list_paths, LISTS, w))
            continue;
        for (size_t i = CONTENT; i <= OUTPUT; i++) {
            struct str parts = elements_of(json_span_str(item, w[i].span)), part;

            while (w[i].span.kind != JSON_STRING && element_next(&parts, &part))
                one(part, media);
        }
        if (w[RESULT].span.n && w[RESULT].span.kind == JSON_STRING)
            media_inline(media, MEDIA_IMAGE, w[RESULT].span);
    }
}
