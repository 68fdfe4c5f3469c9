/* format.c: see format.h. */
#include "translation/format.h"

const struct wire_format format_openai_chat = {
    .name = "openai_chat", .dialect = &openai_chat, .neutral = &openai_chat_neutral};

const struct wire_format format_openai_responses = {.name = "openai_responses",
                                                    .dialect = &openai_responses,
                                                    .neutral = &openai_responses_neutral};

const struct wire_format format_anthropic_messages = {.name = "anthropic_messages",
                                                      .dialect = &anthropic_messages,
                                                      .neutral = &anthropic_messages_neutral};

const struct wire_format format_gemini = {
    .name = "gemini", .dialect = &gemini, .neutral = &gemini_neutral};

const struct wire_format format_bedrock_converse = {
    .name = "bedrock_converse", .neutral = &bedrock_converse_neutral, .framing = FRAMING_FRAMES};

const struct wire_format format_ollama_chat = {
    .name = "ollama_chat", .neutral = &ollama_chat_neutral, .framing = FRAMING_LINES};

const struct wire_format format_openai_embeddings = {.name = "openai_embeddings",
                                                     .dialect = &openai_embeddings,
                                                     .embed = &openai_embeddings_neutral};

const struct wire_format format_openai_completions = {.name = "openai_completions",
                                                      .dialect = &openai_completions};

const struct wire_format format_openai_images = {.name = "openai_images",
                                                 .dialect = &openai_images};

const struct wire_format format_openai_image_edits = {.name = "openai_image_edits",
                                                      .dialect = &openai_image_edits};

const struct wire_format format_openai_speech = {.name = "openai_speech",
                                                 .dialect = &openai_speech};

const struct wire_format format_openai_transcriptions = {.name = "openai_transcriptions",
                                                         .dialect = &openai_transcriptions};

/* The same at another address. */
const struct wire_format format_openai_translations = {.name = "openai_translations",
                                                       .dialect = &openai_transcriptions};

const struct wire_format format_openai_moderations = {.name = "openai_moderations",
                                                      .dialect = &openai_moderations};

/* Cohere's two versions differ in fields that pass as they are. */
const struct wire_format format_rerank_v1 = {.name = "rerank_v1", .dialect = &rerank};

const struct wire_format format_rerank_v2 = {.name = "rerank_v2", .dialect = &rerank};

const struct wire_format format_ocr = {.name = "ocr", .dialect = &ocr};

const struct wire_format format_openai_videos = {.name = "openai_videos",
                                                 .dialect = &openai_videos,
                                                 .video = &openai_video_jobs};

const struct wire_format format_gemini_embed = {
    .name = "gemini_embed", .dialect = &gemini_embed, .embed = &gemini_embed_neutral};

const struct wire_format format_gemini_embed_batch = {.name = "gemini_embed_batch",
                                                      .dialect = &gemini_embed_batch,
                                                      .embed = &gemini_embed_batch_neutral};

const struct wire_format format_cohere_chat = {.name = "cohere_chat", .dialect = &cohere_chat};

const struct wire_format format_cohere_embed = {
    .name = "cohere_embed", .dialect = &cohere_embed, .embed = &cohere_embed_neutral};

const struct wire_format format_ollama_embed = {.name = "ollama_embed",
                                                .embed = &ollama_embed_neutral};

const struct wire_format format_vertex_predict = {.name = "vertex_predict",
                                                  .embed = &vertex_predict_neutral};

const struct wire_format format_bedrock_titan_embed = {.name = "bedrock_titan_embed",
                                                       .embed = &bedrock_titan_embed_neutral};

const struct wire_format format_bedrock_cohere_embed = {.name = "bedrock_cohere_embed",
                                                        .embed = &bedrock_cohere_embed_neutral};

const struct wire_format format_anthropic_count = {.name = "anthropic_count_tokens"};

const struct wire_format format_gemini_count = {.name = "gemini_count_tokens"};

const struct wire_format format_gemini_videos = {.name = "gemini_videos", .video = &gemini_video_jobs};

const struct wire_format format_vertex_videos = {.name = "vertex_videos", .video = &vertex_video_jobs};

bool format_can_translate(const struct wire_format *client, const struct wire_format *upstream)
{
    if (client->neutral && upstream->neutral)
        return true;
    if (client->video && client->dialect)
        return upstream->video && upstream->video->write_request;
    return client->embed && upstream->embed && upstream->embed->write_request;
}
