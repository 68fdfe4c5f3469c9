/* video_prompt.c: see video_prompt.h. */
#include "translation/video_prompt.h"

#include <errno.h>

#include "base/err.h"
#include "translation/form_body.h"
#include "translation/tree.h"
#include "translation/wire.h"

static const char reference[] = "input_reference";
static const char inside[] = "must be an image in the request, for the provider of this model: a file, or a data: URL";
static const char no_image[] = "must be a PNG, JPEG or WebP image";

/* What is read of it, and what is the gateway's own. */
static const char *const known[] = {"model", "models", "provider", "prompt",        "seconds",
                                    "size",  "width",  "height",   "input_reference", NULL};

static const struct {
    const char *type;
    struct str mark; /* its first bytes */
} pictures[] = {
    {"image/png", STR("\x89PNG\r\n\x1a\n")},
    {"image/jpeg", STR("\xff\xd8\xff")},
    {"image/webp", STR("RIFF")},
};

static const char *type_of(struct str bytes)
{
    for (size_t i = 0; i < ARRAY_LEN(pictures); i++)
        if (str_starts(bytes, pictures[i].mark))
            return pictures[i].type;
    return NULL;
}

/* "data:image/png;base64,..." */
static int read_data_url(struct str url, struct video_prompt *p, struct json_fault *fault)
{
    const struct str scheme = STR("data:"), mark = STR(";base64");
    ssize_t comma = str_find(url, ',');
    struct str type;

    if (!str_starts(url, scheme) || comma < 0)
        return wire_wrong(fault, "input_reference.image_url", inside);
    type = str_n(url.p + scheme.n, (size_t)comma - scheme.n);
    if (!str_ends(type, mark))
        return wire_wrong(fault, "input_reference.image_url", inside);
    type.n -= mark.n;
    for (size_t i = 0; i < ARRAY_LEN(pictures); i++)
        if (str_ieq(type, str_c(pictures[i].type)))
            p->picture_type = pictures[i].type;
    if (!p->picture_type)
        return wire_wrong(fault, "input_reference.image_url", no_image);
    p->picture = str_n(url.p + comma + 1, url.n - (size_t)comma - 1);
    p->picture_is_base64 = true;
    return DIALECT_OK;
}

static int read_json(struct arena *a, struct str body, struct video_prompt *p, struct json_fault *fault)
{
    struct tree t;
    struct node root = tree_open(&t, a, body, fault);
    struct node picture = tree_object(&t, root, reference);
    struct str url = STR_NONE;

    p->text = tree_needs_text(&t, root, "prompt");
    if (node_given(picture)) {
        url = tree_text(&t, picture, "image_url");
        if (!url.p)
            tree_wrong(&t, picture.path, inside);
    }
    p->extra = tree_extras(&t, root, known);
    tree_close(&t);
    if (t.r != CHAT_OK)
        return t.r;
    return url.p ? read_data_url(url, p, fault) : DIALECT_OK;
}

static bool is_known(struct str name)
{
    for (size_t i = 0; known[i]; i++)
        if (str_eq_c(name, known[i]))
            return true;
    return false;
}

static int read_extras(struct arena *a, const struct form_body *form, struct chat_extras *ret)
{
    struct chat_extra *extra = arena_array(a, struct chat_extra, form->parts.n + 1);
    size_t n = 0;

    if (!extra)
        return err_origin(-ENOMEM);
    for (size_t i = 0; i < form->parts.n; i++) {
        const struct part *part = &form->parts.part[i];

        if (!is_known(part->name))
            extra[n++] = (struct chat_extra){part->name, part->name, part->value};
    }
    *ret = (struct chat_extras){extra, n};
    return DIALECT_OK;
}

static int read_form(struct arena *a, const struct form_body *form, struct video_prompt *p,
                     struct json_fault *fault)
{
    p->text = form_body_value(form, "prompt");
    p->picture = form_body_value(form, reference);
    if (p->picture.p)
        p->picture_type = type_of(p->picture);
    if (p->picture.p && !p->picture_type)
        return wire_wrong(fault, reference, no_image);
    return read_extras(a, form, &p->extra);
}

int video_prompt_read(struct arena *a, const struct wire_request *request, struct video_prompt *ret,
                      struct json_fault *fault)
{
    const struct llm_request *llm = &request->llm;
    struct video_prompt p = {.seconds = (uint32_t)llm->seconds};
    int r;

    if (!video_size_read(llm->visual.size.n ? llm->visual.size : STR(VIDEO_SIZE_DEFAULT), &p.size))
        return wire_wrong(fault, "size", "must be a size in pixels");
    r = request->content_type.p ? read_form(a, request->marks, &p, fault)
                                : read_json(a, request->body, &p, fault);
    if (r == DIALECT_OK)
        *ret = p;
    return r;
}
