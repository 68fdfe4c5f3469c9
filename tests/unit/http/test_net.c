/* test_net.c: addresses and blocks as they stand in settings, headers and key policies. */
#include "unit.h"

#include "http/request.h"

static const char *text_of(struct str text)
{
    static char out[NET_ADDRESS_TEXT];
    struct net_address a;

    if (!net_address_parse(text, &a))
        return "refused";
    net_address_text(&a, out);
    return out;
}

static void addresses_of_both_families_are_read(void **state)
{
    assert_string_equal(text_of(STR("192.168.1.20")), "192.168.1.20");
    assert_string_equal(text_of(STR("0.0.0.0")), "0.0.0.0");
    assert_string_equal(text_of(STR("255.255.255.255")), "255.255.255.255");
    assert_string_equal(text_of(STR("9.10.99.100")), "9.10.99.100");
    assert_string_equal(text_of(STR("101.110.200.205")), "101.110.200.205");
    assert_string_equal(text_of(STR("2001:DB8::1")), "2001:db8::1");
    assert_string_equal(text_of(STR("::ffff:10.0.0.1")), "10.0.0.1");
    assert_string_equal(text_of(STR("::1")), "::1");
}

static void ports_are_read_where_a_header_carries_them(void **state)
{
    struct net_address a;

    assert_true(net_address_parse(STR("10.0.0.1:8080"), &a));
    assert_int_equal(a.port, 8080);
    assert_true(net_address_parse(STR("[::1]:443"), &a));
    assert_int_equal(a.port, 443);
    assert_true(net_address_parse(STR("[::1]"), &a));
    assert_int_equal(a.port, 0);
}

static void what_is_no_address_is_refused(void **state)
{
    static const char *const texts[] = {
        "",     "unknown", "_hidden",  "1.2.3",     "1.2.3.4.5", "01.2.3.4", "256.1.1.1",     "::g",
        "[::1", "[::1]x",  "1.2.3.4:", "1.2.3.4:x", "[]",        " 1.2.3.4", "1.2.3.4:65536", NULL};

    for (const char *const *t = texts; *t; t++)
        if (strcmp(text_of(str_c(*t)), "refused") != 0)
            fail_msg("accepted: %s", *t);
    assert_string_equal(text_of(STR("1.2.3.4\0x")), "refused");
}

static bool has(const char *block, const char *address)
{
    struct net_block b;
    struct net_address a;

    assert_true(net_block_parse(str_c(block), &b));
    assert_true(net_address_parse(str_c(address), &a));
    return net_block_has(&b, &a);
}

static void blocks_hold_what_they_should(void **state)
{
    assert_true(has("10.0.0.0/8", "10.255.0.1"));
    assert_false(has("10.0.0.0/8", "11.0.0.1"));
    assert_true(has("10.1.2.3/8", "10.9.9.9"));
    assert_true(has("192.168.1.4/30", "192.168.1.7"));
    assert_false(has("192.168.1.4/30", "192.168.1.8"));
    assert_true(has("1.2.3.4", "1.2.3.4"));
    assert_false(has("1.2.3.4", "1.2.3.5"));
    assert_true(has("0.0.0.0/0", "8.8.8.8"));
    assert_false(has("0.0.0.0/0", "2001:db8::1"));
    assert_true(has("2001:db8::/33", "2001:db8:7fff::1"));
    assert_false(has("2001:db8::/33", "2001:db8:8000::1"));
    assert_true(has("::/0", "8.8.8.8"));
    assert_true(has("10.0.0.0/8", "::ffff:10.0.0.9"));
}

static void malformed_blocks_are_refused(void **state)
{
    static const char *const texts[] = {
        "",    "/8",          "10.0.0.0/", "10.0.0.0/33", "::/129", "10.0.0.0/-1", "10.0.0.0/8/8",
        "x/8", "10.0.0.0/+8", NULL};
    struct net_block b;

    for (const char *const *t = texts; *t; t++)
        if (net_block_parse(str_c(*t), &b))
            fail_msg("accepted: %s", *t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_of_both_families_are_read),
        cmocka_unit_test(ports_are_read_where_a_header_carries_them),
        cmocka_unit_test(what_is_no_address_is_refused),
        cmocka_unit_test(blocks_hold_what_they_should),
        cmocka_unit_test(malformed_blocks_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
