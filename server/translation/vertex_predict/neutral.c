/* neutral.c: the neutral form of embeddings to and from Vertex AI's predict of text embedding models.
 *
 * Source: "Text embeddings API" and TextEmbeddingPredictionParams in Vertex AI's reference
 * (docs.cloud.google.com/vertex-ai/generative-ai/docs/model-reference/text-embeddings-api). Each
 * prediction counts its own tokens. No client speaks it. */
#include <errno.h>

#include "base/err.h"
#include "translation/elements.h"
#include "translation/embed.h"
#include "translation/gemini/embed_words.h"
#include "translation/put.h"

static void put_instance(struct json_writer *w, const struct embed_input *in,
                         struct chat_losses *losses)
{
    json_open_object(w);
    put_text(w, "content", in->text);
    put_word(w, "task_type", embed_task_word(google_task_words, in->task, in->task_path, losses));
    put_text(w, "title", in->title);
    json_close_object(w);
}

static int write_request(const struct embed_request *r, const struct embed_target *target,
                         struct buf *out, struct chat_losses *losses, struct json_fault *fault)
{
    int outcome = embed_needs_texts(r, 0, fault), cuts = embed_cuts_end(r, losses);
    struct json_writer w;

    (void)target; /* the path has the model */
    json_begin(&w, out);
    json_open_object(&w);
    json_key(&w, "instances");
    json_open_array(&w);
    for (size_t i = 0; i < r->n_inputs; i++)
        put_instance(&w, &r->inputs[i], losses);
    json_close_array(&w);
    if (r->dimensions || cuts >= 0) {
        json_key(&w, "parameters");
        json_open_object(&w);
        put_flag(&w, "autoTruncate", cuts);
        if (r->dimensions)
            put_int(&w, "outputDimensionality", r->dimensions);
        json_close_object(&w);
    }
    json_close_object(&w);
    embed_lose_rest(r, losses);
    return outcome;
}

static void count(struct str list, struct embed_answer *answer)
{
    struct str rest = elements_of(list), one;

    while (element_next(&rest, &one)) {
        struct json_watch w = {.path = "embeddings.statistics.token_count"};
        struct json_scan_result result;
        struct json_fault fault;

        if (json_scan(one, &w, 1, &result, &fault) == JSON_OK)
            embed_told(one, &w, answer);
    }
}

static int read_answer(struct arena *a, const struct embed_request *request, struct str body,
                       struct embed_answer *ret)
{
    struct json_watch w[] = {{.path = "predictions"}, {.path = "error"}};
    struct embed_answer answer = {.n_vectors = 0};
    int r = embed_scan(body, w, ARRAY_LEN(w), 1);

    if (r == EMBED_OK)
        r = embed_read_rows(a, request, json_span_str(body, w[0].span), "embeddings.values",
                            &answer);
    if (r != EMBED_OK)
        return r;
    count(json_span_str(body, w[0].span), &answer);
    *ret = answer;
    return EMBED_OK;
}

const struct embed_dialect vertex_predict_neutral = {
    .name = "vertex_predict", .write_request = write_request, .read_answer = read_answer};
