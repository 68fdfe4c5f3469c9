/* neutral.c: OpenAI's embeddings to and from the neutral form.
 *
 * Sources: OpenAI's API reference, "Create embeddings"; Voyage AI's API reference, "Text embedding
 * models", whose input_type (query, document) and truncation are read of any client, so that those of
 * OpenAI's library can tell other providers what the vectors are for; the words of Cohere and Google
 * are taken too. OpenAI itself refuses inputs that are too long and knows no tasks. An answer's
 * vectors may be numbers or base64, whatever was asked for, and in any order: each has its index. */
#include <errno.h>

#include "base/err.h"
#include "translation/elements.h"
#include "translation/embed.h"
#include "translation/openai_chat/usage.h"
#include "translation/put.h"
#include "translation/vector.h"
#include "translation/wire.h"

static embed_words voyage_words = {[EMBED_QUERY] = "query", [EMBED_DOCUMENT] = "document"};
static embed_words cohere_words = {[EMBED_QUERY] = "search_query",
                                   [EMBED_DOCUMENT] = "search_document",
                                   [EMBED_CLASSIFICATION] = "classification",
                                   [EMBED_CLUSTERING] = "clustering"};
static embed_words google_words = {[EMBED_QUERY] = "retrieval_query",
                                   [EMBED_DOCUMENT] = "retrieval_document",
                                   [EMBED_SIMILARITY] = "semantic_similarity",
                                   [EMBED_QUESTION] = "question_answering",
                                   [EMBED_FACT] = "fact_verification",
                                   [EMBED_CODE_QUERY] = "code_retrieval_query"};
static embed_words no_words = {NULL};

/* --- requests --- */

static void read_one(struct tree *t, struct node at, struct embed_input *ret)
{
    ret->path = at.path;
    if (node_is(at, JSON_STRING))
        ret->text = node_text(t, at);
    else if (node_is(at, JSON_ARRAY))
        ret->tokens = node_raw(t, at);
    else
        tree_wrong(t, at.path, "must be a string or an array of tokens");
}

static void check_tokens(struct tree *t, struct node array)
{
    for (size_t i = 0; i < node_length(array) && !tree_failed(t); i++) {
        const struct json_object *v = json_at(array.v, i);

        if (json_kind(v) != JSON_INT || json_i64(v) < 0)
            tree_wrong(t, array.path, "must be an array of tokens, which are integers");
    }
}

static void read_inputs(struct tree *t, struct node input, struct embed_request *r)
{
    bool many = node_is(input, JSON_ARRAY) && json_kind(json_at(input.v, 0)) != JSON_INT;
    struct embed_input *inputs;

    if (tree_failed(t))
        return;
    if (!node_given(input))
        tree_wrong(t, STR("input"), "is required");
    if (many) {
        inputs = embed_room(t, input, r);
    } else {
        inputs = tree_array_of(t, struct embed_input, 1);
        r->inputs = inputs;
        r->n_inputs = 1;
    }
    for (size_t i = 0; inputs && i < r->n_inputs && !tree_failed(t); i++) {
        struct node one = many ? node_at(t, input, i) : input;

        read_one(t, one, &inputs[i]);
        check_tokens(t, one);
    }
}

static void read_task(struct tree *t, struct node at, struct embed_request *r)
{
    struct str word = node_text(t, at);
    enum embed_task task;

    if (!word.p || !r->inputs)
        return;
    task = embed_task_of(voyage_words, word);
    if (task == EMBED_TASK_NONE)
        task = embed_task_of(cohere_words, word);
    if (task == EMBED_TASK_NONE)
        task = embed_task_of(google_words, word);
    if (task == EMBED_TASK_NONE)
        tree_wrong(t, at.path, "is no kind of input that is known");
    for (size_t i = 0; i < r->n_inputs; i++) {
        r->inputs[i].task = task;
        r->inputs[i].task_path = at.path;
    }
}

static void read_format(struct tree *t, struct node at, struct embed_request *r)
{
    struct str word = node_text(t, at);

    r->base64 = str_eq_c(word, "base64");
    r->numbers = !r->base64;
    if (word.p && r->numbers && !str_eq_c(word, "float"))
        tree_wrong(t, at.path, "must be \"float\" or \"base64\"");
}

static void read_cut(struct tree *t, struct node root, struct embed_request *r)
{
    int cuts = tree_bool(t, root, "truncation");

    if (cuts < 0)
        return;
    r->cut = cuts ? EMBED_CUT_END : EMBED_CUT_NONE;
    r->cut_path = STR("truncation");
}

static int read_request(struct arena *a, struct str body, struct embed_request *ret,
                        struct json_fault *fault)
{
    /* The models and the provider's preferences are the gateway's own. */
    static const char *const known[] = {"model",      "models", "provider",   "input",
                                        "dimensions", "user",   "input_type", "encoding_format",
                                        "truncation", NULL};
    struct embed_request r = {.n_inputs = 0};
    struct tree t;
    struct node root = tree_open(&t, a, body, fault);

    read_inputs(&t, node_get(&t, root, "input"), &r);
    read_task(&t, node_get(&t, root, "input_type"), &r);
    read_format(&t, node_get(&t, root, "encoding_format"), &r);
    read_cut(&t, root, &r);
    embed_read_dimensions(&t, node_get(&t, root, "dimensions"), &r);
    r.user = tree_text(&t, root, "user");
    r.user_path = STR("user");
    r.extra = tree_extras(&t, root, known);
    tree_close(&t);
    if (t.r == CHAT_OK)
        *ret = r;
    return t.r;
}

static int write_request(const struct embed_request *r, const struct embed_target *target,
                         struct buf *out, struct chat_losses *losses, struct json_fault *fault)
{
    struct embed_request rest = *r; /* what is left to be lost */
    struct json_writer w;

    (void)fault;
    json_begin(&w, out);
    json_open_object(&w);
    put_text(&w, "model", target->model);
    json_key(&w, "input");
    json_open_array(&w);
    for (size_t i = 0; i < r->n_inputs; i++)
        if (r->inputs[i].text.p)
            json_str(&w, r->inputs[i].text);
        else
            json_raw(&w, r->inputs[i].tokens);
    json_close_array(&w);
    if (r->dimensions)
        put_int(&w, target->dimensions_name ? target->dimensions_name : "dimensions",
                r->dimensions);
    if (!target->input_type) { /* Voyage has no place for it */
        put_text(&w, "user", r->user);
        rest.user = STR_NONE;
    }
    put_word(&w, "input_type",
             embed_one_task(target->input_type ? voyage_words : no_words, r, losses));
    if (target->input_type)
        put_flag(&w, "truncation", embed_cuts_end(r, losses));
    else
        embed_lose_cut(r, losses);
    json_close_object(&w);
    embed_lose_titles(r, losses);
    embed_lose_rest(&rest, losses);
    return EMBED_OK;
}

/* --- answers --- */

/* n: of the vectors that were read before it, which is its place where it tells none. */
static int read_item(struct arena *a, struct str one, size_t n, struct embed_answer *ret)
{
    struct json_watch w[] = {{.path = "index"}, {.path = "embedding"}};
    struct json_scan_result result;
    struct json_fault fault;
    uint64_t at = n;
    int r;

    if (json_scan(one, w, ARRAY_LEN(w), &result, &fault) != JSON_OK ||
        result.root_kind != JSON_OBJECT)
        return EMBED_E_SYNTAX;
    if (wire_given(w[0].span) && !json_span_u64(one, w[0].span, &at))
        return EMBED_E_SYNTAX;
    if (at >= ret->n_vectors || ret->vectors[at].n)
        return EMBED_E_SYNTAX;
    r = vector_read(a, json_span_str(one, w[1].span), &ret->vectors[at]);
    return r > 0 ? EMBED_E_SYNTAX : r;
}

static int read_data(struct arena *a, const struct embed_request *request, struct str list,
                     struct embed_answer *ret)
{
    struct str rest = elements_of(list), one;
    size_t n = 0;

    if (!list.n || list.p[0] != '[')
        return EMBED_E_SYNTAX;
    if (!embed_vectors(a, request, ret))
        return err_origin(-ENOMEM);
    while (element_next(&rest, &one)) {
        int r = read_item(a, one, n, ret);

        if (r != EMBED_OK)
            return r;
        n++;
    }
    return n == request->n_inputs ? EMBED_OK : EMBED_E_SYNTAX;
}

static int read_answer(struct arena *a, const struct embed_request *request, struct str body,
                       struct embed_answer *ret)
{
    enum { DATA, USAGE, MODEL, ERROR, WATCHES };
    struct json_watch w[WATCHES] = {{.path = "data"}, {.path = "usage"}, {.path = "model"},
                                    {.path = "error"}};
    struct embed_answer answer = {.n_vectors = 0};
    struct json_span cost;
    int r = embed_scan(body, w, WATCHES, ERROR);

    if (r == EMBED_OK)
        r = read_data(a, request, json_span_str(body, w[DATA].span), &answer);
    if (r == EMBED_OK)
        r = embed_text(a, body, &w[MODEL], &answer.model);
    if (r != EMBED_OK)
        return r;
    answer.told.has_usage = w[USAGE].span.n && w[USAGE].span.kind == JSON_OBJECT &&
                            openai_usage_read(json_span_str(body, w[USAGE].span), &answer.told,
                                              &cost) == OPENAI_USAGE_OK;
    *ret = answer;
    return EMBED_OK;
}

static void write_answer(const struct embed_request *request, const struct embed_answer *answer,
                         const struct embed_frame *frame, struct buf *out)
{
    struct json_writer w;

    json_begin(&w, out);
    json_open_object(&w);
    put_word(&w, "object", "list");
    json_key(&w, "data");
    json_open_array(&w);
    for (size_t i = 0; i < answer->n_vectors; i++) {
        json_open_object(&w);
        put_word(&w, "object", "embedding");
        put_int(&w, "index", (int64_t)i);
        json_key(&w, "embedding");
        embed_put_vector(&w, &answer->vectors[i], request->base64);
        json_close_object(&w);
    }
    json_close_array(&w);
    put_text(&w, "model", answer->model.n ? answer->model : frame->model);
    json_key(&w, "usage");
    json_open_object(&w);
    put_int(&w, "prompt_tokens", frame->tokens);
    put_int(&w, "total_tokens", frame->tokens);
    embed_put_cost(&w, frame);
    json_close_object(&w);
    if (frame->members.p)
        json_raw(&w, frame->members);
    json_close_object(&w);
}

const struct embed_dialect openai_embeddings_neutral = {
    .name = "openai_embeddings",
    .read_request = read_request,
    .write_request = write_request,
    .read_answer = read_answer,
    .write_answer = write_answer,
};
