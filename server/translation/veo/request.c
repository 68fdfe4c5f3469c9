/* request.c: a video as Veo is asked for it: an aspect ratio and a resolution in the place of a size.
 *
 * Veo 3 and later make videos of 4, 6 or 8 seconds, in 720p and 1080p, and from 3.1 on but for Lite in 4k;
 * Veo 2 of 5 to 8 seconds, in 720p. The Gemini API has more than 720p for eight seconds only
 * (ai.google.dev/gemini-api/docs/veo, "Veo API parameters"; the models' own pages of Vertex AI). */
#include "base/base64.h"
#include "translation/put.h"
#include "translation/veo/veo.h"

static const struct {
    struct video_size size;
    const char *aspect, *resolution;
    bool large, huge;
} shapes[] = {
    {{1280, 720}, "16:9", "720p", false, false},  {{720, 1280}, "9:16", "720p", false, false},
    {{1920, 1080}, "16:9", "1080p", true, false}, {{1080, 1920}, "9:16", "1080p", true, false},
    {{3840, 2160}, "16:9", "4k", true, true},     {{2160, 3840}, "9:16", "4k", true, true},
};

static bool is_veo_2(struct str model)
{
    return str_ihas(model, STR("veo-2"));
}

/* Videos that large would not fit into an answer of Vertex AI's (see vertex.c). */
static bool makes_4k(const struct veo_host *host, struct str model)
{
    return !host->is_vertex && !is_veo_2(model) && !str_ihas(model, STR("veo-3.0")) &&
           !str_ihas(model, STR("lite"));
}

static int check_seconds(const struct video_prompt *p, struct str model, struct json_fault *fault)
{
    if (is_veo_2(model))
        return p->seconds >= 5 && p->seconds <= 8
                   ? VIDEO_OK
                   : wire_wrong(fault, "seconds", "must be from 5 to 8 for this model, and given");
    return p->seconds == 4 || p->seconds == 6 || p->seconds == 8
               ? VIDEO_OK
               : wire_wrong(fault, "seconds", "must be 4, 6 or 8 for this model");
}

static const char *sizes_of(const struct veo_host *host, struct str model)
{
    if (is_veo_2(model))
        return "must be 1280x720 or 720x1280 for this model";
    if (makes_4k(host, model))
        return "must be 1280x720, 1920x1080 or 3840x2160, lying or standing, for this model";
    return "must be 1280x720 or 1920x1080, lying or standing, for this model";
}

/* Which shape it is; ARRAY_LEN: none that the model makes, and *fault says so. */
static size_t shape_of(const struct video_prompt *p, const struct veo_host *host, struct str model,
                       struct json_fault *fault)
{
    size_t i = 0;

    while (i < ARRAY_LEN(shapes) &&
           (shapes[i].size.width != p->size.width || shapes[i].size.height != p->size.height))
        i++;
    if (i == ARRAY_LEN(shapes) || (shapes[i].large && is_veo_2(model)) ||
        (shapes[i].huge && !makes_4k(host, model))) {
        (void)wire_wrong(fault, "size", sizes_of(host, model));
        return ARRAY_LEN(shapes);
    }
    if (shapes[i].large && host->large_is_8 && p->seconds != 8) {
        (void)wire_wrong(fault, "seconds", "must be 8 for videos of this size, for this model");
        return ARRAY_LEN(shapes);
    }
    return i;
}

static void put_picture(struct json_writer *w, const struct video_prompt *p)
{
    if (!p->picture.p)
        return;
    json_key(w, "image");
    json_open_object(w);
    if (p->picture_is_base64) {
        put_text(w, "bytesBase64Encoded", p->picture);
    } else {
        json_key(w, "bytesBase64Encoded");
        json_raw(w, STR("\""));
        base64_put(w->out, p->picture.p, p->picture.n);
        buf_putc(w->out, '"');
    }
    put_word(w, "mimeType", p->picture_type);
    json_close_object(w);
}

int veo_write(const struct video_prompt *p, const struct veo_host *host, struct str model, struct buf *out,
              struct chat_losses *losses, struct json_fault *fault)
{
    size_t shape;
    struct json_writer w;

    if (check_seconds(p, model, fault) != VIDEO_OK)
        return VIDEO_E_FIELD;
    shape = shape_of(p, host, model, fault);
    if (shape == ARRAY_LEN(shapes))
        return VIDEO_E_FIELD;
    json_begin(&w, out);
    json_open_object(&w);
    json_key(&w, "instances");
    json_open_array(&w);
    json_open_object(&w);
    put_text(&w, "prompt", p->text);
    put_picture(&w, p);
    json_close_object(&w);
    json_close_array(&w);
    json_key(&w, "parameters");
    json_open_object(&w);
    put_word(&w, "aspectRatio", shapes[shape].aspect);
    if (!is_veo_2(model))
        put_word(&w, "resolution", shapes[shape].resolution);
    put_int(&w, "durationSeconds", p->seconds);
    if (host->is_vertex)
        put_int(&w, "sampleCount", 1);
    if (host->is_vertex && !is_veo_2(model))
        put_flag(&w, "generateAudio", 1);
    json_close_object(&w);
    json_close_object(&w);
    chat_lose_extras(losses, &p->extra);
    return VIDEO_OK;
}
