/* raw_upstream.h: an upstream that speaks raw bytes, well or badly; for tests. */
#pragma once

#include "fetch/behaviours.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <time.h>

#include "base/buf.h"

/* The upstream: a thread per connection; what it does is said by the path. */
static int listening = -1;
static uint16_t port;
static atomic_int connections, requests, open_now;
static char seen[20000]; /* the last request */
static pthread_mutex_t seen_lock = PTHREAD_MUTEX_INITIALIZER;

static inline int64_t now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static inline bool serve_one(int fd)
{
    char head[sizeof(seen)] = "";
    size_t n = 0, body = 0;
    const char *end, *length;

    while (!(end = strstr(head, "\r\n\r\n")) || n < (size_t)(end - head) + 4 + body) {
        ssize_t got = recv(fd, head + n, sizeof(head) - 1 - n, 0);

        if (got <= 0)
            return false;
        n += (size_t)got;
        head[n] = '\0';
        length = strstr(head, "Content-Length: ");
        body = length ? strtoul(length + 16, NULL, 10) : 0;
    }
    (void)pthread_mutex_lock(&seen_lock);
    memcpy(seen, head, n + 1);
    (void)pthread_mutex_unlock(&seen_lock);
    requests++;
    return answer(fd, strchr(head, ' ') + 1);
}

static inline void *serve_connection(void *p)
{
    int fd = (int)(intptr_t)p;

    while (serve_one(fd))
        ;
    close(fd);
    open_now--;
    return NULL;
}

static inline void *accept_all(void *p)
{
    int fd;

    while ((fd = accept(listening, NULL, NULL)) >= 0) {
        pthread_t thread;

        connections++;
        open_now++;
        if (pthread_create(&thread, NULL, serve_connection, (void *)(intptr_t)fd) == 0)
            (void)pthread_detach(thread);
    }
    return NULL;
}

static inline int start_upstream(void **state)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof(at);
    pthread_t thread;

    (void)signal(SIGPIPE, SIG_IGN);
    listening = socket(AF_INET, SOCK_STREAM, 0);
    if (bind(listening, (struct sockaddr *)&at, sizeof(at)) < 0 || listen(listening, 50) < 0)
        return -1;
    (void)getsockname(listening, (struct sockaddr *)&at, &n);
    port = ntohs(at.sin_port);
    if (pthread_create(&thread, NULL, accept_all, NULL) != 0)
        return -1;
    return pthread_detach(thread);
}
