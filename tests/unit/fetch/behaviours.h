/* behaviours.h: what the raw upstream says and does, by path; for tests. */
#pragma once

#include "unit.h"

#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

static atomic_size_t sent; /* by a flood, of its body */
static atomic_int taken;   /* chunks that the test's takers have had */

#define FLOOD_BYTES 4194304
#define TORRENT_BYTES 1073741824 /* more than any kernel keeps for one connection */
#define TURNS 5

static inline bool put(int fd, const char *text)
{
    return send(fd, text, strlen(text), MSG_NOSIGNAL) == (ssize_t)strlen(text);
}

#define OK_3 "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc"

static inline bool reset(int fd)
{
    const struct linger now = {1, 0};

    usleep(50000); /* what was said before has arrived */
    (void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
    return false;
}

static inline bool pour(int fd, size_t bytes)
{
    static const char block[16384];

    for (sent = 0; sent < bytes; sent += sizeof(block))
        if (send(fd, block, sizeof(block), MSG_NOSIGNAL) != sizeof(block))
            return false;
    return true;
}

static inline bool flood(int fd)
{
    return pour(fd, FLOOD_BYTES);
}

static inline bool torrent(int fd)
{
    return pour(fd, TORRENT_BYTES);
}

/* Says each chunk only when the one before has been taken. */
static inline bool take_turns(int fd)
{
    taken = 0;
    for (int i = 0; i < TURNS; i++) {
        if (!put(fd, "5\r\nturn\n\r\n"))
            return false;
        for (int ms = 0; taken <= i; ms++) {
            if (ms == 20000)
                return false;
            usleep(1000);
        }
    }
    return put(fd, "0\r\n\r\n");
}

static inline bool drip(int fd)
{
    for (int i = 0; i < 5; i++) {
        if (!put(fd, "5\r\ndrip\n\r\n"))
            return false;
        usleep(60000);
    }
    return put(fd, "0\r\n\r\n");
}

static inline bool stay_silent(int fd)
{
    struct pollfd gone = {.fd = fd, .events = POLLIN};

    (void)poll(&gone, 1, 5000);
    return false;
}

static inline bool leave(int fd)
{
    (void)fd;
    return false;
}

/* A whole answer that nobody has asked for, in the same segment as the last, or behind it. */
#define EXCESS OK_3 "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nbad"

static atomic_int said_more;

static inline bool say_more(int fd)
{
    usleep(2000); /* the first has been taken by then, as a rule; if not it is the case before */
    (void)put(fd, "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nbad");
    said_more++;
    return true;
}

/* What is said to a path, and what is done then; true: the connection stays. */
static const struct behaviour {
    const char *path, *text;
    bool (*then)(int fd);
} behaviours[] = {
    {"/ok", OK_3, NULL},
    {"/ok-then-close", OK_3, leave},
    {"/close-after", "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 3\r\n\r\nabc", NULL},
    {"/excess", EXCESS, NULL},
    {"/excess-later", OK_3, say_more},
    {"/early", "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" OK_3, NULL},
    {"/headers",
     "HTTP/1.1 429 Slow\r\nContent-Type: Application/JSON ; a\r\nRetry-AFTER:7\r\n"
     "X-Two: 1\r\nX-Two: 2\r\nContent-Length: 0\r\n\r\n",
     NULL},
    {"/redirect", "HTTP/1.1 302 Found\r\nLocation: /ok\r\nContent-Length: 0\r\n\r\n", NULL},
    {"/gzip", "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc", NULL},
    {"/drip", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", drip},
    {"/turns", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", take_turns},
    {"/flood", "HTTP/1.1 200 OK\r\nContent-Length: 4194304\r\n\r\n", flood},
    {"/torrent", "HTTP/1.1 200 OK\r\nContent-Length: 1073741824\r\n\r\n", torrent},
    {"/silent", "", stay_silent},
    {"/half", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf", stay_silent},
    {"/close", "", leave},
    {"/reset", "", reset},
    {"/reset-later", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc", reset},
    {"/truncated", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc", leave},
    {"/cut-chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nabc", leave},
    {"/rubbish", "SSH-2.0-OpenSSH\r\n\r\n", leave},
};

static inline bool answer(int fd, const char *path)
{
    size_t n = strcspn(path, " ?");

    for (size_t i = 0; i < ARRAY_LEN(behaviours); i++) {
        const struct behaviour *b = &behaviours[i];

        if (strlen(b->path) == n && memcmp(b->path, path, n) == 0)
            return put(fd, b->text) && (!b->then || b->then(fd));
    }
    return put(fd, "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
}
