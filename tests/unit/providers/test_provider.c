/* The table of provider kinds, how URLs are joined, and which headers an operator may set. */
#include "unit.h"

#include "providers/provider.h"

static struct arena *arena;

static int setup(void **state)
{
    arena = arena_new(1 << 20);
    return 0;
}

static int teardown(void **state)
{
    arena_free(arena);
    return 0;
}

static const struct provider_place nowhere, somewhere = {.region = STR("europe-west4"),
                                                         .project = STR("my-project")};

static void assert_way(const char *kind, const char *base, const struct wire_format *format,
                       const char *expected, const char *expected_stream)
{
    const struct provider *p = provider_find(str_c(kind));
    const struct provider_way *way;
    struct str url;

    assert_non_null(p);
    way = provider_way_of(p, format);
    assert_non_null(way);
    assert_int_equal(provider_way_url(p, arena, &somewhere, str_c(base), way, false, &url),
                     PROVIDER_OK);
    assert_str(url, expected);
    assert_int_equal(provider_way_url(p, arena, &somewhere, str_c(base), way, true, &url),
                     PROVIDER_OK);
    assert_str(url, expected_stream ? expected_stream : expected);
}

static void assert_url(const char *kind, const char *base, const char *expected)
{
    assert_way(kind, base, provider_find(str_c(kind))->ways[0].format, expected, NULL);
}

static void a_kind_has_its_own_address(void **state)
{
    assert_url("openai", "", "https://api.openai.com/v1/chat/completions");
    assert_url("groq", "", "https://api.groq.com/openai/v1/chat/completions");
    assert_url("anthropic", "", "https://api.anthropic.com/v1/messages");
    assert_url("cohere", "", "https://api.cohere.com/compatibility/v1/chat/completions");
    assert_url("huggingface", "", "https://router.huggingface.co/v1/chat/completions");
    assert_url("voyage", "", "https://api.voyageai.com/v1/embeddings");
    assert_url("deepseek", "", "https://api.deepseek.com/v1/chat/completions");
    assert_way("openai", "", &format_openai_responses, "https://api.openai.com/v1/responses", NULL);
    assert_url("perplexity", "", "https://api.perplexity.ai/chat/completions");
    assert_url("fireworks", "", "https://api.fireworks.ai/inference/v1/chat/completions");
}

/* As in exchanges that were recorded with these providers. */
static void a_native_way_has_the_model_in_its_path(void **state)
{
    assert_way("google", "", &format_gemini,
               "https://generativelanguage.googleapis.com/v1beta/models/{model}:generateContent",
               "https://generativelanguage.googleapis.com/v1beta/models/{model}"
               ":streamGenerateContent?alt=sse");
    assert_way("google", "", &format_gemini_embed_batch,
               "https://generativelanguage.googleapis.com/v1beta/models/{model}:batchEmbedContents",
               NULL);
    assert_way("cohere", "", &format_cohere_embed, "https://api.cohere.com/v2/embed", NULL);
    assert_way("vertex", "", &format_vertex_predict,
               "https://europe-west4-aiplatform.googleapis.com/v1/projects/my-project/locations/"
               "europe-west4/publishers/google/models/{model}:predict",
               NULL);
    assert_way("bedrock", "", &format_bedrock_titan_embed,
               "https://bedrock-runtime.europe-west4.amazonaws.com/model/{model}/invoke", NULL);
    assert_way("vertex", "", &format_gemini,
               "https://europe-west4-aiplatform.googleapis.com/v1/projects/my-project/locations/"
               "europe-west4/publishers/google/models/{model}:generateContent",
               "https://europe-west4-aiplatform.googleapis.com/v1/projects/my-project/locations/"
               "europe-west4/publishers/google/models/{model}:streamGenerateContent?alt=sse");
    assert_way("vertex", "https://proxy.test", &format_anthropic_messages,
               "https://proxy.test/v1/projects/my-project/locations/europe-west4/publishers/"
               "anthropic/models/{model}:rawPredict",
               "https://proxy.test/v1/projects/my-project/locations/europe-west4/publishers/"
               "anthropic/models/{model}:streamRawPredict");
    assert_way("bedrock", "", &format_bedrock_converse,
               "https://bedrock-runtime.europe-west4.amazonaws.com/model/{model}/converse",
               "https://bedrock-runtime.europe-west4.amazonaws.com/model/{model}/converse-stream");
    assert_way("ollama-native", "", &format_ollama_chat, "http://127.0.0.1:11434/api/chat", NULL);
    assert_way("ollama-native", "http://10.0.0.5:11434/api", &format_ollama_embed,
               "http://10.0.0.5:11434/api/embed", NULL);
    assert_way("azure", "https://r.openai.azure.com", &format_openai_chat,
               "https://r.openai.azure.com/openai/v1/chat/completions", NULL);
    assert_way("azure-deployments", "https://r.openai.azure.com?api-version=2024-10-21",
               &format_openai_chat,
               "https://r.openai.azure.com/openai/deployments/{model}/chat/completions"
               "?api-version=2024-10-21",
               NULL);
    assert_way("azure-deployments", "https://r.openai.azure.com?api-version=2024-10-21",
               &format_openai_transcriptions,
               "https://r.openai.azure.com/openai/deployments/{model}/audio/transcriptions"
               "?api-version=2024-10-21",
               NULL);
    assert_way("azure", "https://r.openai.azure.com", &format_openai_images,
               "https://r.openai.azure.com/openai/v1/images/generations", NULL);
    assert_way("cohere", "", &format_rerank_v2, "https://api.cohere.com/v2/rerank", NULL);
    assert_way("vllm", "", &format_rerank_v2, "http://127.0.0.1:8000/v1/rerank", NULL);
}

static void the_global_region_is_no_part_of_the_host(void **state)
{
    const struct provider_place global = {.region = STR("global"), .project = STR("p")};
    const struct provider *p = provider_find(STR("vertex"));
    struct str url;

    assert_int_equal(provider_way_url(p, arena, &global, STR(""), &p->ways[0], false, &url), 0);
    assert_str(url, "https://aiplatform.googleapis.com/v1/projects/p/locations/global/publishers/"
                    "google/models/{model}:generateContent");
}

static void a_way_may_stand_beside_the_root(void **state)
{
    const char *expected = "https://x.test/a/anthropic/v1/messages";

    assert_way("deepseek", "", &format_anthropic_messages,
               "https://api.deepseek.com/anthropic/v1/messages", NULL);
    assert_way("deepseek", "https://x.test/a/v1", &format_anthropic_messages, expected, NULL);
    assert_way("deepseek", "https://x.test/a/", &format_anthropic_messages, expected, NULL);
}

static void a_model_goes_the_way_of_its_maker(void **state)
{
    const struct provider *p = provider_find(STR("vertex"));
    const struct provider_way *own = provider_way_of(p, &format_gemini);
    const struct provider_way *claude = provider_way_of(p, &format_anthropic_messages);

    assert_true(provider_way_takes(p, own, STR("gemini-2.5-pro")));
    assert_false(provider_way_takes(p, claude, STR("gemini-2.5-pro")));
    assert_true(provider_way_takes(p, claude, STR("claude-sonnet-4-5@20250929")));
    assert_false(provider_way_takes(p, own, STR("claude-sonnet-4-5@20250929")));
    p = provider_find(STR("openai"));
    assert_true(provider_way_takes(p, &p->ways[0], STR("claude")));
}

static void who_asks_for_a_region_or_a_project(void **state)
{
    static const char *const region[] = {"vertex", "bedrock"};

    for (size_t i = 0; i < providers_count; i++) {
        const struct provider *p = &providers[i];
        bool wants = false;

        for (size_t k = 0; k < ARRAY_LEN(region); k++)
            wants |= strcmp(p->kind, region[k]) == 0;
        assert_int_equal(provider_wants_region(p), wants);
        assert_int_equal(provider_wants_project(p), strcmp(p->kind, "vertex") == 0);
    }
}

/* As OpenRouter's documentation lists them; nobody's plain requests but one's own servers'. */
static void who_stops_when_the_connection_is_closed(void **state)
{
    static const char *const stop[] = {"openai",   "anthropic", "fireworks",  "together",
                                       "deepseek", "deepinfra", "xai",        "openrouter"};
    static const char *const go_on[] = {"groq", "google", "mistral", "perplexity", "cerebras"};
    static const char *const own[] = {"ollama", "ollama-native", "vllm", "llama.cpp", "localai", "demo",
                                      "openai-compatible"};

    for (size_t i = 0; i < ARRAY_LEN(stop); i++) {
        assert_true(provider_find(str_c(stop[i]))->cancel_stops_billing);
        assert_false(provider_find(str_c(stop[i]))->cancel_stops_plain);
    }
    for (size_t i = 0; i < ARRAY_LEN(go_on); i++) {
        assert_false(provider_find(str_c(go_on[i]))->cancel_stops_billing);
        assert_false(provider_find(str_c(go_on[i]))->cancel_stops_plain);
    }
    for (size_t i = 0; i < ARRAY_LEN(own); i++) {
        assert_true(provider_find(str_c(own[i]))->cancel_stops_billing);
        assert_true(provider_find(str_c(own[i]))->cancel_stops_plain);
    }
}

static void base_urls_with_and_without_v1_are_the_same(void **state)
{
    const char *expected = "http://10.0.0.5:8000/v1/chat/completions";

    assert_url("vllm", "http://10.0.0.5:8000", expected);
    assert_url("vllm", "http://10.0.0.5:8000/", expected);
    assert_url("vllm", "http://10.0.0.5:8000/v1", expected);
    assert_url("vllm", "http://10.0.0.5:8000/v1/", expected);
    assert_url("vllm", " http://10.0.0.5:8000/v1// ", expected);
    assert_url("vllm", "http://10.0.0.5:8000/v1/chat/completions", expected);
    assert_url("vllm", "http://10.0.0.5:8000/v1/chat/completions/", expected);
}

static void a_path_of_ones_own_is_kept(void **state)
{
    assert_url("openai-compatible", "https://x.test/llm", "https://x.test/llm/chat/completions");
    assert_url("openai-compatible", "https://[::1]:9/a/b/", "https://[::1]:9/a/b/chat/completions");
    assert_url("openai-compatible", "https://x.test/openai?api-version=1",
               "https://x.test/openai/chat/completions?api-version=1");
    assert_url("openai-compatible", "https://x.test?k=/v1/",
               "https://x.test/v1/chat/completions?k=/v1/");
}

static void without_any_address_there_is_no_url(void **state)
{
    struct str url = STR("untouched");
    const struct provider *p = provider_find(STR("openai-compatible"));

    assert_int_equal(provider_url(p, arena, &nowhere, STR(""), "/models", &url),
                     PROVIDER_E_NO_URL);
    assert_int_equal(provider_url(p, arena, &nowhere, STR("  "), "/models", &url),
                     PROVIDER_E_NO_URL);
    p = provider_find(STR("bedrock"));
    assert_int_equal(provider_url(p, arena, &nowhere, STR(""), "/models", &url),
                     PROVIDER_E_NO_PLACE);
    assert_str(url, "untouched");
}

static void kinds_are_found_by_their_exact_word(void **state)
{
    assert_null(provider_find(STR("OpenAI")));
    assert_null(provider_find(STR("")));
    assert_null(provider_find(STR("openai-")));
    assert_non_null(provider_find(STR("llama.cpp")));
}

static void the_table_is_whole(void **state)
{
    for (size_t i = 0; i < providers_count; i++) {
        const struct provider *p = &providers[i];

        assert_ptr_equal(provider_find(str_c(p->kind)), p); /* no kind twice */
        assert_non_null(p->label);
        assert_non_null(p->root);
        assert_true(p->docs || !p->origin);
        for (size_t k = 0; k < PROVIDER_WAYS_MAX && (k == 0 || p->ways[k].format); k++) {
            assert_int_equal(p->ways[k].path[0], '/');
            assert_ptr_equal(provider_way_of(p, p->ways[k].format), &p->ways[k]); /* none twice */
        }
        assert_true(strcmp(p->output_limit_field, "max_tokens") == 0 ||
                    strcmp(p->output_limit_field, "max_completion_tokens") == 0);
        assert_true((p->auth == PROVIDER_AUTH_HEADER) == (p->auth_header != NULL));
        if (p->origin)
            assert_true(p->origin[strlen(p->origin) - 1] != '/');
        if (p->origin && !provider_has(p, PROVIDER_SELF_HOSTED))
            assert_memory_equal(p->origin, "https://", 8);
    }
}

static void operators_set_labels_not_framing(void **state)
{
    assert_true(provider_header_allowed(STR("OpenAI-Organization"), STR("org-1")));
    assert_false(provider_header_allowed(STR("x-label"), STR("caf\xc3\xa9")));
    assert_true(provider_header_allowed(STR("x-empty"), STR("")));
    assert_false(provider_header_allowed(STR("Host"), STR("evil.test")));
    assert_false(provider_header_allowed(STR("content-length"), STR("5")));
    assert_false(provider_header_allowed(STR("Transfer-Encoding"), STR("chunked")));
    assert_false(provider_header_allowed(STR("Authorization"), STR("Bearer x")));
    assert_false(provider_header_allowed(STR("Proxy-Authorization"), STR("x")));
    assert_false(provider_header_allowed(STR(""), STR("x")));
    assert_false(provider_header_allowed(STR("a b"), STR("x")));
    assert_false(provider_header_allowed(STR("a:b"), STR("x")));
    assert_false(provider_header_allowed(STR("x-a"), STR("1\r\nHost: evil")));
    assert_false(provider_header_allowed(STR("x-a"), STR("1\n2")));
    assert_false(provider_header_allowed(STR("x-a"), str_n("1\0002", 3)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_kind_has_its_own_address),
        cmocka_unit_test(a_native_way_has_the_model_in_its_path),
        cmocka_unit_test(the_global_region_is_no_part_of_the_host),
        cmocka_unit_test(a_way_may_stand_beside_the_root),
        cmocka_unit_test(a_model_goes_the_way_of_its_maker),
        cmocka_unit_test(who_asks_for_a_region_or_a_project),
        cmocka_unit_test(who_stops_when_the_connection_is_closed),
        cmocka_unit_test(base_urls_with_and_without_v1_are_the_same),
        cmocka_unit_test(a_path_of_ones_own_is_kept),
        cmocka_unit_test(without_any_address_there_is_no_url),
        cmocka_unit_test(kinds_are_found_by_their_exact_word),
        cmocka_unit_test(the_table_is_whole),
        cmocka_unit_test(operators_set_labels_not_framing),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
