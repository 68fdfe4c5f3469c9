/* media.c: see media.h. */
#include "translation/media.h"

void media_elsewhere(struct media *m, enum media_kind kind)
{
    if (kind == MEDIA_IMAGE)
        m->llm->image_parts++;
    else
        m->llm->files_elsewhere++;
}

void media_inline(struct media *m, enum media_kind kind, struct json_span data)
{
    m->inline_bytes += data.n;
    switch (kind) {
    case MEDIA_IMAGE:
        m->llm->image_parts++;
        break;
    case MEDIA_AUDIO:
        m->llm->audio_parts++;
        m->llm->audio_bytes += data.n;
        break;
    case MEDIA_FILE:
        m->llm->file_parts++;
        m->llm->file_bytes += data.n;
        break;
    }
}

enum media_kind media_kind_of(struct str mime)
{
    static const struct {
        struct str type;
        enum media_kind kind;
    } types[] = {{{"image/", 6}, MEDIA_IMAGE}, {{"audio/", 6}, MEDIA_AUDIO}};

    for (size_t i = 0; i < ARRAY_LEN(types); i++)
        if (mime.n >= types[i].type.n &&
            str_ieq(str_n(mime.p, types[i].type.n), types[i].type))
            return types[i].kind;
    return MEDIA_FILE;
}

void media_end(const struct media *m, uint64_t body_bytes, uint64_t prompt_bytes)
{
    m->llm->text_bytes = body_bytes - MIN(m->inline_bytes, body_bytes);
    m->llm->prompt_bytes = prompt_bytes - MIN(m->inline_bytes, prompt_bytes);
}
