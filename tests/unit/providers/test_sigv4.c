/* Signatures of AWS: the expected ones were made by @smithy/signature-v4 5.7.5, the SDK's own signer. */
#include "unit.h"

#include "providers/sigv4.h"

#define AT_US INT64_C(1795857300000000) /* 2026-11-28T09:15:00Z */

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

static const char *const scope = "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20261128/us-east-1/"
                                 "bedrock/aws4_request, SignedHeaders=";

static void assert_signed(const char *url, const char *session, const char *signature)
{
    const struct sigv4_key key = {
        .id = STR("AKIDEXAMPLE"),
        .secret = STR("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"),
        .session = str_c(session),
        .region = STR("us-east-1"),
        .service = STR("bedrock"),
    };
    const struct sigv4_request request = {
        .method = "POST",
        .url = str_c(url),
        .body = STR("{\"a\":\"\xc3\xa9\"}"),
        .now_us = AT_US,
    };
    struct sigv4_headers h;
    struct str expected =
        arena_strf(arena, "%shost;x-amz-date%s, Signature=%s", scope,
                   session ? ";x-amz-security-token" : "", signature);

    assert_int_equal(sigv4_sign(arena, &key, &request, &h), 0);
    assert_str(h.date, "20261128T091500Z");
    assert_str(h.authorization, expected.p);
}

static void names_of_models_are_signed_as_their_encoded_form_encoded_again(void **state)
{
    const char *url = "https://bedrock-runtime.us-east-1.amazonaws.com/model/"
                      "anthropic.claude-3-5-sonnet-20241022-v2%3A0/converse";
    const char *arn = "https://bedrock-runtime.us-east-1.amazonaws.com/model/"
                      "arn%3Aaws%3Abedrock%3Aus-east-1%3A123456789012%3A"
                      "application-inference-profile%2Fabc/converse-stream";

    assert_signed(url, NULL, "1624d681678d687fc28dd36e541b33f18df2dc922acbde33c3c8c734cb699187");
    assert_signed(arn, NULL, "42632148694be5658237431e51529f65b96f1f578b2fd9b8817b2a5afa1ccbae");
}

static void a_temporary_key_signs_its_token_too(void **state)
{
    const char *url = "https://bedrock-runtime.us-east-1.amazonaws.com/model/"
                      "anthropic.claude-3-5-sonnet-20241022-v2%3A0/converse";

    assert_signed(url, "tok/en+==",
                  "2572c2af2b8cf4736119af3125779ab132e0ebc4597cb00ce06713423d8216de");
}

static void pairs_of_a_query_are_put_in_order_and_a_port_is_part_of_the_host(void **state)
{
    assert_signed("http://127.0.0.1:8080/model/a/converse?b=2&a=1%20x", NULL,
                  "76eefc5ff2c06e66b28d50af53faa3fe26da1733393823dfda3ab136cbfabb8c");
}

/* libcurl leaves the scheme's own port out of the Host header, so it is not signed either. */
static void the_usual_port_is_not_signed(void **state)
{
    const char *signature = "1624d681678d687fc28dd36e541b33f18df2dc922acbde33c3c8c734cb699187";

    assert_signed("https://bedrock-runtime.us-east-1.amazonaws.com:443/model/"
                  "anthropic.claude-3-5-sonnet-20241022-v2%3A0/converse",
                  NULL, signature);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_of_models_are_signed_as_their_encoded_form_encoded_again),
        cmocka_unit_test(a_temporary_key_signs_its_token_too),
        cmocka_unit_test(pairs_of_a_query_are_put_in_order_and_a_port_is_part_of_the_host),
        cmocka_unit_test(the_usual_port_is_not_signed),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
