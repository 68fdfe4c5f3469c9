/* endpoint.c: see endpoint.h. */
#include "gateway/endpoint.h"

const struct endpoint endpoint_chat = {
    .name = "chat.completions", .format = &format_openai_chat, .kind = MODEL_CHAT};

const struct endpoint endpoint_embeddings = {
    .name = "embeddings", .format = &format_openai_embeddings, .kind = MODEL_EMBEDDING};
