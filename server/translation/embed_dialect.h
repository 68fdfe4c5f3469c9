/* embed_dialect.h: a format of embeddings in both directions, through model/embed.h.
 *
 * For calls whose client and upstream speak different formats, as chat_dialect.h is for chats.
 * Pure: bytes and an arena in, values out. What a target's format cannot say but could do without is
 * named in the losses. What would make the vectors those of something else (an input left out, or
 * tokens for a model that reads texts) is never dropped: the writer refuses it. An answer has to have
 * one vector for each input, of numbers that a float can hold, or it is none. Any thread. */
#pragma once

#include "model/embed.h"
#include "translation/chat_dialect.h"

struct embed_target {
    struct str model;            /* its own name of it */
    const char *dimensions_name; /* the member that carries their number, in OpenAI's format */
    bool input_type;             /* of OpenAI's format, with Voyage's input_type and truncation */
};

/* What stands around an answer as the client gets it. */
struct embed_frame {
    struct str id;    /* of the call; used where the provider gave none */
    struct str model; /* as asked; used likewise */
    int64_t tokens;   /* of the inputs, as they are charged */
    bool has_cost;
    struct money cost;  /* usage.cost */
    struct str members; /* `"name":value` pairs for the end of the root object; p NULL: none */
};

enum {
    EMBED_OK = 0,
    EMBED_E_SYNTAX = 1, /* no answer of this format */
    EMBED_E_FIELD = 2,  /* *fault names what is wrong, or cannot be said */
    EMBED_E_ERROR = 3   /* an error within a 200 */
};

struct embed_dialect {
    const char *name; /* as dialect.h's */
    /* NULL for formats that no client speaks, as is write_answer. */
    int (*read_request)(struct arena *a, struct str body, struct embed_request *ret,
                        struct json_fault *fault);
    /* NULL for formats that no upstream is asked in, as is read_answer. */
    int (*write_request)(const struct embed_request *request, const struct embed_target *target,
                         struct buf *out, struct chat_losses *losses, struct json_fault *fault);
    int (*read_answer)(struct arena *a, const struct embed_request *request, struct str body,
                       struct embed_answer *ret);
    void (*write_answer)(const struct embed_request *request, const struct embed_answer *answer,
                         const struct embed_frame *frame, struct buf *out);
};

extern const struct embed_dialect openai_embeddings_neutral, gemini_embed_neutral,
    gemini_embed_batch_neutral, cohere_embed_neutral, ollama_embed_neutral, vertex_predict_neutral,
    bedrock_titan_embed_neutral, bedrock_cohere_embed_neutral;
