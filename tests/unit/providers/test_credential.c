/* What an opened credential and the table make of a request's headers. */
#include "unit.h"

#include "providers/credential.h"

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

static const struct provider_header *none;

static struct provider_headers asked_with(const char *kind, const struct wire_format *format,
                                          const char *key, const struct provider_header *client,
                                          const struct provider_header *extra)
{
    const struct provider *p = provider_find(str_c(kind));
    struct provider_headers out = {.n = 0};
    struct provider_credential credential;
    struct provider_ask ask = {
        .provider = p,
        .credential = &credential,
        .client = client,
        .n_client = client != NULL,
        .extra = extra,
        .n_extra = extra != NULL,
    };

    assert_non_null(p);
    ask.way = provider_way_of(p, format);
    assert_non_null(ask.way);
    assert_int_equal(provider_credential_open(p, arena, str_c(key), &credential), PROVIDER_OK);
    assert_int_equal(provider_put_headers(&ask, &out), PROVIDER_OK);
    return out;
}

static struct str value_of(const struct provider_headers *h, const char *name)
{
    struct str found = STR_NONE;

    for (size_t i = 0; i < h->n; i++)
        if (str_ieq(str_c(h->v[i].name), str_c(name))) {
            assert_null(found.p); /* never twice */
            found = h->v[i].value;
        }
    return found;
}

static void the_key_goes_where_the_provider_wants_it(void **state)
{
    struct provider_headers h = asked_with("openai", &format_openai_chat, "sk-1", none, none);

    assert_str(value_of(&h, "authorization"), "Bearer sk-1");
    assert_int_equal(h.n, 1);
    h = asked_with("anthropic", &format_anthropic_messages, "sk-ant", none, none);
    assert_str(value_of(&h, "x-api-key"), "sk-ant");
    assert_null(value_of(&h, "authorization").p);
    h = asked_with("google", &format_gemini, "AIza", none, none);
    assert_str(value_of(&h, "x-goog-api-key"), "AIza");
    assert_null(value_of(&h, "authorization").p);
    h = asked_with("google", &format_openai_embeddings, "AIza", none, none);
    assert_str(value_of(&h, "authorization"), "Bearer AIza");
    assert_int_equal(h.n, 1);
}

static void without_a_key_there_is_no_header_for_it(void **state)
{
    struct provider_headers h = asked_with("ollama", &format_openai_chat, "", none, none);

    assert_int_equal(h.n, 0);
    h = asked_with("demo", &format_openai_chat, "k", none, none);
    assert_int_equal(h.n, 0);
    h = asked_with("anthropic-compatible", &format_anthropic_messages, "", none, none);
    assert_null(value_of(&h, "x-api-key").p);
}

static void a_version_is_the_clients_else_the_operators_else_the_tables(void **state)
{
    const struct provider_header operators = {"Anthropic-Version", STR("2026-10-21")};
    const struct provider_header clients = {"anthropic-version", STR("2025-01-01")};
    struct provider_headers h;

    h = asked_with("anthropic", &format_anthropic_messages, "k", none, none);
    assert_str(value_of(&h, "anthropic-version"), "2023-06-01");
    h = asked_with("anthropic", &format_anthropic_messages, "k", none, &operators);
    assert_str(value_of(&h, "anthropic-version"), "2026-10-21");
    h = asked_with("anthropic", &format_anthropic_messages, "k", &clients, &operators);
    assert_str(value_of(&h, "anthropic-version"), "2025-01-01");
}

static void neither_client_nor_operator_replaces_the_credential(void **state)
{
    const struct provider_header another = {"X-Api-Key", STR("another")};
    struct provider_headers h;

    h = asked_with("anthropic", &format_anthropic_messages, "k", &another, &another);
    assert_str(value_of(&h, "x-api-key"), "k");
}

static void a_wiped_credential_is_gone(void **state)
{
    struct provider_credential c;

    assert_int_equal(
        provider_credential_open(provider_find(STR("openai")), arena, STR("sk-1"), &c), 0);
    provider_credential_wipe(&c);
    for (size_t i = 0; i < c.bearer.n; i++)
        assert_int_equal(c.bearer.p[i], 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_key_goes_where_the_provider_wants_it),
        cmocka_unit_test(without_a_key_there_is_no_header_for_it),
        cmocka_unit_test(a_version_is_the_clients_else_the_operators_else_the_tables),
        cmocka_unit_test(neither_client_nor_operator_replaces_the_credential),
        cmocka_unit_test(a_wiped_credential_is_gone),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
