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
static const struct provider_place place = {.region = STR("eu-west-1")};

static struct provider_ask ask_of(const char *kind, const struct wire_format *format,
                                  const struct provider_credential *credential)
{
    const struct provider *p = provider_find(str_c(kind));
    struct provider_ask ask = {
        .provider = p,
        .credential = credential,
        .place = &place,
        .method = "POST",
        .url = STR("https://upstream.test/model/m/converse"),
        .body = STR("{}"),
        .now_us = INT64_C(1795857300000000),
    };

    assert_non_null(p);
    ask.way = provider_way_of(p, format);
    assert_non_null(ask.way);
    return ask;
}

static struct provider_headers asked_with(const char *kind, const struct wire_format *format,
                                          const char *key, const struct provider_header *client,
                                          const struct provider_header *extra)
{
    const struct provider_credential credential = {
        .bearer = *key ? arena_strf(arena, "Bearer %s", key) : STR_NONE};
    struct provider_ask ask = ask_of(kind, format, &credential);
    struct provider_headers out = {.n = 0};

    ask.client = client;
    ask.n_client = client != NULL;
    ask.extra = extra;
    ask.n_extra = extra != NULL;
    assert_int_equal(provider_put_headers(&ask, arena, &out), PROVIDER_OK);
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
    h = asked_with("google", &format_gemini_embed_batch, "AIza", none, none);
    assert_str(value_of(&h, "x-goog-api-key"), "AIza");
    assert_int_equal(h.n, 1);
    h = asked_with("azure", &format_openai_responses, "0123", none, none);
    assert_str(value_of(&h, "api-key"), "0123");
    assert_int_equal(h.n, 1);
    h = asked_with("deepseek", &format_anthropic_messages, "sk-2", none, none);
    assert_str(value_of(&h, "x-api-key"), "sk-2");
    h = asked_with("openrouter", &format_anthropic_messages, "sk-or", none, none);
    assert_str(value_of(&h, "authorization"), "Bearer sk-or");
}

static void without_a_key_there_is_no_header_for_it(void **state)
{
    struct provider_headers h = asked_with("ollama", &format_openai_chat, "", none, none);

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

static void an_access_key_signs_with_the_accounts_region(void **state)
{
    const struct provider_credential c = {
        .aws = {.id = STR("AKID"), .secret = STR("secret"), .session = STR("token")}};
    struct provider_ask ask = ask_of("bedrock", &format_bedrock_converse, &c);
    struct provider_headers out = {.n = 0};

    assert_int_equal(provider_put_headers(&ask, arena, &out), PROVIDER_OK);
    assert_true(str_starts(value_of(&out, "authorization"),
                           STR("AWS4-HMAC-SHA256 Credential=AKID/20261128/eu-west-1/bedrock/"
                               "aws4_request, SignedHeaders=host;x-amz-date;x-amz-security-token")));
    assert_str(value_of(&out, "x-amz-date"), "20261128T091500Z");
    assert_str(value_of(&out, "x-amz-security-token"), "token");
    out = asked_with("bedrock", &format_bedrock_converse, "bedrock-api-key-1", none, none);
    assert_str(value_of(&out, "authorization"), "Bearer bedrock-api-key-1");
    assert_int_equal(out.n, 1);
}

static void a_service_account_needs_its_token(void **state)
{
    const struct provider_credential c = {.google = {.email = STR("a@b.test")}};
    struct provider_ask ask = ask_of("vertex", &format_gemini, &c);
    struct provider_headers out = {.n = 0};

    assert_int_equal(provider_put_headers(&ask, arena, &out), PROVIDER_E_NO_TOKEN);
    assert_int_equal(out.n, 0);
    ask.token = STR("Bearer ya29.x");
    assert_int_equal(provider_put_headers(&ask, arena, &out), PROVIDER_OK);
    assert_str(value_of(&out, "authorization"), "Bearer ya29.x");
}

static void a_wiped_credential_is_gone(void **state)
{
    struct provider_credential c = {
        .bearer = arena_str(arena, STR("Bearer sk-1")),
        .aws = {.secret = arena_str(arena, STR("secret")), .session = STR_NONE},
        .google = {.private_key = arena_str(arena, STR("-----BEGIN"))},
    };
    const struct str wiped[] = {c.bearer, c.aws.secret, c.google.private_key};

    provider_credential_wipe(&c);
    for (size_t k = 0; k < ARRAY_LEN(wiped); k++)
        for (size_t i = 0; i < wiped[k].n; i++)
            assert_int_equal(wiped[k].p[i], 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_key_goes_where_the_provider_wants_it),
        cmocka_unit_test(without_a_key_there_is_no_header_for_it),
        cmocka_unit_test(a_version_is_the_clients_else_the_operators_else_the_tables),
        cmocka_unit_test(neither_client_nor_operator_replaces_the_credential),
        cmocka_unit_test(an_access_key_signs_with_the_accounts_region),
        cmocka_unit_test(a_service_account_needs_its_token),
        cmocka_unit_test(a_wiped_credential_is_gone),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
