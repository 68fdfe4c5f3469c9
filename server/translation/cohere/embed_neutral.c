/* embed_neutral.c: Cohere's embeddings to and from the neutral form, and the same models by Amazon
 * Bedrock.
 *
 * Sources: Cohere's API reference, "Embed API (v2)"; "Cohere Embed models" in the Bedrock user guide
 * (docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-embed.html), whose path has the
 * model and whose version 4 has words of its own for where a text is cut. input_type is required of
 * all models since version 3: texts that nobody says more of are documents. An answer has its
 * vectors by type, or, of Bedrock without embedding_types, as they are. */
#include "translation/embed.h"
#include "translation/put.h"
#include "translation/wire.h"

static embed_words words = {[EMBED_QUERY] = "search_query",
                            [EMBED_DOCUMENT] = "search_document",
                            [EMBED_CLASSIFICATION] = "classification",
                            [EMBED_CLUSTERING] = "clustering"};

/* Where a text is cut: Cohere's words, and those of version 4 on Bedrock. */
static const char *const cuts[] = {[EMBED_CUT_NONE] = "NONE", [EMBED_CUT_START] = "START",
                                   [EMBED_CUT_END] = "END"};
static const char *const cuts_v4[] = {[EMBED_CUT_NONE] = "NONE", [EMBED_CUT_START] = "LEFT",
                                      [EMBED_CUT_END] = "RIGHT"};

/* --- requests --- */

static void read_task(struct tree *t, struct node at, struct embed_request *r)
{
    struct str word = node_text(t, at);
    enum embed_task task = word.p ? embed_task_of(words, word) : EMBED_TASK_NONE;

    if (word.p && task == EMBED_TASK_NONE)
        tree_wrong(t, at.path, "is no kind of text that is known");
    for (size_t i = 0; r->inputs && i < r->n_inputs; i++) {
        r->inputs[i].task = task;
        r->inputs[i].task_path = at.path;
    }
}

static void read_types(struct tree *t, struct node types, struct embed_request *r)
{
    for (size_t i = 0; i < node_length(types) && !tree_failed(t); i++) {
        struct node one = node_at(t, types, i);
        struct str word = node_text(t, one);

        if (str_eq_c(word, "float"))
            r->numbers = true;
        else if (str_eq_c(word, "base64"))
            r->base64 = true;
        else
            tree_wrong(t, one.path, "must be \"float\" or \"base64\" for the model's provider");
    }
    if (!r->base64)
        r->numbers = true;
}

static void read_cut(struct tree *t, struct node at, struct embed_request *r)
{
    struct str word = node_text(t, at);

    if (!word.p)
        return;
    for (size_t i = EMBED_CUT_NONE; i < ARRAY_LEN(cuts); i++)
        if (str_eq_c(word, cuts[i]))
            r->cut = (enum embed_cut)i;
    r->cut_path = at.path;
    if (r->cut == EMBED_CUT_DEFAULT)
        tree_wrong(t, at.path, "must be \"NONE\", \"START\" or \"END\"");
}

static int read_request(struct arena *a, struct str body, struct embed_request *ret,
                        struct json_fault *fault)
{
    static const char *const known[] = {"model",           "models",           "provider",
                                        "texts",           "input_type",       "truncate",
                                        "embedding_types", "output_dimension", "images",
                                        "inputs",          NULL};
    static const char only_texts[] = "cannot go to the model's provider, which takes texts";
    struct embed_request r = {.n_inputs = 0};
    struct tree t;
    struct node root = tree_open(&t, a, body, fault), texts = tree_array(&t, root, "texts");

    for (size_t i = 0; i < 2; i++) {
        struct node other = node_get(&t, root, i ? "inputs" : "images");

        if (node_given(other))
            tree_wrong(&t, other.path, only_texts);
    }
    if (!tree_failed(&t) && !node_given(texts))
        tree_wrong(&t, STR("texts"), "is required");
    embed_read_texts(&t, texts, &r);
    read_task(&t, node_get(&t, root, "input_type"), &r);
    read_types(&t, tree_array(&t, root, "embedding_types"), &r);
    read_cut(&t, node_get(&t, root, "truncate"), &r);
    embed_read_dimensions(&t, node_get(&t, root, "output_dimension"), &r);
    r.extra = tree_extras(&t, root, known);
    tree_close(&t);
    if (t.r == CHAT_OK)
        *ret = r;
    return t.r;
}

static void put_fields(struct json_writer *w, const struct embed_request *r,
                       const char *const cut_words[], struct chat_losses *losses)
{
    const char *task = embed_one_task(words, r, losses);

    embed_put_texts(w, "texts", r);
    put_word(w, "input_type", task ? task : words[EMBED_DOCUMENT]);
    put_word(w, "truncate", r->cut ? cut_words[r->cut] : NULL);
    if (r->dimensions)
        put_int(w, "output_dimension", r->dimensions);
    embed_lose_titles(r, losses);
    embed_lose_rest(r, losses);
}

static int write_request(const struct embed_request *r, const struct embed_target *target,
                         struct buf *out, struct chat_losses *losses, struct json_fault *fault)
{
    struct json_writer w;

    json_begin(&w, out);
    json_open_object(&w);
    put_text(&w, "model", target->model);
    put_fields(&w, r, cuts, losses);
    put_raw(&w, "embedding_types", STR("[\"float\"]"));
    json_close_object(&w);
    return embed_needs_texts(r, 0, fault);
}

static int write_bedrock(const struct embed_request *r, const struct embed_target *target,
                         struct buf *out, struct chat_losses *losses, struct json_fault *fault)
{
    bool v4 = str_ihas(target->model, STR("embed-v4"));
    struct json_writer w;

    json_begin(&w, out);
    json_open_object(&w);
    put_fields(&w, r, v4 ? cuts_v4 : cuts, losses);
    json_close_object(&w);
    return embed_needs_texts(r, 0, fault);
}

/* --- answers --- */

static int read_answer(struct arena *a, const struct embed_request *request, struct str body,
                       struct embed_answer *ret)
{
    enum { EMBEDDINGS, FLOATS, TOKENS, ID, ERROR, WATCHES };
    struct json_watch w[WATCHES] = {{.path = "embeddings"},
                                    {.path = "embeddings.float"},
                                    {.path = "meta.billed_units.input_tokens"},
                                    {.path = "id"},
                                    {.path = "error"}};
    struct embed_answer answer = {.n_vectors = 0};
    int r = embed_scan(body, w, WATCHES, ERROR);
    struct json_span rows = w[FLOATS].span.n ? w[FLOATS].span : w[EMBEDDINGS].span;

    if (r == EMBED_OK)
        r = embed_read_rows(a, request, json_span_str(body, rows), NULL, &answer);
    if (r == EMBED_OK)
        r = embed_text(a, body, &w[ID], &answer.id);
    if (r != EMBED_OK)
        return r;
    embed_told(body, &w[TOKENS], &answer);
    *ret = answer;
    return EMBED_OK;
}

static void put_rows(struct json_writer *w, const char *key, const struct embed_answer *answer,
                     bool base64)
{
    json_key(w, key);
    json_open_array(w);
    for (size_t i = 0; i < answer->n_vectors; i++)
        embed_put_vector(w, &answer->vectors[i], base64);
    json_close_array(w);
}

static void write_answer(const struct embed_request *request, const struct embed_answer *answer,
                         const struct embed_frame *frame, struct buf *out)
{
    struct json_writer w;

    json_begin(&w, out);
    json_open_object(&w);
    put_text(&w, "id", answer->id.n ? answer->id : frame->id);
    json_key(&w, "embeddings");
    json_open_object(&w);
    if (request->numbers)
        put_rows(&w, "float", answer, false);
    if (request->base64)
        put_rows(&w, "base64", answer, true);
    json_close_object(&w);
    embed_put_texts(&w, "texts", request);
    json_key(&w, "meta");
    json_open_object(&w);
    put_raw(&w, "api_version", STR("{\"version\":\"2\"}"));
    json_key(&w, "billed_units");
    json_open_object(&w);
    put_int(&w, "input_tokens", frame->tokens);
    json_close_object(&w);
    json_close_object(&w);
    if (frame->members.p)
        json_raw(&w, frame->members);
    json_close_object(&w);
}

const struct embed_dialect cohere_embed_neutral = {
    .name = "cohere_embed",
    .read_request = read_request,
    .write_request = write_request,
    .read_answer = read_answer,
    .write_answer = write_answer,
};

const struct embed_dialect bedrock_cohere_embed_neutral = {
    .name = "bedrock_cohere_embed", .write_request = write_bedrock, .read_answer = read_answer};
