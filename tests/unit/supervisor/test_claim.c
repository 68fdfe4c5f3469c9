/* The data directory and the port: who holds them, and that only the holder does. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/base.h"
#include "supervisor/claim.h"

static char base[] = "/tmp/tg-claim-XXXXXX";

static int setup(void **state)
{
    return mkdtemp(base) ? 0 : -1;
}

static int teardown(void **state)
{
    char command[64];

    snprintf(command, sizeof(command), "rm -rf '%s'", base);
    return system(command);
}

static void path_in(char out[128], const char *name)
{
    snprintf(out, 128, "%s/%s", base, name);
}

static void the_directory_is_made_private(void **state)
{
    char path[128];
    struct stat st;
    pid_t holder;
    int fd = -1;

    path_in(path, "a/b/c");
    assert_int_equal(claim_directory(path, &fd, &holder), CLAIM_OK);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0700);
    close(fd);
}

static void a_second_claim_names_the_first(void **state)
{
    int fd = -1, other = -1;
    pid_t holder = 0;
    char path[128];

    path_in(path, "held");
    assert_int_equal(claim_directory(path, &fd, &holder), CLAIM_OK);
    assert_int_equal(claim_directory(path, &other, &holder), CLAIM_E_HELD);
    assert_int_equal(holder, getpid());
    close(fd);
    assert_int_equal(claim_directory(path, &fd, &holder), CLAIM_OK);
    close(fd);
}

static void a_file_is_no_directory(void **state)
{
    char path[128];
    pid_t holder;
    int fd;

    path_in(path, "file");
    fclose(fopen(path, "we"));
    assert_int_equal(claim_directory(path, &fd, &holder), CLAIM_E_DIRECTORY);
}

/* A listener on a free port of loopback, sharing it as the server's loops do if asked to. */
static int listen_somewhere(bool shared, uint16_t *ret_port)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof(address);
    int one = 1, fd = socket(AF_INET, SOCK_STREAM, 0);

    assert_true(fd >= 0);
    if (shared)
        assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof(one)), 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, n), 0);
    assert_int_equal(listen(fd, 1), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &n), 0);
    *ret_port = ntohs(address.sin_port);
    return fd;
}

static void a_taken_port_is_seen_shared_or_not(void **state)
{
    for (int shared = 0; shared <= 1; shared++) {
        uint16_t port;
        int fd = listen_somewhere(shared, &port);

        assert_int_equal(claim_port("127.0.0.1", port), PORT_E_TAKEN);
        assert_int_equal(claim_port("0.0.0.0", port), PORT_E_TAKEN);
        close(fd);
        assert_int_equal(claim_port("127.0.0.1", port), PORT_OK);
    }
}

static void foreign_addresses_are_refused(void **state)
{
    assert_int_equal(claim_port("192.0.2.1", 8080), PORT_E_ADDRESS);
    assert_int_equal(claim_port("nonsense", 8080), PORT_E_ADDRESS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_directory_is_made_private),
        cmocka_unit_test(a_second_claim_names_the_first),
        cmocka_unit_test(a_file_is_no_directory),
        cmocka_unit_test(a_taken_port_is_seen_shared_or_not),
        cmocka_unit_test(foreign_addresses_are_refused),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
