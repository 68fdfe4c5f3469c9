/* endpoint.c: see endpoint.h. */
#include "gateway/endpoint.h"

const struct endpoint endpoint_chat = {
    .name = "chat.completions", .dialect = &openai_chat, .kind = MODEL_CHAT};

const struct endpoint endpoint_embeddings = {
    .name = "embeddings", .dialect = &openai_embeddings, .kind = MODEL_EMBEDDING};

struct str endpoint_url(const struct endpoint *e, const struct catalog_account *account)
{
    return e->kind == MODEL_EMBEDDING ? account->embeddings_url : account->chat_url;
}
