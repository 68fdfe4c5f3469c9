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

static void assert_url(const char *kind, const char *base, const char *expected)
{
    const struct provider *p = provider_find(str_c(kind));
    struct str url;

    assert_non_null(p);
    assert_int_equal(provider_url(p, arena, str_c(base), p->ways[0].path, &url), PROVIDER_OK);
    assert_str(url, expected);
}

static void a_kind_has_its_own_address(void **state)
{
    assert_url("openai", "", "https://api.openai.com/v1/chat/completions");
    assert_url("groq", "", "https://api.groq.com/openai/v1/chat/completions");
    assert_url("anthropic", "", "https://api.anthropic.com/v1/messages");
    assert_url("google", "",
               "https://generativelanguage.googleapis.com/v1beta/models/{model}:generateContent");
    assert_url("perplexity", "", "https://api.perplexity.ai/chat/completions");
    assert_url("fireworks", "", "https://api.fireworks.ai/inference/v1/chat/completions");
}

/* As OpenRouter's documentation lists them; nobody's plain requests but one's own servers'. */
static void who_stops_when_the_connection_is_closed(void **state)
{
    static const char *const stop[] = {"openai",   "anthropic", "fireworks",  "together",
                                       "deepseek", "deepinfra", "xai",        "openrouter"};
    static const char *const go_on[] = {"groq", "google", "mistral", "perplexity", "cerebras"};
    static const char *const own[] = {"ollama", "vllm", "llama.cpp", "localai", "demo",
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

    assert_int_equal(provider_url(p, arena, STR(""), p->ways[0].path, &url), PROVIDER_E_NO_URL);
    assert_int_equal(provider_url(p, arena, STR("  "), p->ways[0].path, &url), PROVIDER_E_NO_URL);
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
        assert_int_equal(p->ways[0].path[0], '/');
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
    assert_true(provider_header_allowed(STR("x-label"), STR("caf\xc3\xa9")));
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
