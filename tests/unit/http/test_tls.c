/* test_tls.c: a listener with a certificate of its own making, met by a fetch that trusts nobody it
 * does not know, and another certificate while it runs. The keys below protect nothing. */
#include "http/talk.h"

#include <fcntl.h>

#include "fetch/fetch.h"

static const char cert[] = "-----BEGIN CERTIFICATE-----\n"
                           "MIIBmjCCAUGgAwIBAgIUQBiwOKujMVu4O2ODa887dNTSnjAwCgYIKoZIzj0EAwIw\n"
                           "FDESMBAGA1UEAwwJbG9jYWxob3N0MCAXDTI2MTEyMTA3NTI1NloYDzIxMjYxMDI4\n"
                           "MDc1MjU2WjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjO\n"
                           "PQMBBwNCAATqTut9qutReUVZYPCPURaxc+R3I7qhNDF7A96msXbk9jLQ5BzZC6u/\n"
                           "94xmUcvdBxaFyaUFKkOdDY6IYZWLsTAro28wbTAdBgNVHQ4EFgQU5Vhg4x6ci5kC\n"
                           "VdXlXpApSi90f2cwHwYDVR0jBBgwFoAU5Vhg4x6ci5kCVdXlXpApSi90f2cwDwYD\n"
                           "VR0TAQH/BAUwAwEB/zAaBgNVHREEEzARgglsb2NhbGhvc3SHBH8AAAEwCgYIKoZI\n"
                           "zj0EAwIDRwAwRAIgZC6Vx0CMrZtz7G/jX/McmwkDk3xXU1Qcbw4UCs4BkIcCICeM\n"
                           "2ifHND537KwV33eOe6mO14bNrlyuYlF5AfwWTC/c\n"
                           "-----END CERTIFICATE-----\n";
static const char key[] = "-----BEGIN PRIVATE KEY-----\n"
                          "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgw+2zKs1ZbP1Sa5KV\n"
                          "IQU+pAKUCgzwJ3Dg/k32jU5l4x+hRANCAATqTut9qutReUVZYPCPURaxc+R3I7qh\n"
                          "NDF7A96msXbk9jLQ5BzZC6u/94xmUcvdBxaFyaUFKkOdDY6IYZWLsTAr\n"
                          "-----END PRIVATE KEY-----\n";

static const char other_cert[] = "-----BEGIN CERTIFICATE-----\n"
                                 "MIIBnDCCAUGgAwIBAgIUMdbmmSuJeuRAbyl6Jwj6kCiA5u4wCgYIKoZIzj0EAwIw\n"
                                 "FDESMBAGA1UEAwwJbG9jYWxob3N0MCAXDTI2MTEyODEzMDgzOFoYDzIxMjYxMTA0\n"
                                 "MTMwODM4WjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjO\n"
                                 "PQMBBwNCAATcp3fmoq+Fyq6xEHTglFGnK0BZvxB1DblTF8DQIhSpC8X7OomXiQF6\n"
                                 "xdmxQN6RSJ6E98l3g5YlXBt0OUl34elAo28wbTAdBgNVHQ4EFgQUsy0lM9V6/HXk\n"
                                 "Ue6bPlC59UUlGmMwHwYDVR0jBBgwFoAUsy0lM9V6/HXkUe6bPlC59UUlGmMwDwYD\n"
                                 "VR0TAQH/BAUwAwEB/zAaBgNVHREEEzARgglsb2NhbGhvc3SHBH8AAAEwCgYIKoZI\n"
                                 "zj0EAwIDSQAwRgIhAJd4WZdRA5P9fzHmpDAy+yYHgQ2KXJh0CXWdjYqVoSFdAiEA\n"
                                 "jrCEiD5beUSh6jcTnwOq4IFjI77+eyuUMDAtg6Zp044=\n"
                                 "-----END CERTIFICATE-----\n";
static const char other_key[] = "-----BEGIN PRIVATE KEY-----\n"
                                "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgbbsAZNyPX4eOvZDz\n"
                                "S7m9U757L4hmLIHG5WtfGJPykJihRANCAATcp3fmoq+Fyq6xEHTglFGnK0BZvxB1\n"
                                "DblTF8DQIhSpC8X7OomXiQF6xdmxQN6RSJ6E98l3g5YlXBt0OUl34elA\n"
                                "-----END PRIVATE KEY-----\n";

static struct served server;
static char folder[] = "/tmp/test_tls_XXXXXX";
static char cert_file[64], key_file[64], other_file[64];

static void reply(struct request *r)
{
    const struct response answer = {.status = 200, .body = STR("seen by who trusts it")};

    request_reply(r, &answer);
}

static const struct route routes[] = {
    {HTTP_GET, "/", AUTH_NONE, 0, RUNS_ON_LOOP, PROBLEM_AS_OPENAI, reply},
};

static void write_file(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    close(fd);
}

static int write_files(void **state)
{
    if (!mkdtemp(folder))
        return -1;
    (void)snprintf(cert_file, sizeof(cert_file), "%s/cert.pem", folder);
    (void)snprintf(key_file, sizeof(key_file), "%s/key.pem", folder);
    (void)snprintf(other_file, sizeof(other_file), "%s/other.pem", folder);
    write_file(cert_file, cert);
    write_file(key_file, key);
    write_file(other_file, other_cert);
    return 0;
}

static int remove_files(void **state)
{
    (void)unlink(cert_file);
    (void)unlink(key_file);
    (void)unlink(other_file);
    return rmdir(folder);
}

static void start_server(void)
{
    served_init(&server);
    server.config.tls_cert_file = cert_file;
    server.config.tls_key_file = key_file;
    served_start(&server, routes, ARRAY_LEN(routes));
}

/* How a fetch from the server ends. */
static enum fetch_fault fetch_once(void)
{
    struct fetch_request request = {.method = "GET",
                                    .network = GUARD_PRIVATE,
                                    .connect_timeout_ms = 20000,
                                    .total_timeout_ms = 20000,
                                    .reply_max = 1000};
    enum fetch_fault fault;
    char url[64];
    struct buf out;
    int status;

    (void)snprintf(url, sizeof(url), "https://127.0.0.1:%u/", server.port);
    request.url = url;
    buf_init(&out, 1000);
    assert_int_equal(fetch_blocking(&request, &status, &out, &fault), 0);
    if (fault == FETCH_DONE)
        assert_str(buf_str(&out), "seen by who trusts it");
    buf_done(&out);
    return fault;
}

static void an_unknown_certificate_ends_the_fetch(void **state)
{
    struct listener_stats stats;

    start_server();
    assert_int_equal(fetch_once(), FETCH_E_TLS_UNTRUSTED);
    listener_read_stats(server.listener, &stats);
    assert_int_equal(stats.requests, 0);
    served_stop(&server);
}

/* The change reaches the loop by message. */
static void wait_for(enum fetch_fault fault)
{
    for (int64_t end_ms = test_now_ms() + TEST_PATIENCE_MS; fetch_once() != fault;)
        assert_true(test_now_ms() < end_ms);
}

static void another_certificate_is_shown_from_the_next_connection_on(void **state)
{
    start_server();
    assert_int_equal(fetch_trust(other_file), FETCH_TRUST_OK);
    assert_int_equal(fetch_once(), FETCH_E_TLS_UNTRUSTED);
    write_file(cert_file, other_cert); /* without its key: what is shown stays */
    assert_int_equal(listener_change(server.listener, &server.config), LISTENER_E_TLS);
    assert_int_equal(fetch_once(), FETCH_E_TLS_UNTRUSTED);
    write_file(key_file, other_key);
    assert_int_equal(listener_change(server.listener, &server.config), LISTENER_OK);
    wait_for(FETCH_DONE);
    assert_int_equal(listener_change(server.listener, &server.config), LISTENER_OK); /* the same */
    assert_int_equal(fetch_once(), FETCH_DONE);
    write_file(cert_file, cert);
    write_file(key_file, key);
    assert_int_equal(listener_change(server.listener, &server.config), LISTENER_OK);
    wait_for(FETCH_E_TLS_UNTRUSTED);
    served_stop(&server);
}

static void plain_words_to_a_tls_port_get_no_answer(void **state)
{
    char *text;

    start_server();
    text = ask(&server, "GET / HTTP/1.1\r\nHost: h\r\n\r\n");
    assert_has_not(text, "200 OK");
    free(text);
    served_stop(&server);
}

static void files_that_do_not_fit_are_an_outcome(void **state)
{
    struct listener_config config;
    struct listener *listener;

    served_init(&server);
    config = server.config;
    config.loop = loop_new("test");
    config.tls_cert_file = cert_file;
    config.tls_key_file = cert_file;
    assert_int_equal(listener_new(&config, &listener), LISTENER_E_TLS);
    config.tls_key_file = "/nonexistent";
    assert_int_equal(listener_new(&config, &listener), LISTENER_E_TLS);
    loop_free(config.loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_unknown_certificate_ends_the_fetch),
        cmocka_unit_test(another_certificate_is_shown_from_the_next_connection_on),
        cmocka_unit_test(plain_words_to_a_tls_port_get_no_answer),
        cmocka_unit_test(files_that_do_not_fit_are_an_outcome),
    };

    return cmocka_run_group_tests(tests, write_files, remove_files);
}
