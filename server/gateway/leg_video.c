/* leg_video.c: the provider makes videos by another format than OpenAI's: the request is written anew, see
 * video_dialect.h.
 *
 * The answer is a job, which call_video.c reads and tells the client of in the one format that clients have. */
#include "base/bounds.h"
#include "base/err.h"
#include "gateway/call_flow.h"
#include "translation/video_prompt.h"

/* Videos of so many lines are said to cost more at Google than all others, and price files do not tell: at a
 * price that does not name their size they might be sold below what they cost. */
#define DEAR_LINES 2160

static bool is_sold(const struct catalog_target *target, const struct video_prompt *prompt, struct str size,
                    struct json_fault *fault)
{
    const struct visual_kind asked = {.size = size};

    if (MIN(prompt->size.width, prompt->size.height) < DEAR_LINES || *price_visual_of(target->price, &asked))
        return true;
    (void)wire_wrong(fault, "size", "is sold only where the model's price names it, and this one does not");
    return false;
}

/* Made as large as it was asked to be, since what cannot be is refused. */
static struct str size_of(const struct call *c)
{
    struct str asked = c->wire.llm.visual.size;

    return asked.n ? asked : STR(VIDEO_SIZE_DEFAULT);
}

static int put_request(struct call *c, const struct catalog_target *target,
                       const struct wire_request_edit *edit, struct buf *out,
                       struct json_fault *fault)
{
    const struct video_dialect *d = leg_format(&c->leg)->video;
    struct chat_losses losses = {.n = 0};
    struct video_prompt prompt;
    int r = video_prompt_read(c->r->arena, &c->wire, &prompt, fault);

    if (r < 0)
        return err_trace(r);
    if (r != DIALECT_OK || !is_sold(target, &prompt, size_of(c), fault) ||
        d->write_request(&prompt, edit->model, out, &losses, fault) != VIDEO_OK)
        return LEG_E_REFUSED;
    return leg_judge_losses(c, target, &losses, fault);
}

static int read_whole(struct call *c, struct str body, struct wire_report *ret)
{
    struct video_told told;
    int r = leg_format(&c->leg)->video->read_state(c->r->arena, body, &told);

    *ret = (struct wire_report){.bytes = body};
    if (r < 0)
        return err_trace(r);
    if (r != VIDEO_OK)
        return LEG_E_BAD;
    ret->error = told.state == VIDEO_FAILED;
    ret->has_data = told.id.n > 0;
    ret->llm.id = told.id;
    ret->llm.visual.size = size_of(c);
    return LEG_OK;
}

const struct leg_kind leg_video = {.put_request = put_request, .read_whole = read_whole};
