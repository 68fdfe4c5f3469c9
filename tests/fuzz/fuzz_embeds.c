/* Embeddings between formats: readers of requests and answers. What is read of the one is JSON when it
 * is written as any other, and an answer has a vector for each input. */
#include "fuzz.h"

#include "base/bounds.h"
#include "translation/embed_dialect.h"
#include "translation/vector.h"

static const struct embed_dialect *const dialects[] = {
    &openai_embeddings_neutral,   &gemini_embed_neutral, &gemini_embed_batch_neutral,
    &cohere_embed_neutral,        &ollama_embed_neutral, &vertex_predict_neutral,
    &bedrock_titan_embed_neutral, &bedrock_cohere_embed_neutral};

static void is_json(struct buf *doc)
{
    struct json_scan_result result;
    struct json_fault fault;

    HOLDS(buf_finish(doc) == 0);
    HOLDS(json_scan_rows(buf_str(doc), NULL, 0, &result, &fault) == JSON_OK);
}

static void request(struct arena *a, const struct embed_dialect *from,
                    const struct embed_dialect *to, struct str in, bool voyage)
{
    const struct embed_target target = {.model = STR("a\"b"),
                                        .dimensions_name = voyage ? "output_dimension" : NULL,
                                        .input_type = voyage};
    struct chat_losses losses = {.n = 0};
    struct json_fault fault = {.at = 0};
    struct embed_request r;
    struct buf out;
    int read;

    if (!from->read_request || !to->write_request)
        return;
    read = from->read_request(a, in, &r, &fault);
    HOLDS(read != EMBED_E_FIELD || fault.reason[0]);
    if (read != EMBED_OK)
        return;
    HOLDS(r.n_inputs > 0);
    buf_init(&out, in.n * 16 + KIB(64));
    fault.reason[0] = '\0';
    if (to->write_request(&r, &target, &out, &losses, &fault) == EMBED_OK)
        is_json(&out);
    else
        HOLDS(fault.path[0] && fault.reason[0]);
    buf_done(&out);
}

static void answer(struct arena *a, const struct embed_dialect *from,
                   const struct embed_dialect *to, struct str in, unsigned n)
{
    const struct embed_frame frame = {.id = STR("call_0"), .model = STR("m"), .has_cost = true,
                                      .members = STR("\"tollgate\":1")};
    struct embed_input inputs[4] = {{.text = STR("t")}, {.text = STR("t")}, {.text = STR("t")},
                                    {.text = STR("t")}};
    struct embed_request r = {.inputs = inputs, .n_inputs = n % ARRAY_LEN(inputs) + 1,
                              .base64 = n & 16, .numbers = !(n & 16) || n & 32};
    struct embed_answer read;
    struct buf out;

    if (!from->read_answer || !to->write_answer ||
        from->read_answer(a, &r, in, &read) != EMBED_OK)
        return;
    HOLDS(read.n_vectors == r.n_inputs);
    for (size_t i = 0; i < read.n_vectors; i++)
        HOLDS(read.vectors[i].n > 0 && vector_bytes(&read.vectors[i]) > 0);
    HOLDS(read.told.usage.n[USAGE_INPUT] >= 0);
    buf_init(&out, in.n * 32 + KIB(8));
    to->write_answer(&r, &read, &frame, &out);
    is_json(&out);
    buf_done(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str in = {(const char *)data, size};
    unsigned kind = fuzz_byte(&in), n = fuzz_byte(&in);
    const struct embed_dialect *from = dialects[fuzz_byte(&in) % ARRAY_LEN(dialects)];
    const struct embed_dialect *to = dialects[fuzz_byte(&in) % ARRAY_LEN(dialects)];
    char *copy = fuzz_copy(in);
    struct arena *a = arena_new(MIB(32));

    HOLDS(a);
    in.p = copy;
    if (kind & 1)
        request(a, from, to, in, n & 1);
    else
        answer(a, from, to, in, n);
    arena_free(a);
    free(copy);
    return 0;
}
