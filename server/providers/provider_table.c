/* provider_table.c: the table of provider kinds.
 *
 * Each row names the documentation that it follows, read in November 2026; what is not said there
 * was seen in recorded exchanges. Where both names of the output limit are taken, the older one
 * stands, because local servers and hosts know it; OpenAI refuses it for its reasoning models,
 * Mistral refuses the newer one and stream_options with 422 extra_forbidden.
 *
 * cancel_stops_billing: OpenRouter's documentation, "Streaming", section "Stream Cancellation"
 * (openrouter.ai/docs/api-reference/streaming), says that closing the connection "immediately stops
 * model processing and billing" at, among others, OpenAI, Azure, Anthropic, Fireworks, Together,
 * DeepInfra, DeepSeek and xAI, and does not at Groq, Google, Mistral and Perplexity, nor anywhere
 * for requests that are not streamed: those are billed whole. Who is on neither list (Amazon,
 * Cerebras, Cohere, Hugging Face, Voyage) counts as one that goes on. cancel_stops_plain is set for
 * servers that an operator runs: Ollama, vLLM, llama.cpp and their relatives stop any request whose
 * connection is closed. */
#include "providers/provider.h"

/* clang-format off */
#define CHAT {.format = &format_openai_chat, .path = "/chat/completions"}
#define RESPONSES {.format = &format_openai_responses, .path = "/responses"}
#define EMBEDDINGS {.format = &format_openai_embeddings, .path = "/embeddings"}
#define COMPLETIONS {.format = &format_openai_completions, .path = "/completions"}
#define IMAGES {.format = &format_openai_images, .path = "/images/generations"}
#define IMAGE_EDITS {.format = &format_openai_image_edits, .path = "/images/edits"}
#define SPEECH {.format = &format_openai_speech, .path = "/audio/speech"}
#define TRANSCRIPTIONS {.format = &format_openai_transcriptions, .path = "/audio/transcriptions"}
#define TRANSLATIONS {.format = &format_openai_translations, .path = "/audio/translations"}
#define MODERATIONS {.format = &format_openai_moderations, .path = "/moderations"}
/* All but Cohere have one version, which clients of either are served by. */
#define RERANK                                          \
    {.format = &format_rerank_v1, .path = "/rerank"}, \
    {.format = &format_rerank_v2, .path = "/rerank"}

/* Pages of documents, in Mistral's words (docs.mistral.ai/api). */
#define OCR {.format = &format_ocr, .path = "/ocr"}

/* Jobs that make videos (developers.openai.com/api/reference, "Videos"): also at Azure's v1 surface
 * (learn.microsoft.com/azure/foundry/openai/concepts/video-generation) and vLLM-Omni's servers
 * (docs.vllm.ai/projects/vllm-omni, "Videos API"). */
#define VIDEOS {.format = &format_openai_videos, .path = "/videos"}

/* The Messages API (platform.claude.com/docs/en/api/overview and .../versioning): a version with
 * every request. What a client of that API sends keeps its own version, whose rules its body
 * follows, and its betas; all else is of the older one, which takes more. */
static const struct provider_fixed anthropic_headers[] = {{"anthropic-version", "2023-06-01"},
                                                          {NULL, NULL}};
static const char *const anthropic_client[] = {"anthropic-version", "anthropic-beta", NULL};
/* Where the version stands in the body. */
static const char *const anthropic_betas[] = {"anthropic-beta", NULL};
#define MESSAGES_AT(path_)                                                         \
    .format = &format_anthropic_messages, .path = path_, .headers = anthropic_headers, \
    .client_headers = anthropic_client
/* With the key in x-api-key, as Anthropic has it; others take it as a bearer. */
#define MESSAGES {MESSAGES_AT("/messages"), .key_header = "x-api-key"}
#define COUNT_MESSAGES                                                      \
    {.format = &format_anthropic_count, .path = "/messages/count_tokens",   \
     .headers = anthropic_headers, .key_header = "x-api-key"}
#define MESSAGES_BY_BEARER {MESSAGES_AT("/messages")}

/* generateContent (ai.google.dev/api/generate-content): the model in the path, events on request. */
#define GENERATE                                                        \
    {.format = &format_gemini, .path = "/models/{model}:generateContent", \
     .stream_path = "/models/{model}:streamGenerateContent?alt=sse",    \
     .key_header = "x-goog-api-key"}
#define COUNT_CONTENT                                                        \
    {.format = &format_gemini_count, .path = "/models/{model}:countTokens",  \
     .key_header = "x-goog-api-key"}
#define EMBED                                                                \
    {.format = &format_gemini_embed, .path = "/models/{model}:embedContent", \
     .key_header = "x-goog-api-key"}
#define EMBED_BATCH                                                                      \
    {.format = &format_gemini_embed_batch, .path = "/models/{model}:batchEmbedContents", \
     .key_header = "x-goog-api-key"}
/* The same of Veo (ai.google.dev/gemini-api/docs/veo): an operation that is asked after by its name. */
#define VEO                                                                              \
    {.format = &format_gemini_videos, .path = "/models/{model}:predictLongRunning",      \
     .key_header = "x-goog-api-key"}

const struct provider providers[] = {
    /* Any server that speaks OpenAI's API and has no row of its own; the usual ones stop when the
     * connection is closed. */
    {.kind = "openai-compatible", .label = "OpenAI-compatible", .root = "/v1",
     .ways = {CHAT, EMBEDDINGS, COMPLETIONS, IMAGES, IMAGE_EDITS, SPEECH, TRANSCRIPTIONS,
              TRANSLATIONS, MODERATIONS, RERANK, OCR, VIDEOS}, .models_path = "/models", .auth = PROVIDER_AUTH_BEARER,
     .output_limit_field = "max_tokens", .quirks = PROVIDER_KEY_OPTIONAL,
     .cancel_stops_billing = true, .cancel_stops_plain = true},
    /* The same of the Messages API. */
    {.kind = "anthropic-compatible", .label = "Anthropic-compatible", .root = "/v1",
     .ways = {MESSAGES, COUNT_MESSAGES}, .models_path = "/models", .auth = PROVIDER_AUTH_BEARER,
     .output_limit_field = "max_tokens", .quirks = PROVIDER_KEY_OPTIONAL,
     .cancel_stops_billing = true, .cancel_stops_plain = true},
    {.kind = "openai", .label = "OpenAI", .origin = "https://api.openai.com", .root = "/v1",
     .docs = "developers.openai.com/api/reference/overview",
     .ways = {CHAT, RESPONSES, EMBEDDINGS, COMPLETIONS, IMAGES, IMAGE_EDITS, SPEECH,
              TRANSCRIPTIONS, TRANSLATIONS, MODERATIONS, VIDEOS},
     .models_path = "/models", .auth = PROVIDER_AUTH_BEARER,
     .output_limit_field = "max_completion_tokens", .quirks = PROVIDER_PLAIN_OPENAI,
     .cancel_stops_billing = true},
    {.kind = "anthropic", .label = "Anthropic", .origin = "https://api.anthropic.com",
     .root = "/v1", .docs = "platform.claude.com/docs/en/api/overview",
     .ways = {MESSAGES, COUNT_MESSAGES}, .models_path = "/models", .auth = PROVIDER_AUTH_BEARER,
     .output_limit_field = "max_tokens", .cancel_stops_billing = true},
    {.kind = "google", .label = "Google Gemini",
     .origin = "https://generativelanguage.googleapis.com", .root = "/v1beta",
     .docs = "ai.google.dev/api",
     .ways = {GENERATE, COUNT_CONTENT, EMBED, EMBED_BATCH, VEO},
     .models_path = "/models", .auth = PROVIDER_AUTH_BEARER, .output_limit_field = "max_tokens"},
    /* Google's own models by generateContent, by predict what embeds texts, by predictLongRunning what makes
     * videos; Claude by rawPredict,
     * whose body has the version and not the model
     * (platform.claude.com/docs/en/build-with-claude/claude-on-vertex-ai), with betas in the header that
     * Anthropic has for them (docs.cloud.google.com/vertex-ai/generative-ai/docs/partner-models/claude/web-search). */
    {.kind = "vertex", .label = "Google Vertex AI",
     .origin = "https://{region-}aiplatform.googleapis.com",
     .root = "/v1/projects/{project}/locations/{region}",
     .docs = "cloud.google.com/vertex-ai/generative-ai/docs/model-reference/inference",
     .ways = {{.format = &format_gemini, .path = "/publishers/google/models/{model}:generateContent",
               .stream_path = "/publishers/google/models/{model}:streamGenerateContent?alt=sse"},
              {.format = &format_vertex_predict, .path = "/publishers/google/models/{model}:predict"},
              {.format = &format_vertex_videos,
               .path = "/publishers/google/models/{model}:predictLongRunning"},
              {.format = &format_anthropic_messages,
               .path = "/publishers/anthropic/models/{model}:rawPredict",
               .stream_path = "/publishers/anthropic/models/{model}:streamRawPredict",
               .client_headers = anthropic_betas, .models = "claude",
               .version_in_body = "vertex-2023-10-16"}},
     .auth = PROVIDER_AUTH_GOOGLE, .output_limit_field = "max_tokens"},
    /* Converse and ConverseStream; the model's name or ARN is one encoded segment of the path.
     * Embeddings by InvokeModel, whose bodies are those of the models' makers. */
    {.kind = "bedrock", .label = "Amazon Bedrock",
     .origin = "https://bedrock-runtime.{region}.amazonaws.com", .root = "",
     .docs = "docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html",
     .ways = {{.format = &format_bedrock_converse, .path = "/model/{model}/converse",
               .stream_path = "/model/{model}/converse-stream"},
              {.format = &format_bedrock_titan_embed, .path = "/model/{model}/invoke",
               .models = "amazon.titan-embed"},
              {.format = &format_bedrock_cohere_embed, .path = "/model/{model}/invoke"}},
     .auth = PROVIDER_AUTH_AWS, .output_limit_field = "max_tokens"},
    /* The v1 surface: no api-version, and the deployment's name as the model. */
    {.kind = "azure", .label = "Azure OpenAI", .root = "/openai/v1",
     .docs = "learn.microsoft.com/azure/foundry/openai/api-version-lifecycle",
     .ways = {CHAT, RESPONSES, EMBEDDINGS, IMAGES, IMAGE_EDITS, SPEECH, TRANSCRIPTIONS, TRANSLATIONS,
              VIDEOS},
     .models_path = "/models", .auth = PROVIDER_AUTH_HEADER, .auth_header = "api-key", .output_limit_field = "max_completion_tokens",
     .quirks = PROVIDER_PLAIN_OPENAI, .cancel_stops_billing = true},
    /* Deployments in the path; the api-version is the query of the base URL. */
    {.kind = "azure-deployments", .label = "Azure OpenAI, by deployment", .root = "/openai",
     .docs = "learn.microsoft.com/azure/foundry/openai/reference",
     .ways = {{.format = &format_openai_chat, .path = "/deployments/{model}/chat/completions"},
              {.format = &format_openai_embeddings, .path = "/deployments/{model}/embeddings"},
              {.format = &format_openai_images, .path = "/deployments/{model}/images/generations"},
              {.format = &format_openai_speech, .path = "/deployments/{model}/audio/speech"},
              {.format = &format_openai_transcriptions,
               .path = "/deployments/{model}/audio/transcriptions"},
              {.format = &format_openai_translations,
               .path = "/deployments/{model}/audio/translations"}},
     .models_path = "/models", .auth = PROVIDER_AUTH_HEADER, .auth_header = "api-key",
     .output_limit_field = "max_completion_tokens", .quirks = PROVIDER_PLAIN_OPENAI,
     .cancel_stops_billing = true},
    {.kind = "mistral", .label = "Mistral", .origin = "https://api.mistral.ai", .root = "/v1",
     .docs = "docs.mistral.ai/api",
     .ways = {CHAT, EMBEDDINGS, TRANSCRIPTIONS, MODERATIONS, OCR}, .models_path = "/models",
     .auth = PROVIDER_AUTH_BEARER, .output_limit_field = "max_tokens",
     .quirks = PROVIDER_NO_STREAM_OPTIONS | PROVIDER_PLAIN_OPENAI},
    /* Its Messages API stands beside /v1 (api-docs.deepseek.com/guides/anthropic_api). */
    {.kind = "deepseek", .label = "DeepSeek", .origin = "https://api.deepseek.com", .root = "/v1",
     .docs = "api-docs.deepseek.com",
     .ways = {CHAT, {MESSAGES_AT("/anthropic/v1/messages"), .key_header = "x-api-key",
                     .beside_root = true}},
     .models_path = "/models", .auth = PROVIDER_AUTH_BEARER, .output_limit_field = "max_tokens",
     .cancel_stops_billing = true},
    /* Its Messages API is deprecated, so not used. */
    {.kind = "xai", .label = "xAI", .origin = "https://api.x.ai", .root = "/v1",
     .docs = "docs.x.ai/docs/api-reference",
     .ways = {CHAT, RESPONSES, IMAGES}, .models_path = "/models", .auth = PROVIDER_AUTH_BEARER,
     .output_limit_field = "max_tokens", .cancel_stops_billing = true},
    {.kind = "groq", .label = "Groq", .origin = "https://api.groq.com", .root = "/openai/v1",
     .docs = "console.groq.com/docs/openai",
     .ways = {CHAT, RESPONSES, SPEECH, TRANSCRIPTIONS, TRANSLATIONS}, .models_path = "/models",
     .auth = PROVIDER_AUTH_BEARER,
     .output_limit_field = "max_completion_tokens"},
    /* Chats of other clients go to the compatibility API; those of Cohere's own library to version 2 as
     * they are (docs.cohere.com/reference/chat), as do all embeddings. Rerank has two versions
     * (docs.cohere.com/reference/rerank). */
    {.kind = "cohere", .label = "Cohere", .origin = "https://api.cohere.com", .root = "",
     .docs = "docs.cohere.com/docs/compatibility-api",
     .ways = {{.format = &format_openai_chat, .path = "/compatibility/v1/chat/completions"},
              {.format = &format_rerank_v1, .path = "/v1/rerank"},
              {.format = &format_rerank_v2, .path = "/v2/rerank"},
              {.format = &format_cohere_chat, .path = "/v2/chat"},
              {.format = &format_cohere_embed, .path = "/v2/embed"}},
     .models_path = "/v1/models", .auth = PROVIDER_AUTH_BEARER,
     .output_limit_field = "max_tokens"},
    {.kind = "cerebras", .label = "Cerebras", .origin = "https://api.cerebras.ai", .root = "/v1",
     .docs = "inference-docs.cerebras.ai/api-reference/chat-completions",
     .ways = {CHAT}, .models_path = "/models", .auth = PROVIDER_AUTH_BEARER,
     .output_limit_field = "max_completion_tokens"},
    {.kind = "together", .label = "Together AI", .origin = "https://api.together.xyz",
     .root = "/v1", .docs = "docs.together.ai/docs/openai-api-compatibility",
     .ways = {CHAT, EMBEDDINGS, COMPLETIONS, IMAGES, SPEECH, TRANSCRIPTIONS, TRANSLATIONS,
              RERANK},
     .models_path = "/models", .auth = PROVIDER_AUTH_BEARER,
     .output_limit_field = "max_tokens", .cancel_stops_billing = true},
    /* Its Messages API takes the key as a bearer
     * (docs.fireworks.ai/tools-sdks/anthropic-compatibility). */
    {.kind = "fireworks", .label = "Fireworks AI", .origin = "https://api.fireworks.ai",
     .root = "/inference/v1", .docs = "docs.fireworks.ai/tools-sdks/openai-compatibility",
     .ways = {CHAT, MESSAGES_BY_BEARER, EMBEDDINGS, COMPLETIONS, RERANK}, .models_path = "/models",
     .auth = PROVIDER_AUTH_BEARER, .output_limit_field = "max_tokens",
     .cancel_stops_billing = true},
    {.kind = "deepinfra", .label = "DeepInfra", .origin = "https://api.deepinfra.com",
     .root = "/v1/openai", .docs = "deepinfra.com/docs/openai_api",
     .ways = {CHAT, EMBEDDINGS, COMPLETIONS, IMAGES, SPEECH, TRANSCRIPTIONS, TRANSLATIONS},
     .models_path = "/models", .auth = PROVIDER_AUTH_BEARER,
     .output_limit_field = "max_tokens", .cancel_stops_billing = true},
    {.kind = "perplexity", .label = "Perplexity", .origin = "https://api.perplexity.ai",
     .root = "", .docs = "docs.perplexity.ai/api-reference/chat-completions-post",
     .ways = {CHAT}, .models_path = "/models", .auth = PROVIDER_AUTH_BEARER,
     .output_limit_field = "max_tokens"},
    {.kind = "openrouter", .label = "OpenRouter", .origin = "https://openrouter.ai",
     .root = "/api/v1", .docs = "openrouter.ai/docs/api-reference/overview",
     .ways = {CHAT, RESPONSES, MESSAGES_BY_BEARER, EMBEDDINGS, COMPLETIONS, RERANK},
     .models_path = "/models",
     .auth = PROVIDER_AUTH_BEARER, .output_limit_field = "max_tokens",
     .cancel_stops_billing = true},
    {.kind = "huggingface", .label = "Hugging Face", .origin = "https://router.huggingface.co",
     .root = "/v1", .docs = "huggingface.co/docs/inference-providers",
     .ways = {CHAT}, .models_path = "/models", .auth = PROVIDER_AUTH_BEARER,
     .output_limit_field = "max_tokens"},
    {.kind = "voyage", .label = "Voyage AI", .origin = "https://api.voyageai.com", .root = "/v1",
     .docs = "docs.voyageai.com/reference/embeddings-api",
     .ways = {EMBEDDINGS, RERANK}, .auth = PROVIDER_AUTH_BEARER, .output_limit_field = "max_tokens",
     .dimensions_field = "output_dimension", .quirks = PROVIDER_INPUT_TYPE},
    {.kind = "jina", .label = "Jina AI", .origin = "https://api.jina.ai", .root = "/v1",
     .docs = "api.jina.ai/docs",
     .ways = {EMBEDDINGS, RERANK}, .auth = PROVIDER_AUTH_BEARER, .output_limit_field = "max_tokens"},
    /* docs.ollama.com/api/openai-compatibility and .../anthropic-compatibility. */
    {.kind = "ollama", .label = "Ollama", .origin = "http://127.0.0.1:11434", .root = "/v1",
     .docs = "docs.ollama.com/api/openai-compatibility",
     .ways = {CHAT, RESPONSES, MESSAGES_BY_BEARER, EMBEDDINGS, COMPLETIONS}, .models_path = "/models",
     .auth = PROVIDER_AUTH_BEARER, .output_limit_field = "max_tokens",
     .quirks = PROVIDER_KEY_OPTIONAL | PROVIDER_SELF_HOSTED,
     .cancel_stops_billing = true, .cancel_stops_plain = true},
    /* The same server by its own API, which alone tells thinking, figures and the reason of the end of
     * every model. */
    {.kind = "ollama-native", .label = "Ollama, its own API", .origin = "http://127.0.0.1:11434",
     .root = "/api", .docs = "docs.ollama.com/api/chat",
     .ways = {{.format = &format_ollama_chat, .path = "/chat"},
              {.format = &format_ollama_embed, .path = "/embed"}},
     .models_path = "/tags", .auth = PROVIDER_AUTH_BEARER, .output_limit_field = "max_tokens",
     .quirks = PROVIDER_KEY_OPTIONAL | PROVIDER_SELF_HOSTED,
     .cancel_stops_billing = true, .cancel_stops_plain = true},
    {.kind = "vllm", .label = "vLLM", .origin = "http://127.0.0.1:8000", .root = "/v1",
     .docs = "docs.vllm.ai/en/stable/serving/online_serving",
     .ways = {CHAT, RESPONSES, MESSAGES_BY_BEARER, EMBEDDINGS, COMPLETIONS, TRANSCRIPTIONS,
              TRANSLATIONS, RERANK, VIDEOS},
     .models_path = "/models",
     .auth = PROVIDER_AUTH_BEARER, .output_limit_field = "max_tokens",
     .quirks = PROVIDER_KEY_OPTIONAL | PROVIDER_SELF_HOSTED,
     .cancel_stops_billing = true, .cancel_stops_plain = true},
    {.kind = "llama.cpp", .label = "llama.cpp", .origin = "http://127.0.0.1:8080", .root = "/v1",
     .docs = "github.com/ggml-org/llama.cpp/blob/master/tools/server/README.md",
     .ways = {CHAT, EMBEDDINGS, COMPLETIONS, RERANK}, .models_path = "/models", .auth = PROVIDER_AUTH_BEARER,
     .output_limit_field = "max_tokens", .quirks = PROVIDER_KEY_OPTIONAL | PROVIDER_SELF_HOSTED,
     .cancel_stops_billing = true, .cancel_stops_plain = true},
    {.kind = "localai", .label = "LocalAI", .origin = "http://127.0.0.1:8080", .root = "/v1",
     .docs = "localai.io/features",
     .ways = {CHAT, EMBEDDINGS, COMPLETIONS, IMAGES, SPEECH, TRANSCRIPTIONS, RERANK},
     .models_path = "/models", .auth = PROVIDER_AUTH_BEARER,
     .output_limit_field = "max_tokens", .quirks = PROVIDER_KEY_OPTIONAL | PROVIDER_SELF_HOSTED,
     .cancel_stops_billing = true, .cancel_stops_plain = true},
    {.kind = "demo", .label = "Demo", .root = "/v1",
     .ways = {CHAT, EMBEDDINGS, VIDEOS}, .models_path = "/models", .auth = PROVIDER_AUTH_NONE,
     .output_limit_field = "max_tokens", .quirks = PROVIDER_KEY_OPTIONAL | PROVIDER_DEMO,
     .cancel_stops_billing = true, .cancel_stops_plain = true},
};
/* clang-format on */

const size_t providers_count = ARRAY_LEN(providers);
