/* test_ssrf.c: where a fetch to a public network cannot be sent, whatever the URL says and whatever names
 * resolve to. A canary listens on loopback: not one connection may reach it. Names are resolved by this
 * file, in place of the system: "rebinds.test" means something else each time. */
#include "fetch/taker.h"

#include <netdb.h>

#include "base/bounds.h"

static atomic_int looked_up;

/* Numbers are numbers; names of the test are what they are meant to be; no other name is looked up. */
static const char *meaning(const char *name)
{
    static const struct {
        const char *name, *means;
    } names[] = {{"localhost", "127.0.0.1"},        {"internal.test", "10.0.0.5"},
                 {"metadata.test", "169.254.169.254"}, {"six.test", "::1"},
                 {"mapped.test", "::ffff:127.0.0.1"},  {"nat64.test", "64:ff9b::7f00:1"},
                 {"sixtofour.test", "2002:7f00:1::"}};

    if (strcasecmp(name, "rebinds.test") == 0)
        return looked_up++ ? "169.254.169.254" : "127.0.0.1";
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (strcasecmp(name, names[i].name) == 0)
            return names[i].means;
    return name;
}

/* One address, in place of the system's list. */
struct found {
    struct addrinfo info;
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    } to;
};

static bool read_number(const char *text, struct found *f)
{
    struct in_addr v4;

    if (inet_pton(AF_INET6, text, &f->to.v6.sin6_addr) == 1) {
        f->to.v6.sin6_family = AF_INET6;
        f->info.ai_addrlen = sizeof(f->to.v6);
        return true;
    }
    if (!inet_aton(text, &v4)) /* as the system reads them: 127.1, 0x7f000001, 0177.0.0.1 */
        return false;
    f->to.v4.sin_addr = v4;
    f->to.v4.sin_family = AF_INET;
    f->info.ai_addrlen = sizeof(f->to.v4);
    return true;
}

int getaddrinfo(const char *name, const char *service, const struct addrinfo *hints,
                struct addrinfo **ret)
{
    struct found *f = calloc(1, sizeof(*f));
    uint16_t number = htons((uint16_t)(service ? strtoul(service, NULL, 10) : 0));

    assert_non_null(f);
    if (!name || !read_number(meaning(name), f) ||
        (hints && hints->ai_family != AF_UNSPEC && hints->ai_family != f->to.any.sa_family)) {
        free(f);
        return EAI_NONAME;
    }
    f->to.v4.sin_port = number; /* at the same place in both */
    f->info.ai_family = f->to.any.sa_family;
    f->info.ai_socktype = SOCK_STREAM;
    f->info.ai_addr = &f->to.any;
    *ret = &f->info;
    return 0;
}

void freeaddrinfo(struct addrinfo *info)
{
    free(info);
}

/* PORT stands for a number. */
static const char *const spellings[] = {
    "https://127.0.0.1:PORT/",
    "https://127.0.0.2:PORT/",
    "https://127.255.255.254:PORT/",
    "https://127.1:PORT/",
    "https://127.0.1:PORT/",
    "https://2130706433:PORT/",
    "https://0x7f000001:PORT/",
    "https://0x7F.0x0.0x0.0x1:PORT/",
    "https://0x7f.1:PORT/",
    "https://0177.0.0.1:PORT/",
    "https://0177.0.0.01:PORT/",
    "https://017700000001:PORT/",
    "https://00177.0.0.1:PORT/",
    "https://127.0x0.0.1:PORT/",
    "https://127.0.0.1.:PORT/",
    "https://0:PORT/",
    "https://0.0.0.0:PORT/",
    "https://0x0:PORT/",
    "https://00.0:PORT/",
    "https://0.1.2.3:PORT/",
    "https://[::1]:PORT/",
    "https://[0:0:0:0:0:0:0:1]:PORT/",
    "https://[::0001]:PORT/",
    "https://[::]:PORT/",
    "https://[::ffff:127.0.0.1]:PORT/",
    "https://[::ffff:7f00:1]:PORT/",
    "https://[::FFFF:7F00:0001]:PORT/",
    "https://[::127.0.0.1]:PORT/",
    "https://[64:ff9b::127.0.0.1]:PORT/",
    "https://[64:ff9b::7f00:1]:PORT/",
    "https://[64:ff9b:1::127.0.0.1]:PORT/",
    "https://[2002:7f00:1::]:PORT/",
    "https://[2002:7f00:0001::1]:PORT/",
    "https://[2001:0:7f00:1::]:PORT/",
    "https://[fe80::1]:PORT/",
    "https://[fec0::1]:PORT/",
    "https://[fc00::1]:PORT/",
    "https://[fd00:ec2::254]:PORT/",
    "https://[ff02::1]:PORT/",
    "https://[2001:db8::1]:PORT/",
    "https://localhost:PORT/",
    "https://LOCALHOST:PORT/",
    "https://localhost.:PORT/",
    "https://internal.test:PORT/",
    "https://metadata.test:PORT/",
    "https://six.test:PORT/",
    "https://mapped.test:PORT/",
    "https://nat64.test:PORT/",
    "https://sixtofour.test:PORT/",
    "https://10.0.0.1:PORT/",
    "https://10.1:PORT/",
    "https://167772161:PORT/",
    "https://172.16.0.1:PORT/",
    "https://192.168.1.1:PORT/",
    "https://0xc0a80101:PORT/",
    "https://169.254.169.254:PORT/",
    "https://0xa9fea9fe:PORT/",
    "https://2852039166:PORT/",
    "https://0251.0376.0251.0376:PORT/",
    "https://100.64.0.1:PORT/",
    "https://100.100.100.200:PORT/",
    "https://168.63.129.16:PORT/",
    "https://192.0.0.192:PORT/",
    "https://198.18.0.1:PORT/",
    "https://192.88.99.1:PORT/",
    "https://224.0.0.1:PORT/",
    "https://255.255.255.255:PORT/",
    "https://user@127.0.0.1:PORT/",
    "https://user:pass@127.0.0.1:PORT/",
    "https://api.openai.com@127.0.0.1:PORT/",
    "https://127.0.0.1:PORT#@api.openai.com/",
    "https://127.0.0.1:PORT\\@api.openai.com/",
    "https://api.openai.com\\.127.0.0.1:PORT/",
    "https:127.0.0.1:PORT/",
    "https:/127.0.0.1:PORT/",
    "https:///127.0.0.1:PORT/",
    "//127.0.0.1:PORT/",
    "http://127.0.0.1:PORT/",
    "ftp://127.0.0.1:PORT/",
    "gopher://127.0.0.1:PORT/_GET",
    "dict://127.0.0.1:PORT/",
    "file://127.0.0.1:PORT/etc/passwd",
    "https://%31%32%37.0.0.1:PORT/",
    "https://127%2e0%2e0%2e1:PORT/",
    "https://127。0。0。1:PORT/",
    "https://１２７.0.0.1:PORT/",
    "https://①②⑦.0.0.1:PORT/",
    "https://loc\tal\thost:PORT/",
    "https://127.0.0.1\n:PORT/",
};
_Static_assert(ARRAY_LEN(spellings) >= 60, "sixty spellings at least");

static void spell(const char *spelling, unsigned number, char out[200])
{
    const char *mark = strstr(spelling, "PORT");

    assert_non_null(mark);
    (void)snprintf(out, 200, "%.*s%u%s", (int)(mark - spelling), spelling, number, mark + 4);
}

/* True when the URL is refused at once; else the fault that it ended with. */
static bool is_refused(const char *spelled, enum guard_network network, enum fetch_fault *ret)
{
    struct take t = {0};
    int r;

    make_loop();
    ask("/ok");
    request.url = spelled;
    request.network = network;
    buf_init(&t.body, 1 << 20);
    r = fetch_start(fetcher, &request, &callbacks, &t, &t.fetch);
    assert_true(r >= 0);
    if (r == FETCH_START_OK) {
        waiting_for = 1;
        run_loop();
    }
    end_loop();
    *ret = t.fault;
    buf_done(&t.body);
    return r == FETCH_START_E_URL;
}

static void no_spelling_reaches_loopback(void **state)
{
    int before = connections;
    char spelled[200];
    enum fetch_fault fault;

    for (size_t i = 0; i < ARRAY_LEN(spellings); i++) {
        /* A port that the rules allow, so that it is not the port that is refused. */
        spell(spellings[i], 8443, spelled);
        if (!is_refused(spelled, GUARD_PUBLIC, &fault) && fault != FETCH_E_BLOCKED &&
            fault != FETCH_E_CONNECT)
            fail_msg("%s: %s", spelled, fetch_fault_name(fault));
        /* And the canary's own. */
        spell(spellings[i], port, spelled);
        (void)is_refused(spelled, GUARD_PUBLIC, &fault);
    }
    assert_int_equal(connections, before);
}

/* The first time the name means loopback, which an operator's account may reach; then it means the
 * metadata service, and nobody may. */
static void a_name_that_changes_its_meaning_is_judged_by_where_it_leads(void **state)
{
    int before = connections;
    char spelled[200];
    enum fetch_fault fault;

    looked_up = 0;
    (void)snprintf(spelled, sizeof(spelled), "http://rebinds.test:%u/ok", port);
    assert_int_equal(guard_url(GUARD_PRIVATE, str_c(spelled)), GUARD_OK);
    assert_false(is_refused(spelled, GUARD_PRIVATE, &fault));
    assert_int_equal(fault, FETCH_DONE);
    assert_int_equal(connections, before + 1);
    assert_false(is_refused(spelled, GUARD_PRIVATE, &fault));
    assert_int_equal(fault, FETCH_E_BLOCKED);
    assert_int_equal(looked_up, 2);
    assert_int_equal(connections, before + 1);

    looked_up = 0; /* it is not asked for a public network that it once led somewhere */
    assert_false(is_refused("https://rebinds.test:8443/", GUARD_PUBLIC, &fault));
    assert_int_equal(fault, FETCH_E_BLOCKED);
}

static void proxies_of_the_environment_are_not_used(void **state)
{
    static const char *const names[] = {"http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy",
                                        "ALL_PROXY"};
    int before = connections;
    char proxy[100];
    enum fetch_fault fault;

    (void)snprintf(proxy, sizeof(proxy), "http://127.0.0.1:%u", port);
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        setenv(names[i], proxy, 1);
    assert_false(is_refused("http://127.0.0.1:1/", GUARD_PRIVATE, &fault));
    assert_int_equal(fault, FETCH_E_CONNECT);
    assert_false(is_refused("https://internal.test:8443/", GUARD_PUBLIC, &fault));
    assert_int_equal(fault, FETCH_E_BLOCKED);
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        unsetenv(names[i]);
    assert_int_equal(connections, before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_spelling_reaches_loopback),
        cmocka_unit_test(a_name_that_changes_its_meaning_is_judged_by_where_it_leads),
        cmocka_unit_test(proxies_of_the_environment_are_not_used),
    };

    return cmocka_run_group_tests(tests, start_upstream, NULL);
}
