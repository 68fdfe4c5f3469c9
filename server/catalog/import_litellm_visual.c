/* import_litellm_visual.c: LiteLLM's entries of models that are no chats, and its prices of images by
 * quality and size, of videos by size.
 *
 * Odd: such a price is an entry of its own, "QUALITY/W-x-H/MODEL" or "W-x-H/MODEL", in dollars an
 * image or a pixel. A pixel's price is the image's divided and cut off, so the product is rounded up
 * to the hundredth of a cent, in which all of them are. */
#include <errno.h>

#include "base/err.h"
#include "catalog/import_litellm.h"
#include "json/value.h"

#define SCALE 15 /* USD per unit to nano-dollars per million units */
#define HUNDREDTH_OF_A_CENT INT64_C(100000000000) /* an image, in nano-dollars a million */
#define EDGE_MAX 65536

bool import_litellm_kind(const struct json_object *v, enum model_kind *ret)
{
    static const struct {
        const char *mode;
        enum model_kind kind;
    } modes[] = {{"image_generation", MODEL_IMAGE},
                 {"audio_speech", MODEL_SPEECH},
                 {"audio_transcription", MODEL_TRANSCRIPTION},
                 {"video_generation", MODEL_VIDEO}};
    struct str mode = json_text(json_get(v, "mode"));

    for (size_t i = 0; i < ARRAY_LEN(modes); i++)
        if (str_eq_c(mode, modes[i].mode)) {
            *ret = modes[i].kind;
            return true;
        }
    return model_kind_parse(mode, ret) == WORD_OK;
}

/* "1024-x-1536" */
static bool read_size(struct str text, int64_t *ret_width, int64_t *ret_height)
{
    const struct str mark = STR("-x-");

    for (size_t i = 1; i + mark.n < text.n; i++)
        if (str_starts(str_n(text.p + i, text.n - i), mark))
            return str_i64(str_n(text.p, i), ret_width) == STR_OK &&
                   str_i64(str_n(text.p + i + mark.n, text.n - i - mark.n), ret_height) == STR_OK &&
                   *ret_width > 0 && *ret_width <= EDGE_MAX && *ret_height > 0 &&
                   *ret_height <= EDGE_MAX;
    return false;
}

static int64_t charge_of(const struct json_object *v, int64_t pixels)
{
    static const char *const each[] = {"input_cost_per_image", "output_cost_per_image"};
    int64_t charge = 0;
    __int128 image;

    for (size_t i = 0; i < ARRAY_LEN(each); i++)
        if (money_parse_scaled(json_text(json_get(v, each[i])), SCALE, &charge) == MONEY_OK && charge > 0)
            return charge;
    if (money_parse_scaled(json_text(json_get(v, "input_cost_per_pixel")), SCALE, &charge) != MONEY_OK ||
        charge <= 0)
        return 0;
    image = (__int128)charge * pixels + HUNDREDTH_OF_A_CENT - 1;
    image -= image % HUNDREDTH_OF_A_CENT;
    return image > BOUND_PRICE_ABSURD_NANO ? 0 : (int64_t)image;
}

static void read_image(struct str name, const struct json_object *v, struct litellm_visual *ret)
{
    ssize_t slash = str_find(name, '/');
    struct str quality = STR_NONE, size = name;
    int64_t width, height;
    struct buf kind;

    if (slash > 0 && !read_size(str_n(name.p, (size_t)slash), &width, &height)) {
        quality = str_n(name.p, (size_t)slash);
        size = str_n(name.p + slash + 1, name.n - (size_t)slash - 1);
    }
    slash = str_find(size, '/');
    if (slash <= 0 || !read_size(str_n(size.p, (size_t)slash), &width, &height))
        return;
    buf_init(&kind, 100);
    if (quality.p)
        buf_printf(&kind, "%.*s/", STR_FMT(quality));
    buf_printf(&kind, "%lldx%lld", (long long)width, (long long)height);
    ret->charge = charge_of(v, width * height);
    if (buf_finish(&kind) == 0 && price_visual_kind_parse(buf_str(&kind), ret->kind) && ret->charge)
        ret->model = str_n(size.p + slash + 1, size.n - (size_t)slash - 1);
    buf_done(&kind);
}

/* "sora-2-pro-high-res" (developers.openai.com/api/docs/pricing, "Video"). */
static size_t read_videos(const struct import_entry *e, struct litellm_visual ret[LITELLM_VISUALS])
{
    static const char *const sizes[LITELLM_VISUALS] = {"1024x1792", "1792x1024"};
    const struct str mark = STR("-high-res");

    if (!str_ends(e->name, mark) || e->n_figures != 1 || e->figures[0].unit != USAGE_SECOND)
        return 0;
    for (size_t i = 0; i < LITELLM_VISUALS; i++) {
        ret[i] = (struct litellm_visual){.unit = USAGE_SECOND,
                                         .model = str_n(e->name.p, e->name.n - mark.n),
                                         .provider = e->provider,
                                         .charge = e->figures[0].charge};
        if (!price_visual_kind_parse(str_c(sizes[i]), ret[i].kind))
            return 0;
    }
    return LITELLM_VISUALS;
}

size_t import_litellm_visuals(const struct import_entry *e, const struct json_object *v,
                              struct litellm_visual ret[LITELLM_VISUALS])
{
    if (e->kind == MODEL_VIDEO)
        return read_videos(e, ret);
    if (e->kind != MODEL_IMAGE)
        return 0;
    ret[0] = (struct litellm_visual){.unit = USAGE_IMAGE, .provider = e->provider};
    read_image(e->name, v, &ret[0]);
    return ret[0].model.p ? 1 : 0;
}

static bool is_sold_by(const struct import_entry *e, enum usage_unit unit)
{
    for (size_t i = 0; i < e->n_figures; i++)
        if (e->figures[i].unit == unit)
            return true;
    return false;
}

/* A model may stand in the file twice, with its host's name and without: the first price counts. */
static bool has_kind(const struct import_entry *e, const char *kind)
{
    for (size_t i = 0; i < e->n_figures; i++)
        if (strcmp(e->figures[i].visual_kind, kind) == 0)
            return true;
    return false;
}

int import_litellm_put_visuals(struct import_entries *to, const struct litellm_visual *visuals,
                               size_t n)
{
    int r = 0;

    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; r == 0 && k < to->n; k++) {
            struct import_entry *e = &to->v[k];
            struct price_figure f = {.unit = visuals[i].unit, .charge = visuals[i].charge};

            if (e->reason.p || (e->kind != MODEL_IMAGE && e->kind != MODEL_VIDEO) ||
                e->provider != visuals[i].provider || !str_eq(e->name, visuals[i].model) ||
                !is_sold_by(e, visuals[i].unit) || has_kind(e, visuals[i].kind))
                continue;
            memcpy(f.visual_kind, visuals[i].kind, sizeof(f.visual_kind));
            r = import_figure(to->a, e, &f);
        }
    return r;
}
