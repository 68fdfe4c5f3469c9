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
    .name = "bedrock_converse", .neutral = &bedrock_converse_neutral, .frames = true};

const struct wire_format format_openai_embeddings = {.name = "openai_embeddings",
                                                     .dialect = &openai_embeddings};
