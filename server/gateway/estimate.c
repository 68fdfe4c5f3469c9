/* estimate.c: see estimate.h. */
#include "gateway/estimate.h"

#include "base/bounds.h"

enum {
    BYTES_PER_TOKEN_LEAST = 2,
    OUTPUT_LEAST = 1024,    /* DESIGN 3 */
    AVAILABLE_SHARE = 10,   /* one call takes at most this part of the balance unasked */
    OUTPUT_UNKNOWN = 32768, /* of a model whose maximum nobody has entered */
};

static int64_t clip(uint64_t v)
{
    return (int64_t)MIN(v, (uint64_t)BOUND_USAGE_QUANTITY);
}

int64_t estimate_tokens(uint64_t bytes)
{
    return clip(bytes / ESTIMATE_BYTES_PER_TOKEN + (bytes % ESTIMATE_BYTES_PER_TOKEN != 0));
}

static int64_t input_most(const struct llm_request *llm, const struct catalog_model *m)
{
    uint64_t media = (uint64_t)llm->media_parts * (uint64_t)m->media_tokens;

    return clip(llm->text_bytes / BYTES_PER_TOKEN_LEAST + 1 + media);
}

/* The client gave no limit. */
static void choose_output(const struct llm_request *llm, const struct catalog_target *t,
                          struct money available, struct estimate *e)
{
    int64_t known = t->model->max_output_tokens, most = known ? known : OUTPUT_UNKNOWN, buys;
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

void estimate_make(const struct llm_request *llm, const struct catalog_target *target,
                   struct money available, struct estimate *ret)
{
    const struct catalog_model *m = target->model;
    struct estimate e = {.most = {.input_tokens = input_most(llm, m), .requests = 1}};

    if (m->kind == MODEL_CHAT && llm->has_output_limit) {
        e.output_each = llm->output_limit;
        if (m->max_output_tokens)
            e.output_each = MIN(e.output_each, (uint64_t)m->max_output_tokens);
    } else if (m->kind == MODEL_CHAT) {
        choose_output(llm, target, available, &e);
    }
    e.most.output_tokens = clip(e.output_each * llm->choices);
    e.likely_tokens = estimate_tokens(llm->prompt_bytes) + e.most.output_tokens;
    *ret = e;
}
