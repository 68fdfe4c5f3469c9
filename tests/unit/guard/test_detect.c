/* What is found, exactly, and what only looks like it. */
#include "unit.h"

#include <stdio.h>

#include "guard/detect.h"

/* found: the findings of a kind with bars between them; "": none. */
struct detect_case {
    enum detect_kind kind;
    const char *text, *found;
};

static void holds(const struct detect_case *all, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct str text = str_c(all[i].text);
        struct detect_span span = {0, 0};
        char found[512] = "";

        while (detect_find(all[i].kind, text, span.to, &span)) {
            assert_true(span.from < span.to && span.to <= text.n);
            snprintf(found + strlen(found), sizeof(found) - strlen(found), "%s%.*s", found[0] ? "|" : "",
                     (int)(span.to - span.from), text.p + span.from);
        }
        if (strcmp(found, all[i].found) != 0)
            fail_msg("%s in \"%s\": \"%s\" and not \"%s\"", detect_kinds[all[i].kind].name, all[i].text, found,
                     all[i].found);
    }
}

static void mail_addresses(void **state)
{
    static const struct detect_case all[] = {
        {DETECT_EMAIL, "Write to alice@example.com, please.", "alice@example.com"},
        {DETECT_EMAIL, "<bob.o'neil+tag@mail.example.co.uk>", "bob.o'neil+tag@mail.example.co.uk"},
        {DETECT_EMAIL, "a@b.cd;e_f@g-h.org", "a@b.cd|e_f@g-h.org"},
        {DETECT_EMAIL, "mailto:x%y@example.com?subject=z", "x%y@example.com"},
        {DETECT_EMAIL, "\xe8\xaf\xb7""carol@example.com\xe8\xb0\xa2", "carol@example.com"},
        {DETECT_EMAIL, "ends with a dot: dave@example.com.", "dave@example.com"},
        {DETECT_EMAIL, "a@a@b.com", "a@b.com"},
        {DETECT_EMAIL, "at @example and foo@localhost, 3@4.5, @, a@.com, x@y", ""},
        {DETECT_EMAIL, "decorators: @app.route and list@[0]", ""},
        {DETECT_EMAIL, "", ""},
    };

    (void)state;
    holds(all, ARRAY_LEN(all));
}

static void cards(void **state)
{
    static const struct detect_case all[] = {
        {DETECT_CARD, "4111111111111111", "4111111111111111"},
        {DETECT_CARD, "card 4111 1111 1111 1111 12/27", "4111 1111 1111 1111"},
        {DETECT_CARD, "(5500-0000-0000-0004)", ""}, /* zeros only: an example of the format */
        {DETECT_CARD, "5555555555554444 and 378282246310005", "5555555555554444|378282246310005"},
        {DETECT_CARD, "6011111111111117,3056930009020004,2223003122003222",
         "6011111111111117|3056930009020004|2223003122003222"},
        {DETECT_CARD, "2024 4012 8888 8888 1881", "4012 8888 8888 1881"},
        {DETECT_CARD, "4111111111111112", ""},  /* the checksum */
        {DETECT_CARD, "411111111111111", ""},   /* too short for its network */
        {DETECT_CARD, "x4111111111111111", ""}, /* within a word */
        {DETECT_CARD, "4111111111111111x", ""},
        {DETECT_CARD, "0.4111111111111111", ""},
        {DETECT_CARD, "4111  1111  1111  1111", ""},
        {DETECT_CARD, "1700000000000 9111111111111111", ""}, /* no network has these */
        {DETECT_CARD, "41111111111111114111111111111111", ""},
    };

    (void)state;
    holds(all, ARRAY_LEN(all));
}

static void bank_accounts(void **state)
{
    static const struct detect_case all[] = {
        {DETECT_IBAN, "DE89370400440532013000", "DE89370400440532013000"},
        {DETECT_IBAN, "to GB82 WEST 1234 5698 7654 32, thanks", "GB82 WEST 1234 5698 7654 32"},
        {DETECT_IBAN, "nl91abna0417164300", "nl91abna0417164300"},
        {DETECT_IBAN, "NO9386011117947 MT84MALT011000012345MTLCAST001S",
         "NO9386011117947|MT84MALT011000012345MTLCAST001S"},
        {DETECT_IBAN, "DE88370400440532013000", ""},  /* the checksum */
        {DETECT_IBAN, "DE8937040044053201300", ""},   /* the length */
        {DETECT_IBAN, "DE893704004405320130001", ""},
        {DETECT_IBAN, "XX89370400440532013000", ""},
        {DETECT_IBAN, "xDE89370400440532013000", ""},
        {DETECT_IBAN, "DE89", ""},
    };

    (void)state;
    holds(all, ARRAY_LEN(all));
}

static void social_security_numbers(void **state)
{
    static const struct detect_case all[] = {
        {DETECT_SSN, "SSN 536-90-4399.", "536-90-4399"},
        {DETECT_SSN, "536 90 4399", "536 90 4399"},
        {DETECT_SSN, "666-12-3456 000-12-3456 900-12-3456 123-00-4567 123-45-0000", ""},
        {DETECT_SSN, "1536-90-4399 536-90-43991 536-90 4399 536904399 9-536-90-4399", ""},
    };

    (void)state;
    holds(all, ARRAY_LEN(all));
}

static void addresses(void **state)
{
    static const struct detect_case all[] = {
        {DETECT_IP, "from 192.168.0.1, port 80", "192.168.0.1"},
        {DETECT_IP, "http://10.0.0.254:8080/", "10.0.0.254"},
        {DETECT_IP, "Ends: 8.8.8.8.", "8.8.8.8"},
        {DETECT_IP, "2001:db8::8a2e:370:7334", "2001:db8::8a2e:370:7334"},
        {DETECT_IP, "[fe80::1]:443 and ::ffff:192.0.2.128.", "fe80::1|::ffff:192.0.2.128"},
        {DETECT_IP, "2001:0db8:0000:0000:0000:8a2e:0370:7334", "2001:0db8:0000:0000:0000:8a2e:0370:7334"},
        {DETECT_IP, "256.1.1.1 1.2.3 1.2.3.4.5 v1.2.3.4 1.2.3.4a", ""},
        {DETECT_IP, "12:30:45 std::vector a::b ::1 :: de:ad", ""},
    };

    (void)state;
    holds(all, ARRAY_LEN(all));
}

#define PEM "-----BEGIN RSA PRIVATE KEY-----\nMIIEpAIBAAKCAQEA\n-----END RSA PRIVATE KEY-----"

static void secrets(void **state)
{
    static const struct detect_case all[] = {
        {DETECT_SECRET, "key: " PEM " end", PEM},
        {DETECT_SECRET, "-----BEGIN PRIVATE KEY-----\ncut off", "-----BEGIN PRIVATE KEY-----\ncut off"},
        {DETECT_SECRET, "-----BEGIN CERTIFICATE-----\nMII\n-----END CERTIFICATE-----", ""},
        {DETECT_SECRET, "sk-proj-abc123def456ghi789jkl0", "sk-proj-abc123def456ghi789jkl0"},
        {DETECT_SECRET, "Bearer sk-ant-api03-AAAAbbbb1111cccc2222.", "sk-ant-api03-AAAAbbbb1111cccc2222"},
        {DETECT_SECRET, "AKIAIOSFODNN7EXAMPLE", "AKIAIOSFODNN7EXAMPLE"},
        {DETECT_SECRET, "ghp_16C7e42F292c6912E7710c838347Ae178B4a", "ghp_16C7e42F292c6912E7710c838347Ae178B4a"},
        {DETECT_SECRET, "AIzaSyA1234567890abcdefghijklmnopqrstuv", "AIzaSyA1234567890abcdefghijklmnopqrstuv"},
        {DETECT_SECRET, "sk-learn-is-a-library-for-machine-learning", ""}, /* words have no digits */
        {DETECT_SECRET, "sk-short1 task-abc123def456ghi789jkl0 AKIA12 sk-", ""},
    };

    (void)state;
    holds(all, ARRAY_LEN(all));
}

/* Every beginning that is known, in a sentence. */
static void each_issuers_keys(void **state)
{
    static const char *const heads[] = {
        "github_pat_", "sk-or-v1-", "sk-proj-", "sk-ant-", "sk_live_", "sk_test_", "rk_live_", "whsec_", "glpat-",
        "ghp_",        "gho_",      "ghs_",     "ghu_",    "ghr_",     "xoxb-",    "xoxp-",    "xoxa-",  "xoxr-",
        "xoxs-",       "xapp-",     "pplx-",    "AKIA",    "ASIA",     "AIza",     "ya29.",    "npm_",   "gsk_",
        "xai-",        "tgm-",      "hf_",      "r8_",     "sk-",      "tg-",      "SG.",
    };
    static const char rest[] = "ABCD1234EFGH5678IJKL9012MNOP3456QRST7890";

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(heads); i++) {
        char text[128], key[96];

        snprintf(key, sizeof(key), "%s%s", heads[i], rest);
        snprintf(text, sizeof(text), "Use %s, please.", key);
        holds(&(struct detect_case){DETECT_SECRET, text, key}, 1);
        snprintf(text, sizeof(text), "Use x%s.", key);
        holds(&(struct detect_case){DETECT_SECRET, text, ""}, 1);
    }
}

static void names_are_told_apart(void **state)
{
    enum detect_kind kind;

    (void)state;
    for (unsigned i = 0; i < DETECT_KINDS; i++) {
        assert_true(detect_kind_parse(str_c(detect_kinds[i].name), &kind));
        assert_int_equal(kind, i);
    }
    assert_false(detect_kind_parse(STR("phone"), &kind));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mail_addresses),          cmocka_unit_test(cards),
        cmocka_unit_test(bank_accounts),           cmocka_unit_test(social_security_numbers),
        cmocka_unit_test(addresses),               cmocka_unit_test(secrets),
        cmocka_unit_test(each_issuers_keys),       cmocka_unit_test(names_are_told_apart),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
