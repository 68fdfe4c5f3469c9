/* format.h: the wire formats of the model APIs, a row each.
 *
 * A call whose client and upstream speak the same format goes through its `dialect`: the bytes are
 * passed on, with what has to change spliced in. Where they differ, both have a `neutral` form and
 * the chat goes through that, or both an `embed` form and the embeddings do; requests for videos are read as
 * OpenAI has them and written by the upstream's `video`. Immutable; any thread. */
#pragma once

#include "translation/chat_dialect.h"
#include "translation/dialect.h"
#include "translation/embed_dialect.h"
#include "translation/framing.h"
#include "translation/video_dialect.h"

struct wire_format {
    const char *name; /* "openai_chat" */
    const struct dialect *dialect;      /* NULL: no client speaks it */
    const struct chat_dialect *neutral; /* NULL: not a chat */
    const struct embed_dialect *embed;  /* NULL: no embeddings */
    const struct video_dialect *video;  /* NULL: it makes no jobs */
    enum framing_kind framing; /* of its streams */
};

extern const struct wire_format format_openai_chat, format_openai_responses,
    format_anthropic_messages, format_gemini, format_bedrock_converse, format_ollama_chat,
    format_openai_embeddings, format_openai_completions, format_openai_images, format_openai_image_edits,
    format_openai_speech, format_openai_transcriptions, format_openai_translations,
    format_openai_moderations, format_rerank_v1, format_rerank_v2, format_ocr, format_openai_videos,
    format_gemini_embed, format_gemini_embed_batch, format_cohere_chat, format_cohere_embed;
/* Of providers only: embeddings, counts of tokens (count_tokens.h), and videos. */
extern const struct wire_format format_ollama_embed, format_vertex_predict,
    format_bedrock_titan_embed, format_bedrock_cohere_embed, format_anthropic_count,
    format_gemini_count, format_gemini_videos, format_vertex_videos;
/* May a client of the one be served by the other, its call translated? */
bool format_can_translate(const struct wire_format *client, const struct wire_format *upstream);
