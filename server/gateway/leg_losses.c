/* leg_losses.c: see leg.h: what becomes of what a target's format cannot say. */
#include "gateway/call_flow.h"
#include "translation/wire.h"

/* The names of what is left out, for the header and the record; thoughts of others are only noted
 * in the losses and are nobody's business. */
static struct str names_of(struct arena *a, const struct chat_losses *losses)
{
    struct str names = STR_NONE;

    for (size_t i = 0; i < losses->n; i++)
        if (!losses->noted[i])
            names = names.p ? arena_strf(a, "%.*s, %.*s", STR_FMT(names), STR_FMT(losses->path[i]))
                            : losses->path[i];
    return names;
}

int leg_judge_losses(struct call *c, const struct catalog_target *target,
                     const struct chat_losses *losses, struct json_fault *fault)
{
    c->leg.dropped = STR_NONE;
    if (!losses->refusable)
        return LEG_OK;
    c->leg.dropped = names_of(c->r->arena, losses);
    if (target->model->drop_unsupported && !(c->preference && c->preference->whole))
        return LEG_OK;
    for (size_t i = 0; i < losses->n; i++)
        if (!losses->noted[i]) {
            const char *path = arena_cstr(c->r->arena, losses->path[i]);

            (void)wire_wrong(fault, path ? path : "",
                             "cannot be expressed in the format of the model's provider");
            break;
        }
    return LEG_E_REFUSED;
}
