/* claim.c: see claim.h.
 *
 * The server's listeners share their port with SO_REUSEPORT, so a second server would not notice
 * the first; an exclusive bind does. SO_REUSEADDR lets it past connections in TIME_WAIT, not past a
 * listener. */
#include "supervisor/claim.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/err.h"

#define PORT_TRIES 11
#define PORT_PAUSE_NS 100000000

static int make_directories(const char *path)
{
    char part[PATH_MAX];
    struct stat st;

    if (snprintf(part, sizeof(part), "%s", path) >= (int)sizeof(part))
        return -ENAMETOOLONG;
    for (char *p = part + 1; *p; p++) {
        if (*p != '/')
            continue;
        *p = '\0';
        if (mkdir(part, 0755) < 0 && errno != EEXIST)
            return -errno;
        *p = '/';
    }
    if (mkdir(part, 0700) < 0 && errno != EEXIST)
        return -errno;
    if (stat(part, &st) < 0)
        return -errno;
    return S_ISDIR(st.st_mode) ? 0 : -ENOTDIR;
}

static pid_t read_holder(int fd)
{
    char text[16] = {0};

    return pread(fd, text, sizeof(text) - 1, 0) > 0 ? (pid_t)strtol(text, NULL, 10) : 0;
}

int claim_directory(const char *path, int *ret_fd, pid_t *ret_holder)
{
    char lock[PATH_MAX];
    int r = make_directories(path);

    if (r == 0 && snprintf(lock, sizeof(lock), "%s/lock", path) >= (int)sizeof(lock))
        r = -ENAMETOOLONG;
    if (r < 0) {
        errno = -r;
        return CLAIM_E_DIRECTORY;
    }
    int fd = open(lock, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

    if (fd < 0)
        return CLAIM_E_DIRECTORY;
    if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
        *ret_holder = read_holder(fd);
        close(fd);
        return CLAIM_E_HELD;
    }
    if (ftruncate(fd, 0) < 0 || dprintf(fd, "%d\n", (int)getpid()) < 0) {
        r = errno;
        close(fd);
        errno = r;
        return CLAIM_E_DIRECTORY;
    }
    *ret_fd = fd;
    return CLAIM_OK;
}

static socklen_t make_address(const char *text, uint16_t port, struct sockaddr_storage *ret)
{
    struct sockaddr_in *four = (struct sockaddr_in *)ret;
    struct sockaddr_in6 *six = (struct sockaddr_in6 *)ret;

    memset(ret, 0, sizeof(*ret));
    if (inet_pton(AF_INET, text, &four->sin_addr) == 1) {
        four->sin_family = AF_INET;
        four->sin_port = htons(port);
        return sizeof(*four);
    }
    if (inet_pton(AF_INET6, text, &six->sin6_addr) == 1) {
        six->sin6_family = AF_INET6;
        six->sin6_port = htons(port);
        return sizeof(*six);
    }
    return 0;
}

/* 0, or the errno of what failed. */
static int try_port(const struct sockaddr_storage *address, socklen_t n)
{
    int one = 1, failed = 0;
    int fd = socket(address->ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return errno;
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) < 0 ||
        bind(fd, (const struct sockaddr *)address, n) < 0 || listen(fd, 1) < 0)
        failed = errno;
    close(fd);
    return failed;
}

int claim_port(const char *address, uint16_t port)
{
    struct sockaddr_storage storage;
    socklen_t n = make_address(address, port, &storage);
    int failed = EADDRINUSE;

    if (n == 0)
        return PORT_E_ADDRESS;
    for (int i = 0; i < PORT_TRIES && failed == EADDRINUSE; i++) {
        if (i > 0)
            nanosleep(&(struct timespec){.tv_nsec = PORT_PAUSE_NS}, NULL);
        failed = try_port(&storage, n);
    }
    switch (failed) {
    case 0:
        return PORT_OK;
    case EADDRINUSE:
        return PORT_E_TAKEN;
    case EACCES:
        return PORT_E_PRIVILEGED;
    default:
        return PORT_E_ADDRESS;
    }
}
