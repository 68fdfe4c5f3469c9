/* endpoint.c: see endpoint.h. */
#include "gateway/endpoint.h"

const struct endpoint endpoint_chat = {
    .name = "chat.completions", .format = &format_openai_chat, .kind = MODEL_CHAT};

const struct endpoint endpoint_embeddings = {
    .name = "embeddings", .format = &format_openai_embeddings, .kind = MODEL_EMBEDDING};

const struct endpoint endpoint_messages = {
    .name = "messages", .format = &format_anthropic_messages, .kind = MODEL_CHAT};

const struct endpoint endpoint_responses = {
    .name = "responses", .format = &format_openai_responses, .kind = MODEL_CHAT, .keeps = true};

const struct endpoint endpoint_gemini = {.name = "generateContent",
                                         .format = &format_gemini,
                                         .kind = MODEL_CHAT,
                                         .model_in_path = true};

const struct endpoint endpoint_gemini_stream = {.name = "streamGenerateContent",
                                                .format = &format_gemini,
                                                .kind = MODEL_CHAT,
                                                .model_in_path = true,
                                                .streams = true};

const struct endpoint endpoint_completions = {
    .name = "completions", .format = &format_openai_completions, .kind = MODEL_COMPLETION};

const struct endpoint endpoint_images = {
    .name = "images.generations", .format = &format_openai_images, .kind = MODEL_IMAGE};

const struct endpoint endpoint_image_edits = {
    .name = "images.edits", .format = &format_openai_image_edits, .kind = MODEL_IMAGE};

const struct endpoint endpoint_speech = {
    .name = "audio.speech", .format = &format_openai_speech, .kind = MODEL_SPEECH};

const struct endpoint endpoint_transcriptions = {.name = "audio.transcriptions",
                                                 .format = &format_openai_transcriptions,
                                                 .kind = MODEL_TRANSCRIPTION};

const struct endpoint endpoint_translations = {.name = "audio.translations",
                                               .format = &format_openai_translations,
                                               .kind = MODEL_TRANSCRIPTION};

const struct endpoint endpoint_moderations = {
    .name = "moderations", .format = &format_openai_moderations, .kind = MODEL_MODERATION};

const struct endpoint endpoint_rerank = {
    .name = "rerank", .format = &format_rerank_v1, .kind = MODEL_RERANK};

const struct endpoint endpoint_rerank_v2 = {
    .name = "rerank", .format = &format_rerank_v2, .kind = MODEL_RERANK};

const struct endpoint endpoint_ocr = {
    .name = "ocr", .format = &format_ocr, .kind = MODEL_OCR};

const struct endpoint endpoint_videos = {
    .name = "videos", .format = &format_openai_videos, .kind = MODEL_VIDEO, .makes_jobs = true};

/* Cohere's own, for its accounts only. */
const struct endpoint endpoint_cohere_chat = {
    .name = "chat", .format = &format_cohere_chat, .kind = MODEL_CHAT};

const struct endpoint endpoint_cohere_embed = {
    .name = "embed", .format = &format_cohere_embed, .kind = MODEL_EMBEDDING};

const struct endpoint endpoint_gemini_embed = {.name = "embedContent",
                                               .format = &format_gemini_embed,
                                               .kind = MODEL_EMBEDDING,
                                               .model_in_path = true};

const struct endpoint endpoint_gemini_embed_batch = {.name = "batchEmbedContents",
                                                     .format = &format_gemini_embed_batch,
                                                     .kind = MODEL_EMBEDDING,
                                                     .model_in_path = true};

struct str endpoint_path_model(const struct request *r)
{
    const struct str *part = r->params;

    return part[1].p ? arena_strf(r->arena, "%.*s/%.*s", STR_FMT(part[0]), STR_FMT(part[1]))
                     : part[0];
}
