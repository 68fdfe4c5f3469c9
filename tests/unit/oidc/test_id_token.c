/* ID tokens: what a known provider signed is read; anything else about them refuses them. And the discovery
 * document. */
#include "unit.h"

#include "base/base64.h"
#include "base/bounds.h"
#include "oidc/id_token.h"
#include "oidc/inside.h"
#include "tokens.h"

#define RULES                                                                                      \
    (struct id_token_rules)                                                                        \
    {                                                                                              \
        .issuer = STR("https://id.example.org"), .client_id = STR("client"), .nonce = STR("n"),    \
        .now_s = 1000001                                                                           \
    }

static struct arena *a;

static int begin(void **state)
{
    (void)state;
    a = arena_new(MIB(8));
    return a == NULL;
}

static int end(void **state)
{
    (void)state;
    arena_free(a);
    return 0;
}

static int read_with(const char *keys, struct str token, struct id_token_rules rules)
{
    struct json_object *set;
    struct id_token t;

    assert_int_equal(json_parse_object(a, str_c(keys), &set), 0);
    assert_non_null(set);
    return id_token_read(a, token, set, &rules, &t);
}

static int read_known(struct id_token_rules rules)
{
    return read_with(known_keys, str_c(known_tokens[0]), rules);
}

static void tokens_of_each_algorithm_are_read(void **state)
{
    const struct id_token_rules rules = RULES;
    struct json_object *set;

    (void)state;
    assert_int_equal(json_parse_object(a, str_c(known_keys), &set), 0);
    for (size_t i = 0; i < ARRAY_LEN(known_tokens); i++) {
        struct id_token t;

        assert_int_equal(id_token_read(a, str_c(known_tokens[i]), set, &rules, &t), ID_TOKEN_OK);
        assert_str(t.subject, "ada");
        assert_str(id_claim(t.claims, "email"), "ada@example.org");
        assert_true(id_claim_true(t.claims, "email_verified"));
        assert_true(id_claim_has(t.claims, "groups", STR("b")));
        assert_false(id_claim_has(t.claims, "groups", STR("c")));
    }
}

static void each_rule_refuses(void **state)
{
    struct id_token_rules rules = RULES;

    (void)state;
    rules.issuer = STR("https://id.example.org/");
    assert_int_equal(read_known(rules), ID_TOKEN_E_ISSUER);
    rules = RULES;
    rules.client_id = STR("clien");
    assert_int_equal(read_known(rules), ID_TOKEN_E_AUDIENCE);
    rules = RULES;
    rules.nonce = STR("");
    assert_int_equal(read_known(rules), ID_TOKEN_E_NONCE);
}

static void times_have_two_minutes_of_slack_and_no_more(void **state)
{
    static const struct {
        int64_t now_s;
        int outcome;
    } cases[] = {{1000300 + ID_TOKEN_SKEW_S - 1, ID_TOKEN_OK},
                 {1000300 + ID_TOKEN_SKEW_S, ID_TOKEN_E_EXPIRED},
                 {1000000 - ID_TOKEN_SKEW_S, ID_TOKEN_OK},
                 {1000000 - ID_TOKEN_SKEW_S - 1, ID_TOKEN_E_EARLY}};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct id_token_rules rules = RULES;

        rules.now_s = cases[i].now_s;
        assert_int_equal(read_known(rules), cases[i].outcome);
    }
}

/* Of a signature the last characters are changed with care: some of their bits stand for nothing. */
static void any_changed_byte_refuses(void **state)
{
    (void)state;
    for (size_t k = 0; k < ARRAY_LEN(known_tokens); k++) {
        struct str token = arena_str(a, str_c(known_tokens[k]));
        char *p = (char *)(uintptr_t)token.p;

        for (size_t i = 0; i + 2 < token.n; i += 7) {
            char was = p[i];

            p[i] = was == 'A' ? 'Q' : 'A';
            assert_int_not_equal(read_with(known_keys, token, RULES), ID_TOKEN_OK);
            p[i] = was;
        }
        assert_int_equal(read_with(known_keys, token, RULES), ID_TOKEN_OK);
    }
}

static struct str part(const char *json)
{
    struct str text;
    struct buf out;

    buf_init(&out, KIB(4));
    base64url_put(&out, json, strlen(json));
    text = arena_str(a, buf_str(&out));
    buf_done(&out);
    return text;
}

static struct str made(const char *head, const char *claims, const char *signature)
{
    struct str h = part(head), c = part(claims);

    return arena_strf(a, "%.*s.%.*s.%s", STR_FMT(h), STR_FMT(c), signature);
}

static void other_algorithms_do_not_exist(void **state)
{
    static const char *const names[] = {"none", "NONE", "HS256", "RS1", "ES256K", "EdDSA", ""};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        struct str head = arena_strf(a, "{\"alg\":\"%s\",\"kid\":\"rs256\"}", names[i]);

        assert_int_equal(read_with(known_keys, made(head.p, "{}", ""), RULES), ID_TOKEN_E_ALG);
        assert_int_equal(read_with(known_keys, made(head.p, "{}", "AAAA"), RULES), ID_TOKEN_E_ALG);
    }
}

static void what_is_no_token_is_refused(void **state)
{
    static const char *const texts[] = {"", ".", "..", "...", "a.b.c", "e30.e30", "e30.e30.AA.AA", "e30=.e30.AA",
                                        "W10.e30.AA", "e30.W10.AA"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        int r = read_with(known_keys, str_c(texts[i]), RULES);

        assert_int_equal(r, ID_TOKEN_E_FORM);
    }
    assert_int_equal(read_with(known_keys, made("{\"alg\":\"RS256\",\"crit\":[\"b64\"]}", "{}", "AA"), RULES),
                     ID_TOKEN_E_FORM);
}

static void keys_that_are_none_are_not_used(void **state)
{
    static const char *const sets[] = {
        "{}", "{\"keys\":{}}", "{\"keys\":[]}", "{\"keys\":[null,7,{}]}",
        "{\"keys\":[{\"kty\":\"RSA\",\"kid\":\"rs256\"}]}",
        "{\"keys\":[{\"kty\":\"RSA\",\"kid\":\"rs256\",\"n\":\"AQAB\",\"e\":\"AQAB\"}]}",
        "{\"keys\":[{\"kty\":\"oct\",\"kid\":\"rs256\",\"k\":\"AQAB\"}]}",
        "{\"keys\":[{\"kty\":\"EC\",\"kid\":\"rs256\",\"crv\":\"P-256\",\"x\":\"AQAB\",\"y\":\"AQAB\"}]}"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(sets); i++)
        assert_int_equal(read_with(sets[i], str_c(known_tokens[0]), RULES), ID_TOKEN_E_KEY);
}

static int discover(const char *text, const char *issuer, bool plain, struct oidc_endpoints *ret)
{
    struct oidc_detail detail;

    return oidc_endpoints_read(a, str_c(text), str_c(issuer), plain, ret, &detail);
}

static void discovery_is_of_its_issuer_over_https(void **state)
{
    static const char good[] =
        "{\"issuer\":\"https://id/\",\"authorization_endpoint\":\"https://id/a\","
        "\"token_endpoint\":\"https://id/t\",\"jwks_uri\":\"https://id/k\"}";
    static const char plain[] =
        "{\"issuer\":\"http://localhost\",\"authorization_endpoint\":\"http://localhost/a\","
        "\"token_endpoint\":\"http://localhost/t\",\"jwks_uri\":\"http://localhost/k\","
        "\"token_endpoint_auth_methods_supported\":[\"client_secret_post\"]}";
    struct oidc_endpoints at;

    (void)state;
    assert_int_equal(discover(good, "https://id", false, &at), OIDC_OK);
    assert_str(at.issuer, "https://id/");
    assert_false(at.by_form);
    assert_null(at.end_session.p);
    assert_int_equal(discover(good, "https://id//", false, &at), OIDC_E_SETUP);
    assert_int_equal(discover(good, "https://i", false, &at), OIDC_E_SETUP);
    assert_int_equal(discover(plain, "http://localhost", true, &at), OIDC_OK);
    assert_true(at.by_form);
    assert_int_equal(discover(plain, "http://localhost", false, &at), OIDC_E_SETUP);
    assert_int_equal(discover("[]", "https://id", false, &at), OIDC_E_SETUP);
}

static void a_cookie_is_of_its_secret_and_its_time(void **state)
{
    struct oidc o = {.seal_key = {1}};
    struct oidc_flow flow = {.next = STR("/keys"), .invite = STR(""), .link_user = 7}, back;
    struct str cookie;
    bool good;

    (void)state;
    assert_int_equal(oidc_begin(&o, a, 1000, &flow, &cookie), 0);
    assert_int_equal(oidc_open_cookie(&o, a, cookie, 1000 + OIDC_FLOW_S, &back, &good), 0);
    assert_true(good);
    assert_true(str_eq(back.state, flow.state) && str_eq(back.nonce, flow.nonce) &&
                str_eq(back.verifier, flow.verifier));
    assert_str(back.next, "/keys");
    assert_int_equal(back.link_user, 7);
    assert_int_equal(oidc_open_cookie(&o, a, cookie, 1001 + OIDC_FLOW_S, &back, &good), 0);
    assert_false(good);
    o.seal_key[0] = 2;
    assert_int_equal(oidc_open_cookie(&o, a, cookie, 1000, &back, &good), 0);
    assert_false(good);
    assert_int_equal(oidc_open_cookie(&o, a, STR("not base64url!"), 1000, &back, &good), 0);
    assert_false(good);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(tokens_of_each_algorithm_are_read, begin, end),
        cmocka_unit_test_setup_teardown(each_rule_refuses, begin, end),
        cmocka_unit_test_setup_teardown(times_have_two_minutes_of_slack_and_no_more, begin, end),
        cmocka_unit_test_setup_teardown(any_changed_byte_refuses, begin, end),
        cmocka_unit_test_setup_teardown(other_algorithms_do_not_exist, begin, end),
        cmocka_unit_test_setup_teardown(what_is_no_token_is_refused, begin, end),
        cmocka_unit_test_setup_teardown(keys_that_are_none_are_not_used, begin, end),
        cmocka_unit_test_setup_teardown(discovery_is_of_its_issuer_over_https, begin, end),
        cmocka_unit_test_setup_teardown(a_cookie_is_of_its_secret_and_its_time, begin, end),
    };

    return cmocka_run_group_tests_name("id_token", tests, NULL, NULL);
}
