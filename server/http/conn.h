/* conn.h: one client connection of a listener; private to this room.
 *
 * Made when libmicrohttpd has accepted it, freed after it was closed. Holds what must be watched
 * beside libmicrohttpd: the hang-up of a suspended connection and the room in its socket (by its own
 * descriptor in the loop's epoll; edge-triggered, so that a half-closed peer does not spin the loop),
 * the deadlines, and the count per address. All on the listener's loop. */
#pragma once

#include <stdatomic.h>
#include <sys/epoll.h>

#include "http/intake.h"
#include "http/linger.h"
#include "http/listener.h"
#include "http/spare.h"

struct certificate;
struct MHD_Connection;
struct MHD_Daemon;
struct exchange;
struct map;

/* Edge-triggered, and EPOLLOUT where what the socket did not take waits for it. */
#define CONN_WATCHED ((uint32_t)EPOLLRDHUP | (uint32_t)EPOLLET)

enum conn_phase {
    CONN_HEAD,    /* a request's head is awaited: at once after the connection was made, or after
                     a request line was read */
    CONN_BODY,    /* a body is coming */
    CONN_WORKING, /* the handler has the request: no deadline of ours */
    CONN_WRITING, /* bytes are on their way to the client */
    CONN_IDLE,    /* kept alive between requests */
};

struct http_conn {
    struct listener *listener;
    struct MHD_Connection *mhd;
    struct exchange *exchange; /* the request on it; NULL between requests */
    struct loop_fd watch;
    struct list link;
    struct net_address peer;
    bool counted;    /* in the listener's tally of addresses; not so for trusted proxies */
    bool over_limit; /* answered with 503 and closed */
    bool suspended, hung_up;
    struct list wake_link; /* in listener.waking; libmicrohttpd still has it suspended */
    struct list awake_link; /* in listener.awake: a handler has the request, and it is not suspended */
    unsigned asked;         /* how often libmicrohttpd has asked since for the answer */
    bool unsettled;         /* counted in listener.unsettled */
    bool unread; /* closed with bytes of the request unread: see linger.h */
    enum conn_phase phase;
    int64_t phase_began_ms;
    uint64_t body_bytes;  /* of the phase CONN_BODY */
    uint64_t acked_bytes; /* as last seen in CONN_WRITING; 0: not looked yet */
};

struct listener {
    struct listener_config config;
    struct MHD_Daemon *daemon;
    struct certificate *certificate; /* NULL: plain */
    struct loop_fd ready; /* libmicrohttpd's epoll */
    struct loop_hook hook;
    struct loop_timer sweep;
    unsigned unchecked; /* connections that this round of the sweep has not looked at */
    int listen_fd; /* -1 when draining */
    uint16_t port;
    bool runnable; /* libmicrohttpd has something to do in this turn */
    bool draining;
    struct list conns, exchanges, drained, backlog, waking;
    unsigned suspended, n_waking;
    /* Connections that stay with libmicrohttpd while their handlers work; see conn_await(). */
    struct list awake;
    unsigned unsettled; /* with a request on them, neither awake nor suspended */
    bool heard;         /* libmicrohttpd's epoll was ready */
    bool moved;         /* libmicrohttpd has called back in this round, and not for awaited answers */
    bool look_again;    /* a request has ended in the last round */
    /* See backlog.h. */
    unsigned begun; /* requests handed to handlers in this turn */
    unsigned refusal_credit; /* grows by one with each of them */
    struct intakes intakes;
    struct map *addresses; /* ip -> struct tally */
    struct lingers lingers;
    struct spare spare;
    /* Written by the loop, read by anyone. */
    atomic_size_t active; /* exchanges attached to a connection */
    atomic_uint connections;
    atomic_uint_fast64_t requests, refused_by_gate, timeouts, gone;
    atomic_uint_fast64_t refused_by_limits, refused_by_memory, shed, turned_away;
    uint64_t refused_logged;
    int64_t refused_logged_ms;
};

/* Those above the limit are told 503 when they ask for something, by a connection as any; there are no more
 * than a few of them: beyond these, whoever comes is told at once, unheard, and cut. True: it was. The limit
 * is that of the settings now; libmicrohttpd's own would be for ever what it was at the start, and leave
 * clients waiting in the kernel's queue. */
bool conn_turned_away(struct listener *l, int fd);
struct sockaddr;
struct http_conn *conn_new(struct listener *l, struct MHD_Connection *mhd, int fd,
                           const struct sockaddr *peer) _must_use_;
/* The descriptor is about to be closed. */
void conn_closed(struct http_conn *c);
void conn_enter(struct http_conn *c, enum conn_phase phase);
void conn_suspend(struct http_conn *c);
/* A handler has the request: the connection stays with libmicrohttpd, as a suspended one leaves its epoll
 * and enters it again, and is read in vain. It asks for the answer whenever it runs; who is asked too often
 * is suspended. With TLS at once: what libmicrohttpd has read ahead there cannot be told from waiting. */
void conn_await(struct http_conn *c);
/* libmicrohttpd asks for an answer. True: it is still awaited. */
bool conn_awaits(struct http_conn *c);
/* From now on what libmicrohttpd has to do can be told from awaiting answers. */
void conn_suspend_awake(struct listener *l);
/* Has the request that is on it become, or ceased to be, something that libmicrohttpd may have to do? */
void conn_reckon(struct http_conn *c);
/* The answer is there: resumes if suspended; libmicrohttpd runs again in this turn, or while requests wait
 * in the backlog once some more are to be resumed with it. */
void conn_wake(struct http_conn *c);
/* Resumes those that were put off when they are enough, or the backlog is empty, or `all` is wanted. */
void conn_run_waking(struct listener *l, bool all);
/* Ends the connection now: both directions are shut, libmicrohttpd does the rest. */
void conn_cut(struct http_conn *c);
/* Cuts the connection when its phase has lasted too long: true. */
bool conn_check(struct http_conn *c, int64_t now_ms);

/* Counts one more user of the address; false when there would be more than the listener's limit. */
bool tally_take(struct listener *l, const struct net_address *a) _must_use_;
void tally_give(struct listener *l, const struct net_address *a);
