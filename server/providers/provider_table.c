/* provider_table.c: the table of provider kinds.
 *
 * Sources of the rows, read in 2026: each provider's own API reference for origin, root and the
 * name of the output limit. Where both names of the output limit are taken, the older one stands,
 * because local servers and hosts know it; OpenAI refuses it for its reasoning models, Mistral
 * refuses the newer one and stream_options with 422 extra_forbidden.
 *
 * cancel_stops_billing: OpenRouter's documentation, "Streaming", section "Stream Cancellation"
 * (openrouter.ai/docs/api-reference/streaming), says that closing the connection "immediately stops
 * model processing and billing" at, among others, OpenAI, Azure, Anthropic, Fireworks, Together,
 * DeepInfra, DeepSeek and xAI, and does not at Groq, Google, Mistral and Perplexity, nor anywhere
 * for requests that are not streamed: those are billed whole. Cerebras is on neither list, so it
 * counts as one that goes on. cancel_stops_plain is set for servers that an operator runs: Ollama,
 * vLLM, llama.cpp and their relatives stop any request whose connection is closed. */
#include "providers/provider.h"

#define CHAT                                           \
    {                                                  \
        &format_openai_chat, "/chat/completions", NULL \
    }
#define RESPONSES                                          \
    {                                                      \
        &format_openai_responses, "/responses", NULL       \
    }
#define EMBEDDINGS                                     \
    {                                                  \
        &format_openai_embeddings, "/embeddings", NULL \
    }

#define COMPLETIONS                                      \
    {                                                    \
        &format_openai_completions, "/completions", NULL \
    }
#define IMAGES                                             \
    {                                                      \
        &format_openai_images, "/images/generations", NULL \
    }
#define IMAGE_EDITS                                        \
    {                                                      \
        &format_openai_image_edits, "/images/edits", NULL  \
    }
#define SPEECH                                       \
    {                                                \
        &format_openai_speech, "/audio/speech", NULL \
    }
#define TRANSCRIPTIONS                                              \
    {                                                               \
        &format_openai_transcriptions, "/audio/transcriptions", NULL \
    }
#define TRANSLATIONS                                             \
    {                                                            \
        &format_openai_translations, "/audio/translations", NULL \
    }
#define MODERATIONS                                      \
    {                                                    \
        &format_openai_moderations, "/moderations", NULL \
    }
/* All but Cohere have one version, which clients of either are served by. */
#define RERANK {&format_rerank_v1, "/rerank", NULL}, {&format_rerank_v2, "/rerank", NULL}

/* The Messages API (platform.claude.com/docs/en/api/overview and .../versioning): the key in
 * x-api-key, a version with every request. What a client of that API sends keeps its own version,
 * whose rules its body follows, and its betas; all else is of the older one, which takes more. */
static const struct provider_fixed anthropic_headers[] = {{"anthropic-version", "2023-06-01"},
                                                          {NULL, NULL}};
static const char *const anthropic_client[] = {"anthropic-version", "anthropic-beta", NULL};
#define MESSAGES                                                                            \
    {                                                                                       \
        .format = &format_anthropic_messages, .path = "/messages", .key_header = "x-api-key", \
        .headers = anthropic_headers, .client_headers = anthropic_client                    \
    }

/* generateContent (ai.google.dev/api/generate-content): the model in the path, events on request. */
#define GENERATE                                                               \
    {                                                                          \
        .format = &format_gemini, .path = "/models/{model}:generateContent",   \
        .stream_path = "/models/{model}:streamGenerateContent?alt=sse",        \
        .key_header = "x-goog-api-key"                                         \
    }

#define EMBED                                                                    \
    {                                                                            \
        .format = &format_gemini_embed, .path = "/models/{model}:embedContent",  \
        .key_header = "x-goog-api-key"                                           \
    }
#define EMBED_BATCH                                                                         \
    {                                                                                       \
        .format = &format_gemini_embed_batch, .path = "/models/{model}:batchEmbedContents", \
        .key_header = "x-goog-api-key"                                                      \
    }

/* clang-format off */
const struct provider providers[] = {
    /* Any server that speaks OpenAI's API and has no row of its own; the usual ones stop when the
     * connection is closed. */
    {.kind = "openai-compatible", .label = "OpenAI-compatible", .origin = NULL, .root = "/v1",
     .ways = {CHAT, EMBEDDINGS, COMPLETIONS, IMAGES, IMAGE_EDITS, SPEECH, TRANSCRIPTIONS,
              TRANSLATIONS, MODERATIONS, RERANK}, .models_path = "/models", .auth = PROVIDER_AUTH_BEARER,
     .output_limit_field = "max_tokens", .quirks = PROVIDER_KEY_OPTIONAL,
     .cancel_stops_billing = true, .cancel_stops_plain = true},
    {.kind = "openai", .label = "OpenAI", .origin = "https://api.openai.com", .root = "/v1",
     .ways = {CHAT, RESPONSES, EMBEDDINGS, COMPLETIONS, IMAGES, IMAGE_EDITS, SPEECH, TRANSCRIPTIONS,
              TRANSLATIONS, MODERATIONS}, .models_path = "/models", .auth = PROVIDER_AUTH_BEARER,
     .output_limit_field = "max_completion_tokens", .quirks = PROVIDER_PLAIN_OPENAI,
     .cancel_stops_billing = true},
    {.kind = "anthropic", .label = "Anthropic", .origin = "https://api.anthropic.com",
     .root = "/v1", .ways = {MESSAGES}, .models_path = "/models", .auth = PROVIDER_AUTH_BEARER,
     .output_limit_field = "max_tokens", .cancel_stops_billing = true},
    /* Any server that speaks the Messages API and has no row of its own. */
    {.kind = "anthropic-compatible", .label = "Anthropic-compatible", .origin = NULL,
     .root = "/v1", .ways = {MESSAGES}, .models_path = "/models", .auth = PROVIDER_AUTH_BEARER,
     .output_limit_field = "max_tokens", .quirks = PROVIDER_KEY_OPTIONAL,
     .cancel_stops_billing = true, .cancel_stops_plain = true},
    /* The Gemini API (ai.google.dev/api). Embeddings for clients of OpenAI's go to its
     * compatibility endpoint (ai.google.dev/gemini-api/docs/openai). */
    {.kind = "google", .label = "Google Gemini",
     .origin = "https://generativelanguage.googleapis.com", .root = "/v1beta",
     .ways = {GENERATE, EMBED, EMBED_BATCH,
              {.format = &format_openai_embeddings, .path = "/openai/embeddings"}},
     .models_path = "/models", .auth = PROVIDER_AUTH_BEARER, .output_limit_field = "max_tokens"},
    {.kind = "mistral", .label = "Mistral", .origin = "https://api.mistral.ai", .root = "/v1",
     .ways = {CHAT, EMBEDDINGS, TRANSCRIPTIONS, MODERATIONS}, .models_path = "/models", .auth = PROVIDER_AUTH_BEARER,
     .output_limit_field = "max_tokens",
     .quirks = PROVIDER_NO_STREAM_OPTIONS | PROVIDER_PLAIN_OPENAI},
    {.kind = "deepseek", .label = "DeepSeek", .origin = "https://api.deepseek.com", .root = "/v1",
     .ways = {CHAT}, .models_path = "/models", .auth = PROVIDER_AUTH_BEARER, .output_limit_field = "max_tokens",
     .cancel_stops_billing = true},
    {.kind = "xai", .label = "xAI", .origin = "https://api.x.ai", .root = "/v1",
     .ways = {CHAT, IMAGES}, .models_path = "/models", .auth = PROVIDER_AUTH_BEARER, .output_limit_field = "max_tokens",
     .cancel_stops_billing = true},
    {.kind = "groq", .label = "Groq", .origin = "https://api.groq.com", .root = "/openai/v1",
     .ways = {CHAT, SPEECH, TRANSCRIPTIONS, TRANSLATIONS}, .models_path = "/models", .auth = PROVIDER_AUTH_BEARER,
     .output_limit_field = "max_completion_tokens"},
    {.kind = "cerebras", .label = "Cerebras", .origin = "https://api.cerebras.ai", .root = "/v1",
     .ways = {CHAT}, .models_path = "/models", .auth = PROVIDER_AUTH_BEARER,
     .output_limit_field = "max_completion_tokens"},
    {.kind = "together", .label = "Together AI", .origin = "https://api.together.xyz",
     .root = "/v1", .ways = {CHAT, EMBEDDINGS, COMPLETIONS, IMAGES, SPEECH, TRANSCRIPTIONS, TRANSLATIONS, RERANK}, .models_path = "/models",
     .auth = PROVIDER_AUTH_BEARER, .output_limit_field = "max_tokens",
     .cancel_stops_billing = true},
    {.kind = "fireworks", .label = "Fireworks AI", .origin = "https://api.fireworks.ai",
     .root = "/inference/v1", .ways = {CHAT, EMBEDDINGS, COMPLETIONS, RERANK}, .models_path = "/models",
     .auth = PROVIDER_AUTH_BEARER, .output_limit_field = "max_tokens",
     .cancel_stops_billing = true},
    {.kind = "deepinfra", .label = "DeepInfra", .origin = "https://api.deepinfra.com",
     .root = "/v1/openai", .ways = {CHAT, EMBEDDINGS, COMPLETIONS, IMAGES, SPEECH, TRANSCRIPTIONS, TRANSLATIONS}, .models_path = "/models",
     .auth = PROVIDER_AUTH_BEARER, .output_limit_field = "max_tokens",
     .cancel_stops_billing = true},
    {.kind = "perplexity", .label = "Perplexity", .origin = "https://api.perplexity.ai",
     .root = "", .ways = {CHAT}, .models_path = "/models", .auth = PROVIDER_AUTH_BEARER,
     .output_limit_field = "max_tokens"},
    {.kind = "openrouter", .label = "OpenRouter", .origin = "https://openrouter.ai",
     .root = "/api/v1", .ways = {CHAT, EMBEDDINGS, COMPLETIONS, RERANK}, .models_path = "/models",
     .auth = PROVIDER_AUTH_BEARER, .output_limit_field = "max_tokens",
     .cancel_stops_billing = true},
    /* Rerank has two versions (docs.cohere.com/reference/rerank); chats and embeddings go to the
     * compatibility API (docs.cohere.com/docs/compatibility-api). */
    {.kind = "cohere", .label = "Cohere", .origin = "https://api.cohere.com", .root = "",
     .ways = {{&format_openai_chat, "/compatibility/v1/chat/completions", NULL},
              {&format_openai_embeddings, "/compatibility/v1/embeddings", NULL},
              {&format_rerank_v1, "/v1/rerank", NULL}, {&format_rerank_v2, "/v2/rerank", NULL}},
     .models_path = "/v1/models", .auth = PROVIDER_AUTH_BEARER, .output_limit_field = "max_tokens"},
    /* docs.voyageai.com/reference */
    {.kind = "voyage", .label = "Voyage AI", .origin = "https://api.voyageai.com", .root = "/v1",
     .ways = {EMBEDDINGS, RERANK}, .models_path = NULL, .auth = PROVIDER_AUTH_BEARER,
     .output_limit_field = "max_tokens"},
    /* api.jina.ai/docs */
    {.kind = "jina", .label = "Jina AI", .origin = "https://api.jina.ai", .root = "/v1",
     .ways = {EMBEDDINGS, RERANK}, .models_path = NULL, .auth = PROVIDER_AUTH_BEARER,
     .output_limit_field = "max_tokens"},
    {.kind = "ollama", .label = "Ollama", .origin = "http://127.0.0.1:11434", .root = "/v1",
     .ways = {CHAT, EMBEDDINGS, COMPLETIONS}, .models_path = "/models", .auth = PROVIDER_AUTH_BEARER,
     .output_limit_field = "max_tokens", .quirks = PROVIDER_KEY_OPTIONAL | PROVIDER_SELF_HOSTED,
     .cancel_stops_billing = true, .cancel_stops_plain = true},
    {.kind = "vllm", .label = "vLLM", .origin = "http://127.0.0.1:8000", .root = "/v1",
     .ways = {CHAT, EMBEDDINGS, COMPLETIONS, TRANSCRIPTIONS, TRANSLATIONS, RERANK}, .models_path = "/models", .auth = PROVIDER_AUTH_BEARER,
     .output_limit_field = "max_tokens", .quirks = PROVIDER_KEY_OPTIONAL | PROVIDER_SELF_HOSTED,
     .cancel_stops_billing = true, .cancel_stops_plain = true},
    {.kind = "llama.cpp", .label = "llama.cpp", .origin = "http://127.0.0.1:8080", .root = "/v1",
     .ways = {CHAT, EMBEDDINGS, COMPLETIONS, RERANK}, .models_path = "/models", .auth = PROVIDER_AUTH_BEARER,
     .output_limit_field = "max_tokens", .quirks = PROVIDER_KEY_OPTIONAL | PROVIDER_SELF_HOSTED,
     .cancel_stops_billing = true, .cancel_stops_plain = true},
    {.kind = "localai", .label = "LocalAI", .origin = "http://127.0.0.1:8080", .root = "/v1",
     .ways = {CHAT, EMBEDDINGS, COMPLETIONS, IMAGES, SPEECH, TRANSCRIPTIONS, RERANK}, .models_path = "/models", .auth = PROVIDER_AUTH_BEARER,
     .output_limit_field = "max_tokens", .quirks = PROVIDER_KEY_OPTIONAL | PROVIDER_SELF_HOSTED,
     .cancel_stops_billing = true, .cancel_stops_plain = true},
    {.kind = "demo", .label = "Demo", .origin = NULL, .root = "/v1",
     .ways = {CHAT, EMBEDDINGS}, .models_path = "/models", .auth = PROVIDER_AUTH_NONE,
     .output_limit_field = "max_tokens", .quirks = PROVIDER_KEY_OPTIONAL | PROVIDER_DEMO,
     .cancel_stops_billing = true, .cancel_stops_plain = true},
};
/* clang-format on */

const size_t providers_count = ARRAY_LEN(providers);
