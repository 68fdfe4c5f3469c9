/* test_guard.c: addresses in many spellings, and URLs as people enter them. */
#include "unit.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "fetch/guard.h"

/* Numeric spellings go through getaddrinfo, as in libcurl. */
static bool reaches(enum guard_network network, const char *host, uint16_t port)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICHOST};
    struct addrinfo *found = NULL;
    bool yes;

    if (getaddrinfo(host, NULL, &hints, &found) != 0)
        fail_msg("not numeric: %s", host);
    if (found->ai_family == AF_INET)
        ((struct sockaddr_in *)found->ai_addr)->sin_port = htons(port);
    else
        ((struct sockaddr_in6 *)found->ai_addr)->sin6_port = htons(port);
    yes = guard_address(network, found->ai_addr);
    freeaddrinfo(found);
    return yes;
}

static void each(enum guard_network network, const char *const *hosts, bool expected)
{
    for (; *hosts; hosts++)
        if (reaches(network, *hosts, 443) != expected)
            fail_msg("%s: expected %d", *hosts, expected);
}

static void public_refuses_every_spelling_of_loopback(void **state)
{
    static const char *const hosts[] = {"127.0.0.1",       "127.1",       "2130706433",
                                        "0x7f000001",      "0177.0.0.1",  "0x7f.1",
                                        "127.255.255.254", "::1",         "::ffff:127.0.0.1",
                                        "::ffff:7f00:1",   "::127.0.0.1", "0",
                                        "0.0.0.0",         "::",          NULL};

    each(GUARD_PUBLIC, hosts, false);
}

static void public_refuses_private_and_special_ranges(void **state)
{
    static const char *const hosts[] = {"10.0.0.1",
                                        "10.255.255.255",
                                        "100.64.0.1",
                                        "100.127.255.255",
                                        "169.254.1.1",
                                        "172.16.0.1",
                                        "172.31.255.255",
                                        "192.0.0.1",
                                        "192.0.2.1",
                                        "192.88.99.1",
                                        "192.168.0.1",
                                        "198.18.0.1",
                                        "198.19.255.255",
                                        "198.51.100.1",
                                        "203.0.113.1",
                                        "224.0.0.1",
                                        "239.1.1.1",
                                        "240.0.0.1",
                                        "255.255.255.255",
                                        "0.1.2.3",
                                        "fc00::1",
                                        "fdff::1",
                                        "fe80::1",
                                        "febf::1",
                                        "fec0::1",
                                        "ff02::1",
                                        "2001:db8::1",
                                        "2001::1",
                                        "2001:10::1",
                                        "2002:a00:1::",
                                        "2002:808:808::",
                                        "64:ff9b::10.0.0.1",
                                        "64:ff9b::127.0.0.1",
                                        "64:ff9b:1::8.8.8.8",
                                        "100::1",
                                        "5f00::1",
                                        "3fff::1",
                                        "::ffff:10.1.2.3",
                                        "::ffff:169.254.169.254",
                                        NULL};

    each(GUARD_PUBLIC, hosts, false);
}

static void public_allows_routable_addresses(void **state)
{
    static const char *const hosts[] = {"8.8.8.8",
                                        "1.1.1.1",
                                        "9.255.255.255",
                                        "11.0.0.0",
                                        "100.63.255.255",
                                        "100.128.0.1",
                                        "172.15.255.255",
                                        "172.32.0.1",
                                        "192.167.255.255",
                                        "192.169.0.1",
                                        "198.17.255.255",
                                        "198.20.0.1",
                                        "223.255.255.255",
                                        "2606:4700::1",
                                        "2a00:1450:4001::1",
                                        "::ffff:8.8.8.8",
                                        "64:ff9b::8.8.8.8",
                                        "2001:4860:4860::8888",
                                        NULL};

    each(GUARD_PUBLIC, hosts, true);
}

static void private_allows_loopback_and_private_ranges(void **state)
{
    static const char *const hosts[] = {
        "127.0.0.1", "10.0.0.1",        "172.16.0.1", "192.168.1.1",  "100.64.0.1", "::1",
        "fd12::1",   "::ffff:10.0.0.1", "8.8.8.8",    "2606:4700::1", NULL};

    each(GUARD_PRIVATE, hosts, true);
}

static void private_refuses_metadata_and_link_local(void **state)
{
    static const char *const hosts[] = {"169.254.169.254",
                                        "169.254.0.1",
                                        "0.0.0.0",
                                        "0",
                                        "::",
                                        "fe80::1",
                                        "::ffff:169.254.169.254",
                                        "64:ff9b::169.254.169.254",
                                        "fd00:ec2::254",
                                        "100.100.100.200",
                                        "168.63.129.16",
                                        "192.0.0.192",
                                        "224.0.0.1",
                                        "255.255.255.255",
                                        "2002:a9fe:a9fe::",
                                        "::169.254.169.254",
                                        NULL};

    each(GUARD_PRIVATE, hosts, false);
}

static void unix_sockets_are_refused(void **state)
{
    const struct sockaddr address = {.sa_family = AF_UNIX};

    assert_false(guard_address(GUARD_PRIVATE, &address));
}

static void forbidden_port_is_refused_on_every_loopback(void **state)
{
    assert_true(reaches(GUARD_PRIVATE, "127.0.0.1", 5432));
    assert_int_equal(guard_forbid("127.0.0.1", 5432), GUARD_FORBID_OK);
    assert_false(reaches(GUARD_PRIVATE, "127.0.0.1", 5432));
    assert_false(reaches(GUARD_PRIVATE, "127.0.0.2", 5432));
    assert_false(reaches(GUARD_PRIVATE, "::1", 5432));
    assert_false(reaches(GUARD_PRIVATE, "::ffff:127.0.0.1", 5432));
    assert_true(reaches(GUARD_PRIVATE, "127.0.0.1", 5433));
    assert_int_equal(guard_forbid("8.8.4.4", 5432), GUARD_FORBID_OK);
    assert_false(reaches(GUARD_PUBLIC, "8.8.4.4", 5432));
    assert_true(reaches(GUARD_PUBLIC, "8.8.4.4", 443));
}

static void a_socket_path_needs_no_rule(void **state)
{
    assert_int_equal(guard_forbid("/run/postgresql", 5432), GUARD_FORBID_OK);
    assert_int_equal(guard_forbid("no-such-host.invalid", 5432), GUARD_FORBID_E_HOST);
}

struct url_case {
    const char *url;
    int in_public, in_private;
};

static void urls_are_judged(void **state)
{
    static const struct url_case cases[] = {
        {"https://api.openai.com/v1", GUARD_OK, GUARD_OK},
        {"https://api.openai.com", GUARD_OK, GUARD_OK},
        {"HTTPS://API.OPENAI.COM/v1/", GUARD_OK, GUARD_OK},
        {"https://host:8443/v1", GUARD_OK, GUARD_OK},
        {"https://host/v1?api-version=2024-10-21", GUARD_OK, GUARD_OK},
        {"https://host/a..b/c", GUARD_OK, GUARD_OK},
        {"https://host/...", GUARD_OK, GUARD_OK},
        {"https://[2606:4700::1]/v1", GUARD_OK, GUARD_OK},
        {"https:/host/v1", GUARD_E_SYNTAX, GUARD_E_SYNTAX},
        {"https:///host/v1", GUARD_E_SYNTAX, GUARD_E_SYNTAX},
        {"host/v1", GUARD_E_SYNTAX, GUARD_E_SYNTAX},
        {"https://host:22/", GUARD_E_PORT, GUARD_OK},
        {"https://host:80/", GUARD_E_PORT, GUARD_OK},
        {"https://host:0/", GUARD_E_PORT, GUARD_E_PORT},
        {"https://host:65536/", GUARD_E_SYNTAX, GUARD_E_SYNTAX},
        {"http://127.0.0.1:11434/v1", GUARD_E_SCHEME, GUARD_OK},
        {"http://localhost:8080", GUARD_E_SCHEME, GUARD_OK},
        {"ftp://host/", GUARD_E_SCHEME, GUARD_E_SCHEME},
        {"file:///etc/passwd", GUARD_E_SCHEME, GUARD_E_SCHEME},
        {"gopher://host/", GUARD_E_SCHEME, GUARD_E_SCHEME},
        {"https://user@host/", GUARD_E_USERINFO, GUARD_E_USERINFO},
        {"https://user:pass@host/", GUARD_E_USERINFO, GUARD_E_USERINFO},
        {"https://api.openai.com@evil.example/", GUARD_E_USERINFO, GUARD_E_USERINFO},
        {"https://host/a/../b", GUARD_E_PATH, GUARD_E_PATH},
        {"https://host/a/%2e%2E/b", GUARD_E_PATH, GUARD_E_PATH},
        {"https://host/a/.%2e", GUARD_E_PATH, GUARD_E_PATH},
        {"https://host/./a", GUARD_E_PATH, GUARD_E_PATH},
        {"https://host/a\\b", GUARD_E_PATH, GUARD_E_PATH},
        {"https://host\\@evil/", GUARD_E_PATH, GUARD_E_PATH},
        {"https://host/a#b", GUARD_E_PATH, GUARD_E_PATH},
        {"https://host/a#", GUARD_E_PATH, GUARD_E_PATH},
        {"https://host/a\r\nX: y", GUARD_E_SYNTAX, GUARD_E_SYNTAX},
        {"https://ho st/", GUARD_E_SYNTAX, GUARD_E_SYNTAX},
        {"https://ｅxample.com/", GUARD_E_SYNTAX, GUARD_E_SYNTAX},
        {"api.openai.com/v1", GUARD_E_SYNTAX, GUARD_E_SYNTAX},
        {"//api.openai.com/v1", GUARD_E_SYNTAX, GUARD_E_SYNTAX},
        {"https://", GUARD_E_SYNTAX, GUARD_E_SYNTAX},
        {"", GUARD_E_SYNTAX, GUARD_E_SYNTAX},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        int in_public = guard_url(GUARD_PUBLIC, str_c(cases[i].url));
        int in_private = guard_url(GUARD_PRIVATE, str_c(cases[i].url));

        if (in_public != cases[i].in_public || in_private != cases[i].in_private)
            fail_msg("%s: %d %d", cases[i].url, in_public, in_private);
        assert_true(strlen(guard_reason(in_public)) > 10);
    }
}

static void a_nul_inside_a_url_is_refused(void **state)
{
    assert_int_equal(guard_url(GUARD_PUBLIC, STR("https://good.example\0.evil.example/")),
                     GUARD_E_SYNTAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(public_refuses_every_spelling_of_loopback),
        cmocka_unit_test(public_refuses_private_and_special_ranges),
        cmocka_unit_test(public_allows_routable_addresses),
        cmocka_unit_test(private_allows_loopback_and_private_ranges),
        cmocka_unit_test(private_refuses_metadata_and_link_local),
        cmocka_unit_test(unix_sockets_are_refused),
        cmocka_unit_test(forbidden_port_is_refused_on_every_loopback),
        cmocka_unit_test(a_socket_path_needs_no_rule),
        cmocka_unit_test(urls_are_judged),
        cmocka_unit_test(a_nul_inside_a_url_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
