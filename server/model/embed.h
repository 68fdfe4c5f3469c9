/* embed.h: a request for embeddings and its answer, whatever the wire format. Data only.
 *
 * As of chat.h: slices and arrays live in the arena that the reader was given, or in the bytes that
 * were read; `path` is where a thing stood in the client's document; extras are members that only
 * the client's format knows. */
#pragma once

#include "model/chat_part.h"
#include "model/llm.h"

/* What the vectors are for; formats know some of these each. */
enum embed_task {
    EMBED_TASK_NONE, /* not told */
    EMBED_QUERY,
    EMBED_DOCUMENT,
    EMBED_SIMILARITY,
    EMBED_CLASSIFICATION,
    EMBED_CLUSTERING,
    EMBED_QUESTION,
    EMBED_FACT,
    EMBED_CODE_QUERY,
    EMBED_TASKS
};

/* What becomes of an input that is too long for the model. */
enum embed_cut {
    EMBED_CUT_DEFAULT, /* not told: as the provider does it */
    EMBED_CUT_NONE,    /* it is refused */
    EMBED_CUT_START,   /* its beginning is left out */
    EMBED_CUT_END
};

struct embed_input {
    struct str path;
    struct str text;
    struct str tokens; /* the raw list, in place of a text; p NULL: none */
    struct str title, title_path;
    enum embed_task task;
    struct str task_path;
    struct chat_extras extra, inner; /* where a request is an object of its own, and of its settings */
};

struct embed_request {
    struct embed_input *inputs; /* at least one */
    size_t n_inputs;
    int64_t dimensions; /* 0: as many as the model has */
    struct str dimensions_path;
    enum embed_cut cut;
    struct str cut_path;
    struct str user, user_path;
    bool base64, numbers; /* what the vectors shall be written as; some formats can do both */
    struct chat_extras extra;
};

/* One vector: as the numbers that the provider wrote, or read from base64. */
struct embed_vector {
    struct str numbers;  /* a raw JSON array of numbers; p NULL: see floats */
    const float *floats; /* n of them */
    size_t n;
};

struct embed_answer {
    struct embed_vector *vectors; /* one for each input, in their order */
    size_t n_vectors;
    struct str id, model;   /* p NULL: not told */
    struct llm_report told; /* its figures */
};
