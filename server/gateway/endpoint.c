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
