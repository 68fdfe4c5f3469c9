/* provider.c: the table of provider kinds, and how their URLs and headers are made.
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

#include <errno.h>

#include "base/err.h"

#define CHAT                                         \
    {                                                \
        &format_openai_chat, "/chat/completions", NULL \
    }
#define EMBEDDINGS                                     \
    {                                                  \
        &format_openai_embeddings, "/embeddings", NULL \
    }

/* clang-format off */
const struct provider providers[] = {
    /* Any server that speaks OpenAI's API and has no row of its own; the usual ones stop when the
     * connection is closed. */
    {.kind = "openai-compatible", .label = "OpenAI-compatible", .origin = NULL, .root = "/v1",
     .ways = {CHAT, EMBEDDINGS}, .models_path = "/models", .auth = PROVIDER_AUTH_BEARER,
     .output_limit_field = "max_tokens", .quirks = PROVIDER_KEY_OPTIONAL,
     .cancel_stops_billing = true, .cancel_stops_plain = true},
    {.kind = "openai", .label = "OpenAI", .origin = "https://api.openai.com", .root = "/v1",
     .ways = {CHAT, EMBEDDINGS}, .models_path = "/models", .auth = PROVIDER_AUTH_BEARER,
     .output_limit_field = "max_completion_tokens", .quirks = PROVIDER_PLAIN_OPENAI,
     .cancel_stops_billing = true},
    /* The OpenAI SDK compatibility endpoint of the Claude API. */
    {.kind = "anthropic", .label = "Anthropic", .origin = "https://api.anthropic.com",
     .root = "/v1", .ways = {CHAT}, .models_path = "/models", .auth = PROVIDER_AUTH_BEARER,
     .output_limit_field = "max_tokens", .cancel_stops_billing = true},
    /* The OpenAI compatibility endpoint of the Gemini API. */
    {.kind = "google", .label = "Google", .origin = "https://generativelanguage.googleapis.com",
     .root = "/v1beta/openai", .ways = {CHAT, EMBEDDINGS}, .models_path = "/models",
     .auth = PROVIDER_AUTH_BEARER, .output_limit_field = "max_tokens"},
    {.kind = "mistral", .label = "Mistral", .origin = "https://api.mistral.ai", .root = "/v1",
     .ways = {CHAT, EMBEDDINGS}, .models_path = "/models", .auth = PROVIDER_AUTH_BEARER,
     .output_limit_field = "max_tokens", .quirks = PROVIDER_NO_STREAM_OPTIONS | PROVIDER_PLAIN_OPENAI},
    {.kind = "deepseek", .label = "DeepSeek", .origin = "https://api.deepseek.com", .root = "/v1",
     .ways = {CHAT}, .models_path = "/models", .auth = PROVIDER_AUTH_BEARER, .output_limit_field = "max_tokens",
     .cancel_stops_billing = true},
    {.kind = "xai", .label = "xAI", .origin = "https://api.x.ai", .root = "/v1",
     .ways = {CHAT}, .models_path = "/models", .auth = PROVIDER_AUTH_BEARER, .output_limit_field = "max_tokens",
     .cancel_stops_billing = true},
    {.kind = "groq", .label = "Groq", .origin = "https://api.groq.com", .root = "/openai/v1",
     .ways = {CHAT}, .models_path = "/models", .auth = PROVIDER_AUTH_BEARER,
     .output_limit_field = "max_completion_tokens"},
    {.kind = "cerebras", .label = "Cerebras", .origin = "https://api.cerebras.ai", .root = "/v1",
     .ways = {CHAT}, .models_path = "/models", .auth = PROVIDER_AUTH_BEARER,
     .output_limit_field = "max_completion_tokens"},
    {.kind = "together", .label = "Together AI", .origin = "https://api.together.xyz",
     .root = "/v1", .ways = {CHAT, EMBEDDINGS}, .models_path = "/models",
     .auth = PROVIDER_AUTH_BEARER, .output_limit_field = "max_tokens",
     .cancel_stops_billing = true},
    {.kind = "fireworks", .label = "Fireworks AI", .origin = "https://api.fireworks.ai",
     .root = "/inference/v1", .ways = {CHAT, EMBEDDINGS}, .models_path = "/models",
     .auth = PROVIDER_AUTH_BEARER, .output_limit_field = "max_tokens",
     .cancel_stops_billing = true},
    {.kind = "deepinfra", .label = "DeepInfra", .origin = "https://api.deepinfra.com",
     .root = "/v1/openai", .ways = {CHAT, EMBEDDINGS}, .models_path = "/models",
     .auth = PROVIDER_AUTH_BEARER, .output_limit_field = "max_tokens",
     .cancel_stops_billing = true},
    {.kind = "perplexity", .label = "Perplexity", .origin = "https://api.perplexity.ai",
     .root = "", .ways = {CHAT}, .models_path = "/models", .auth = PROVIDER_AUTH_BEARER,
     .output_limit_field = "max_tokens"},
    {.kind = "openrouter", .label = "OpenRouter", .origin = "https://openrouter.ai",
     .root = "/api/v1", .ways = {CHAT, EMBEDDINGS}, .models_path = "/models",
     .auth = PROVIDER_AUTH_BEARER, .output_limit_field = "max_tokens",
     .cancel_stops_billing = true},
    {.kind = "ollama", .label = "Ollama", .origin = "http://127.0.0.1:11434", .root = "/v1",
     .ways = {CHAT, EMBEDDINGS}, .models_path = "/models", .auth = PROVIDER_AUTH_BEARER,
     .output_limit_field = "max_tokens", .quirks = PROVIDER_KEY_OPTIONAL | PROVIDER_SELF_HOSTED,
     .cancel_stops_billing = true, .cancel_stops_plain = true},
    {.kind = "vllm", .label = "vLLM", .origin = "http://127.0.0.1:8000", .root = "/v1",
     .ways = {CHAT, EMBEDDINGS}, .models_path = "/models", .auth = PROVIDER_AUTH_BEARER,
     .output_limit_field = "max_tokens", .quirks = PROVIDER_KEY_OPTIONAL | PROVIDER_SELF_HOSTED,
     .cancel_stops_billing = true, .cancel_stops_plain = true},
    {.kind = "llama.cpp", .label = "llama.cpp", .origin = "http://127.0.0.1:8080", .root = "/v1",
     .ways = {CHAT, EMBEDDINGS}, .models_path = "/models", .auth = PROVIDER_AUTH_BEARER,
     .output_limit_field = "max_tokens", .quirks = PROVIDER_KEY_OPTIONAL | PROVIDER_SELF_HOSTED,
     .cancel_stops_billing = true, .cancel_stops_plain = true},
    {.kind = "localai", .label = "LocalAI", .origin = "http://127.0.0.1:8080", .root = "/v1",
     .ways = {CHAT, EMBEDDINGS}, .models_path = "/models", .auth = PROVIDER_AUTH_BEARER,
     .output_limit_field = "max_tokens", .quirks = PROVIDER_KEY_OPTIONAL | PROVIDER_SELF_HOSTED,
     .cancel_stops_billing = true, .cancel_stops_plain = true},
    {.kind = "demo", .label = "Demo", .origin = NULL, .root = "/v1",
     .ways = {CHAT, EMBEDDINGS}, .models_path = "/models", .auth = PROVIDER_AUTH_NONE,
     .output_limit_field = "max_tokens", .quirks = PROVIDER_KEY_OPTIONAL | PROVIDER_DEMO,
     .cancel_stops_billing = true, .cancel_stops_plain = true},
};
/* clang-format on */

const size_t providers_count = ARRAY_LEN(providers);

const struct provider *provider_find(struct str kind)
{
    for (size_t i = 0; i < providers_count; i++)
        if (str_eq_c(kind, providers[i].kind))
            return &providers[i];
    return NULL;
}

const struct provider_way *provider_way_of(const struct provider *p,
                                           const struct wire_format *format)
{
    for (size_t i = 0; i < PROVIDER_WAYS_MAX && p->ways[i].format; i++)
        if (p->ways[i].format == format)
            return &p->ways[i];
    return NULL;
}

/* The part of a URL before its path: scheme and host. */
static struct str url_origin(struct str url)
{
    size_t at = 0;

    for (size_t i = 0; i + 3 <= url.n; i++)
        if (memcmp(url.p + i, "://", 3) == 0) {
            at = i + 3;
            break;
        }
    while (at < url.n && url.p[at] != '/' && url.p[at] != '?')
        at++;
    return str_n(url.p, at);
}

static struct str without_slashes(struct str s)
{
    while (s.n && s.p[s.n - 1] == '/')
        s.n--;
    return s;
}

/* Somebody pasted the whole address of one of the ways. */
static bool drop_pasted(const struct provider *p, struct str *where)
{
    for (size_t i = 0; i < PROVIDER_WAYS_MAX && p->ways[i].format; i++) {
        struct str tail = str_c(p->ways[i].path);

        if (str_ends(*where, tail)) {
            *where = without_slashes(str_n(where->p, where->n - tail.n));
            return true;
        }
    }
    return false;
}

/* A query of the base goes behind that of the path. */
static struct str query_behind(struct arena *a, const char *path, struct str query)
{
    return query.n > 1 && strchr(path, '?') ? arena_strf(a, "&%.*s", (int)query.n - 1, query.p + 1)
                                            : query;
}

int provider_url(const struct provider *p, struct arena *a, struct str base, const char *path,
                 struct str *ret)
{
    struct str origin, where, query = STR(""), url;
    const char *root = "";
    ssize_t mark;

    base = str_trim(base);
    if (!base.n && !p->origin)
        return PROVIDER_E_NO_URL;
    if (!base.n)
        base = str_c(p->origin);
    mark = str_find(base, '?');
    if (mark >= 0) {
        query = str_n(base.p + mark, base.n - (size_t)mark);
        base.n = (size_t)mark;
    }
    origin = url_origin(base);
    where = without_slashes(str_n(base.p + origin.n, base.n - origin.n));
    if (!drop_pasted(p, &where) && !where.n)
        root = p->root;
    query = query_behind(a, path, query);
    url = arena_strf(a, "%.*s%.*s%s%s%.*s", STR_FMT(origin), STR_FMT(where), root, path,
                     STR_FMT(query));
    if (!url.p)
        return err_origin(-ENOMEM);
    *ret = url;
    return PROVIDER_OK;
}

int provider_auth_header(const struct provider *p, struct arena *a, struct str key,
                         struct provider_header *ret)
{
    struct provider_header h = {0};

    if (key.n && p->auth == PROVIDER_AUTH_BEARER) {
        h.name = "authorization";
        h.value = arena_strf(a, "Bearer %.*s", STR_FMT(key));
    } else if (key.n && p->auth == PROVIDER_AUTH_HEADER) {
        h.name = p->auth_header;
        h.value = arena_str(a, key);
    }
    if (h.name && !h.value.p)
        return err_origin(-ENOMEM);
    *ret = h;
    return PROVIDER_OK;
}

static bool is_token(struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];

        if (c <= ' ' || c >= 0x7f || strchr("\"(),/:;<=>?@[\\]{}", c))
            return false;
    }
    return s.n > 0;
}

static bool is_ours(struct str name)
{
    static const char *const ours[] = {
        "accept-encoding",
        "authorization",
        "connection",
        "content-encoding",
        "content-length",
        "content-type",
        "cookie",
        "expect",
        "host",
        "keep-alive",
        "te",
        "trailer",
        "upgrade",
        "transfer-encoding",
    };

    for (size_t i = 0; i < ARRAY_LEN(ours); i++)
        if (str_ieq(name, str_c(ours[i])))
            return true;
    return name.n > 6 && str_ieq(str_n(name.p, 6), STR("proxy-"));
}

bool provider_header_allowed(struct str name, struct str value)
{
    if (name.n > 100 || value.n > 2000 || !is_token(name) || is_ours(name))
        return false;
    for (size_t i = 0; i < value.n; i++)
        if ((unsigned char)value.p[i] < ' ' || value.p[i] == 0x7f)
            return false;
    return true;
}
