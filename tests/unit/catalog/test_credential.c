/* Credentials as operators enter them: joined to one text, checked, opened, and told apart. */
#include "unit.h"

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include "base/buf.h"
#include "catalog/credential.h"
#include "json/write.h"

static struct arena *arena;

static char pem[4096]; /* of an RSA key that is made anew each time */

static void make_key(void)
{
    EVP_PKEY *key = EVP_RSA_gen(1024);
    BIO *bio = BIO_new(BIO_s_mem());
    int n;

    assert_non_null(key);
    assert_int_equal(PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL), 1);
    n = BIO_read(bio, pem, sizeof(pem) - 1);
    assert_true(n > 0);
    pem[n] = 0;
    BIO_free(bio);
    EVP_PKEY_free(key);
}

static int setup(void **state)
{
    arena = arena_new(1 << 20);
    make_key();
    return 0;
}

static int teardown(void **state)
{
    arena_free(arena);
    return 0;
}

static const struct provider *kind(const char *name)
{
    const struct provider *p = provider_find(str_c(name));

    assert_non_null(p);
    return p;
}

static struct str joined(const char *name, struct credential_parts parts)
{
    struct str text;

    assert_int_equal(credential_join(kind(name), arena, &parts, &text), 0);
    return text;
}

static struct provider_credential opened(const char *name, struct str text)
{
    struct provider_credential c;

    assert_int_equal(credential_open(kind(name), arena, text, &c), CREDENTIAL_OK);
    return c;
}

static void assert_refused(const char *name, struct str text, const char *field)
{
    struct identity_fault fault = {0};

    assert_int_equal(credential_check(kind(name), text, &fault), IDENTITY_E_FAULT);
    assert_string_equal(fault.field, field);
    assert_non_null(fault.sentence);
}

static void assert_taken(const char *name, struct str text)
{
    struct identity_fault fault = {0};

    assert_int_equal(credential_check(kind(name), text, &fault), IDENTITY_OK);
}

static void a_key_is_its_own_text(void **state)
{
    struct str text = joined("openai", (struct credential_parts){.key = STR("sk-0123456789abcdef")});

    assert_str(text, "sk-0123456789abcdef");
    assert_taken("openai", text);
    assert_str(opened("openai", text).bearer, "Bearer sk-0123456789abcdef");
    assert_refused("openai", STR(""), "key");
    assert_refused("openai", STR("two words"), "key");
    assert_refused("openai", STR("line\nbreak"), "key");
    assert_taken("ollama", STR(""));
    assert_null(opened("ollama", STR("")).bearer.p);
}

static void keys_of_aws_keep_their_parts(void **state)
{
    struct str text = joined("bedrock", (struct credential_parts){
                                            .access_key_id = STR("AKIAIOSFODNN7EXAMPLE"),
                                            .secret_access_key = STR("se\"cr/et+"),
                                            .session_token = STR("to==ken")});
    struct provider_credential c = opened("bedrock", text);

    assert_taken("bedrock", text);
    assert_str(c.aws.id, "AKIAIOSFODNN7EXAMPLE");
    assert_str(c.aws.secret, "se\"cr/et+");
    assert_str(c.aws.session, "to==ken");
    assert_null(c.bearer.p);
    text = joined("bedrock", (struct credential_parts){.key = STR("bedrock-key")});
    assert_taken("bedrock", text);
    c = opened("bedrock", text);
    assert_str(c.bearer, "Bearer bedrock-key");
    assert_null(c.aws.id.p);
    assert_int_equal(joined("bedrock", (struct credential_parts){.key = STR("")}).n, 0);
}

static void half_a_key_of_aws_is_refused_beside_what_is_missing(void **state)
{
    assert_refused("bedrock", STR(""), "key");
    assert_refused("bedrock",
                   joined("bedrock", (struct credential_parts){.access_key_id = STR("AKIA")}),
                   "secret_access_key");
    assert_refused("bedrock",
                   joined("bedrock", (struct credential_parts){.secret_access_key = STR("s")}),
                   "access_key_id");
    assert_refused("bedrock",
                   joined("bedrock", (struct credential_parts){.access_key_id = STR("AKIA"),
                                                               .secret_access_key = STR("s"),
                                                               .key = STR("k")}),
                   "key");
    assert_refused("bedrock",
                   joined("bedrock", (struct credential_parts){.access_key_id = STR("AK IA"),
                                                               .secret_access_key = STR("s")}),
                   "access_key_id");
    assert_refused("bedrock", STR("no JSON"), "key");
}

/* A service account's file; a field with value NULL is left out. */
static struct str file(const char *type, const char *email, const char *key, const char *uri)
{
    const char *const names[] = {"type", "client_email", "private_key", "token_uri"};
    const char *const values[] = {type, email, key, uri};
    struct json_writer w;
    struct str text;
    struct buf out;

    buf_init(&out, 1 << 16);
    json_begin(&w, &out);
    json_open_object(&w);
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        if (!values[i])
            continue;
        json_key(&w, names[i]);
        json_cstr(&w, values[i]);
    }
    json_key(&w, "private_key_id");
    json_cstr(&w, "0123456789abcdef0123");
    json_close_object(&w);
    text = arena_str(arena, buf_str(&out));
    buf_done(&out);
    return text;
}

static const char uri[] = "https://oauth2.googleapis.com/token";

static void a_service_account_is_its_whole_file(void **state)
{
    struct str text = file("service_account", "a@p.iam.test", pem, uri);
    struct provider_credential c, again;

    assert_taken("vertex", text);
    c = opened("vertex", text);
    assert_str(c.google.email, "a@p.iam.test");
    assert_str(c.google.token_uri, uri);
    assert_str(c.google.private_key, pem);
    assert_null(c.bearer.p);
    again = opened("vertex", file("service_account", "b@p.iam.test", pem, uri));
    assert_true(c.mark != again.mark);
}

static void a_file_that_is_none_is_refused(void **state)
{
    const char *email = "a@p.iam.test";
    const struct str wrong[] = {
        STR(""),
        STR("nonsense"),
        STR("[]"),
        file("authorized_user", email, pem, uri),
        file(NULL, email, pem, uri),
        file("service_account", NULL, pem, uri),
        file("service_account", "a\"b", pem, uri),
        file("service_account", email, NULL, uri),
        file("service_account", email, "-----BEGIN PRIVATE KEY-----\nAAAA\n", uri),
        file("service_account", email, pem, NULL),
        file("service_account", email, pem, "ftp://x.test/"),
    };

    for (size_t i = 0; i < ARRAY_LEN(wrong); i++)
        assert_refused("vertex", wrong[i], "service_account");
}

static void people_tell_them_apart_by_four_characters(void **state)
{
    struct provider_credential c = opened("openai", STR("sk-0123456789abcdef"));

    assert_str(credential_last4(&c), "cdef");
    c = opened("openai", STR("short-key"));
    assert_int_equal(credential_last4(&c).n, 0);
    c = opened("bedrock", STR("{\"access_key_id\":\"AKIAIOSFODNN7EXAMPLE\","
                              "\"secret_access_key\":\"a long and secret text\"}"));
    assert_str(credential_last4(&c), "MPLE");
    c = opened("vertex", file("service_account", "a@p.iam.test", pem, uri));
    assert_str(credential_last4(&c), "0123");
    c = opened("ollama", STR(""));
    assert_int_equal(credential_last4(&c).n, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_key_is_its_own_text),
        cmocka_unit_test(keys_of_aws_keep_their_parts),
        cmocka_unit_test(half_a_key_of_aws_is_refused_beside_what_is_missing),
        cmocka_unit_test(a_service_account_is_its_whole_file),
        cmocka_unit_test(a_file_that_is_none_is_refused),
        cmocka_unit_test(people_tell_them_apart_by_four_characters),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
