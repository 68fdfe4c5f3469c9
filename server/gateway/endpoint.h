/* endpoint.h: the API families that calls go through, as rows. */
#pragma once

#include "catalog/words.h"
#include "http/request.h"
#include "translation/format.h"

struct endpoint {
    const char *name; /* as in the record: "chat.completions" */
    const struct wire_format *format; /* the client's; it has a dialect */
    enum model_kind kind;
    bool makes_jobs; /* the answer is a job, which is kept: videos/job.h */
    bool keeps; /* answers may be kept, and are gone on from: responses/stored.h */
    bool model_in_path; /* the route's parameters are its name, and the path says... */
    bool streams;       /* ...whether the answer is streamed */
};
extern const struct endpoint endpoint_chat, endpoint_embeddings, endpoint_messages, endpoint_responses,
    endpoint_gemini, endpoint_gemini_stream, endpoint_gemini_embed,
    endpoint_gemini_embed_batch, endpoint_completions, endpoint_images, endpoint_image_edits,
    endpoint_speech, endpoint_transcriptions, endpoint_translations, endpoint_moderations,
    endpoint_rerank, endpoint_rerank_v2, endpoint_cohere_chat, endpoint_cohere_embed, endpoint_ocr,
    endpoint_videos;

/* The model that a path names: {model}, or {vendor}/{model}; p NULL: out of memory. */
struct str endpoint_path_model(const struct request *r);
