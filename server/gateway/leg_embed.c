/* leg_embed.c: client and upstream speak different formats of embeddings: the call goes through their
 * neutral form, see embed_dialect.h.
 *
 * As in leg_translated.c the request is read once, for the first target that needs it. Embeddings are
 * never streamed. */
#include <errno.h>

#include "base/bounds.h"
#include "base/err.h"
#include "gateway/call_flow.h"
#include "translation/vector.h"

static const struct embed_dialect *client_side(const struct call *c)
{
    return c->endpoint->format->embed;
}

static const struct embed_dialect *upstream_side(const struct call *c)
{
    return leg_format(&c->leg)->embed;
}

static int read_request(struct call *c, struct json_fault *fault)
{
    struct arena *a = c->r->arena;
    struct embed_request *request;
    int r;

    if (c->embed)
        return LEG_OK;
    request = arena_new0(a, struct embed_request);
    if (!request)
        return err_origin(-ENOMEM);
    r = client_side(c)->read_request(a, c->r->body, request, fault);
    if (r < 0)
        return err_trace(r);
    if (r != EMBED_OK)
        return LEG_E_REFUSED;
    c->embed = request;
    return LEG_OK;
}

static int put_request(struct call *c, const struct catalog_target *target,
                       const struct wire_request_edit *edit, struct buf *out,
                       struct json_fault *fault)
{
    const struct embed_target to = {
        .model = edit->model,
        .dimensions_name = edit->dimensions_name,
        .input_type = provider_has(target->account->provider, PROVIDER_INPUT_TYPE),
    };
    struct chat_losses losses = {.n = 0};
    int r = read_request(c, fault);

    if (r != LEG_OK)
        return r;
    if (upstream_side(c)->write_request(c->embed, &to, out, &losses, fault) != EMBED_OK)
        return LEG_E_REFUSED;
    return leg_judge_losses(c, target, &losses, fault);
}

/* What stands around the vectors and the inputs that some formats repeat. */
#define FRAME_BYTES KIB(256)

/* More than the client could be given is no answer: nothing is charged for it. */
static bool has_room(const struct call *c, const struct embed_answer *answer)
{
    size_t bytes = FRAME_BYTES + c->r->body.n, times = c->embed->base64 && c->embed->numbers ? 2 : 1;

    for (size_t i = 0; i < answer->n_vectors; i++)
        bytes += vector_bytes(&answer->vectors[i]) * times;
    return bytes <= BOUND_TRANSLATED_REPLY_BYTES &&
           bytes <= BOUND_REQUEST_ARENA_BYTES - arena_used(c->r->arena);
}

static int read_whole(struct call *c, struct str body, struct wire_report *ret)
{
    struct embed_answer *answer = &c->leg.vectors;
    int r;

    *ret = (struct wire_report){.bytes = body};
    *answer = (struct embed_answer){.n_vectors = 0};
    r = upstream_side(c)->read_answer(c->r->arena, c->embed, body, answer);
    if (r == EMBED_E_ERROR) {
        ret->error = true;
        return LEG_OK;
    }
    if (r != EMBED_OK || !has_room(c, answer))
        return LEG_E_BAD;
    if (!answer->told.has_usage && c->try.input_tokens >= 0) {
        answer->told.has_usage = true;
        answer->told.usage.n[USAGE_INPUT] = c->try.input_tokens;
        usage_clamp(&answer->told.usage);
    }
    ret->has_data = true;
    ret->llm = answer->told;
    ret->llm.id = answer->id;
    return LEG_OK;
}

static void put_whole(struct call *c, const struct wire_report *report,
                      const struct wire_report_edit *edit, struct buf *out)
{
    char id[CALL_ID_TEXT];
    struct usage used;
    struct embed_frame frame = {
        .model = c->record.requested_model,
        .has_cost = edit->has_cost,
        .cost = edit->cost,
        .members = edit->members,
    };

    (void)report;
    call_id_text(c->r->id, id);
    call_record_usage(&c->record, &used);
    frame.id = str_c(id);
    frame.tokens = usage_sum(&used, USAGE_COVERS_PROMPT);
    client_side(c)->write_answer(c->embed, &c->leg.vectors, &frame, out);
}

const struct leg_kind leg_embed = {
    .put_request = put_request,
    .read_whole = read_whole,
    .put_whole = put_whole,
};
