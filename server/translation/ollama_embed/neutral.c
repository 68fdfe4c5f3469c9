/* neutral.c: the neutral form of embeddings to and from Ollama's own API.
 *
 * Source: "Generate embeddings" of Ollama's API reference (docs.ollama.com/api/embed): a text or a
 * list of them, cut at the end unless `truncate` is false. No client speaks it. */
#include "translation/embed.h"
#include "translation/put.h"

static embed_words words = {NULL}; /* models that want a task have it in their text */

static int write_request(const struct embed_request *r, const struct embed_target *target,
                         struct buf *out, struct chat_losses *losses, struct json_fault *fault)
{
    int outcome = embed_needs_texts(r, 0, fault);
    struct json_writer w;

    json_begin(&w, out);
    json_open_object(&w);
    put_text(&w, "model", target->model);
    embed_put_texts(&w, "input", r);
    put_flag(&w, "truncate", embed_cuts_end(r, losses));
    if (r->dimensions)
        put_int(&w, "dimensions", r->dimensions);
    json_close_object(&w);
    (void)embed_one_task(words, r, losses);
    embed_lose_titles(r, losses);
    embed_lose_rest(r, losses);
    return outcome;
}

static int read_answer(struct arena *a, const struct embed_request *request, struct str body,
                       struct embed_answer *ret)
{
    enum { EMBEDDINGS, TOKENS, MODEL, ERROR, WATCHES };
    struct json_watch w[WATCHES] = {{.path = "embeddings"}, {.path = "prompt_eval_count"},
                                    {.path = "model"}, {.path = "error"}};
    struct embed_answer answer = {.n_vectors = 0};
    int r = embed_scan(body, w, WATCHES, ERROR);

    if (r == EMBED_OK)
        r = embed_read_rows(a, request, json_span_str(body, w[EMBEDDINGS].span), NULL, &answer);
    if (r == EMBED_OK)
        r = embed_text(a, body, &w[MODEL], &answer.model);
    if (r != EMBED_OK)
        return r;
    embed_told(body, &w[TOKENS], &answer);
    *ret = answer;
    return EMBED_OK;
}

const struct embed_dialect ollama_embed_neutral = {
    .name = "ollama_embed", .write_request = write_request, .read_answer = read_answer};
