/* embeds.c: the neutral readers and writers of embeddings as a command, for tests/golden/embeds.py.
 *
 * Reads lines `KIND FROM TO ASKED IN OUT` from standard input. KIND request: IN is the body of a client
 * of FROM, written as TO is asked. KIND answer: IN is the answer of an upstream of FROM to a client of
 * TO, who has asked ASKED. Writes OUT and prints one line: `ok`, `lost A,B`, `fault PATH: REASON`,
 * `error` or `none` (no answer of the format). */
#include <stdio.h>
#include <stdlib.h>

#include "slurp.h"

#include "base/bounds.h"
#include "translation/embed_dialect.h"

static const struct embed_dialect *const dialects[] = {
    &openai_embeddings_neutral,   &gemini_embed_neutral, &gemini_embed_batch_neutral,
    &cohere_embed_neutral,        &ollama_embed_neutral, &vertex_predict_neutral,
    &bedrock_titan_embed_neutral, &bedrock_cohere_embed_neutral};

static const struct embed_dialect *find(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(dialects); i++)
        if (strcmp(dialects[i]->name, name) == 0)
            return dialects[i];
    fprintf(stderr, "embeds: no dialect %s\n", name);
    exit(2);
}

static bool read(struct arena *a, const struct embed_dialect *from, const char *path,
                 struct embed_request *ret)
{
    struct json_fault fault;

    if (from->read_request(a, slurp(a, path), ret, &fault) == EMBED_OK)
        return true;
    printf("fault %s: %s\n", fault.path, fault.reason);
    return false;
}

static void request(struct arena *a, const struct embed_dialect *from,
                    const struct embed_dialect *to, const char *path, struct buf *out)
{
    const struct embed_target target = {.model = STR("target-model")};
    struct chat_losses losses = {.n = 0};
    struct embed_request r;
    struct json_fault fault;

    if (!read(a, from, path, &r))
        return;
    if (to->write_request(&r, &target, out, &losses, &fault) != EMBED_OK) {
        buf_reset(out);
        printf("fault %s: %s\n", fault.path, fault.reason);
        return;
    }
    printf(losses.n ? "lost " : "ok");
    for (size_t i = 0; i < losses.n; i++)
        printf("%s%.*s", i ? "," : "", STR_FMT(losses.path[i]));
    printf("\n");
}

static void answer(struct arena *a, const struct embed_dialect *from,
                   const struct embed_dialect *to, const char *asked, const char *path,
                   struct buf *out)
{
    struct embed_frame frame = {.id = STR("call_0000"), .model = STR("asked-model"),
                                .has_cost = true, .cost = {1234567},
                                .members = STR("\"tollgate\":{}")};
    struct embed_request r;
    struct embed_answer read_answer;
    int outcome;

    if (!read(a, to, asked, &r))
        return;
    outcome = from->read_answer(a, &r, slurp(a, path), &read_answer);
    if (outcome != EMBED_OK) {
        printf(outcome == EMBED_E_ERROR ? "error\n" : "none\n");
        return;
    }
    frame.tokens = read_answer.told.has_usage ? read_answer.told.usage.n[USAGE_INPUT] : 99;
    to->write_answer(&r, &read_answer, &frame, out);
    printf("ok\n");
}

int main(void)
{
    char kind[16], from[40], to[40], asked[1024], in[1024], out_path[1024];

    while (scanf("%15s %39s %39s %1023s %1023s %1023s", kind, from, to, asked, in, out_path) == 6) {
        struct arena *a = arena_new(MIB(512));
        struct buf out;
        FILE *f;

        buf_init(&out, MIB(64));
        if (strcmp(kind, "request") == 0)
            request(a, find(from), find(to), in, &out);
        else
            answer(a, find(from), find(to), asked, in, &out);
        f = fopen(out_path, "wb");
        if (!f || fwrite(buf_str(&out).p, 1, out.n, f) != out.n || fclose(f))
            return 2;
        fflush(stdout);
        buf_done(&out);
        arena_free(a);
    }
    return 0;
}
