/* embed_neutral.c: Google's embedContent and batchEmbedContents to and from the neutral form.
 *
 * Source: Gemini API reference, "Embeddings" (ai.google.dev/api/embeddings). Names are read in
 * camelCase and snake_case, beside the content or in embedContentConfig. Upstreams are always asked
 * for a batch, which alone tells its figures. */
#include "translation/embed.h"
#include "translation/gemini/bytes.h"
#include "translation/gemini/embed_words.h"
#include "translation/gemini/gemini.h"
#include "translation/put.h"
#include "translation/wire.h"

embed_words google_task_words = {[EMBED_QUERY] = "RETRIEVAL_QUERY",
                                 [EMBED_DOCUMENT] = "RETRIEVAL_DOCUMENT",
                                 [EMBED_SIMILARITY] = "SEMANTIC_SIMILARITY",
                                 [EMBED_CLASSIFICATION] = "CLASSIFICATION",
                                 [EMBED_CLUSTERING] = "CLUSTERING",
                                 [EMBED_QUESTION] = "QUESTION_ANSWERING",
                                 [EMBED_FACT] = "FACT_VERIFICATION",
                                 [EMBED_CODE_QUERY] = "CODE_RETRIEVAL_QUERY"};

/* --- requests --- */

/* Parts of one content are one text. */
static void read_content(struct tree *t, struct node content, struct embed_input *ret)
{
    struct node parts = tree_array(t, content, "parts");
    struct str text = STR_NONE;

    ret->path = content.path;
    if (!tree_failed(t) && !node_length(parts))
        tree_wrong(t, content.path, "must be an object that has parts");
    for (size_t i = 0; i < node_length(parts) && !tree_failed(t); i++) {
        struct node part = node_at(t, parts, i), said = node_get(t, part, "text");

        if (!node_given(said) && !tree_failed(t))
            tree_wrong(t, part.path, "must be text: nothing else goes to another provider");
        text = i ? arena_strf(t->a, "%.*s%.*s", STR_FMT(text), STR_FMT(node_text(t, said)))
                 : node_text(t, said);
    }
    ret->text = text;
}

static void read_task(struct tree *t, struct node at, struct embed_input *ret)
{
    struct str word = node_text(t, at);

    if (!word.p || str_eq_c(word, "TASK_TYPE_UNSPECIFIED"))
        return;
    ret->task = embed_task_of(google_task_words, word);
    ret->task_path = at.path;
    if (ret->task == EMBED_TASK_NONE)
        tree_wrong(t, at.path, "is no task that is known");
}

static void read_title(struct tree *t, struct node at, struct embed_input *ret)
{
    if (!node_given(at))
        return;
    ret->title = node_text(t, at);
    ret->title_path = at.path;
}

static void read_cut(struct tree *t, struct node at, struct embed_request *r)
{
    if (!node_given(at))
        return;
    if (!node_is(at, JSON_BOOL))
        tree_wrong(t, at.path, "must be true or false");
    r->cut = json_true(at.v) ? EMBED_CUT_END : EMBED_CUT_NONE;
    r->cut_path = at.path;
}

/* What is said of one content; o: the request, or its config. */
static void read_options(struct tree *t, struct node o, struct embed_input *input,
                         struct embed_request *r)
{
    read_task(t, gemini_get(t, o, "taskType", "task_type"), input);
    read_title(t, node_get(t, o, "title"), input);
    embed_read_dimensions(t, gemini_get(t, o, "outputDimensionality", "output_dimensionality"), r);
    read_cut(t, gemini_get(t, o, "autoTruncate", "auto_truncate"), r);
}

static void read_one(struct tree *t, struct node o, struct embed_input *input,
                     struct embed_request *r)
{
    static const char *const known[] = {"model", "content", "embedContentConfig",
                                        "embed_content_config", NULL};
    static const char *const options[] = {"model", "content", "embedContentConfig",
                                          "embed_content_config", "taskType", "task_type", "title",
                                          "outputDimensionality", "output_dimensionality",
                                          "autoTruncate", "auto_truncate", NULL};
    struct node config = gemini_get(t, o, "embedContentConfig", "embed_content_config");
    struct node content = tree_object(t, o, "content");

    if (!tree_failed(t) && !node_given(content))
        tree_wrong(t, o.path.n ? o.path : STR("content"), "must be an object that has a content");
    read_content(t, content, input);
    read_options(t, node_given(config) ? config : o, input, r);
    input->extra = tree_extras(t, o, node_given(config) ? known : options);
    input->inner = tree_extras(t, config, options);
}

/* Other formats say once for all inputs what is said of each here. */
static void needs_same(struct tree *t, const struct embed_request *first,
                       const struct embed_request *r)
{
    static const char reason[] = "must be the same in all requests for the model's provider";

    if (r->dimensions != first->dimensions)
        tree_wrong(t, r->dimensions ? r->dimensions_path : first->dimensions_path, reason);
    if (r->cut != first->cut)
        tree_wrong(t, r->cut ? r->cut_path : first->cut_path, reason);
}

static int read_single(struct arena *a, struct str body, struct embed_request *ret,
                       struct json_fault *fault)
{
    struct embed_request r = {.n_inputs = 1, .numbers = true};
    struct tree t;
    struct node root = tree_open(&t, a, body, fault);

    r.inputs = tree_array_of(&t, struct embed_input, 1);
    if (r.inputs)
        read_one(&t, root, r.inputs, &r);
    tree_close(&t);
    if (t.r == CHAT_OK)
        *ret = r;
    return t.r;
}

static int read_batch(struct arena *a, struct str body, struct embed_request *ret,
                      struct json_fault *fault)
{
    struct embed_request r = {.numbers = true};
    struct tree t;
    struct node root = tree_open(&t, a, body, fault), requests = tree_array(&t, root, "requests");
    struct embed_input *inputs;

    if (!tree_failed(&t) && !node_given(requests))
        tree_wrong(&t, STR("requests"), "is required");
    inputs = embed_room(&t, requests, &r);
    for (size_t i = 0; inputs && i < r.n_inputs && !tree_failed(&t); i++) {
        struct embed_request one = {.n_inputs = 0};

        read_one(&t, node_at(&t, requests, i), &inputs[i], i ? &one : &r);
        if (i)
            needs_same(&t, &r, &one);
    }
    tree_close(&t);
    if (t.r == CHAT_OK)
        *ret = r;
    return t.r;
}

static void put_one(struct json_writer *w, const struct embed_request *r,
                    const struct embed_input *in, const struct embed_target *target,
                    struct chat_losses *losses)
{
    json_open_object(w);
    json_key(w, "model");
    json_raw(w, STR("")); /* its bytes follow */
    gemini_put_model(target->model, w->out);
    json_key(w, "content");
    json_open_object(w);
    json_key(w, "parts");
    json_open_array(w);
    json_open_object(w);
    put_text(w, "text", in->text);
    json_close_object(w);
    json_close_array(w);
    json_close_object(w);
    put_word(w, "taskType", embed_task_word(google_task_words, in->task, in->task_path, losses));
    put_text(w, "title", in->title);
    if (r->dimensions)
        put_int(w, "outputDimensionality", r->dimensions);
    json_close_object(w);
}

static int write_batch(const struct embed_request *r, const struct embed_target *target,
                       struct buf *out, struct chat_losses *losses, struct json_fault *fault)
{
    int outcome = embed_needs_texts(r, 0, fault);
    struct json_writer w;

    json_begin(&w, out);
    json_open_object(&w);
    json_key(&w, "requests");
    json_open_array(&w);
    for (size_t i = 0; i < r->n_inputs; i++)
        put_one(&w, r, &r->inputs[i], target, losses);
    json_close_array(&w);
    json_close_object(&w);
    if (r->cut != EMBED_CUT_DEFAULT)
        chat_lose(losses, r->cut_path);
    embed_lose_rest(r, losses);
    return outcome;
}

/* --- answers --- */

static int read_answer(struct arena *a, const struct embed_request *request, struct str body,
                       struct embed_answer *ret)
{
    enum { EMBEDDINGS, USAGE, ERROR, WATCHES };
    struct json_watch w[WATCHES] = {{.path = "embeddings"}, {.path = "usageMetadata"},
                                    {.path = "error"}};
    struct embed_answer answer = {.n_vectors = 0};
    struct json_span cost;
    int r = embed_scan(body, w, WATCHES, ERROR);

    if (r == EMBED_OK)
        r = embed_read_rows(a, request, json_span_str(body, w[EMBEDDINGS].span), "values", &answer);
    if (r != EMBED_OK)
        return r;
    answer.told.has_usage =
        w[USAGE].span.n && w[USAGE].span.kind == JSON_OBJECT &&
        gemini_usage_read(json_span_str(body, w[USAGE].span), true, &answer.told, &cost);
    *ret = answer;
    return EMBED_OK;
}

static void put_values(struct json_writer *w, const struct embed_vector *v)
{
    json_open_object(w);
    json_key(w, "values");
    embed_put_vector(w, v, false);
    json_close_object(w);
}

static void put_end(struct json_writer *w, const struct embed_frame *frame)
{
    json_key(w, "usageMetadata");
    json_open_object(w);
    put_int(w, "promptTokenCount", frame->tokens);
    embed_put_cost(w, frame);
    json_close_object(w);
    if (frame->members.p)
        json_raw(w, frame->members);
    json_close_object(w);
}

static void write_single(const struct embed_request *request, const struct embed_answer *answer,
                         const struct embed_frame *frame, struct buf *out)
{
    struct json_writer w;

    (void)request;
    json_begin(&w, out);
    json_open_object(&w);
    json_key(&w, "embedding");
    put_values(&w, &answer->vectors[0]);
    put_end(&w, frame);
}

static void write_answers(const struct embed_request *request, const struct embed_answer *answer,
                          const struct embed_frame *frame, struct buf *out)
{
    struct json_writer w;

    (void)request;
    json_begin(&w, out);
    json_open_object(&w);
    json_key(&w, "embeddings");
    json_open_array(&w);
    for (size_t i = 0; i < answer->n_vectors; i++)
        put_values(&w, &answer->vectors[i]);
    json_close_array(&w);
    put_end(&w, frame);
}

const struct embed_dialect gemini_embed_neutral = {
    .name = "gemini_embed",
    .read_request = read_single,
    .write_answer = write_single,
};

const struct embed_dialect gemini_embed_batch_neutral = {
    .name = "gemini_embed_batch",
    .read_request = read_batch,
    .write_request = write_batch,
    .read_answer = read_answer,
    .write_answer = write_answers,
};
