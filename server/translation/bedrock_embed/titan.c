/* titan.c: the neutral form of embeddings to and from Amazon's Titan Text Embeddings, by InvokeModel of
 * Amazon Bedrock.
 *
 * Source: "Amazon Titan Embeddings" in the Bedrock user guide (docs.aws.amazon.com/bedrock/latest/
 * userguide/model-parameters-titan-embed-text.html): one text a request, which is refused when it is
 * too long; vectors are normalised unless it is told otherwise. No client speaks it. */
#include <errno.h>

#include "base/err.h"
#include "translation/embed.h"
#include "translation/put.h"
#include "translation/vector.h"

static embed_words words = {NULL};

static int write_request(const struct embed_request *r, const struct embed_target *target,
                         struct buf *out, struct chat_losses *losses, struct json_fault *fault)
{
    int outcome = embed_needs_texts(r, 1, fault);
    struct json_writer w;

    (void)target; /* the path has the model */
    json_begin(&w, out);
    json_open_object(&w);
    put_text(&w, "inputText", r->inputs[0].text);
    if (r->dimensions)
        put_int(&w, "dimensions", r->dimensions);
    json_close_object(&w);
    (void)embed_one_task(words, r, losses);
    embed_lose_cut(r, losses);
    embed_lose_titles(r, losses);
    embed_lose_rest(r, losses);
    return outcome;
}

static int read_answer(struct arena *a, const struct embed_request *request, struct str body,
                       struct embed_answer *ret)
{
    enum { EMBEDDING, TOKENS, ERROR, WATCHES };
    struct json_watch w[WATCHES] = {{.path = "embedding"}, {.path = "inputTextTokenCount"},
                                    {.path = "error"}};
    struct embed_answer answer = {.n_vectors = 0};
    int r = embed_scan(body, w, WATCHES, ERROR);

    if (r != EMBED_OK)
        return r;
    if (request->n_inputs != 1)
        return EMBED_E_SYNTAX;
    if (!embed_vectors(a, request, &answer))
        return err_origin(-ENOMEM);
    r = vector_read(a, json_span_str(body, w[EMBEDDING].span), &answer.vectors[0]);
    if (r != VECTOR_OK)
        return r < 0 ? err_trace(r) : EMBED_E_SYNTAX;
    embed_told(body, &w[TOKENS], &answer);
    *ret = answer;
    return EMBED_OK;
}

const struct embed_dialect bedrock_titan_embed_neutral = {
    .name = "bedrock_titan_embed", .write_request = write_request, .read_answer = read_answer};
