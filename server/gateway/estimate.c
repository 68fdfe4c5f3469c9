/* estimate.c: see estimate.h. */
#include "gateway/estimate.h"

#include "base/bounds.h"
#include "gateway/things.h"

enum {
    BYTES_PER_TOKEN_LEAST = 2,
    OUTPUT_LEAST = 1024,    /* DESIGN 3 */
    AVAILABLE_SHARE = 10,   /* one call takes at most this part of the balance unasked */
    OUTPUT_UNKNOWN = 32768, /* of a model whose maximum nobody has entered */
    /* Sound: providers count 10 to 32 tokens a second, of which 32 kbit/s make some 5,300 bytes of
     * base64. */
    AUDIO_BYTES_PER_TOKEN = 128,
};

static int64_t clip(uint64_t v)
{
    return (int64_t)MIN(v, (uint64_t)BOUND_USAGE_QUANTITY);
}

int64_t estimate_tokens(uint64_t bytes)
{
    return clip(bytes / ESTIMATE_BYTES_PER_TOKEN + (bytes % ESTIMATE_BYTES_PER_TOKEN != 0));
}

void estimate_prompt(const struct llm_request *llm, const struct catalog_model *m,
                     struct usage *ret)
{
    uint64_t parts = (uint64_t)llm->image_parts + llm->file_parts + llm->files_elsewhere;

    *ret = (struct usage){.n = {0}};
    ret->n[USAGE_INPUT] = estimate_tokens(llm->prompt_bytes) +
                          clip(parts * (uint64_t)m->media_tokens);
    ret->n[USAGE_AUDIO_INPUT] = clip(llm->audio_parts * (uint64_t)m->media_tokens);
    usage_clamp(ret);
}

/* Media never need more than the context holds. */
static uint64_t within_context(uint64_t tokens, const struct catalog_model *m)
{
    return m->context_tokens ? MIN(tokens, (uint64_t)m->context_tokens) : tokens;
}

/* A file is compressed text and pictures of its pages: a token a byte at most. */
static uint64_t file_tokens(const struct llm_request *llm, const struct catalog_model *m)
{
    uint64_t each = (uint64_t)m->media_tokens, unknown = (uint64_t)m->context_tokens;

    return MAX(llm->file_parts * each, llm->file_bytes / 4 * 3) +
           llm->files_elsewhere * MAX(each, unknown);
}

static void bound_input(const struct llm_request *llm, const struct catalog_model *m,
                        struct price_estimate *e)
{
    uint64_t each = (uint64_t)m->media_tokens;
    uint64_t audio = MAX(llm->audio_parts * each, llm->audio_bytes / AUDIO_BYTES_PER_TOKEN);
    uint64_t media = llm->image_parts * each + file_tokens(llm, m);

    e->service = llm->service;
    e->audio_output = llm->wants_audio;
    e->audio_input_tokens = clip(within_context(audio, m));
    e->input_tokens =
        clip(llm->text_bytes / BYTES_PER_TOKEN_LEAST + 1 + within_context(media, m));
    e->things = (struct usage){.n = {[USAGE_IMAGE] = llm->image_parts,
                                     [USAGE_SEARCH] = clip(llm->searches),
                                     [USAGE_REQUEST] = 1}};
}

/* What the client allows. */
static uint64_t allowed_output(const struct llm_request *llm, const struct catalog_target *t)
{
    int64_t most = target_output(t);

    return most ? MIN(llm->output_limit, (uint64_t)most) : llm->output_limit;
}

/* The client gave no limit. */
static void choose_output(const struct llm_request *llm, const struct catalog_target *t,
                          struct money available, struct estimate *e)
{
    int64_t known = target_output(t), most = known ? known : OUTPUT_UNKNOWN, buys;
    struct money share = {available.nano / AVAILABLE_SHARE};

    e->send_limit = !known;
    e->output_each = (uint64_t)most;
    if (available.nano < 0)
        return;
    buys = price_affords_output(t->price, &e->most, share) / llm->choices;
    if (buys >= most)
        return;
    e->output_each = (uint64_t)MIN(MAX(buys, (int64_t)OUTPUT_LEAST), most);
    e->send_limit = true;
}

static void own_fee(const struct catalog_target *target, struct price_estimate *e)
{
    e->own_key = target->account->team.v != 0;
    e->own_fee_bp = target->account->own_fee_bp;
}

void estimate_make(const struct llm_request *llm, const struct catalog_target *target,
                   struct money available, struct estimate *ret)
{
    const struct catalog_model *m = target->model;
    struct estimate e = {.output_each = 0};

    if (things_are_counted(m->kind)) {
        things_estimate(llm, target, &e.most);
        own_fee(target, &e.most);
        e.likely_tokens = estimate_tokens(llm->prompt_bytes);
        *ret = e;
        return;
    }
    bound_input(llm, m, &e.most);
    own_fee(target, &e.most);
    if (model_kind_writes(m->kind) && llm->has_output_limit)
        e.output_each = allowed_output(llm, target);
    else if (model_kind_writes(m->kind))
        choose_output(llm, target, available, &e);
    e.most.output_tokens = clip(e.output_each * llm->choices);
    e.likely_tokens = estimate_tokens(llm->prompt_bytes) + e.most.output_tokens;
    *ret = e;
}

void estimate_other(const struct llm_request *llm, const struct catalog_target *target,
                    const struct estimate *first, struct price_estimate *ret)
{
    uint64_t each = first->output_each;

    if (things_are_counted(target->model->kind)) {
        things_estimate(llm, target, ret);
        own_fee(target, ret);
        return;
    }
    *ret = first->most;
    own_fee(target, ret);
    bound_input(llm, target->model, ret);
    if (model_kind_writes(target->model->kind) && llm->has_output_limit)
        each = allowed_output(llm, target);
    ret->output_tokens = clip(each * llm->choices);
}
